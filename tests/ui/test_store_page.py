"""What is kept and what waits for a person: pressed keys, and what the till is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from terminal.errors import NotAllowed
from terminal.messages import Message
from terminal.states import State
from ui.app import TillApp
from ui.desk import Desk
from ui.plain import LineTill
from ui.screens.store import SettlePage, StorePage
from ui.still import RECENT, SHOP, VIEWS, StillTill
from ui.widgets.canvas import Canvas

Read = Callable[[TillApp], str]

STATES = (State.STORED_REFUSED, State.REVERSAL_REFUSED, State.DEFERRED)
WAITING = tuple(
    replace(payment, state=state, reason=Message.STORED_REFUSED)
    for payment, state in zip(RECENT, STATES, strict=False)
)

LIMITED = replace(SHOP, kept_max=50, kept_sum_max_minor=100_000)


@pytest.fixture
def shop_till() -> StillTill:
    """A till with one sale of each kind kept, and two for a person."""
    return StillTill(replace(VIEWS["sale"], recent=(*WAITING, *RECENT[3:])), LIMITED)


async def test_k_keeps_the_sale_that_was_not_sent(still: StillTill, read_screen: Read) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        still.show(VIEWS["may_keep"])
        await pilot.pause()
        assert "Keep it, send later" in read_screen(app)
        assert "at the shop's risk" in read_screen(app)
        still.pass_time(1.0)
        await pilot.press("k")
        assert still.wishes == [("keep",)]


async def test_k_does_nothing_where_it_is_not_offered(still: StillTill) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        still.show(replace(VIEWS["may_keep"], keep=VIEWS["sale"].keep))
        await pilot.pause()
        still.pass_time(1.0)
        await pilot.press("k")
        assert still.wishes == []


async def test_the_two_kinds_are_shown_apart_and_sent_by_a_key(
    shop_till: StillTill, read_screen: Read
) -> None:
    app = TillApp(shop_till)
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_page(StorePage(app.desk))
        await pilot.press("s", "r")
        lines = read_screen(app).splitlines()
        deferred = next(line for line in lines if "Not yet approved" in line)
        stored = next(line for line in lines if "Approved by the card" in line)
        assert "¥12.50" in deferred
        assert "¥99.00" in stored
        assert any("At most 50 sales, ¥1,000.00 together" in line for line in lines)
        assert shop_till.wishes == [("sync",), ("raise",)]


async def test_what_waits_for_a_person_is_settled_with_a_note(
    shop_till: StillTill, read_screen: Read
) -> None:
    app = TillApp(shop_till)
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_page(StorePage(app.desk))
        await pilot.press("down", "enter", *"paid", "enter")
        assert shop_till.wishes == [("settle", WAITING[1].id, "paid")]
        assert "Settled. A receipt says how" in read_screen(app)


async def test_a_till_that_refuses_keeps_the_note_standing(
    shop_till: StillTill, read_screen: Read
) -> None:
    app = TillApp(shop_till)
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_page(StorePage(app.desk))
        await pilot.press("enter")
        shop_till.refusal = NotAllowed("Say how it was settled: a note is needed")
        await pilot.press("enter")
        assert "Say how it was settled" in read_screen(app)
        assert app.page.name == "settle"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("size", [(80, 19), (120, 30)])
def test_both_pages_fit(shop_till: StillTill, language: str, size: tuple[int, int]) -> None:
    desk = Desk(shop_till, language)
    for page in (StorePage(desk), SettlePage(desk, WAITING[0])):
        canvas = Canvas(*size)
        page.paint(canvas)
        assert not canvas.clipped, page.name


def test_a_till_in_lines_keeps_sends_and_settles(shop_till: StillTill) -> None:
    said: list[str] = []
    lines = LineTill(shop_till, "en", said.append)
    lines.saw(VIEWS["may_keep"])
    assert said[-1] == "Next: Enter, another way. keep, keep it here. cancel, close."
    for line in ("keep", "sync", "raise", "inbox", f"settle {WAITING[0].number} paid in cash"):
        lines.heard(line)
    assert shop_till.wishes == [
        ("keep",),
        ("sync",),
        ("raise",),
        ("settle", str(WAITING[0].number), "paid in cash"),
    ]
    assert sum("refused" in line or "not reversed" in line for line in said) == 2
