"""Money held and tips, on the screen and in lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from terminal.messages import Message
from terminal.states import State
from terminal.view import Kind
from ui.app import TillApp
from ui.plain import LineTill
from ui.still import NOON_MS, QUIET, SHOP, StillTill, ended, payment

Read = Callable[[TillApp], str]

HOLD = payment(
    420,
    kind=Kind.PREAUTH,
    state=State.APPROVED,
    amount_minor=20_000,
    held_minor=25_000,
    expires_ms=NOON_MS + 30 * 86_400_000,
    masked_pan="424242******4242",
)
SALE = payment(419, state=State.APPROVED, amount_minor=10_000, masked_pan="424242******4242")


def key_of(screen: str, label: str) -> str:
    """The key of a line in the list of functions."""
    return next(line.split()[0] for line in screen.splitlines() if label in line).lower()


@pytest.fixture
def till() -> StillTill:
    """A till whose last payments are a hold and a sale."""
    return StillTill(replace(QUIET, recent=(HOLD, SALE)), replace(SHOP, takes_tips=True))


@pytest.mark.parametrize(
    ("keys", "shown", "wish"),
    [
        (["c"], "Held: ¥250.00", ("complete", 420, 25_000)),
        (["c", "1", "8", "0", "0", "0"], "COMPLETION", ("complete", 420, 18_000)),
        (["a", "5", "0", "0", "0"], "INCREMENT", ("increment", 420, 5_000)),
        (["l"], "Let all of this go?", ("release", 420)),
        (["down", "t", "5", "0", "0"], "TIP", ("tip", 419, 500)),
    ],
)
async def test_the_list_does_it(
    till: StillTill, read_screen: Read, keys: list[str], shown: str, wish: tuple[object, ...]
) -> None:
    app = TillApp(till)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f4")
        await pilot.press(*keys)
        assert shown in read_screen(app)
        assert till.wishes == []
        await pilot.press("enter")
        assert till.wishes == [wish]


async def test_what_cannot_follow_is_refused_in_words(till: StillTill, read_screen: Read) -> None:
    app = TillApp(till)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f4", "t")
        assert "No tip can be added here" in read_screen(app)
        await pilot.press("down", "c")
        assert "Nothing is held here" in read_screen(app)
        await pilot.press("up", "a", "enter")
        assert "Type the amount first" in read_screen(app)
    assert till.wishes == []


async def test_the_amount_on_the_tape_is_held_from_the_list_of_functions(
    till: StillTill, read_screen: Read
) -> None:
    app = TillApp(till)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "0", "0", "0", "0", "f9")
        await pilot.press(key_of(read_screen(app), "Other kinds"), "1")
        assert till.wishes == [("preauth", 20_000)]
        till.show(ended(State.APPROVED, kind=Kind.PREAUTH, reason=Message.HELD))
        await pilot.pause()
        assert "Nothing is taken yet" in read_screen(app)


async def test_a_typed_number_is_masked_and_forgotten(till: StillTill, read_screen: Read) -> None:
    app = TillApp(till)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("8", "8", "0", "0", "f9")
        await pilot.press(key_of(read_screen(app), "Other kinds"), "2")
        await pilot.press(*"4761739001010119")
        shown = read_screen(app)
        assert "************0119" in shown
        assert "1010119" not in shown
        await pilot.press("enter", *"1231", "enter")
        assert till.wishes == [("moto", 8800, "0119", "1231")]
        assert "0119" not in read_screen(app)


@pytest.mark.parametrize(
    ("line", "asked", "wish"),
    [
        ("complete 420", "Take 250.00 yuan of what 0420 holds?", ("complete", 420, 25_000)),
        ("complete 420 180.00", "Take 180.00 yuan", ("complete", 420, 18_000)),
        ("more 420 50.00", "Hold 50.00 yuan more under 0420?", ("increment", 420, 5_000)),
        ("解冻 420", "Let 250.00 yuan of 0420 go?", ("release", 420)),
        ("tip 419 5.00", "Add a tip of 5.00 yuan to 0419?", ("tip", 419, 500)),
    ],
)
def test_lines_ask_and_then_do_it(
    till: StillTill, line: str, asked: str, wish: tuple[object, ...]
) -> None:
    told: list[str] = []
    lines = LineTill(till, "en", told.append)
    lines.heard(line)
    assert told[-1].startswith(asked)
    assert till.wishes == []
    lines.heard("")
    assert till.wishes == [wish]


def test_lines_hold_an_amount(till: StillTill) -> None:
    told: list[str] = []
    lines = LineTill(till, "en", told.append)
    lines.heard("hold")
    assert told[-1] == "Type the amount first."
    lines.heard("hold 200.00")
    assert till.wishes == [("preauth", 20_000)]


async def test_a_balance_is_asked_for_and_shown_large(till: StillTill, read_screen: Read) -> None:
    app = TillApp(till)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f9")
        await pilot.press(key_of(read_screen(app), "Other kinds"), "3")
        assert till.wishes == [("balance",)]
    told: list[str] = []
    lines = LineTill(till, "en", told.append)
    lines.heard("余额")
    assert till.wishes == [("balance",)] * 2
    lines.saw(
        ended(
            State.APPROVED,
            kind=Kind.BALANCE,
            amount_minor=0,
            balance_minor=12_345,
            reason=Message.BALANCE_TOLD,
        )
    )
    assert any("123.45" in line for line in told)
