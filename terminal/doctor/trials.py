"""Trying one device out: a card held there, a code shown to it, a page printed.

A trial tells what happens line after line, and at the end whether it passed.
Card data is masked in every line.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from config import load_currencies, load_payment_codes
from config.schema import Device
from drivers.errors import CardRemoved, DriverError
from drivers.protocols import (
    CardReader,
    FoundDevice,
    Interface,
    ReceiptPrinter,
    Scanner,
    Signal,
    Symbol,
    TellsGreeting,
)
from drivers.registry import Registry
from emv import apdu, describe, tlv
from emv.entry_point.selection import PPSE
from emv.errors import MalformedData
from emv.selection import PSE
from emv.transport import carry_apdu
from terminal.errors import NotAllowed
from terminal.pictures.code_report import code_report, report_line

Trial = Generator[str, None, bool]
"""Yields lines for people, returns whether it passed."""

LOOK_S: Final = 0.5
ROUNDS: Final = 20
"""How often the first command is repeated for its time."""

ADDRESS: Final = {
    "pcsc": "name",
    "nfc": "path",
    "camera": "source",
    "scanner-serial": "path",
    "escpos": "address",
}
"""The option that stands behind the colon, where a device is named as DRIVER:ADDRESS."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The device that is tried."""

    name: str
    driver: str
    options: dict[str, Any] = field(default_factory=dict)


def choose(
    wanted: str, registry: Registry[Any], devices: Sequence[Device], found: Sequence[FoundDevice]
) -> Chosen:
    """Return the device that is meant; the first real one if nobody says which.

    wanted: a name of the shop's file, DRIVER, or DRIVER:ADDRESS.
    Raises NotAllowed, naming what there is.
    """
    kind = registry.kind
    named = [Chosen(device.name, device.driver, dict(device.options)) for device in devices]
    named += [Chosen(each.name, each.driver, dict(each.options)) for each in found]
    real = [each for each in named if not registry.is_simulated(each.driver)]
    if not wanted:
        if real:
            return real[0]
        raise NotAllowed(
            f"No {kind} to try: the shop's file names none that is real, and none was found. "
            f"Name one, as DRIVER:ADDRESS; drivers: {', '.join(registry.names())}"
        )
    for each in named:
        if each.name == wanted:
            if each in real:
                return each
            raise NotAllowed(f"{wanted} is simulated: try it on the bench of 'till run'")
    driver, _, address = wanted.partition(":")
    if driver not in registry.names() or registry.is_simulated(driver):
        raise NotAllowed(
            f"No {kind} {wanted!r}: name one of the shop's file, or DRIVER:ADDRESS; "
            f"drivers: {', '.join(registry.names())}"
        )
    value: int | str = int(address) if address.isdigit() else address
    return Chosen(wanted, driver, {ADDRESS[driver]: value} if address else {})


def tap(reader: CardReader, timeout_s: float) -> Trial:
    """Wait for a card, and ask it for its directory of payment applications."""
    if not (yield from _waited(reader.wait_for_card, timeout_s, "a card")):
        return False
    if isinstance(reader, TellsGreeting):
        greeting = reader.greeting()
        yield f"it says: {greeting.hex(' ').upper() or 'nothing'}"
    is_contactless = reader.interface is Interface.CONTACTLESS
    name = PPSE if is_contactless else PSE
    yield f"SELECT {name.decode('ascii')}"
    times_us: list[int] = []
    try:
        response = _carried(reader, apdu.select(name), times_us)
        yield from _directory(response)
        for _ in range(ROUNDS):
            _carried(reader, apdu.select(name), times_us)
    except (CardRemoved, MalformedData) as error:
        reader.signal(Signal.ALERT)
        yield str(error)
        return False
    finally:
        reader.release()
    median_ms, longest_ms = statistics.median(times_us) / 1000, max(times_us) / 1000
    yield (
        f"{len(times_us)} commands: {median_ms:.2f} ms each (median), {longest_ms:.2f} ms at most"
    )
    reader.signal(Signal.DONE)
    return True


def _carried(reader: CardReader, command: bytes, times_us: list[int]) -> bytes:
    """Return the whole answer to a command; every exchange adds its time."""
    link = carry_apdu(command)
    sending = next(link)
    while True:
        response, elapsed_us = reader.transceive(sending)
        times_us.append(elapsed_us)
        try:
            sending = link.send(response)
        except StopIteration as finished:
            whole: bytes = finished.value
            return whole


def _directory(response: bytes) -> Generator[str, None, None]:
    data, status = response[:-2], int.from_bytes(response[-2:], "big")
    yield f"{status:04X}: {apdu.status_meaning(status)}"
    if data:
        yield from describe.as_text(describe.describe(tlv.decode(data))).splitlines()


def scan(scanner: Scanner, timeout_s: float) -> Trial:
    """Wait for a code, and say what it is."""
    rules, currencies = load_payment_codes(), load_currencies()
    symbols: list[Symbol] = []

    def look(wait_s: float) -> bool:
        symbols.extend(scanner.wait_for_symbols(wait_s))
        return bool(symbols)

    scanner.start()
    try:
        if not (yield from _waited(look, timeout_s, "a code")):
            return False
    finally:
        scanner.stop()
    for symbol in symbols:
        yield report_line(code_report(symbol.data, symbol.symbology.value, rules, currencies))
    return True


TEST_CODE: Final = "OPENTILL TEST"
TEST_PAGE: Final = (
    "OpenTill",
    "Test page  测试页",
    "",
    "0123456789 ABCDEFGHIJKLMNOPQRSTU",
    "¥1,234.56  人民币 收款 退货",
    "Below: a QR code that says",
    TEST_CODE,
)


def print_page(printer: ReceiptPrinter) -> Trial:
    """Print a page with Chinese, a yen sign and a code."""
    yield "printing a page with 中文, ¥ and a QR code"
    printer.print_lines(TEST_PAGE, code=TEST_CODE)
    yield "the paper is out; see that all of it can be read"
    return True


def _waited(look: Callable[[float], bool], timeout_s: float, what: str) -> Trial:
    yield f"waiting {timeout_s:g} s for {what}"
    left_s = timeout_s
    while left_s > 0:
        if look(min(LOOK_S, left_s)):
            return True
        left_s -= LOOK_S
    yield f"{what} never came"
    return False


def tried(registry: Registry[Any], chosen: Chosen, trial: Callable[[Any], Trial]) -> Trial:
    """Open the device, try it, and let it go; whatever it refuses is a line."""
    try:
        device = registry.open(chosen.driver, chosen.options)
    except DriverError as error:
        yield str(error)
        return False
    try:
        return (yield from trial(device))
    except DriverError as error:
        yield str(error)
        return False
    finally:
        device.close()
