"""Whole sales by keys alone: the screen and the line mode, on the till that takes money."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from simulators.people import SimulatedPeople
from terminal.bench import Group
from terminal.commands.watch import Watch, watching
from terminal.states import FINAL, State
from terminal.view import Kind, Stage, View
from ui.app import TillApp

PATIENCE_S = 45.0


def screen_of(app: TillApp) -> str:
    """Return the characters on the screen, row by row."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


async def until(pilot: Pilot[None], watch: Watch, holds: Callable[[View], bool]) -> None:
    """Wait for a view, and until the screen has drawn it.

    watch: begun after the screen, so that the screen has each view first.
    """
    view = await asyncio.to_thread(watch.until, holds, PATIENCE_S)
    assert view is not None
    await pilot.pause()


def keys_of(counter: Any, offer: str) -> Sequence[str]:
    """Return the keys that do this on the bench panel."""
    from ui.screens.bench import KEYS

    offers = counter.till.bench.offers()
    group = next(each.group for each in offers if each.id == offer)
    groups = list(dict.fromkeys(each.group for each in offers))
    place = [each.id for each in offers if each.group is group].index(offer)
    # While a code is shown, the panel opens on the wallets that can scan it.
    begins_at = groups.index(Group.CODE) if counter.till.view().stage is Stage.CODE else 0
    return ("tab",) * ((groups.index(group) - begins_at) % len(groups)) + (KEYS[place],)


async def test_a_tap_by_keys_alone(counter: Any) -> None:
    app = TillApp(counter.till)
    async with app.run_test(size=(80, 24)) as pilot:
        with watching(counter.till) as watch:
            await pilot.press(*"34560")
            await pilot.press("enter")
            await until(pilot, watch, lambda view: view.stage is Stage.PRESENT)
            await pilot.press("b", *keys_of(counter, "card:visa-online"))
            await until(pilot, watch, lambda view: view.stage is Stage.RESULT)
            shown = screen_of(app)
    assert "Hand over the goods" in shown
    (sale,) = counter.till.payments()
    assert (sale.state, sale.amount_minor) == (State.APPROVED, 34560)
    assert counter.booked.transfers_of(sale.id) == ["sale"]


async def test_a_decline_says_why_and_what_next_in_both_languages(counter: Any) -> None:
    app = TillApp(counter.till)
    async with app.run_test(size=(80, 24)) as pilot:
        with watching(counter.till) as watch:
            await pilot.press(*"1000", "enter")
            await until(pilot, watch, lambda view: view.stage is Stage.PRESENT)
            await pilot.press("b", *keys_of(counter, "card:visa-insufficient-funds"))
            await until(pilot, watch, lambda view: view.stage is Stage.RESULT)
            english = screen_of(app)
            await pilot.press("f10")
            chinese = screen_of(app)
    assert "Not enough money" in english
    assert "Another card or wallet" in english
    assert "余额不足" in chinese
    assert "Not enough money" not in chinese


async def test_our_code_by_keys_alone(counter: Any) -> None:
    app = TillApp(counter.till)
    async with app.run_test(size=(120, 40)) as pilot:
        with watching(counter.till) as watch:
            await pilot.press(*"8800", "enter")
            await until(pilot, watch, lambda view: view.stage is Stage.PRESENT)
            await pilot.press("f7")
            await until(pilot, watch, lambda view: view.code is not None)
            await pilot.press("b", *keys_of(counter, "show-code:alipay-qr"))
            await until(pilot, watch, lambda view: view.stage is Stage.RESULT)
            shown = screen_of(app)
    assert "Hand over the goods" in shown
    (sale,) = counter.till.payments()
    assert (sale.state, sale.brand) == (State.APPROVED, "Alipay")


async def test_esc_gives_a_sale_up(counter: Any) -> None:
    app = TillApp(counter.till)
    async with app.run_test(size=(80, 24)) as pilot:
        with watching(counter.till) as watch:
            await pilot.press(*"500", "enter")
            await until(pilot, watch, lambda view: view.stage is Stage.PRESENT)
            await pilot.press("escape")
            await until(pilot, watch, lambda view: view.stage is Stage.RESULT)
            shown = screen_of(app)
    assert "Nothing was charged" in shown
    (sale,) = counter.till.payments()
    assert sale.state is State.CANCELLED


async def test_a_cashier_undoes_a_sale_once_a_supervisor_says_yes(counter: Any) -> None:
    counter.till.staff.let_in("01")
    app = TillApp(counter.till)
    async with app.run_test(size=(80, 24)) as pilot:
        with watching(counter.till) as watch:
            await pilot.press(*"1250", "enter")
            await until(pilot, watch, lambda view: view.stage is Stage.PRESENT)
            await pilot.press("b", *keys_of(counter, "card:visa-online"))
            await until(pilot, watch, lambda view: view.stage is Stage.RESULT)
            # As if the cashier had looked at it: the first moment takes no key.
            app.desk.stage_since = 0.0
            await pilot.press("u")
            assert "A supervisor must allow it" in screen_of(app)
            await pilot.press("f12", "enter")
            await until(
                pilot,
                watch,
                lambda view: (
                    view.stage is Stage.RESULT
                    and view.payment is not None
                    and view.payment.kind is Kind.VOID
                ),
            )
    undone, sale = counter.till.payments()
    assert (undone.kind, sale.state) == (Kind.VOID, State.VOIDED)


async def test_a_customer_who_waits_reads_do_not_charge_again(counter: Any, city: Any) -> None:
    city.doorman.alter = lambda letter: letter.with_headers(b"signature")
    app = TillApp(counter.till)
    async with app.run_test(size=(80, 24)) as pilot:
        with watching(counter.till) as watch:
            await pilot.press(*"700", "enter")
            await until(pilot, watch, lambda view: view.stage is Stage.PRESENT)
            await pilot.press("b", *keys_of(counter, "card:visa-online"))
            await until(pilot, watch, lambda view: view.stage is Stage.RESULT)
            doubtful = screen_of(app)
            city.doorman.alter = None
            await until(
                pilot,
                watch,
                lambda view: view.payment is not None and view.payment.state in FINAL,
            )
            clear = screen_of(app)
    assert "Do not charge again" in doubtful
    assert "Hand over the goods" in clear


async def test_keys_typed_ahead_over_a_result_lose_no_digit(counter: Any) -> None:
    """The next amount comes faster than the till can close the last result."""
    app = TillApp(counter.till)
    async with app.run_test(size=(80, 24)) as pilot:
        with watching(counter.till) as watch:
            await pilot.press(*"500", "enter")
            await until(pilot, watch, lambda view: view.stage is Stage.PRESENT)
            await pilot.press("b", *keys_of(counter, "card:visa-online"))
            await until(pilot, watch, lambda view: view.stage is Stage.RESULT)
            # The first keys over a new result are taken for a slip of the hand.
            app.desk.stage_since -= 10
            for digit in "1250":
                app.post_message(events.Key(digit, digit))
            await pilot.pause()
            await pilot.press("enter")
            await until(pilot, watch, lambda view: view.stage is Stage.PRESENT)
    assert [payment.amount_minor for payment in counter.till.payments()] == [1250, 500]


# --- line mode, in a process of its own ------------------------------------------------------


class Lines:
    """`till run --plain` at a pipe: says a line, awaits what is told."""

    def __init__(self, home: Path, bank_url: str) -> None:
        command = [sys.executable, "-m", "terminal", "--home", str(home), "--bank", bank_url]
        self._process = subprocess.Popen(
            [*command, "run", "--plain", "--language", "en"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._home = home
        self.told: list[str] = []
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def say(self, line: str) -> None:
        """Type one line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")

    def until(self, pattern: str) -> str:
        """Return the next line that has the pattern; fail with all that was told."""
        while True:
            try:
                line = self._lines.get(timeout=PATIENCE_S)
            except queue.Empty:
                line = None
            assert line is not None, f"no {pattern!r} in {self.told}"
            self.told.append(line)
            if re.search(pattern, line):
                return line

    def proof(self, name: str) -> str:
        """Return name, secret and one-time code as one of the shop's people types them now."""
        person = SimulatedPeople(self._home, os.urandom).find(name)
        assert person is not None
        return f"{person.name} {person.secret} {person.code(int(time.time()))}"

    def end(self) -> int:
        """Close its input; return its exit status."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        return self._process.wait(PATIENCE_S)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip())
        self._lines.put(None)


@pytest.fixture
def lines(city: Any) -> Iterator[Lines]:
    opened = Lines(city.new_home(), city.url)
    yield opened
    opened.end()


def test_a_day_in_lines(lines: Lines) -> None:
    """A tap, a customer's code, our code, a decline, a refund, a void."""
    lines.until("This is a simulation. No money moves")
    lines.say("34560")
    lines.until("Amount 345.60 yuan")
    lines.say("")
    lines.until("Ready. Present card, phone or code")
    lines.say("bench card:visa-online")
    lines.until("Approved. 345.60 yuan. Hand over the goods")

    lines.say("20.00")
    lines.say("")
    lines.until("Ready")
    lines.say("code")
    lines.until("Our code is on the customer's screen")
    lines.say("bench show-code:alipay-qr")
    lines.until("Approved. 20.00 yuan")

    lines.say("30.00")
    lines.say("")
    lines.until("Ready")
    lines.say("bench card:visa-insufficient-funds")
    lines.until("Declined. Not enough money. Nothing was charged")
    lines.until("Another card or wallet")

    lines.say("12.50")
    lines.say("")
    lines.until("Ready")
    lines.say("bench wallet:wechat-barcode")
    lines.until("Approved. 12.50 yuan")

    lines.say("refund 4 2.50")
    lines.until("Refund 2.50 yuan of 0004")
    lines.say("")
    lines.until("A supervisor must allow it")
    lines.say(f"allow {lines.proof('00')}")
    lines.until("Refunded")
    lines.say("void 1")
    lines.until("Void 0001")
    lines.say("")
    lines.until("A supervisor must allow it")
    lines.say(f"allow {lines.proof('99')}")
    lines.until("Voided")
    lines.say("quit")
    assert lines.end() == 0


def test_the_next_amount_may_be_typed_ahead_over_a_declined_one(lines: Lines) -> None:
    """Enter takes what was typed last, never the amount before."""
    lines.until("Type an amount")
    for amount in ("30.00", "40.00"):
        lines.say(amount)
        lines.say("")
        lines.until("Ready")
        lines.say("bench card:visa-insufficient-funds")
        lines.until("Declined")
    lines.say("list")
    lines.until("0002, .*40.00")


def test_the_end_of_input_sees_a_payment_through(lines: Lines, city: Any) -> None:
    lines.until("Type an amount")
    lines.say("1000")
    lines.say("")
    lines.until("Ready")
    lines.say("bench card:visa-online")
    assert lines.end() == 0
    lines.until("Approved. 10.00 yuan")
