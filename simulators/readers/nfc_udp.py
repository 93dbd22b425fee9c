"""A contactless card at the other end of nfcpy's UDP link.

nfcpy opened on 'udp:127.0.0.1:PORT' is the reader; its datagrams are the
field. Each holds bit rate and type, a space and a frame in hexadecimal;
'RFOFF' is the field going off. The link can carry one card.
"""

from __future__ import annotations

import logging
import select
import socket
import threading
import time
from collections.abc import Callable
from functools import partial

from simulators.readers.antenna import Antenna, MakePicc
from simulators.readers.errors import ReaderSimulatorError
from simulators.readers.field import Presented
from simulators.readers.iso_dep import Picc
from simulators.responses import AnyCard

log = logging.getLogger(__name__)

FIELD_OFF = b"RFOFF"
KNOCK = b""
"""Wakes our own thread; no reader sends it."""
DATAGRAM_BYTES_MAX = 2048
POLL_AGE_NS = 900_000_000
"""A card that comes in answers a request this old: nfcpy listens for a second."""


class NfcUdpCard:
    """Where cards are held for a reader on the UDP link; from any thread."""

    def __init__(
        self,
        *,
        port: int = 0,
        make_picc: MakePicc = Picc,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """port: on loopback; 0 takes a free one.

        make_picc: what a card is like on the air: type, UID, frame sizes.
        Raises ReaderSimulatorError if the port is taken.
        """
        self._antenna = Antenna(make_picc, 1, clock_ns)
        self._clock_ns = clock_ns
        self._faults = threading.Lock()
        self._spoilt = self._lost = 0
        self._pending: tuple[int, bytes, tuple[str, int]] | None = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind(("127.0.0.1", port))
        except OSError as error:
            self._socket.close()
            raise ReaderSimulatorError(f"UDP port {port}: {error.strerror}") from error
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run, name="nfc-udp-card", daemon=True)
        self._thread.start()

    @property
    def path(self) -> str:
        """What nfcpy opens to read from here."""
        return f"udp:127.0.0.1:{self.port}"

    # What happens to the card.

    def present(self, *cards: AnyCard, stay: bool = False) -> None:
        """Hold a card there; it leaves when the reader has done with it, unless it stays.

        Raises ReaderSimulatorError for two at once: the link shows no clash.
        """
        self._antenna.present(*cards, stay=stay)
        self._knock()

    def remove(self) -> None:
        """Take the card away, in the middle of a conversation too."""
        self._antenna.remove()
        self._knock()

    def spoil(self, count: int = 1) -> None:
        """Have the next answers arrive damaged."""
        with self._faults:
            self._spoilt = count

    def lose(self, count: int = 1) -> None:
        """Have the next answers not arrive."""
        with self._faults:
            self._lost = count

    def close(self) -> None:
        """Let the port go. Safe to call twice."""
        if not self._antenna.is_open:
            return
        self._antenna.close()
        self._knock()
        self._thread.join()
        self._socket.close()

    # The card's side of the wire.

    def _knock(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
            door.sendto(KNOCK, ("127.0.0.1", self.port))

    def _run(self) -> None:
        while self._antenna.is_open:
            datagram, reader = self._socket.recvfrom(DATAGRAM_BYTES_MAX)
            if datagram != KNOCK:
                self._hear(datagram, reader)
                continue
            pending, self._pending = self._pending, None
            if pending is not None and self._clock_ns() - pending[0] < POLL_AGE_NS:
                # The reader still listens for an answer to its last request.
                self._hear(*pending[1:])

    def _hear(self, datagram: bytes, reader: tuple[str, int]) -> None:
        if datagram.startswith(FIELD_OFF):
            self._antenna.power_off()
            return
        there = self._antenna.there()
        if not there:
            self._pending = (self._clock_ns(), datagram, reader)
            return
        one, picc = there[0]
        rate, _, digits = datagram.partition(b" ")
        if rate != b"106" + picc.kind.value.encode() or not digits:
            return
        try:
            frame = bytes.fromhex(digits.decode("ascii"))
        except ValueError:
            log.debug("%d bytes that are no frame", len(datagram))
            return
        answer = self._antenna.hear(one, picc, frame, partial(self._work, one))
        if answer is not None:
            self._answer(rate, answer, reader)

    def _answer(self, rate: bytes, frame: bytes, reader: tuple[str, int]) -> None:
        with self._faults:
            if self._lost:
                self._lost -= 1
                return
            is_spoilt = self._spoilt > 0
            self._spoilt -= is_spoilt
        # A datagram without a frame is what nfcpy takes for a damaged one.
        data = b"" if is_spoilt else b" " + frame.hex().encode()
        self._socket.sendto(rate + data, reader)

    def _work(self, one: Presented, seconds: float) -> bool:
        """Wait while a card works; False if its field goes off or it leaves.

        It is deaf meanwhile: what else comes it never hears.
        """
        deadline = time.monotonic() + seconds
        while select.select([self._socket], [], [], max(0.0, deadline - time.monotonic()))[0]:
            datagram, _ = self._socket.recvfrom(DATAGRAM_BYTES_MAX)
            if datagram.startswith(FIELD_OFF):
                self._antenna.power_off()
                return False
            if self._antenna.is_gone(one):
                return False
        return True
