"""The close of day by keys and by lines: what is shown, and what is asked of the till."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.app import App

from terminal.errors import ApprovalNeeded, Busy
from ui.app import TillApp
from ui.plain import LineTill
from ui.still import CLOSES, QUIET, StillTill

ReadScreen = Callable[[App[Any]], str]


async def test_f8_asks_for_the_totals_and_enter_closes(read_screen: ReadScreen) -> None:
    till = StillTill(CLOSES["close"])
    app = TillApp(till, "zh")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f8")
        shown = read_screen(app)
        assert "日终结算   11-23   #128" in shown
        assert "¥2,698.50     ¥2,662.50         36.00     ✗ 不一致" in shown
        assert "有 1 笔尚无结果" in shown
        await pilot.press("enter")
        till.show(CLOSES["close-closed"])
        await pilot.pause()
        assert "已结算，与银行一致" in read_screen(app)
    assert till.wishes == [("totals",), ("close",)]


async def test_what_holds_the_close_is_named(read_screen: ReadScreen) -> None:
    till = StillTill(CLOSES["close"])
    app = TillApp(till, "zh")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f8")
        till.refusal = Busy("Payment 412 is unknown: the close waits for its end")
        await pilot.press("enter")
        assert "交易 412 " in read_screen(app)


async def test_a_cashier_needs_a_supervisors_yes_to_see_totals(read_screen: ReadScreen) -> None:
    till = StillTill(CLOSES["close"])
    till.refusal = ApprovalNeeded("A supervisor must allow it: to read the totals", "read_totals")
    app = TillApp(till, "en")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f8")
        assert "CLOSE OF DAY" not in read_screen(app)
        assert "to read the totals" in read_screen(app)


async def test_a_difference_comes_first_and_is_looked_at_and_accepted(
    read_screen: ReadScreen,
) -> None:
    till = StillTill(CLOSES["close-differs"])
    app = TillApp(till, "en")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f8")
        assert "Lines that differ: 1" in read_screen(app)
        await pilot.press("d")
        assert "0412   Sale                     ¥36.00          none     Alipay" in read_screen(app)
        await pilot.press("escape", "enter", "a", *"seen", "enter")
    assert till.wishes == [("totals",), ("check", 128), ("accept", 128, "seen")]


async def test_lines_of_the_open_batch_are_compared_on_wish(read_screen: ReadScreen) -> None:
    till = StillTill(CLOSES["close"])
    app = TillApp(till, "en")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f8", "d")
        assert "Comparing line by line" in read_screen(app)
    assert till.wishes == [("totals",), ("compare",)]


async def test_a_close_without_an_answer_is_asked_about_again(read_screen: ReadScreen) -> None:
    till = StillTill(CLOSES["close-unanswered"])
    app = TillApp(till, "en")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f8", "tab")
        assert "No answer yet" in read_screen(app)
        await pilot.press("enter")
    assert till.wishes == [("totals",), ("check", 128)]


@pytest.fixture
def told() -> list[str]:
    return []


def lines_over(till: StillTill, told: list[str]) -> LineTill:
    lines = LineTill(till, "en", told.append)
    till.subscribe(lines.saw)
    return lines


def test_the_day_is_closed_in_lines(told: list[str]) -> None:
    till = StillTill(QUIET)
    lines = lines_over(till, told)
    lines.heard("close")
    till.show(CLOSES["close"])
    lines.heard("")
    till.show(CLOSES["close-closed"])

    assert told == [
        "Asking the bank.",
        "Cards: ¥3,912.20, agrees.",
        "Wallets: till ¥2,698.50, bank ¥2,662.50, differs.",
        "Refunds: -¥210.00, agrees.",
        "Voids: -¥18.80, agrees.",
        "Net: till ¥6,381.90, bank ¥6,345.90, differs.",
        "Enter closes the day, cancel does not.",
        "Batch 128 is closed.",
    ]
    assert till.wishes == [("totals",), ("close",)]


@pytest.mark.parametrize("line", ["cancel", "345.60"])
def test_anything_but_enter_closes_nothing(told: list[str], line: str) -> None:
    till = StillTill(QUIET)
    lines = lines_over(till, told)
    lines.heard("close")
    till.show(CLOSES["close"])
    lines.heard(line)
    lines.heard("")

    assert ("close",) not in till.wishes


def test_a_yes_from_another_goes_on_with_the_close(told: list[str]) -> None:
    till = StillTill(QUIET)
    lines = lines_over(till, told)
    till.refusal = ApprovalNeeded("A supervisor must allow it: to read the totals", "read_totals")
    lines.heard("close")
    till.refusal = None
    lines.heard("allow wang bench-482613")

    assert till.wishes == [("totals",)]
