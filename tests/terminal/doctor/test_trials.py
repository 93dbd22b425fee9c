"""Trying devices out: simulated cards, codes and printers behind the real drivers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from config.schema import Device
from drivers.protocols import FoundDevice, Interface
from drivers.registry import Entry, Registry
from simulators.camera import CameraSimulator
from simulators.phone_screen import draw_screen
from simulators.printer import PrinterSimulator
from simulators.readers.in_process import InProcessReader
from simulators.serial_line import Fault, SerialLine
from terminal.assembly.devices import drivers
from terminal.doctor import trials
from terminal.errors import NotAllowed

TABLE = drivers(None)
CODE = "281234567890123456"


def run(trial: trials.Trial) -> tuple[bool, list[str]]:
    """Return whether it passed, and all it said."""
    lines: list[str] = []
    while True:
        try:
            lines.append(next(trial))
        except StopIteration as ended:
            return bool(ended.value), lines


# --- cards -----------------------------------------------------------------------


@pytest.fixture
def reader() -> Iterator[InProcessReader]:
    reader = InProcessReader()
    yield reader
    reader.close()


def test_a_card_tells_its_directory_and_its_times(
    reader: InProcessReader, opentill_card: Callable[..., Any]
) -> None:
    reader.present(opentill_card("visa-online"), stay=True)
    has_passed, lines = run(trials.tap(reader, 5.0))

    text = "\n".join(lines)
    assert has_passed
    assert "SELECT 2PAY.SYS.DDF01" in text
    assert "9000" in text
    assert "A0000000031010" in text
    assert f"{1 + trials.ROUNDS} commands" in lines[-1]


def test_without_a_card_it_fails_and_says_so(reader: InProcessReader) -> None:
    has_passed, lines = run(trials.tap(reader, 0.1))
    assert not has_passed
    assert lines[-1] == "a card never came"


@pytest.mark.parametrize("fault", ["tear-after:2", "garbage:1"])
def test_a_card_that_leaves_or_talks_nonsense_fails(
    reader: InProcessReader, opentill_card: Callable[..., Any], fault: str
) -> None:
    reader.present(opentill_card("visa-online", fault), stay=True)
    has_passed, lines = run(trials.tap(reader, 5.0))
    assert not has_passed
    assert lines[-1]


@pytest.mark.wire
def test_a_card_at_a_pcsc_reader_tells_its_atr(
    pcscd: Any, opentill_card: Callable[..., Any]
) -> None:
    antenna = pcscd.readers[0]
    antenna.present(opentill_card("visa-online"), stay=True)
    chosen = trials.choose(f"pcsc:{antenna.name}", TABLE.readers, (), ())
    try:
        has_passed, lines = run(
            trials.tried(TABLE.readers, chosen, lambda it: trials.tap(it, 10.0))
        )
    finally:
        antenna.remove()
    assert has_passed
    assert lines[1].startswith("it says: 3B ")


# --- codes -----------------------------------------------------------------------


def test_a_code_before_a_camera_is_read_and_named() -> None:
    with closing(CameraSimulator(seed=1)) as camera:
        camera.show(draw_screen("Alipay", (200, 90, 20), [CODE]))
        chosen = trials.choose(f"camera:{camera.url}", TABLE.scanners, (), ())
        has_passed, lines = run(
            trials.tried(TABLE.scanners, chosen, lambda it: trials.scan(it, 20.0))
        )
    assert has_passed
    assert "wallet code" in lines[-1]


def test_a_camera_that_is_not_there_fails_with_its_reason(tmp_path: Path) -> None:
    chosen = trials.choose(f"camera:{tmp_path}/none.avi", TABLE.scanners, (), ())
    has_passed, lines = run(trials.tried(TABLE.scanners, chosen, lambda it: trials.scan(it, 5.0)))
    assert not has_passed
    assert "none.avi" in lines[-1]


# --- paper -----------------------------------------------------------------------


def test_a_page_has_chinese_a_yen_sign_and_a_code(tmp_path: Path) -> None:
    printer = PrinterSimulator()
    with SerialLine(printer, tmp_path / "printer") as line:
        chosen = trials.choose(f"escpos:{line.link}", TABLE.printers, (), ())
        has_passed, _ = run(trials.tried(TABLE.printers, chosen, trials.print_page))

    assert has_passed
    [paper] = printer.receipts
    text = "\n".join(paper.lines)
    assert "测试页" in text
    assert "￥1,234.56" in text
    assert paper.codes == [trials.TEST_CODE]


def test_a_printer_that_is_silent_or_gone_fails(tmp_path: Path) -> None:
    with SerialLine(PrinterSimulator(), tmp_path / "printer") as line:
        line.break_with(Fault.SILENCE)
        for address in (line.link, tmp_path / "none"):
            chosen = trials.choose(f"escpos:{address}", TABLE.printers, (), ())
            has_passed, lines = run(trials.tried(TABLE.printers, chosen, trials.print_page))
            assert not has_passed
            assert str(address) in lines[-1]


# --- which device ----------------------------------------------------------------

REGISTRY: Registry[Any] = Registry(
    "reader", {"pcsc": Entry("no:where"), "simulated": Entry("no:where", simulated=True)}
)
COUNTER = Device(name="Counter", driver="pcsc", options={"name": "ACME"})
PRETENDED = Device(name="Pretended", driver="simulated")
FOUND = FoundDevice("readers", "ACME PICC", "pcsc", {"name": "ACME PICC"})


def test_the_first_real_device_is_tried_unless_one_is_named() -> None:
    assert trials.choose("", REGISTRY, [PRETENDED, COUNTER], [FOUND]).name == "Counter"
    assert trials.choose("", REGISTRY, [PRETENDED], [FOUND]).name == "ACME PICC"
    assert trials.choose("Counter", REGISTRY, [COUNTER], ()).options == {"name": "ACME"}
    assert trials.choose("pcsc", REGISTRY, (), ()).options == {}
    assert trials.choose("pcsc:ACME 1", REGISTRY, (), ()).options == {"name": "ACME 1"}


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ("", "none that is real"),
        ("Pretended", "simulated"),
        ("radar", "drivers: pcsc"),
        ("simulated", "drivers: pcsc"),
    ],
)
def test_what_cannot_be_tried_is_refused_with_what_can(wanted: str, why: str) -> None:
    with pytest.raises(NotAllowed, match=why):
        trials.choose(wanted, REGISTRY, [PRETENDED], ())


def test_a_camera_may_be_a_number() -> None:
    assert trials.choose("camera:0", TABLE.scanners, (), ()).options == {"source": 0}


def test_every_real_driver_has_an_address() -> None:
    for registry in (TABLE.readers, TABLE.scanners, TABLE.printers):
        for name in registry.names():
            if not registry.is_simulated(name):
                assert name in trials.ADDRESS or name == "scanner-wedge"


def test_an_antenna_and_a_slot_are_asked_for_their_own_directory(
    opentill_card: Callable[..., Any],
) -> None:
    slot = InProcessReader(interface=Interface.CONTACT)
    slot.present(opentill_card("visa-online"), stay=True)
    _, lines = run(trials.tap(slot, 5.0))
    slot.close()
    assert "SELECT 1PAY.SYS.DDF01" in lines
