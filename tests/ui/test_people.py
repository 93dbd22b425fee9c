"""Signing in, saying yes, choosing a secret: pressed keys, and what the till is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from terminal.errors import ApprovalNeeded
from terminal.people.privileges import Act, Role
from ui.app import TillApp
from ui.still import LIN_MEI, SHOP, VIEWS, WANG_FANG, StillBench, StillStaff, StillTill

Read = Callable[[TillApp], str]


async def type_in(pilot: Pilot[None], *texts: str) -> None:
    """Type each text and Enter."""
    for text in texts:
        await pilot.press(*(("minus" if each == "-" else each) for each in text), "enter")


async def test_nobody_gets_past_the_sign_in(still: StillTill, read_screen: Read) -> None:
    still.staff.signed_in = None
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        assert "SIGN IN" in read_screen(app)
        await pilot.press("f5", "f2", "b", "1", "0", "escape", "f9")
        assert "SIGN IN" in read_screen(app)
        assert still.wishes == []


async def test_a_cashier_signs_in_and_out(still: StillTill, read_screen: Read) -> None:
    still.staff.signed_in = None
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await type_in(pilot, "lin", "9999", "")
        assert "Name, secret or code is wrong" in read_screen(app)
        assert "9999" not in read_screen(app)
        await type_in(pilot, "4826", "")
        assert "TOTAL" in read_screen(app)
        assert "Lin Mei" in read_screen(app)
        await pilot.press("f9", "c")
        assert "SIGN IN" in read_screen(app)


async def test_a_secret_is_never_drawn(still: StillTill, read_screen: Read) -> None:
    still.staff.signed_in = None
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("l", "i", "n", "enter", "4", "8", "2", "6")
        assert "4826" not in read_screen(app)
        assert "****_" in read_screen(app)


async def test_a_supervisor_says_yes_and_the_refund_goes_on(
    still: StillTill, read_screen: Read
) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f5", "r")
        still.refusal = ApprovalNeeded(
            "A supervisor must allow it: to give money back", Act.GIVE_BACK
        )
        await pilot.press("enter")
        assert "SOMEBODY ELSE MUST ALLOW IT" in read_screen(app)
        assert "A supervisor must allow it: to give money back" in read_screen(app)
        still.refusal = None
        await type_in(pilot, "wang", "bench-482613", "391204")
        assert still.staff.done == [("approve", "wang")]
        assert [wish[0] for wish in still.wishes] == ["refund"]


async def test_a_wrong_yes_stays_where_it_is(still: StillTill, read_screen: Read) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f5", "r")
        still.refusal = ApprovalNeeded("It takes two persons to refund over the limit", "x")
        await pilot.press("enter")
        still.refusal = None
        await type_in(pilot, "wang", "wrong", "")
        assert "SOMEBODY ELSE MUST ALLOW IT" in read_screen(app)
        assert still.wishes == []
        await pilot.press("escape")
        assert "REFUND" in read_screen(app)


async def test_the_bench_fills_in_what_its_people_know(read_screen: Read) -> None:
    still = StillTill(VIEWS["sale"], replace(SHOP, is_bench=True), StillBench())
    still.staff.signed_in = None
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f12", "enter")
        assert still.staff.signed_in == LIN_MEI


async def test_the_first_start_wants_a_supervisor_with_secret_and_app(
    still: StillTill, read_screen: Read
) -> None:
    still.staff.signed_in = None
    still.staff.needs_first_supervisor = True
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        assert "FIRST START" in read_screen(app)
        await type_in(pilot, "wang", "Wang", "right9horse", "right9house")
        assert "not the same" in read_screen(app)
        await type_in(pilot, "right9horse", "right9horse")
        assert still.staff.done == [("take_in_first", "wang", "Wang")]
        assert "GEZD GNBV GY3T QOJQ" in read_screen(app)
        await type_in(pilot, "123456")
        assert "TOTAL" in read_screen(app)


async def test_a_given_secret_is_changed_before_anything_else(
    still: StillTill, read_screen: Read
) -> None:
    still.staff.signed_in = replace(LIN_MEI, must_change=True)
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("escape")
        assert "YOUR OWN SECRET" in read_screen(app)
        await type_in(pilot, "7391", "7391")
        assert "TOTAL" in read_screen(app)


async def test_idle_hands_are_signed_out_but_not_in_mid_payment(read_screen: Read) -> None:
    still = StillTill(VIEWS["present"], replace(SHOP, idle_sign_out_s=60.0))
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        still.pass_time(61)
        app._tick()
        await pilot.pause()
        before = still.staff.signed_in
        still.show(VIEWS["unknown"])
        await pilot.pause()
        app._tick()
        await pilot.pause()
        assert (before, still.staff.signed_in) == (LIN_MEI, None)
        assert "SIGN IN" in read_screen(app)
        still.staff.signed_in = LIN_MEI
        await pilot.press("tab")
        assert "Do not charge again" in read_screen(app)


async def test_a_supervisor_takes_somebody_in(still: StillTill, read_screen: Read) -> None:
    still.staff.signed_in = WANG_FANG
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f9", "0")
        assert "Wang Fang" in read_screen(app)
        await pilot.press("a", "f8")
        await type_in(pilot, "03", "Chen")
        assert still.staff.done == [("take_in", "03", "Chen", Role.SUPERVISOR)]
        assert "03 signs in with 739146" in read_screen(app)
        await pilot.press("down", "n", "d")
        assert still.staff.done[1:] == [("reset", "wang"), ("let_go", "wang")]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
@pytest.mark.parametrize("what", ["sign-in", "first", "own-secret", "own-app", "people", "new"])
async def test_nothing_is_clipped(language: str, size: tuple[int, int], what: str) -> None:
    staff = StillStaff()
    staff.signed_in = {
        "sign-in": None,
        "first": None,
        "own-secret": replace(LIN_MEI, must_change=True),
        "own-app": replace(WANG_FANG, has_code=False),
    }.get(what, WANG_FANG)
    staff.needs_first_supervisor = what == "first"
    still = StillTill(VIEWS["sale"], replace(SHOP, is_bench=True), StillBench())
    still.staff = staff
    app = TillApp(still, language)
    async with app.run_test(size=size) as pilot:
        await pilot.press(*{"people": ("f9", "0"), "new": ("f9", "0", "a")}.get(what, ()))
        assert app.picture().clipped == []
