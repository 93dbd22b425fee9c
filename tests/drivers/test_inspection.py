"""The doctor's close look at each kind of device: every fault made for real."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from drivers import inspection
from drivers.protocols import Symptom
from drivers.registry import Entry, Registry
from simulators.camera import CameraSimulator
from simulators.display import DisplaySimulator
from simulators.printer import PrinterSimulator
from simulators.serial_line import Fault, Peripheral, SerialLine

Plug = Callable[[Peripheral], SerialLine]


@pytest.fixture
def plug(tmp_path: Path) -> Iterator[Plug]:
    lines: list[SerialLine] = []

    def plug(device: Peripheral) -> SerialLine:
        lines.append(SerialLine(device, tmp_path / f"line{len(lines)}"))
        return lines[-1]

    yield plug
    for line in lines:
        line.close()


LOOKS: list[Callable[..., Any]] = [
    inspection.serial_scanner,
    inspection.serial_display,
    inspection.escpos,
    inspection.serial_pin_pad,
    inspection.nfc,
    inspection.camera,
]


@pytest.mark.parametrize("look", LOOKS)
def test_what_is_not_plugged_in_is_absent(look: Callable[..., Any], tmp_path: Path) -> None:
    assert look(str(tmp_path / "gone")).symptom is Symptom.ABSENT


@pytest.mark.parametrize("look", LOOKS[:-1])
def test_a_file_that_is_no_device_is_said_to_be_none(
    look: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "note").touch()
    assert look(str(tmp_path / "note")).symptom is Symptom.WRONG_FILE


def test_a_printer_that_is_well_works(plug: Plug) -> None:
    line = plug(PrinterSimulator())
    assert inspection.escpos(str(line.link)).symptom is Symptom.WORKS


@pytest.mark.parametrize(
    ("spoil", "symptom"),
    [
        (lambda printer: printer.end_paper(), Symptom.PAPER_OUT),
        (lambda printer: setattr(printer, "is_cover_open", True), Symptom.COVER_OPEN),
        (lambda printer: setattr(printer, "is_faulty", True), Symptom.DAMAGED),
        (lambda printer: setattr(printer, "is_paper_low", True), Symptom.PAPER_LOW),
    ],
)
def test_a_printer_tells_what_a_person_must_see_to(
    plug: Plug, spoil: Callable[[PrinterSimulator], object], symptom: Symptom
) -> None:
    printer = PrinterSimulator()
    line = plug(printer)
    spoil(printer)
    assert inspection.escpos(str(line.link)).symptom is symptom


def test_a_wrong_speed_is_told_from_silence(plug: Plug) -> None:
    line = plug(PrinterSimulator())
    line.break_with(Fault.GARBAGE)
    garbled = inspection.escpos(str(line.link), baud=19200)
    line.break_with(Fault.SILENCE)
    silent = inspection.escpos(str(line.link))

    assert garbled.symptom is Symptom.GARBLED
    assert garbled.facts["baud"] == "19200"
    assert silent.symptom is Symptom.SILENT


def test_a_printer_on_the_network_that_is_off_is_not_reached(unused_port: int) -> None:
    finding = inspection.escpos(f"tcp:127.0.0.1:{unused_port}")
    assert finding.symptom is Symptom.FAILS
    assert str(unused_port) in finding.facts["why"]


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
        return port


def test_a_line_that_nothing_answers_on_is_open_and_no_more(plug: Plug) -> None:
    line = plug(DisplaySimulator())
    assert inspection.serial_display(str(line.link)).symptom is Symptom.UNSEEN
    assert inspection.serial_scanner(str(line.link)).symptom is Symptom.UNSEEN


@pytest.mark.parametrize(
    ("look", "options"),
    [
        (inspection.serial_scanner, {"symbology": "aztec"}),
        (inspection.serial_display, {"commands": "morse"}),
        (inspection.escpos, {"chinese": "big5"}),
        (inspection.serial_pin_pad, {"data_bits": 7}),
    ],
)
def test_an_option_that_is_wrong_is_said(
    plug: Plug, look: Callable[..., Any], options: dict[str, Any]
) -> None:
    finding = look(str(plug(PrinterSimulator()).link), **options)
    assert finding.symptom is Symptom.OPTION_REFUSED
    assert next(iter(options)) in finding.facts["why"]


def test_a_camera_that_serves_shows_its_size() -> None:
    with closing(CameraSimulator()) as camera:
        finding = inspection.camera(camera.url)
    assert finding.symptom is Symptom.WORKS
    assert "1280×720" in finding.facts["what"]


def test_a_camera_that_is_gone_gives_no_picture(unused_port: int) -> None:
    finding = inspection.camera(f"http://127.0.0.1:{unused_port}/", open_timeout_s=1.0)
    assert finding.symptom is Symptom.NO_PICTURE


def test_no_usb_reader_is_no_reader() -> None:
    if any(Path("/sys/bus/usb/devices").glob("*/idVendor")):
        pytest.skip("this machine has USB devices, which may be readers")
    assert inspection.nfc("usb").symptom is Symptom.NO_READER


@pytest.mark.wire
def test_a_line_that_is_no_pn532_is_silent(plug: Plug) -> None:
    line = plug(PrinterSimulator())
    assert inspection.nfc(str(line.link.resolve())).symptom is Symptom.SILENT


@pytest.mark.wire
def test_a_pn532_works() -> None:
    from simulators.readers.pn532 import Pn532

    chip = Pn532()
    try:
        finding = inspection.nfc(chip.path)
    finally:
        chip.close()
    assert finding.symptom is Symptom.WORKS
    assert "PN532" in finding.facts["what"]


@pytest.mark.wire
def test_a_pcscd_that_is_not_there_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The socket nobody bound; then one whose daemon has died; then no daemon to start."""
    place = tmp_path / "pcscd.comm"
    monkeypatch.setenv(inspection.PCSC_SOCKET_VARIABLE, str(place))
    assert inspection.pcsc().symptom is Symptom.SERVICE_STOPPED
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(place))
    assert inspection.pcsc().symptom is Symptom.SERVICE_STOPPED
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    assert inspection.pcsc().symptom is Symptom.SERVICE_MISSING


@pytest.mark.wire
def test_a_pcsc_reader_is_known_by_a_part_of_its_name(pcscd: Any) -> None:
    found = inspection.pcsc(name="contract picc")
    assert found.symptom is Symptom.WORKS
    assert "Contract PICC" in found.facts["what"]
    missed = inspection.pcsc(name="Nobody's")
    assert missed.symptom is Symptom.NO_READER
    assert "Contract Slot" in missed.facts["there"]
    assert inspection.pcsc(interface="telepathic").symptom is Symptom.FAILS


def registry() -> Registry[Any]:
    return Registry(
        "reader",
        {
            "pretended": Entry(object, simulated=True),
            "vendor": Entry("no_such_vendor.sdk:Reader", extra="nfc"),
            "keyboard": Entry(
                "drivers.scanner_wedge:WedgeScanner", inspector="drivers.inspection:wedge"
            ),
        },
    )


def test_the_table_leaves_simulators_alone() -> None:
    assert registry().inspect("pretended").symptom is Symptom.SIMULATED


def test_the_table_knows_what_stands_in_the_shops_file_wrongly() -> None:
    assert registry().inspect("radar").symptom is Symptom.UNKNOWN_DRIVER
    refused = registry().inspect("keyboard", {"colour": "red"})
    assert refused.symptom is Symptom.OPTION_REFUSED
    assert "colour" in refused.facts["why"]
    assert registry().inspect("keyboard").symptom is Symptom.UNSEEN


def test_the_table_names_the_library_and_the_extra_that_brings_it() -> None:
    found = registry().inspect("vendor")
    assert found.symptom is Symptom.LIBRARY_MISSING
    assert found.facts == {"library": "no_such_vendor", "package": "opentill[nfc]"}
