"""The stacks that one contract is run over, each with the card's side of its wire."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import pytest

from drivers.protocols import CardReader
from simulators.readers.in_process import InProcessReader
from simulators.readers.iso_dep import Kind, Picc
from simulators.readers.nfc_udp import NfcUdpCard
from simulators.readers.pcscd import Pcscd
from simulators.readers.pn532 import Pn532
from simulators.readers.vpcd import VpcdReader
from simulators.responses import Answer, AnyCard, Response

SILENCE_S = 0.4


class FrontEnd(Protocol):
    """The card's side of a wire."""

    def present(self, *cards: AnyCard, stay: bool = False) -> None: ...

    def remove(self) -> None: ...


@dataclass
class Rig:
    """A reader, and what cards are held to."""

    reader: CardReader
    front: FrontEnd
    detect_s: float
    """By when a card that came is seen, with a busy machine in mind."""
    is_wired: bool = True
    powers_by_itself: bool = False
    """It powers a card as soon as one is there, whoever asks for it."""

    def wait_until_seen(self, card: Scripted) -> None:
        """Wait until the service behind the reader knows of a card."""
        if self.powers_by_itself:
            assert card.powered.wait(self.detect_s)

    def bring(self, card: AnyCard, *, stay: bool = False) -> None:
        """Present a card and see it."""
        self.front.present(card, stay=stay)
        assert self.reader.wait_for_card(self.detect_s)


class Scripted:
    """A card that answers as it is told to, or always the same."""

    def __init__(self, *responses: Response, returns_s: float | None = None) -> None:
        self.responses = list(responses)
        self.commands: list[bytes] = []
        self.power_ups = 0
        self.heard, self.powered = threading.Event(), threading.Event()
        self.returns_s = returns_s
        """It is tapped again once."""

    def power_up(self) -> None:
        self.power_ups += 1
        self.powered.set()

    def respond(self, command: bytes) -> Response:
        self.commands.append(command)
        self.heard.set()
        return self.responses.pop(0) if self.responses else Answer(b"\x90\x00")

    def returns_after_s(self) -> float | None:
        returns_s, self.returns_s = self.returns_s, None
        return returns_s


def in_process(request: pytest.FixtureRequest) -> Iterator[Rig]:
    reader = InProcessReader(silence_s=SILENCE_S)
    yield Rig(reader, reader, 5.0, is_wired=False)


def pcsc(request: pytest.FixtureRequest) -> Iterator[Rig]:
    from drivers.reader_pcsc import PcscReader

    daemon: Pcscd[VpcdReader] = request.getfixturevalue("pcscd")
    front = daemon.readers[0]
    reader = PcscReader(front.name, silence_s=SILENCE_S)
    yield Rig(reader, front, 5.0, powers_by_itself=True)
    front.remove()
    reader.close()


def udp(kind: Kind) -> Callable[[pytest.FixtureRequest], Iterator[Rig]]:
    def opened(request: pytest.FixtureRequest) -> Iterator[Rig]:
        from drivers.reader_nfc import NfcReader

        # A short waiting time: what a timeout takes is three of them.
        front = NfcUdpCard(make_picc=partial(Picc, kind=kind, fwi=7))
        reader = NfcReader(front.path, silence_s=SILENCE_S)
        yield Rig(reader, front, 5.0)
        reader.close()
        front.close()

    return opened


def pn532(kind: Kind) -> Callable[[pytest.FixtureRequest], Iterator[Rig]]:
    def opened(request: pytest.FixtureRequest) -> Iterator[Rig]:
        from drivers.reader_nfc import NfcReader

        front = Pn532(make_picc=partial(Picc, kind=kind, fwi=7))
        reader = NfcReader(front.path, silence_s=SILENCE_S)
        yield Rig(reader, front, 5.0)
        reader.close()
        front.close()

    return opened


STACKS: dict[str, Callable[[pytest.FixtureRequest], Iterator[Rig]]] = {
    "in-process": in_process,
    "pcsc": pcsc,
    "udp-a": udp(Kind.A),
    "udp-b": udp(Kind.B),
    "pn532-a": pn532(Kind.A),
    "pn532-b": pn532(Kind.B),
}


def _marked(name: str) -> object:
    return pytest.param(name, marks=() if name == "in-process" else pytest.mark.wire)


@pytest.fixture(params=[_marked(name) for name in STACKS])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """Each stack in turn."""
    yield from STACKS[request.param](request)


@pytest.fixture
def scripted() -> type[Scripted]:
    return Scripted
