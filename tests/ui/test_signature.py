"""A signature is looked at before the next sale: on the screen and in lines."""

from dataclasses import replace

import pytest

from terminal.states import State
from ui.app import TillApp
from ui.plain import LineTill
from ui.screens.result import DEAF_S
from ui.still import VIEWS, StillTill

SIGNS = VIEWS["approved-sign"]


@pytest.mark.parametrize(
    ("signs", "key", "wish"),
    [(True, "s", ("refuse_signature",)), (True, "enter", ("leave",)), (False, "s", None)],
)
async def test_s_refuses_and_enter_takes_it(signs: bool, key: str, wish: object) -> None:
    till = StillTill(SIGNS if signs else VIEWS["approved"])
    app = TillApp(till)
    async with app.run_test(size=(80, 24)) as pilot:
        app.desk.stage_since -= DEAF_S
        await pilot.press(key)
        assert till.wishes == ([wish] if wish else [])


def test_line_mode_says_how_to_refuse_it() -> None:
    till = StillTill(VIEWS["present"])
    said: list[str] = []
    lines = LineTill(till, "en", said.append)
    till.subscribe(lines.saw)
    till.show(SIGNS)
    assert said[-1] == "Next: Enter, the signature is right. refuse, it is not."
    lines.heard("refuse")
    assert till.wishes == [("refuse_signature",)]


def test_a_payment_that_is_being_reversed_has_no_signature_to_refuse() -> None:
    payment = SIGNS.payment
    assert payment is not None
    reversing = replace(SIGNS, payment=replace(payment, state=State.REVERSING))
    till = StillTill(reversing)
    assert [action.key for action in TillApp(till).page.actions()] == ["Enter", "N"]
