"""A pad without its wire: what it answers to the frames of a till."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from drivers.protocols import PinTries
from emv.keys.offline_pin import OVERHEAD_BYTES
from simulators.pinpad import frames
from simulators.pinpad.entry import Keys, PinEntry, State, sealer

VERSION: Final = 1

IDENTIFY, ASK, POLL, CANCEL, CARD_KEY, ASK_FOR_CARD = 1, 2, 3, 4, 5, 6
ANSWER: Final = 0x80
REFUSED: Final = 0xE0
UNKNOWN_REQUEST, UNREADABLE, NO_KEYS = 1, 2, 3
MAY_SKIP, WAS_WRONG = 0x01, 0x02
NOT_TOLD: Final = 0xFF
EXPONENT_BYTES: Final = 3


class PinPadSimulator(PinEntry):
    """A PIN pad of the protocol; serve it with simulators.serial_line."""

    def __init__(
        self, keys: Keys | None, random: Callable[[int], bytes], now_s: Callable[[], float]
    ) -> None:
        """keys, random, now_s: as PinEntry takes them."""
        super().__init__(keys, random, now_s)
        self._stream = bytearray()
        self._last: tuple[int, int, bytes] | None = None
        self._last_answer = b""
        self._card_key: tuple[bytes, int] | None = None

    def receive(self, data: bytes) -> bytes:
        """Take what a till sent; return what the pad answers."""
        self._stream += data
        return b"".join(
            self._answer(sequence, kind, payload)
            for sequence, kind, payload in frames.split(self._stream)
        )

    def _answer(self, sequence: int, kind: int, payload: bytes) -> bytes:
        request = (sequence, kind, payload)
        # IDENTIFY begins a session, so it is never a repetition.
        if request == self._last and kind != IDENTIFY:
            return self._last_answer
        self._last = request
        self._last_answer = self._do(sequence, kind, payload)
        return self._last_answer

    def _do(self, sequence: int, kind: int, payload: bytes) -> bytes:
        done = None
        if kind == IDENTIFY and not payload:
            self.end()
            self._card_key = None
            key_id = self._keys.key_id() if self._keys else bytes(8)
            done = bytes((VERSION,)) + key_id
        elif kind == ASK:
            if self._keys is None:
                return frames.build(sequence, REFUSED, bytes((NO_KEYS,)))
            done = self._ask(payload)
        elif kind == CARD_KEY:
            done = self._take_card_key(payload)
        elif kind == ASK_FOR_CARD:
            done = self._ask_for_card(payload)
        elif kind == POLL and not payload:
            done = self._report()
        elif kind == CANCEL and not payload:
            self.end()
            done = b""
        elif kind not in (IDENTIFY, POLL, CANCEL):
            return frames.build(sequence, REFUSED, bytes((UNKNOWN_REQUEST,)))
        if done is None:
            return frames.build(sequence, REFUSED, bytes((UNREADABLE,)))
        return frames.build(sequence, kind | ANSWER, done)

    def _ask(self, payload: bytes) -> bytes | None:
        """Begin to ask; None if the request cannot be read."""
        if len(payload) < 4:
            return None
        seconds, digits = int.from_bytes(payload[:2], "big"), payload[2]
        pan, rest = payload[3 : 3 + digits], payload[3 + digits :]
        if not 12 <= digits <= 19 or not pan.isdigit() or not rest or len(rest) != 1 + rest[0]:
            return None
        self.begin(pan.decode("ascii"), rest[1:].decode("ascii", "replace"), seconds)
        return b""

    def _take_card_key(self, payload: bytes) -> bytes | None:
        """Keep the key of the card that asks next; None if it is too short for a PIN."""
        exponent, modulus = payload[:EXPONENT_BYTES], payload[EXPONENT_BYTES:]
        if len(modulus) < OVERHEAD_BYTES or not any(exponent) or not modulus[0]:
            return None
        self._card_key = modulus, int.from_bytes(exponent, "big")
        return b""

    def _ask_for_card(self, payload: bytes) -> bytes | None:
        """Begin to ask for the card whose key is here; None if it cannot be read."""
        key, self._card_key = self._card_key, None
        challenge, rest = payload[4:12], payload[12:]
        if key is None or not rest or len(rest) != 1 + rest[0]:
            return None
        tries = PinTries(
            left=None if payload[3] == NOT_TOLD else payload[3],
            is_retry=bool(payload[2] & WAS_WRONG),
            may_skip=bool(payload[2] & MAY_SKIP),
        )
        self.begin_for_card(
            sealer(*key, challenge, self._random),
            rest[1:].decode("ascii", "replace"),
            int.from_bytes(payload[:2], "big"),
            tries,
        )
        return b""

    def _report(self) -> bytes:
        state = self.state
        report = bytes((state, self.digits)) + b"".join(self.result)
        if state is not State.ASKING:
            # Told once; a repetition of this request is answered from memory.
            self.end()
        return report
