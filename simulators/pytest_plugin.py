"""Fixtures for whoever tests a terminal of their own: cards, devices, bank.

Installed with OpenTill, pytest finds them by itself. Nothing is imported and
nothing runs until a test asks for it; what it opened is closed after it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pytest

if TYPE_CHECKING:
    from simulators.bank.service import BankServer
    from simulators.camera import CameraSimulator
    from simulators.phone import Phone
    from simulators.pinpad import PinPadSimulator
    from simulators.printer import PrinterSimulator
    from simulators.readers.in_process import InProcessReader
    from simulators.readers.nfc_udp import NfcUdpCard
    from simulators.readers.pcscd import Pcscd
    from simulators.readers.pn532 import Pn532
    from simulators.readers.vpcd import VpcdReader
    from simulators.responses import AnyCard
    from simulators.serial_line import SerialLine
    from simulators.wallet import Wallet

D = TypeVar("D")


@pytest.fixture(scope="session")
def opentill_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the simulators keep keys and books: a fresh folder per run.

    'cards/ca-public.toml' in it holds what a terminal needs to trust the cards.
    """
    from simulators.card.keys import CardKeys

    home = tmp_path_factory.mktemp("opentill")
    CardKeys(home).prepare()
    return home


@pytest.fixture(scope="session")
def opentill_card(opentill_home: Path) -> Callable[..., AnyCard]:
    """Make cards: opentill_card('visa-online', 'tear-after:2'); see till sim card --list."""
    from simulators.card import find_card, make_card
    from simulators.card.faults import with_faults

    def make(profile: str = "visa-online", *faults: str) -> AnyCard:
        return with_faults(make_card(find_card(profile), opentill_home), faults)

    return make


@pytest.fixture(scope="session")
def opentill_phone(opentill_home: Path) -> Callable[..., Phone]:
    """Make phones: opentill_phone('phone-approved'); see till sim phone --list."""
    from simulators.phone import find_phone, make_phone

    def make(profile: str = "phone-approved") -> Phone:
        return make_phone(find_phone(profile), opentill_home)

    return make


@pytest.fixture
def opentill_reader() -> Iterator[InProcessReader]:
    """A reader without a wire: present() cards to it, and talk to it as to a driver."""
    from simulators.readers.in_process import InProcessReader

    reader = InProcessReader()
    yield reader
    reader.close()


@pytest.fixture(scope="session")
def opentill_pcscd() -> Iterator[Pcscd[VpcdReader]]:
    """A private pcscd with an antenna and a slot, for all of this process.

    PCSCLITE_CSOCK_NAME points at it meanwhile. Make no PC/SC context before:
    libpcsclite remembers the first daemon it meets.
    """
    from drivers.protocols import Interface
    from simulators.readers.pcscd import Pcscd
    from simulators.readers.vpcd import VpcdReader

    readers = [VpcdReader(), VpcdReader(interface=Interface.CONTACT)]
    with pytest.MonkeyPatch.context() as patch, Pcscd(readers) as daemon:
        for name, value in daemon.environment.items():
            patch.setenv(name, value)
        yield daemon
    for reader in readers:
        reader.close()


@pytest.fixture
def opentill_pcsc(opentill_pcscd: Pcscd[VpcdReader]) -> Iterator[VpcdReader]:
    """A contactless PC/SC reader: present() cards, read them with any PC/SC library."""
    reader = opentill_pcscd.readers[0]
    yield reader
    reader.remove()


@pytest.fixture
def opentill_pcsc_slot(opentill_pcscd: Pcscd[VpcdReader]) -> Iterator[VpcdReader]:
    """A contact PC/SC reader."""
    reader = opentill_pcscd.readers[1]
    yield reader
    reader.remove()


@pytest.fixture
def opentill_nfc_udp() -> Iterator[NfcUdpCard]:
    """The card's end of nfcpy's UDP link: open nfcpy on its path."""
    from simulators.readers.nfc_udp import NfcUdpCard

    front = NfcUdpCard()
    yield front
    front.close()


@pytest.fixture
def opentill_pn532() -> Iterator[Pn532]:
    """A PN532 on a serial line: open its path as a device file."""
    from simulators.readers.pn532 import Pn532

    chip = Pn532()
    yield chip
    chip.close()


@pytest.fixture
def opentill_camera() -> Iterator[CameraSimulator]:
    """A network camera: show() pictures to it, open its url with OpenCV."""
    from simulators.camera import CameraSimulator

    camera = CameraSimulator(seed=1)
    yield camera
    camera.close()


@dataclass(frozen=True, slots=True)
class OnLine(Generic[D]):
    """A device on a serial line of this machine."""

    device: D
    line: SerialLine
    """What can be pulled out, put back, stuck or spoilt."""

    @property
    def path(self) -> str:
        """What a terminal opens; the same after the plug was pulled."""
        return str(self.line.link)

    def wait_until(self, holds: Callable[[D], object], timeout_s: float = 10.0) -> bool:
        """Wait until it holds of the device, looking whenever bytes came; False if it never did."""
        with self.line.changed:
            return bool(self.line.changed.wait_for(lambda: holds(self.device), timeout_s))


@pytest.fixture
def opentill_printer(tmp_path: Path) -> Iterator[OnLine[PrinterSimulator]]:
    """A receipt printer that speaks ESC/POS; device.receipts is what it has cut off."""
    from simulators.printer import PrinterSimulator
    from simulators.serial_line import SerialLine

    printer = PrinterSimulator()
    with SerialLine(printer, tmp_path / "printer") as line:
        yield OnLine(printer, line)


@pytest.fixture
def opentill_pinpad(opentill_home: Path, tmp_path: Path) -> Iterator[OnLine[PinPadSimulator]]:
    """A PIN pad with test keys, as docs/pinpad-protocol.md has it; device.press() its keys."""
    from simulators.pinpad import PinPadKeys, PinPadSimulator
    from simulators.serial_line import SerialLine

    pad = PinPadSimulator(PinPadKeys(opentill_home), os.urandom, time.monotonic)
    with SerialLine(pad, tmp_path / "pinpad") as line:
        yield OnLine(pad, line)


@dataclass(frozen=True, slots=True)
class RunningBank:
    """A bank on loopback."""

    url: str
    home: Path
    server: BankServer

    def issue_code(self, role: str, id: str, merchant: str = "") -> str:
        """Return a one-time code that takes in a till or a wallet."""
        from simulators.bank import bench

        now_ms = _now_ms()
        place = bench.prepare(self.home, now_ms)
        return bench.issue_enrolment_code(place, role, id, now_ms, os.urandom, merchant=merchant)

    def enrol(self, request: Mapping[str, object]) -> dict[str, Any]:
        """Carry an enrolment request to the bank; return its answer."""
        from simulators.bank import bench

        now_ms = _now_ms()
        return bench.enrol(bench.prepare(self.home, now_ms), request, now_ms)


@pytest.fixture(scope="session")
def opentill_bank(opentill_home: Path) -> Iterator[RunningBank]:
    """The acquirer and the issuers behind it, on loopback TLS; needs opentill[bank]."""
    from simulators.bank import bench
    from simulators.bank.service import BankServer

    place = bench.prepare(opentill_home, _now_ms())
    with BankServer(place, time.time, os.urandom) as server:
        yield RunningBank(server.url, opentill_home, server)


@pytest.fixture
def opentill_wallet(opentill_bank: RunningBank) -> Callable[[str], Wallet]:
    """Open wallets at the bank: opentill_wallet('alipay-qr'); see till sim wallet --list."""

    def open_one(name: str) -> Wallet:
        from simulators.wallet import Wallet, profile
        from simulators.wallet_door import HTTPSDoor, enrol_wallet

        chosen = profile(name)
        folder = opentill_bank.home / "wallets" / chosen.account
        code = partial(opentill_bank.issue_code, "wallet", chosen.account)
        enrol_wallet(folder, code, opentill_bank.enrol)
        return Wallet(chosen, HTTPSDoor(opentill_bank.url, folder))

    return open_one


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
