"""The customer enters a PIN: what the screens show of it, and where the keys go."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from textual.app import App

from terminal.customer import customer_view
from terminal.messages import Message
from terminal.view import Stage, View
from ui.app import TillApp
from ui.plain import LineTill
from ui.still import SHOP, VIEWS, StillBench, StillTill
from ui.widgets.canvas import Canvas
from ui.widgets.customer_panel import paint_customer

Read = Callable[[App[Any]], str]

PIN = replace(VIEWS["pin"], pin_digits=0)


def bench_till(view: View = PIN, *, takes_pin: bool = True) -> tuple[StillTill, StillBench]:
    bench = StillBench()
    bench.takes_pin = takes_pin
    return StillTill(view, replace(SHOP, is_bench=True), bench), bench


async def test_typed_digits_go_to_the_pad_and_never_to_the_screen(read_screen: Read) -> None:
    till, bench = bench_till()
    app = TillApp(till)
    async with app.run_test(size=(80, 24)) as pilot:
        before = read_screen(app)
        assert "TEST ONLY" in before
        await pilot.press("7", "9", "backspace", *"7913", "enter")
        assert bench.pressed == ["7", "9", "clear", "7", "9", "1", "3", "enter"]
        assert read_screen(app) == before
        assert "7913" not in repr(app.desk)
        assert till.wishes == []


async def test_the_dots_are_what_the_pad_counts(read_screen: Read) -> None:
    till, _ = bench_till()
    app = TillApp(till)
    async with app.run_test(size=(80, 24)) as pilot:
        for digits, dots in ((0, "_  _  _  _"), (1, "*  _  _  _"), (6, "*  *  *  *  *  *")):
            till.show(replace(PIN, pin_digits=digits))
            await pilot.pause()
            assert dots in read_screen(app)


async def test_a_pad_of_its_own_takes_no_keys_of_the_till(read_screen: Read) -> None:
    till, bench = bench_till(takes_pin=False)
    app = TillApp(till)
    async with app.run_test(size=(80, 24)) as pilot:
        assert "TEST ONLY" not in read_screen(app)
        assert "On the PIN pad" in read_screen(app)
        await pilot.press(*"1234", "enter", "escape")
        assert bench.pressed == []
        assert till.wishes == [("cancel",)]


async def test_a_live_till_has_no_keys_for_a_pin(still: StillTill, read_screen: Read) -> None:
    still.show(PIN)
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"1234", "enter")
        assert "TEST ONLY" not in read_screen(app)
        assert still.wishes == []


async def test_letters_are_no_commands_while_a_pin_is_typed(read_screen: Read) -> None:
    till, bench = bench_till()
    app = TillApp(till)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("b", "n")
        assert app.page.name == "pin"
        assert bench.pressed == []


async def test_a_pin_for_the_card_tells_what_is_left(read_screen: Read) -> None:
    till, _ = bench_till()
    app = TillApp(till)
    async with app.run_test(size=(80, 24)) as pilot:
        for hint, left, told in (
            (None, 3, ""),
            (Message.WRONG_PIN, 2, "Wrong PIN   2 tries left"),
            (Message.WRONG_PIN, 1, "Wrong PIN   Last try"),
        ):
            till.show(replace(PIN, hint=hint, tries_left=left, card_stays=True))
            await pilot.pause()
            screen = read_screen(app)
            assert told in screen
            assert "Leave the card in" in screen


@pytest.mark.parametrize(("left", "told"), [(2, "请重新输入"), (1, "最后一次")])
def test_the_customer_reads_of_a_wrong_pin(left: int, told: str) -> None:
    view = replace(PIN, hint=Message.WRONG_PIN, tries_left=left)
    canvas = Canvas(46, 36)
    paint_customer(canvas, customer_view(view, SHOP, 0.0), has_blocks=True)
    assert told in "\n".join(canvas.lines())


def test_the_customer_is_asked_in_both_languages_and_sees_the_dots() -> None:
    for width, height in ((46, 36), (80, 24)):
        canvas = Canvas(width, height)
        view = customer_view(replace(PIN, pin_digits=2), SHOP, 0.0)
        paint_customer(canvas, view, has_blocks=True)
        text = "\n".join(canvas.lines())
        assert "请输入密码" in text
        assert "Please enter your PIN" in text
        assert "*  *  _  _" in text
        assert not canvas.clipped


def test_line_mode_tells_of_the_pin_and_how_to_type_a_test_one() -> None:
    for takes_pin, language, told in (
        (True, "en", "Customer enters PIN. In this simulation: bench pin:1234."),
        (False, "en", "Customer enters PIN."),
        (False, "zh", "请顾客输入密码。"),
    ):
        till, _ = bench_till(replace(PIN, stage=Stage.PRESENT), takes_pin=takes_pin)
        said: list[str] = []
        till.subscribe(LineTill(till, language, said.append).saw)
        till.show(PIN)
        assert said == [told]
