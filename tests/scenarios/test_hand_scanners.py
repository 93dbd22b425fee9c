"""Whole sales by hand scanners, on a line and typing, beside the camera; and their faults."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import config
from benchmarks.under_terminal import UnderTerminal
from simulators.scanner import ScannerSimulator
from simulators.serial_line import SerialLine
from terminal.states import State
from terminal.view import Medium, Readiness, Stage

WALLET = "alipay-qr"


def shop_with(home: Path, scanner: str) -> Path:
    """Write the bench shop's file with one scanner more; return its path."""
    shop = home / "shop.toml"
    more = f'\n[[devices.scanners]]\nname = "Hand scanner"\n{scanner}\n'
    shop.write_text(config.BENCH.read_text("utf-8") + more, "utf-8")
    return shop


@pytest.fixture
def line(tmp_path: Path) -> Iterator[SerialLine]:
    with SerialLine(ScannerSimulator(), tmp_path / "scanner") as plugged:
        yield plugged


@pytest.fixture
def counter(city: Any, open_counter: Callable[..., Any], line: SerialLine) -> Any:
    """A till with a hand scanner on a line."""
    home = city.new_home()
    options = f'driver = "scanner-serial"\noptions = {{ path = "{line.link}" }}'
    return open_counter(home, file=shop_with(home, options)).until_ready()


def code_of(counter: Any) -> str:
    """Return a fresh payment code of a customer's wallet."""
    _, shown = counter.shop.customers.show_wallet(WALLET)
    code: str = shown.codes[0]
    return code


def scan(line: SerialLine, text: str) -> None:
    line.send(ScannerSimulator().scan(text))


def pay(counter: Any, line: SerialLine) -> Any:
    attempt = counter.begin()
    # What is scanned before the scanner is on counts for nothing.
    counter.until(lambda view: view.scan is Readiness.READY)
    code = code_of(counter)
    while counter.till.view().stage is Stage.PRESENT:
        scan(line, code)
        if counter.watch.until(lambda view: view.stage is not Stage.PRESENT, 1.0):
            break
    return counter.until_state(attempt, State.APPROVED)


def test_a_scanned_code_pays_beside_the_camera(counter: Any, line: SerialLine) -> None:
    sale = pay(counter, line)
    assert (sale.medium, sale.brand) == (Medium.PAYMENT_CODE, "Alipay")
    assert counter.booked.transfers_of(sale.id) == ["sale"]


def test_what_was_scanned_before_the_sale_is_not_kept(counter: Any, line: SerialLine) -> None:
    for _ in range(3):
        scan(line, "281234567890123456")
    sale = pay(counter, line)
    assert counter.booked.transfers_of(sale.id) == ["sale"]


def test_a_code_without_end_is_not_kept_and_the_next_sale_works(
    counter: Any, line: SerialLine
) -> None:
    """A broken scanner sends a million bytes; the card still pays, then the scanner."""
    attempt = counter.begin()
    counter.until(lambda view: view.scan is Readiness.READY)
    line.send(ScannerSimulator().endless())
    counter.do("card:visa-online")
    assert counter.until_state(attempt, State.APPROVED).medium is Medium.CARD
    counter.till.leave()

    line.send(b"\r\n")
    assert pay(counter, line).brand == "Alipay"


@pytest.mark.parametrize("sent", [b"", b"2812345"], ids=["idle", "in mid-code"])
def test_an_unplugged_scanner_leaves_the_other_media(
    counter: Any, line: SerialLine, sent: bytes
) -> None:
    attempt = counter.begin()
    counter.until(lambda view: view.scan is Readiness.READY)
    line.send(sent)
    line.unplug()
    counter.do("card:visa-online")
    assert counter.until_state(attempt, State.APPROVED).medium is Medium.CARD
    counter.till.leave()

    line.plug()
    assert pay(counter, line).brand == "Alipay"


def test_a_scanner_that_types_pays_through_the_door(
    city: Any, open_counter: Callable[..., Any]
) -> None:
    home = city.new_home()
    options = 'driver = "scanner-wedge"\noptions = { prefix = "~", symbology = "qr" }'
    counter = open_counter(home, file=shop_with(home, options)).until_ready()
    detector = counter.till.wedge()
    assert detector is not None
    assert detector.code_in("~28") == "28"
    code = code_of(counter)
    assert not counter.till.code_typed(code)

    attempt = counter.begin()
    # No view tells when a scanner is on; a customer scans again until it counts.
    while not counter.till.code_typed(code):
        counter.watch.until(lambda view: view.stage is not Stage.PRESENT, 0.05)
        assert counter.till.view().stage is Stage.PRESENT
    sale = counter.until_state(attempt, State.APPROVED)
    assert counter.booked.transfers_of(sale.id) == ["sale"]


def test_a_shop_without_a_typing_scanner_takes_no_typed_code(open_counter: Any) -> None:
    counter = open_counter().until_ready()
    assert counter.till.wedge() is None
    counter.begin()
    assert not counter.till.code_typed("281234567890123456")


@pytest.mark.wire
def test_on_a_terminal_a_scan_is_no_amount_and_presses_nothing(city: Any) -> None:
    """The whole program on a terminal, whose keyboard a scanner shares with the cashier."""
    home = city.new_home()
    shop = shop_with(home, 'driver = "scanner-wedge"')
    place = {"OPENTILL_HOME": str(home), "OPENTILL_SHOP": str(shop), "OPENTILL_BANK": city.url}
    with UnderTerminal(
        (sys.executable, "-m", "terminal", "run", "--language", "en"), place
    ) as till:

        def until(text: str) -> None:
            assert till.wait_for(lambda screen: text in screen.text(), 60.0), till.screen.text()

        until("Take payment")
        # The scanner is ready once the counter is, a moment after the first screen.
        until("✓ Camera")
        till.type("281234567890123456\r")
        until("That was a scanner. Take payment first, then scan")
        till.type("\r")
        until("Type the amount first")
        till.type("1250\r")
        until("Present card, phone or code")
        till.type("999999999999\r")
        # Digits that no wallet has: the till looked at them, and waits on.
        until("This is not a payment code")
