"""till sim card on a wire: another process finds the card, and keys do things to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from click.testing import CliRunner

from simulators.card.keys import CardKeys
from simulators.commands import command

pytestmark = pytest.mark.wire

LONG_S = 60.0
PPSE = "00A404000E325041592E5359532E444446303100"

READ = """
import sys
from drivers.errors import CardRemoved
from drivers.registry import Registry, Entry
module, options = sys.argv[1], eval(sys.argv[2])
reader = Registry("reader", {"it": Entry(module)}).open("it", options)
assert reader.wait_for_card(15), "no card"
try:
    print(reader.transceive(bytes.fromhex(sys.argv[3]))[0].hex())
except CardRemoved:
    print("torn")
reader.release()
reader.close()
"""


class Simulator:
    """A till sim that runs, and is told what to do in lines."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._in: IO[str] = process.stdin
        self._out: IO[str] = process.stdout

    def line(self) -> dict[str, Any]:
        text = self._out.readline()
        assert text, "it has ended"
        said: dict[str, Any] = json.loads(text)
        return said

    def tell(self, key: str) -> dict[str, Any]:
        self._in.write(key + "\n")
        self._in.flush()
        return self.line()

    def end(self) -> int:
        self._in.close()
        return self._process.wait(LONG_S)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("state")
    CardKeys(folder).prepare()
    return folder


@pytest.fixture
def sim(home: Path) -> Iterator[Callable[..., Simulator]]:
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> Simulator:
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "terminal", "sim", *arguments, "--home", str(home)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        return Simulator(started[-1])

    yield start
    for process in started:
        if process.stdin is not None:
            process.stdin.close()
        process.wait(LONG_S)
        if process.stdout is not None:
            process.stdout.close()


def read(module: str, options: dict[str, str], **environment: str) -> str:
    """Read the card as another program does."""
    ended = subprocess.run(
        [sys.executable, "-c", READ, module, repr(options), PPSE],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=LONG_S,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def test_a_card_in_a_virtual_pcsc_reader(sim: Callable[..., Simulator]) -> None:
    card = sim("card", "--profile", "visa", "--pcsc", "--json")
    facts = card.line()
    assert facts["held"] == "visa-online"
    variable = "PCSCLITE_CSOCK_NAME"
    look = [
        "drivers.reader_pcsc:PcscReader",
        {"name": facts["reader"]},
    ]

    assert read(look[0], look[1], **{variable: facts[variable]}).endswith("9000")  # type: ignore[arg-type]
    card.tell("p")
    assert card.tell("tear") == {"next": "torn"}
    assert read(look[0], look[1], **{variable: facts[variable]}) == "torn"  # type: ignore[arg-type]
    assert card.tell("swap")["held"] != "visa-online"
    assert read(look[0], look[1], **{variable: facts[variable]}).endswith("9000")  # type: ignore[arg-type]
    assert card.end() == 0
    assert not Path(facts[variable]).exists()


def test_a_card_in_the_reader_of_a_pcscd_that_runs_already(sim: Callable[..., Simulator]) -> None:
    daemon = sim("pcscd", "--until-eof", "--json")
    socket = daemon.line()["PCSCLITE_CSOCK_NAME"]
    card = sim("card", "visa-online", "--pcsc", "--json", "--stay")
    facts = card.line()

    assert facts["PCSCLITE_CSOCK_NAME"] == socket
    options = {"name": facts["reader"]}
    found = read("drivers.reader_pcsc:PcscReader", options, PCSCLITE_CSOCK_NAME=socket)
    assert found.endswith("9000")
    assert card.end() == 0
    assert daemon.end() == 0
    assert not Path(socket).exists()


def test_a_phone_on_the_udp_link(sim: Callable[..., Simulator]) -> None:
    phone = sim("phone", "phone-approved", "--nfc-udp", "--json")
    facts = phone.line()

    assert read("drivers.reader_nfc:NfcReader", {"path": facts["nfc"]}).endswith("9000")
    assert phone.end() == 0


def test_a_card_at_a_pn532(sim: Callable[..., Simulator], tmp_path: Path) -> None:
    card = sim("card", "visa-online", "--pn532", str(tmp_path / "reader"), "--json")
    facts = card.line()

    assert read("drivers.reader_nfc:NfcReader", {"path": facts["pn532"]}).endswith("9000")
    assert card.end() == 0
    assert not (tmp_path / "reader").is_symlink()


def test_two_wires_at_once_are_a_usage_error(home: Path) -> None:
    ended = CliRunner().invoke(
        command, ["card", "visa-online", "--pcsc", "--nfc-udp", "--home", str(home)]
    )

    assert ended.exit_code == 2
    assert "one of" in ended.output
