"""The reader's side of ISO/IEC 14443-4: activation and half-duplex blocks.

Sans-I/O: a generator yields a frame and how long to wait, and is sent the
answer or what went wrong. nfcpy has one of its own, which expects more of an
answer to select than the standard promises, takes an extension of time in the
middle of a chain for an error, and gives slow cards no second try.
Source: ISO/IEC 14443-4:2018, 5 and 7; EMV Contactless Book D, 10.
"""

from __future__ import annotations

import enum
from collections.abc import Generator
from dataclasses import dataclass

from drivers.errors import DriverError

FRAME_SIZES = (16, 24, 32, 40, 48, 64, 96, 128, 256)
WAITING_TIME_UNIT_S = 4096 / 13.56e6
FWI_DEFAULT = 4
FWI_MAX = 14
FSCI_DEFAULT = 2
EXTRA_WAIT_S = 49152 / 13.56e6
"""What a reader waits beyond the frame waiting time. Source: EMV Book D, Annex A."""
RETRIES_MAX = 2
"""In a row, without anything sensible from the card."""
RESENT_MAX = 16
CHAIN_MAX = 1024
"""Blocks of one answer; a card with more to say than 64 KiB is not honest."""


class Fault(enum.Enum):
    """What came instead of an answer."""

    TIMEOUT = "timeout"
    DAMAGED = "damaged"


class LinkBroken(DriverError):
    """The card cannot be talked to any longer; what remains is to see whether it is there."""

    def __init__(self, message: str, *, fault: Fault) -> None:
        super().__init__(message)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a card said of itself when it was activated."""

    frame_size: int
    """The longest frame it takes, with a control byte and two check bytes."""
    waiting_s: float
    """How long it may take for an answer: the frame waiting time."""
    guard_s: float = 0.0
    """How long to leave it alone after its activation."""

    @classmethod
    def of_ats(cls, ats: bytes) -> Parameters:
        """Read an answer to select. Whatever it leaves out has the standard's default.

        ats: from its length byte on.

        Source: ISO/IEC 14443-4:2018, 5.2.
        """
        said = ats[1 : ats[0]] if ats else b""
        if not said:
            return cls(FRAME_SIZES[FSCI_DEFAULT], WAITING_TIME_UNIT_S * 2**FWI_DEFAULT)
        format_, rest = said[0], said[1:]
        if format_ & 0x10:
            rest = rest[1:]
        times = rest[0] if format_ & 0x20 and rest else FWI_DEFAULT << 4
        return cls._of(format_ & 0x0F, times >> 4, times & 0x0F)

    @classmethod
    def of_atqb(cls, atqb: bytes) -> Parameters:
        """Read a Type B card's answer to request: 12 bytes or more.

        Source: ISO/IEC 14443-3:2018, 7.9.4.
        """
        return cls._of(atqb[10] >> 4, atqb[11] >> 4)

    @classmethod
    def _of(cls, size: int, fwi: int, guard: int = 0) -> Parameters:
        waiting = fwi if fwi <= FWI_MAX else FWI_DEFAULT
        guard_s = WAITING_TIME_UNIT_S * 2**guard if 0 < guard <= FWI_MAX else 0.0
        return cls(
            FRAME_SIZES[min(size, len(FRAME_SIZES) - 1)],
            WAITING_TIME_UNIT_S * 2**waiting,
            guard_s,
        )


Exchange = Generator[tuple[bytes, float], bytes | Fault, bytes]
"""Yields a frame and how long to wait for its answer, in seconds."""


class Initiator:
    """Talks to one activated card."""

    def __init__(self, parameters: Parameters, *, frame_size_max: int = 256) -> None:
        """frame_size_max: what the reader can send, with control and check bytes."""
        self._size = min(parameters.frame_size, frame_size_max) - 3
        self._waiting_s = parameters.waiting_s
        self._number = 0

    def exchange(self, command: bytes) -> Exchange:
        """Carry one command to the card and return its whole answer.

        Raises LinkBroken if block and retries got nothing sensible back.
        """
        pieces = [command[at : at + self._size] for at in range(0, len(command), self._size)]
        for piece in pieces[:-1]:
            block = yield from self._block(0x12, piece)
            if block[0] & 0xF6 != 0xA2:
                raise self._nonsense("expected an acknowledgement")
        block = yield from self._block(0x02, pieces[-1] if pieces else b"")
        answer = b""
        for _ in range(CHAIN_MAX):
            if block[0] & 0xE2 != 0x02:
                raise self._nonsense("expected the card's answer")
            answer += block[1:]
            if not block[0] & 0x10:
                return answer
            acknowledged = bytes((0xA2 | self._number,))
            block = yield from self._until_new(acknowledged, acknowledged)
        raise self._nonsense(f"no end to the answer after {CHAIN_MAX} blocks")

    def _block(
        self, control: int, data: bytes
    ) -> Generator[tuple[bytes, float], bytes | Fault, bytes]:
        """Send an information block; return the card's next block."""
        frame = bytes((control | self._number,)) + data
        return (yield from self._until_new(frame, bytes((0xB2 | self._number,))))

    def _until_new(self, frame: bytes, again: bytes) -> Exchange:
        """Send a frame until a block with the number that is due comes back.

        again: what asks for the answer once more. Rules 3 to 7 of 7.5.5.
        """
        sending, waiting_s = frame, self._waiting_s + EXTRA_WAIT_S
        retries = resent = 0
        while True:
            received = yield sending, waiting_s
            waiting_s = self._waiting_s + EXTRA_WAIT_S
            fault = received if isinstance(received, Fault) else None
            if isinstance(received, bytes):
                if not received:
                    fault = Fault.DAMAGED
                elif received[0] & 0xF7 == 0xF2 and len(received) == 2:
                    multiplier = received[1] & 0x3F
                    sending = bytes((0xF2, multiplier))
                    waiting_s = max(1, multiplier) * self._waiting_s + EXTRA_WAIT_S
                    retries = 0
                    continue
                elif received[0] & 0x01 == self._number:
                    self._number ^= 1  # Rule B.
                    return received
                elif received[0] & 0xF6 == 0xA2:
                    # It has not heard the block, and is well otherwise: rule 6.
                    resent += 1
                    if resent > RESENT_MAX:
                        raise self._nonsense("it never hears the block")
                    sending, retries = frame, 0
                    continue
                else:
                    raise self._nonsense("a block with the wrong number")
            retries += 1
            if retries > RETRIES_MAX:
                kind = fault or Fault.DAMAGED
                raise LinkBroken(f"the card's answer: {kind.value}", fault=kind)
            sending = again

    def _nonsense(self, what: str) -> LinkBroken:
        return LinkBroken(f"block protocol: {what}", fault=Fault.DAMAGED)
