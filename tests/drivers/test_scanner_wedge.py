"""Codes that a keyboard scanner typed, handed to whoever looks for them."""

import threading

import pytest

from drivers.errors import OptionRefused
from drivers.protocols import Health, Symbol, Symbology
from drivers.scanner_wedge import CODES_MAX, WedgeScanner


def test_a_code_reaches_whoever_waits() -> None:
    scanner = WedgeScanner(symbology="code128")
    scanner.start()
    timer = threading.Timer(0.02, scanner.offer, ["281234567890123456"])
    timer.start()
    symbols = scanner.wait_for_symbols(30.0)
    assert symbols == [Symbol(Symbology.CODE_128, b"281234567890123456")]
    timer.join()


def test_nobody_looks_outside_a_sale() -> None:
    scanner = WedgeScanner()
    assert not scanner.offer("28")
    scanner.start()
    assert scanner.offer("28")
    scanner.stop()
    scanner.start()
    assert scanner.wait_for_symbols(0.0) == []
    assert scanner.diagnose().health is Health.READY


def test_stopping_ends_a_wait() -> None:
    scanner = WedgeScanner()
    scanner.start()
    timer = threading.Timer(0.02, scanner.close)
    timer.start()
    assert scanner.wait_for_symbols(60.0) == []
    timer.join()


def test_codes_that_nobody_fetches_do_not_pile_up() -> None:
    scanner = WedgeScanner()
    scanner.start()
    for number in range(100):
        scanner.offer(str(number))
    assert len(scanner.wait_for_symbols(0.0)) == CODES_MAX


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(OptionRefused, match="symbology"):
        WedgeScanner(symbology="ean")
