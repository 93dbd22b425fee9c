"""A contactless card from the first request to the last block: ISO/IEC 14443-3 and -4.

Sans-I/O: frames without their check bytes in, what to do about them out.
What the card says is the card simulator's; how it travels is here, Type A and
Type B, chaining, waiting time extension and retransmission.
Source: ISO/IEC 14443-3:2018, 6 and 7; ISO/IEC 14443-4:2018, 5 to 8.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import xor

from simulators.readers.errors import ReaderSimulatorError
from simulators.responses import Answer, AnyCard, Torn

FRAME_SIZES = (16, 24, 32, 40, 48, 64, 96, 128, 256)
FWI_MAX = 14
WTXM_MAX = 59
WAITING_TIME_UNIT_US = 4096 / 13.56
"""The frame waiting time is this, times two to the power of FWI. In microseconds."""

REQA, WUPA = b"\x26", b"\x52"
SELECT_LEVELS = (0x93, 0x95)
ANTICOLLISION, SELECT_ONE = 0x20, 0x70
HALT_A = b"\x50\x00"
HALT_B = 0x50
RATS = 0xE0
REQB = 0x05
ATTRIB = 0x1D
CASCADE_TAG = b"\x88"


class Kind(enum.Enum):
    """The two ways a card modulates."""

    A = "A"
    B = "B"


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a card does about a frame."""

    frame: bytes | None = None
    """Its answer; None: it says nothing."""
    after_us: int = 0
    """How long it works first. It is deaf meanwhile."""
    has_left: bool = False
    """It left the field in mid-exchange."""
    is_silent: bool = False
    """It heard a command, and will not say another word in this field."""


NOTHING = Reaction()


class _State(enum.Enum):
    IDLE = enum.auto()
    READY = enum.auto()
    ACTIVE = enum.auto()
    HALTED = enum.auto()
    PROTOCOL = enum.auto()


class Picc:
    """One card in one field."""

    def __init__(
        self,
        card: AnyCard,
        *,
        kind: Kind = Kind.A,
        uid: bytes = bytes.fromhex("04A1B2C3D4E5F6"),
        frame_size: int = 256,
        fwi: int = 8,
        answer_to_select: bytes | None = None,
    ) -> None:
        """uid: 4 or 7 bytes; Type B uses the last 4 as its pseudo-unique one.

        frame_size: the longest frame it takes, with its check bytes.
        fwi: frame waiting time integer, 0 to 14.
        answer_to_select: instead of a usual one; for Type A.
        Raises ReaderSimulatorError for what no card has.
        """
        if frame_size not in FRAME_SIZES or not 0 <= fwi <= FWI_MAX or len(uid) not in (4, 7):
            raise ReaderSimulatorError("a card has a UID of 4 or 7 bytes and a frame size of ISO's")
        self.card = card
        self.kind = kind
        self.uid = uid
        self._fwt_us = WAITING_TIME_UNIT_US * 2**fwi
        size = FRAME_SIZES.index(frame_size)
        self._ats = answer_to_select or bytes((7, 0x70 | size, 0x80, fwi << 4, 0x02, 0x80, 0x31))
        self._atqb = b"\x50" + uid[-4:] + bytes(4) + bytes((0x00, size << 4 | 1, fwi << 4 | 1))
        parts = [CASCADE_TAG + uid[:3], uid[3:]] if len(uid) == 7 else [uid]
        self._levels = [part + bytes((reduce(xor, part),)) for part in parts]
        self.is_heard = False
        """A whole command has come to it since the field came on."""
        self.power_off()

    def power_off(self) -> None:
        """Leave the field, or have it go off."""
        self._is_powered = self.is_heard = False
        self._reset(_State.IDLE)

    def receive(self, frame: bytes) -> Reaction:
        """Return what the card does about one frame."""
        if not self._is_powered:
            self._is_powered = True
            self.card.power_up()
        if not frame or self._is_deaf:
            return NOTHING
        if self._state is _State.PROTOCOL:
            return self._block(frame)
        return self._initialise_a(frame) if self.kind is Kind.A else self._initialise_b(frame)

    # Initialisation and anticollision. Source: ISO/IEC 14443-3, 6 and 7.

    def _reset(self, state: _State) -> None:
        self._state = state
        self._level = 0
        self._cid: int | None = None
        self._reader_frame_size = 32
        self._number = 1  # Of the block sent last: 7.5.4.1.
        self._received = b""
        self._chain: Sequence[bytes] = ()
        self._last: bytes | None = None
        self._owed: tuple[bytes, int] | None = None
        self._is_deaf = False

    def _initialise_a(self, frame: bytes) -> Reaction:
        if frame == WUPA or (frame == REQA and self._state is not _State.HALTED):
            self._reset(_State.READY)
            return Reaction(bytes((0x44 if len(self._levels) == 2 else 0x04, 0x03)))
        if self._state is _State.READY and len(frame) >= 2 and frame[0] in SELECT_LEVELS:
            return self._select_a(frame)
        if self._state is _State.ACTIVE and frame[0] == RATS and len(frame) == 2:
            self._enter_protocol(frame[1] >> 4, frame[1] & 0x0F)
            return self._send(self._ats)
        if frame == HALT_A and self._state is _State.ACTIVE:
            self._reset(_State.HALTED)
        return NOTHING

    def _select_a(self, frame: bytes) -> Reaction:
        level = SELECT_LEVELS.index(frame[0])
        if level != self._level or level >= len(self._levels):
            return NOTHING
        mine = self._levels[level]
        if frame[1] == ANTICOLLISION:
            return Reaction(mine)
        if frame[1] != SELECT_ONE or frame[2:] != mine:
            return NOTHING
        if level + 1 < len(self._levels):
            self._level += 1
            return Reaction(b"\x24")  # The UID goes on.
        self._state = _State.ACTIVE
        return Reaction(b"\x20")  # It speaks ISO/IEC 14443-4.

    def _initialise_b(self, frame: bytes) -> Reaction:
        if frame[0] == REQB and len(frame) == 3:
            is_wake_up = bool(frame[2] & 0x08)
            if self._state is _State.HALTED and not is_wake_up:
                return NOTHING
            self._reset(_State.READY)
            return Reaction(self._atqb)
        if self._state is _State.READY and frame[1:5] == self.uid[-4:]:
            if frame[0] == HALT_B and len(frame) == 5:
                self._reset(_State.HALTED)
                return Reaction(b"\x00")
            if frame[0] == ATTRIB and len(frame) >= 9:
                self._enter_protocol(frame[6] & 0x0F, frame[8] & 0x0F)
                return self._send(bytes((self._cid or 0,)))
        return NOTHING

    def _enter_protocol(self, size: int, cid: int) -> None:
        self._reset(_State.PROTOCOL)
        self._reader_frame_size = FRAME_SIZES[min(size, len(FRAME_SIZES) - 1)]
        self._cid = cid

    # Half-duplex block transmission. Source: ISO/IEC 14443-4, 7.

    def _block(self, frame: bytes) -> Reaction:
        control, rest = frame[0], frame[1:]
        has_cid = bool(control & 0x08)
        if has_cid:
            if not rest or rest[0] & 0x0F != self._cid:
                return NOTHING
            rest = rest[1:]
        elif self._cid:
            # A card with a number of its own answers to nothing else.
            return NOTHING
        self._with_cid = has_cid
        if control & 0xE2 == 0x02 and not control & 0x04:
            return self._information(control, rest)
        if control & 0xE6 == 0xA2 and not rest:
            return self._acknowledgement(control)
        if control & 0xF7 == 0xC2:
            self._reset(_State.HALTED)
            return Reaction(frame)
        if control & 0xF7 == 0xF2 and self._owed is not None and len(rest) == 1:
            return self._go_on_working(rest[0] & 0x3F)
        return NOTHING

    def _information(self, control: int, data: bytes) -> Reaction:
        self._number ^= 1  # Rule D.
        self._received += data
        if control & 0x10:
            return self._send(self._control(0xA2 | self._number))
        command, self._received = self._received, b""
        self.is_heard = True
        response = self.card.respond(command)
        if isinstance(response, Torn):
            return Reaction(has_left=True)
        if not isinstance(response, Answer):
            self._is_deaf = True
            return Reaction(is_silent=True)
        size = self._reader_frame_size - 3 - self._with_cid
        pieces = [response.data[at : at + size] for at in range(0, len(response.data), size)]
        self._chain = pieces or [b""]
        return self._work(response.delay_us)

    def _work(self, delay_us: int) -> Reaction:
        """Answer now, or after a while, or ask for more time first. Rule 9."""
        if delay_us <= self._fwt_us * 0.7:
            return self._next_piece(delay_us)
        multiplier = min(WTXM_MAX, int(delay_us / (self._fwt_us * 0.7)) + 1)
        self._owed = (bytes((multiplier,)), delay_us)
        return self._send(self._control(0xF2) + bytes((multiplier,)))

    def _go_on_working(self, multiplier: int) -> Reaction:
        """The reader grants more time."""
        _, delay_us = self._owed or (b"", 0)
        self._owed = None
        worked_us = min(delay_us, int(multiplier * self._fwt_us * 0.7))
        left_us = delay_us - worked_us
        if left_us > self._fwt_us * 0.05:
            reaction = self._work(max(left_us, int(self._fwt_us)))
            return Reaction(reaction.frame, worked_us + reaction.after_us)
        return self._next_piece(worked_us)

    def _acknowledgement(self, control: int) -> Reaction:
        is_mine = control & 0x01 == self._number
        is_negative = bool(control & 0x10)
        if is_mine:
            return Reaction(self._last)  # Rule 11.
        if is_negative:
            return Reaction(self._control(0xA2 | self._number))  # Rule 12.
        self._number ^= 1  # Rule E.
        return self._next_piece(0) if self._chain else NOTHING  # Rule 13.

    def _next_piece(self, after_us: int) -> Reaction:
        piece, self._chain = self._chain[0], self._chain[1:]
        control = 0x02 | self._number | (0x10 if self._chain else 0)
        return self._send(self._control(control) + piece, after_us)

    def _control(self, control: int) -> bytes:
        """Return a block's beginning."""
        if self._with_cid:
            return bytes((control | 0x08, self._cid or 0))
        return bytes((control,))

    def _send(self, frame: bytes, after_us: int = 0) -> Reaction:
        self._last = frame
        return Reaction(frame, after_us)
