"""The devices of a shop's file, as drivers find them and as the till that runs has them."""

from __future__ import annotations

import fcntl
import os
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

import config
from config.schema import Device, Devices, Settings
from drivers.protocols import FoundDevice
from simulators.printer import PrinterSimulator
from simulators.serial_line import SerialLine
from terminal.assembly.devices import drivers
from terminal.doctor.devices import configured, toml_of, unconfigured
from terminal.doctor.lines import Line
from terminal.doctor.wording import Level
from terminal.view import Readiness

TABLE = drivers(None)


def shop(**roles: tuple[Device, ...]) -> Settings:
    settings = config.load_settings()
    return msgspec.structs.replace(settings, devices=Devices(**roles))


def looked(
    settings: Settings, home: Path, readiness: Callable[[str], Readiness | None] = lambda _: None
) -> dict[str, Line]:
    return {line.subject: line for line in configured(settings, TABLE, home, readiness)}


def test_a_simulated_device_that_the_till_has_lost_is_a_fault(tmp_path: Path) -> None:
    settings = shop(readers=(Device(name="Counter", driver="simulated"),))

    assert looked(settings, tmp_path)["Counter"].code == "simulated"
    for standing in (Readiness.ABSENT, Readiness.FAULTY):
        line = looked(settings, tmp_path, {"Counter": standing}.get)["Counter"]
        assert (line.code, line.level) == ("not-usable", Level.FAULT)
    assert looked(settings, tmp_path, {"Counter": Readiness.READY}.get)["Counter"].code == (
        "simulated"
    )


def test_a_shop_that_can_take_nothing_is_told(tmp_path: Path) -> None:
    assert looked(shop(), tmp_path)["-"].level is Level.WARNING


@pytest.fixture
def line(tmp_path: Path) -> Iterator[SerialLine]:
    with SerialLine(PrinterSimulator(), tmp_path / "printer") as line:
        yield line


def test_what_the_running_till_has_open_is_held_and_no_fault(
    tmp_path: Path, line: SerialLine
) -> None:
    """Another process has it, and its number is in the journal's lock: that is the till."""
    receive, send = os.pipe()
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(send)
        for number in range(3, 256):
            # The other end of the line is the parent's alone.
            if number not in (receive, tell):
                try:
                    os.close(number)
                except OSError:
                    continue
        held = os.open(line.link, os.O_RDWR | os.O_NOCTTY)
        fcntl.flock(held, fcntl.LOCK_EX)
        os.write(tell, b"!")
        os.read(receive, 1)
        os._exit(0)
    try:
        os.read(ready, 1)
        settings = shop(
            printers=(Device(name="P", driver="escpos", options={"address": str(line.link)}),)
        )
        strange = looked(settings, tmp_path)["P"]
        (tmp_path / "journal.lock").write_text(str(child), "ascii")
        ours = looked(settings, tmp_path)["P"]
    finally:
        os.close(send)
        os.waitpid(child, 0)
        os.close(receive)

    assert (strange.code, strange.facts["pid"]) == ("busy", str(child))
    assert ours.code == "held"


def test_what_is_found_comes_with_lines_that_the_shops_file_takes() -> None:
    found = FoundDevice("readers", 'A "quoted" reader', "pcsc", {"name": 'A "quoted" reader'})
    text = config.BENCH.read_text("utf-8")
    begin, end = text.index("[[devices"), text.index("[files]")
    tree = tomllib.loads(text[:begin] + toml_of(found) + "\n" + text[end:])

    [device] = tree["devices"]["readers"]
    assert device == {
        "name": 'A "quoted" reader',
        "driver": "pcsc",
        "options": {"name": 'A "quoted" reader'},
    }


def test_what_the_shops_file_means_is_not_found_again() -> None:
    found = FoundDevice("readers", "ACME", "pcsc", {"name": "ACME"})
    device = Device(name="Counter", driver="pcsc", options={"name": "ACME"})

    assert not list(unconfigured([found], [device], lambda *_: True))
    [line] = unconfigured([found], [device], lambda *_: False)
    assert line.code == "found"
    assert "[[devices.readers]]" in line.toml
