"""A pad without its wire: what it answers to the frames of a till."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from simulators.pinpad import frames
from simulators.pinpad.entry import Keys, PinEntry, State

VERSION: Final = 1

IDENTIFY, ASK, POLL, CANCEL = 1, 2, 3, 4
ANSWER: Final = 0x80
REFUSED: Final = 0xE0
UNKNOWN_REQUEST, UNREADABLE, NO_KEYS = 1, 2, 3


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
            key_id = self._keys.key_id() if self._keys else bytes(8)
            done = bytes((VERSION,)) + key_id
        elif kind == ASK:
            if self._keys is None:
                return frames.build(sequence, REFUSED, bytes((NO_KEYS,)))
            done = self._ask(payload)
        elif kind == POLL and not payload:
            done = self._report()
        elif kind == CANCEL and not payload:
            self.end()
            done = b""
        elif kind not in (IDENTIFY, ASK, POLL, CANCEL):
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

    def _report(self) -> bytes:
        state = self.state
        report = bytes((state, self.digits)) + b"".join(self.block or ())
        if state is not State.ASKING:
            # Told once; a repetition of this request is answered from memory.
            self.end()
        return report
