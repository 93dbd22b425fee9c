"""The card's holder chooses an application: what the screens show, and where the keys go."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from textual.app import App

from terminal.customer import customer_view
from terminal.messages import Message
from ui.app import TillApp
from ui.plain import LineTill
from ui.still import SHOP, VIEWS, StillTill
from ui.widgets.canvas import Canvas
from ui.widgets.customer_panel import paint_customer

Read = Callable[[App[Any]], str]

CHOOSE = VIEWS["choose"]
CONFIRM = replace(CHOOSE, prompt=Message.CONFIRM_APPLICATION, choices=("VISA CREDIT",))


async def test_a_digit_chooses_and_nothing_else_does(read_screen: Read) -> None:
    till = StillTill(CHOOSE)
    app = TillApp(till)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = read_screen(app)
        assert "VISA CREDIT" in screen
        assert "Leave the card in" in screen
        await pilot.press("3", "enter", "n", "2", "0", "escape")
        assert till.wishes == [("choose", 1), ("choose", None), ("cancel",)]


async def test_enter_agrees_to_the_only_one(read_screen: Read) -> None:
    till = StillTill(CONFIRM)
    app = TillApp(till)
    async with app.run_test(size=(80, 24)) as pilot:
        assert "Customer agrees to pay with this" in read_screen(app)
        await pilot.press("enter")
        assert till.wishes == [("choose", 0)]


@pytest.mark.parametrize(
    ("language", "first"), [("en", "Which one"), ("zh", "请选择"), ("", "请选择")]
)
def test_the_customer_reads_the_cards_language_first(language: str, first: str) -> None:
    for width, height in ((46, 36), (80, 24)):
        canvas = Canvas(width, height)
        view = customer_view(replace(CHOOSE, language=language), SHOP, 0.0)
        paint_customer(canvas, view, has_blocks=True)
        lines = canvas.lines()
        said = [line for line in lines if "Which one" in line or "请选择" in line]
        assert first in said[0]
        assert any("2  VISA DEBIT" in line for line in lines)
        assert not canvas.clipped


def test_line_mode_lists_the_names_and_takes_a_number() -> None:
    till = StillTill(replace(VIEWS["present"]))
    said: list[str] = []
    lines = LineTill(till, "en", said.append)
    till.subscribe(lines.saw)
    till.show(CHOOSE)
    assert said == [
        "Customer chooses how to pay with this card. 1 VISA CREDIT. 2 VISA DEBIT. "
        "choose NUMBER, or choose 0 for none."
    ]
    for line in ("choose", "choose 2", "choose 0"):
        lines.heard(line)
    assert till.wishes == [("choose", 1), ("choose", None)]
