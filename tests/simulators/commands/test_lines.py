"""till sim scanner, display, printer and pinpad, as a developer types them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest
from click.testing import CliRunner

from drivers.display_serial import SerialDisplay
from drivers.errors import DeviceLost, DeviceNotReady
from drivers.pinpad_serial import SerialPinPad
from drivers.printer_escpos import EscposPrinter
from drivers.protocols import EncryptedPin, NoPin
from drivers.scanner_serial import SerialScanner
from simulators.bank.issuer.pin import Verdict, verify
from simulators.commands import SimulatorGroup, command
from simulators.pinpad.keys import base_key

PROJECT = Path(__file__).parent.parent.parent.parent
LONG_S = 20.0


class Running:
    """One simulator as a program of its own."""

    def __init__(self, name: str, *arguments: str) -> None:
        code = "from simulators.commands import command; command()"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, name, "--json", "--until-eof", *arguments],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.path: str = self.read()["path"]

    def read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        facts: dict[str, Any] = json.loads(self._process.stdout.readline())
        return facts

    def type(self, words: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(words + "\n")
        self._process.stdin.flush()

    def say(self, words: str) -> str:
        """Type what is answered with a line, and return it."""
        self.type(words)
        said: str = self.read()["said"]
        return said

    def settle(self) -> None:
        """Return once all that was typed before is done."""
        assert "one of" in self.say("settled?")

    def end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        assert self._process.wait(LONG_S) == 0
        self._process.stdout.close()
        assert not Path(self.path).is_symlink()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def start(name: str, *arguments: str) -> Running:
        running.append(Running(name, "--home", str(tmp_path), *arguments))
        return running[-1]

    yield start
    for each in running:
        each.end()


def test_each_is_listed_and_has_an_example() -> None:
    listed = CliRunner().invoke(command, ["--help"]).output
    for name in ("scanner", "display", "printer", "pinpad"):
        assert f"\n  {name}" in listed
        shown = CliRunner().invoke(command, [name, "--help"]).output
        assert f"Example:\n    till sim {name}" in shown
    assert isinstance(command, SimulatorGroup)


def test_a_scanner_scans_what_is_typed(run: Callable[..., Running]) -> None:
    sim = run("scanner", "--aim", "--prefix", r"\x02", "--suffix", r"\x03")
    scanner = SerialScanner(sim.path, prefix="\x02", suffix="\x03")
    scanner.start()
    sim.type("scan128 281234567890123456")
    [symbol] = scanner.wait_for_symbols(LONG_S)
    assert (symbol.symbology.value, symbol.data) == ("code128", b"281234567890123456")
    assert "what to scan" in sim.say("scan")
    sim.type("unplug")
    with pytest.raises(DeviceLost):
        scanner.wait_for_symbols(LONG_S)
    sim.type("plug")
    sim.settle()
    assert list(scanner.wait_for_symbols(0.01)) == []
    scanner.close()


def test_a_display_shows_what_changes(run: Callable[..., Running]) -> None:
    sim = run("display")
    assert sim.read() == {"lines": ["", ""]}
    display = SerialDisplay(sim.path, chinese="gb18030", commands="cd5220")
    display.show("应付", "¥1.00")
    seen = sim.read()
    while seen != {"lines": ["应付", "￥1.00"]}:
        seen = sim.read()
    display.close()


def test_a_printer_writes_each_receipt_as_a_picture(
    run: Callable[..., Running], tmp_path: Path
) -> None:
    sim = run("printer", "--png", str(tmp_path / "receipts"))
    printer = EscposPrinter(sim.path)
    printer.print_lines(["中文 OK"], code="https://example.com")
    facts = sim.read()
    assert (facts["receipt"], facts["lines"]) == (1, ["中文 OK", ""])
    assert facts["codes"] == ["https://example.com"]
    assert cv2.imread(facts["png"]) is not None
    sim.type("paper-out")
    sim.settle()
    with pytest.raises(DeviceNotReady, match="paper"):
        printer.print_lines(["x"])
    sim.type("paper-in")
    sim.settle()
    for line in ("y", "z"):
        printer.print_lines([line])
    assert [sim.read()["lines"] for _ in range(2)] == [["y"], ["z"]]
    printer.close()


def test_a_pin_is_typed_and_only_the_bank_reads_it(
    run: Callable[..., Running], tmp_path: Path
) -> None:
    sim = run("pinpad")
    assert sim.read() == {"screen": "READY"}
    pad = SerialPinPad(sim.path)
    sealed: list[EncryptedPin | NoPin] = []
    till = threading.Thread(
        target=lambda: sealed.append(pad.encrypted_pin("4111111111111111", 30.0, amount="CNY 1"))
    )
    till.start()
    assert sim.read() == {"screen": "CNY 1\nPIN"}
    assert "no such key" in sim.say("press hash")
    sim.type("press 1 2 3 4")
    assert sim.read() == {"screen": "CNY 1\nPIN ****"}
    sim.type("press enter")
    till.join(LONG_S)
    [pin] = sealed
    assert isinstance(pin, EncryptedPin)
    verdict = verify(
        pin.block, pin.ksn, "4111111111111111", base_key=base_key(tmp_path), pin="1234"
    )
    assert verdict is Verdict.CORRECT
    pad.close()


def test_a_path_that_is_taken_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    result = CliRunner().invoke(command, ["display", "--link", str(tmp_path / "mine")])
    assert result.exit_code == 1
    assert "mine" in result.output
