"""Scans and keys in one stream: no key is lost, and no scan is pressed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual.app import App
from textual.pilot import Pilot

from terminal.checkout.wedge import Scanned, Spoiled, WedgeDetector
from ui.app import TillApp
from ui.keyboard import Keyboard
from ui.screens.page import Key
from ui.still import VIEWS, StillTill

Read = Callable[[App[Any]], str]
CODE = "281234567890123456"
ENTER = Key("enter", "\r")


def keys_of(text: str) -> list[Key]:
    return [ENTER if character == "\r" else Key(character, character) for character in text]


def test_without_a_scanner_every_key_is_a_persons() -> None:
    keyboard = Keyboard(None)
    assert [pressed for key in keys_of(CODE) for pressed in keyboard.take(key, 0.0)] == (
        keys_of(CODE)
    )
    assert keyboard.due_s is None


def test_a_scan_between_a_persons_keys_is_one_code() -> None:
    keyboard = Keyboard(WedgeDetector())
    pressed = [*keyboard.take(Key("7", "7"), 0.0)]
    for key in keys_of(CODE + "\r"):
        pressed += keyboard.take(key, 1.0)
    pressed += keyboard.take(Key("f7"), 2.0)
    assert pressed == [Key("7", "7"), Scanned(CODE), Key("f7")]


def test_a_key_that_no_scanner_has_ends_what_was_held() -> None:
    keyboard = Keyboard(WedgeDetector())
    assert keyboard.take(Key("1", "1"), 0.0) == ()
    assert keyboard.take(Key("f1"), 0.001) == (Key("1", "1"), Key("f1"))
    for key in keys_of(CODE):
        keyboard.take(key, 1.0)
    assert keyboard.take(Key("up"), 1.001) == (Spoiled(), Key("up"))


@given(st.lists(st.sampled_from([*keys_of("0123456789+-.bp\r"), Key("f3"), Key("up")])))
def test_a_person_s_keys_come_out_as_they_went_in(keys: list[Key]) -> None:
    keyboard = Keyboard(WedgeDetector())
    pressed = [out for number, key in enumerate(keys) for out in keyboard.take(key, number * 0.1)]
    pressed += keyboard.idle(1e9)
    assert pressed == keys


async def scan(pilot: Pilot[None], text: str = CODE + "\r") -> None:
    """Type as a scanner does: all at once."""
    for character in text:
        key = "enter" if character == "\r" else character
        pilot.app.post_message(events.Key(key, character))
    await pilot.pause()


def with_scanner(view_name: str = "sale", **facts: Any) -> StillTill:
    till = StillTill(VIEWS[view_name])
    # Slow machines have pauses of their own between two keys of a scan.
    till.detector = WedgeDetector(gap_max_s=0.4, pause_max_s=0.5)
    for name, value in facts.items():
        setattr(till, name, value)
    return till


async def test_a_scan_outside_a_sale_leaves_the_amount_alone(read_screen: Read) -> None:
    """Its digits are no amount, and its Enter takes no payment."""
    till = with_scanner()
    app = TillApp(till)
    async with app.run_test(size=(80, 24)) as pilot:
        app.desk.entry.digits = "5760"
        await scan(pilot)
        assert "That was a scanner. Take payment first, then scan" in read_screen(app)
    assert (app.desk.entry.digits, till.wishes) == ("5760", [])


async def test_a_scan_in_a_sale_is_the_customers_code() -> None:
    till = with_scanner("present", wants_codes=True)
    app = TillApp(till)
    async with app.run_test(size=(80, 24)) as pilot:
        await scan(pilot)
    assert till.wishes == [("code", CODE)]


@pytest.mark.parametrize("name", ["approved", "declined", "unknown"])
async def test_a_scan_closes_no_result(name: str) -> None:
    """Enter behind the code would be the next sale, or another question to the bank."""
    till = with_scanner(name)
    app = TillApp(till)
    async with app.run_test(size=(80, 24)) as pilot:
        till.pass_time(5.0)
        await scan(pilot)
        await scan(pilot, "nbupNBUP" + CODE + "\r")
    assert till.wishes == []


async def test_a_scan_while_the_bank_is_asked_is_not_wanted(read_screen: Read) -> None:
    till = with_scanner("processing")
    app = TillApp(till)
    async with app.run_test(size=(80, 24)) as pilot:
        await scan(pilot)
        assert "No code is wanted now" in read_screen(app)
    assert till.wishes == []


async def test_a_scan_that_breaks_off_is_to_be_done_again(read_screen: Read) -> None:
    till = with_scanner()
    app = TillApp(till)
    async with app.run_test(size=(80, 24)) as pilot:
        await scan(pilot, CODE[:10])
        await pilot.press("f1")
        app.desk.remark = None
        await scan(pilot, CODE[:10])
        deadline = time.monotonic() + 20
        while "Scan it once more" not in read_screen(app) and time.monotonic() < deadline:
            await pilot.pause(0.05)
        assert "Scan it once more" in read_screen(app)
    assert app.desk.entry.digits == ""


async def test_a_persons_digits_arrive_without_a_further_key(read_screen: Read) -> None:
    till = with_scanner()
    app = TillApp(till)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("7")
        deadline = time.monotonic() + 20
        while app.desk.entry.digits != "7" and time.monotonic() < deadline:
            await pilot.pause(0.02)
        assert app.desk.entry.digits == "7"
