"""The real reader stacks, two readers of each kind: one for us and one for our peer.

The cards at their other end answer from a tape, so that no card's computing is
on the clock.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from benchmarks.tap import Exchange
from drivers.protocols import CardReader
from simulators.readers.nfc_udp import NfcUdpCard
from simulators.readers.pcscd import Pcscd
from simulators.readers.pn532 import Pn532
from simulators.readers.vpcd import EMPTY_S, VpcdReader
from simulators.responses import Answer, AnyCard, Response

Transmit = Callable[[bytes], object]

DETECT_S = 10.0


class Taped:
    """A card that says to each command what a card has said to it before."""

    def __init__(self, tape: Sequence[Exchange]) -> None:
        self._answers = {command: Answer(answer) for command, answer in tape}

    def power_up(self) -> None:
        """It keeps nothing."""

    def respond(self, command: bytes) -> Response:
        """Answer as on the tape. Raises KeyError for a command that is not."""
        return self._answers[command]

    def returns_after_s(self) -> float | None:
        """It is not tapped again."""
        return None


class FrontEnd(Protocol):
    """Where cards are held to a reader."""

    def present(self, *cards: AnyCard, stay: bool = False) -> None:
        """Hold one there until it was read, or until it is removed."""

    def remove(self) -> None:
        """Take it away."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Two readers of a kind, opened by whoever uses them."""

    name: str
    fronts: Sequence[FrontEnd]
    openers: Sequence[Callable[[], CardReader]]
    library: str
    """What the library behind our driver calls its own way to talk to a card."""
    open_library: Callable[[], AbstractContextManager[Transmit]]
    """That way, to the card at the second front."""
    empty_s: float = 0.0
    """No card is seen this soon after the one before."""


@contextmanager
def over_pcscd() -> Iterator[Stack]:
    """Two antennas of one pcscd."""
    from drivers.reader_pcsc import PcscReader

    antennas = [VpcdReader("First PICC"), VpcdReader("Second PICC")]
    with ExitStack() as opened:
        for antenna in antennas:
            opened.callback(antenna.close)
        os.environ.update(opened.enter_context(Pcscd(antennas)).environment)
        openers = [partial(PcscReader, antenna.name) for antenna in antennas]
        library = partial(_pyscard, openers[1], antennas[1].name)
        yield Stack("pcscd", antennas, openers, "pyscard's transmit", library, EMPTY_S)


@contextmanager
def over_udp() -> Iterator[Stack]:
    """Two of nfcpy's links."""
    import nfc.clf

    from drivers.reader_nfc import NfcReader

    fronts = [NfcUdpCard(), NfcUdpCard()]
    with ExitStack() as opened:
        for front in fronts:
            opened.callback(front.close)
        openers = [partial(NfcReader, front.path) for front in fronts]
        library = partial(_nfcpy, lambda: nfc.ContactlessFrontend(fronts[1].path))
        yield Stack("nfcpy on UDP", fronts, openers, "nfcpy's transceive", library)


@contextmanager
def over_pn532() -> Iterator[Stack]:
    """Two chips on serial lines."""
    import nfc.clf.pn532
    import nfc.clf.transport

    from drivers.reader_nfc import NfcReader

    chips = [Pn532(), Pn532()]

    def open_frontend() -> Any:
        frontend = nfc.ContactlessFrontend()
        frontend.device = nfc.clf.pn532.init(nfc.clf.transport.TTY(chips[1].path))
        frontend.device._path = chips[1].path
        return frontend

    with ExitStack() as opened:
        for chip in chips:
            opened.callback(chip.close)
        openers = [partial(NfcReader, chip.path) for chip in chips]
        library = partial(_nfcpy, open_frontend)
        yield Stack("nfcpy on a PN532", chips, openers, "nfcpy's transceive", library)


STACKS = (over_pcscd, over_udp, over_pn532)


def await_card(reader: CardReader) -> None:
    """Wait for a card that is held there. Raises ValueError if it is not seen."""
    if not reader.wait_for_card(DETECT_S):
        raise ValueError("the simulated card has not been seen")


@contextmanager
def _pyscard(scout: Callable[[], CardReader], name: str) -> Iterator[Transmit]:
    from smartcard.System import readers

    # pyscard takes a card that is there, and does not wait for one.
    looking = scout()
    await_card(looking)
    looking.close()
    connection = next(one for one in readers() if name in str(one)).createConnection()
    connection.connect()
    try:
        yield lambda command: connection.transmit(list(command))
    finally:
        connection.disconnect()
        connection.release()


@contextmanager
def _nfcpy(open_frontend: Callable[[], Any]) -> Iterator[Transmit]:
    import nfc.clf
    import nfc.tag

    frontend = open_frontend()
    try:
        target = frontend.sense(nfc.clf.RemoteTarget("106A"))
        yield nfc.tag.activate(frontend, target).transceive
    finally:
        frontend.close()
