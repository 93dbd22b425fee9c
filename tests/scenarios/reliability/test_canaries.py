"""Secrets that are easy to know again, looked for in everything that a till leaves.

Card numbers, tracks, PINs, PIN blocks, keys and passwords, as text, packed, in
hex, base64 and UTF-16: in journal, log, register, temporary files, exports,
receipts, traces, pictures of the screen, and the memory of a till that stands idle.

OPENTILL_SOAK=1 searches a core dump too, as gcore makes it (Debian's gdb).
"""

from __future__ import annotations

import base64
import contextlib
import io
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import RawIOBase
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import load_pem_private_key

import config
from simulators.card import load_profiles
from simulators.pinpad import PinPadKeys, PinPadSimulator
from simulators.serial_line import SerialLine
from terminal.__main__ import main
from terminal.errors import SignInRefused
from terminal.security import passphrase
from terminal.states import State
from ui.app import TillApp

PATIENCE_S = 60.0
READ_BYTES = 65_536
IS_SOAK = bool(os.environ.get("OPENTILL_SOAK"))
CARD = "visa-online-pin"
PIN = "739184620517"
PASSWORD = "canary-Osprey-41"
WRONG_PASSWORD = "canary-Falcon-97"

RecordProperty = Callable[[str, object], None]


def digits_in_all_forms(digits: str) -> list[bytes]:
    """Return how a number may be written."""
    packed = bytes.fromhex(digits if len(digits) % 2 == 0 else digits + "F")
    grouped = " ".join(digits[place : place + 4] for place in range(0, len(digits), 4))
    return [
        grouped.encode(),
        digits.encode("utf-16-le"),
        digits.encode("utf-16-be"),
        *in_all_forms(digits.encode()),
        *in_all_forms(packed),
    ]


def in_all_forms(secret: bytes) -> list[bytes]:
    """Return how bytes may be written: raw, in hex of either case, in base64 at any place."""
    forms = [secret, secret.hex().encode(), secret.hex().upper().encode()]
    for lead, skip in ((0, 0), (1, 2), (2, 3)):
        encoded = base64.b64encode(bytes(lead) + secret)
        forms.append(encoded[skip : (lead + len(secret)) * 8 // 6])
    return forms


def track_of(pan: str) -> bytes:
    """Return how a second track begins: number, separator, and the first digit of the year."""
    track = f"{pan}D3"
    return bytes.fromhex(track if len(track) % 2 == 0 else track + "1")


def keys_of(folder: Path) -> list[bytes]:
    """Return the private keys of a till, as numbers."""
    found = []
    for path in sorted(folder.glob("*key*.pem")):
        if b"PRIVATE KEY" not in path.read_bytes():
            continue
        key: Any = load_pem_private_key(path.read_bytes(), passphrase.find(folder))
        is_curve = hasattr(key, "private_numbers")
        found.append(
            key.private_numbers().private_value.to_bytes(32, "big")
            if is_curve
            else key.private_bytes_raw()
        )
    return found


def hits(places: Mapping[str, bytes], secrets: Mapping[str, list[bytes]]) -> dict[str, list[str]]:
    """Return which secrets are in which places."""
    found = {
        place: [name for name, forms in secrets.items() if any(form in content for form in forms)]
        for place, content in places.items()
    }
    return {place: names for place, names in found.items() if names}


def files_of(*folders: Path) -> dict[str, bytes]:
    """Return what is in the files, sockets and the one place of a passphrase left out."""
    return {
        str(path): path.read_bytes()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != passphrase.BESIDE
    }


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are made meanwhile."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


async def test_nothing_secret_is_in_anything_that_a_till_writes_or_shows(
    open_counter: Any, city: Any, temporary: Path, tmp_path: Path, record_property: RecordProperty
) -> None:
    """What is written of simulated cards is masked as a real one's would be."""
    shop_file = tmp_path / "shop.toml"
    bench = config.BENCH.read_text("utf-8")
    masked = bench.replace("[traces]\n", '[traces]\nmasks = "all-cards"\n')
    assert masked != bench
    shop_file.write_text(masked, "utf-8")
    counter = open_counter(file=shop_file).until_ready()
    app = TillApp(counter.till)
    pictures = []
    async with app.run_test(size=(80, 24)) as pilot:
        for offer in ("card:visa-online", "wallet:alipay-qr", "card:visa-expired"):
            counter.pay(offer)
            await pilot.pause()
            pictures.append(app.export_screenshot())
        await pilot.press("f2")
        pictures.append(app.export_screenshot())
    counter.do("fault:bank-cut")
    kept = counter.begin()
    counter.do("card:visa-offline")
    counter.until_state(kept, State.STORED)
    exported = io.StringIO()
    assert counter.till.export(exported) == 1
    counter.do("fault:bank-cut")
    counter.till.staff.choose_secret(PASSWORD)
    with pytest.raises(SignInRefused):
        counter.till.staff.sign_in("00", WRONG_PASSWORD)
    payments = counter.till.payments()
    receipts = [line for payment in payments for line in counter.till.receipt(payment.id)]
    traces = [line.text for payment in payments for line in counter.till.trace(payment.id)]
    commands = [
        CliRunner().invoke(main, ["--home", str(counter.home), *words]).output
        for words in (
            ["journal", "export"],
            ["payments", "--json"],
            ["show", "1", "--json"],
            ["audit", "--as", "00"],
            ["trace", "show", "1", "--bytes"],
            ["trace", "show", "1", "--json"],
        )
    ]

    pans = {application for profile in load_profiles().values() for application in [profile.pan]}
    secrets = {f"PAN …{pan[-4:]}": digits_in_all_forms(pan) for pan in pans}
    secrets |= {f"track of …{pan[-4:]}": in_all_forms(track_of(pan)) for pan in pans}
    secrets["password"] = [*in_all_forms(PASSWORD.encode()), PASSWORD.encode("utf-16-le")]
    secrets["wrong password"] = in_all_forms(WRONG_PASSWORD.encode())
    keys = keys_of(counter.home / "till" / "keys")
    assert len(keys) == 2
    secrets["passphrase"] = in_all_forms(passphrase.find(counter.home / "till" / "keys") or b"")
    secrets |= {f"key {n}": in_all_forms(key) for n, key in enumerate(keys)}
    places = {
        **files_of(counter.home / "till", temporary),
        "receipts": "\n".join(receipts).encode(),
        "traces": "\n".join(traces).encode(),
        "kept sales": exported.getvalue().encode(),
        "pictures": "\n".join(pictures).replace("&#160;", " ").encode(),
        "commands": "\n".join(commands).encode(),
    }

    record_property("places", len(places))
    record_property("forms", sum(len(forms) for forms in secrets.values()))
    for place in ("receipts", "pictures", "commands"):
        assert b"0119" in places[place], "the control: what is shown of a card is there"
    assert b'"sealed": "ey' in places["kept sales"]
    assert {"journal.db", "till.log", "people.db"} <= {Path(name).name for name in places}
    assert sum(Path(name).parent.name == "traces" for name in places) >= 3
    assert hits(places, secrets) == {}


@pytest.mark.parametrize("name", ["PAN", "track", "PIN", "block", "key", "password"])
def test_each_secret_would_be_found_in_each_form(name: str) -> None:
    forms = {
        "PAN": digits_in_all_forms("4761739001010119"),
        "track": in_all_forms(track_of("4761739001010119")),
        "PIN": digits_in_all_forms(PIN),
        "block": in_all_forms(bytes(range(100, 116))),
        "key": in_all_forms(bytes(range(32))),
        "password": in_all_forms(PASSWORD.encode()),
    }[name]
    for form in forms:
        assert len(form) >= 6
        assert hits({"place": b"\x00lead" + form + b"\xff"}, {name: forms}) == {"place": [name]}


# --- memory ------------------------------------------------------------------------------


class RecordingPad(PinPadSimulator):
    """A pad whose blocks somebody writes down."""

    def __init__(self, keys: PinPadKeys) -> None:
        super().__init__(keys, os.urandom, time.monotonic)
        self.blocks: list[bytes] = []

    def press(self, key: str) -> None:
        super().press(key)
        if self.result:
            self.blocks.append(bytes(self.result[-1]))


class Watched:
    """A till in a process of its own, in lines, with a PIN pad on a serial line."""

    def __init__(self, home: Path, bank_url: str) -> None:
        self.home = home
        self.said = home / "said"
        words = ("--home", str(home), "--pin-pad", str(home / "pad"), "run", "--plain")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "terminal", *words],
            stdin=subprocess.PIPE,
            stdout=self.said.open("w"),
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "OPENTILL_BANK": bank_url},
        )

    def type(self, *lines: str) -> None:
        assert self.process.stdin is not None
        for line in lines:
            self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def until_said(self, words: str) -> None:
        """Wait until it has said so."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and not self.is_over(within_s=0.02):
            if words in self.said.read_text("utf-8"):
                return
        raise AssertionError(f"it said {self.said.read_text('utf-8')}")

    def is_over(self, within_s: float) -> bool:
        """True once it has ended, False when the time is up."""
        try:
            self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def memory(self) -> Iterator[bytes]:
        """Stop it, and give all that a core dump would hold, a region at a time."""
        self.process.send_signal(signal.SIGSTOP)
        place = Path(f"/proc/{self.process.pid}")
        with (place / "mem").open("rb", buffering=0) as memory:
            for line in (place / "maps").read_text("ascii").splitlines():
                found = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
                if found is None or "[v" in line:
                    continue
                yield b"".join(pages(memory, int(found[1], 16), int(found[2], 16)))

    def core_dump(self) -> Iterator[bytes]:
        """Give the core file that gcore makes of it."""
        core = self.home / "core"
        command = ["gcore", "-o", str(core), str(self.process.pid)]
        subprocess.run(command, check=True, capture_output=True)
        yield core.with_name(f"core.{self.process.pid}").read_bytes()


def pages(memory: RawIOBase, start: int, end: int) -> Iterator[bytes]:
    """Give what can be read of a region; a file that was cut has pages behind its end."""
    for place in range(start, end, READ_BYTES):
        memory.seek(place)
        with contextlib.suppress(OSError):
            yield memory.read(min(READ_BYTES, end - place)) or b""


def count_in(regions: Iterable[bytes], secrets: Mapping[str, list[bytes]]) -> dict[str, int]:
    """Return how often each secret is there."""
    counts = dict.fromkeys(secrets, 0)
    for region in regions:
        for name, forms in secrets.items():
            counts[name] += sum(region.count(form) for form in forms)
    return counts


LOOKS = {"memory": Watched.memory}
if IS_SOAK:
    LOOKS["core dump"] = Watched.core_dump


@pytest.mark.parametrize("where", LOOKS)
def test_neither_pin_nor_block_is_kept_by_an_idle_till(
    city: Any, where: str, record_property: RecordProperty
) -> None:
    """A card number may be in memory: nobody can wipe a string. It is counted, not barred."""
    home = city.new_home()
    city.forgive_pins()
    pad = RecordingPad(PinPadKeys(home))
    pan = load_profiles()[CARD].pan
    with SerialLine(pad, home / "pad") as line:
        till = Watched(home, city.url)
        try:
            till.type("60.00", "")
            till.until_said("Present card")
            till.type(f"bench card:{CARD}")
            assert line.wait_for(lambda: pad.screen.endswith("PIN"), PATIENCE_S)
            for key in (*PIN, "enter"):
                with line.changed:
                    pad.press(key)
            till.until_said("Wrong PIN")
            # Another sale, and the till has forgotten the one before it.
            till.type("10.00", "", "bench card:visa-online")
            till.until_said("Approved")
            (block,) = pad.blocks
            secrets = {
                "PIN": digits_in_all_forms(PIN),
                "PIN block": in_all_forms(block),
                "card number": digits_in_all_forms(pan),
                "masked number": [f"{pan[:6]}******{pan[-4:]}".encode()],
            }
            found = count_in(LOOKS[where](till), secrets)
            typed = {name: secrets[name] for name in ("PIN", "PIN block")}
            assert hits(files_of(home / "till"), typed) == {}
        finally:
            till.process.kill()
            till.process.communicate()
    city.forgive_pins()

    record_property(f"card number in {where}", found["card number"])
    assert found["masked number"] > 0, "the control: the memory was read"
    assert (found["PIN"], found["PIN block"]) == (0, 0), found
