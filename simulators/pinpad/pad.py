"""The pad itself: asks for a PIN, shows dots, gives back a block only a bank can open."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Final, Protocol

from emv.keys.pin_block import FORMAT_4_FILL_BYTES, encipher_format_4, wipe
from simulators.pinpad import frames

VERSION: Final = 1
DIGITS_MIN: Final = 4
DIGITS_MAX: Final = 12

IDENTIFY, ASK, POLL, CANCEL = 1, 2, 3, 4
ANSWER: Final = 0x80
REFUSED: Final = 0xE0
UNKNOWN_REQUEST, UNREADABLE, NO_KEYS = 1, 2, 3

KEYS: Final = (*"0123456789", "enter", "clear", "cancel")


class State(enum.IntEnum):
    """Where it is; the number goes over the line."""

    IDLE = 0
    ASKING = 1
    ENTERED = 2
    CANCELLED = 3
    LATE = 4


class Keys(Protocol):
    """Where its keys come from."""

    def key_id(self) -> bytes:
        """Return the initial key's id, 8 bytes."""

    def next_pin_key(self) -> tuple[bytes, bytes]:
        """Return a serial number and the AES key for one PIN."""


class PinPadSimulator:
    """A pad without its wire; serve it with simulators.serial_line."""

    def __init__(
        self, keys: Keys | None, random: Callable[[int], bytes], now_s: Callable[[], float]
    ) -> None:
        """keys: None for a pad that nobody has injected keys into.

        random: a source of unpredictable bytes. now_s: a clock that only goes
        forward, in seconds.
        """
        self._keys = keys
        self._random = random
        self._now_s = now_s
        self._stream = bytearray()
        self._state = State.IDLE
        self._deadline_s = 0.0
        # Never grown: a buffer that grows leaves its old digits behind in memory.
        self._pin = bytearray(DIGITS_MAX)
        self._digits = 0
        self._pan = ""
        self._amount = ""
        self._result = b""
        self._last: tuple[int, int, bytes] | None = None
        self._last_answer = b""

    def __repr__(self) -> str:
        return f"PinPadSimulator({self.state.name})"

    @property
    def state(self) -> State:
        """Where it is now, by its clock."""
        if self._state is State.ASKING and self._now_s() >= self._deadline_s:
            self._end(State.LATE)
        return self._state

    @property
    def screen(self) -> str:
        """What the customer reads. No digit is ever on it."""
        if self.state is State.ASKING:
            return f"{self._amount}\nPIN {'*' * self._digits}".strip()
        return {
            State.ENTERED: "THANK YOU",
            State.CANCELLED: "CANCELLED",
            State.LATE: "TOO LATE",
        }.get(self._state, "READY" if self._keys else "NO KEYS")

    def press(self, key: str) -> None:
        """Press a key: a digit, 'enter', 'clear' or 'cancel'. Raises ValueError.

        A clear of nothing cancels; an enter with fewer than four digits waits.
        """
        if key not in KEYS:
            raise ValueError(f"no such key; there are {', '.join(KEYS)}")
        if self.state is not State.ASKING:
            return
        if key == "cancel" or (key == "clear" and not self._digits):
            self._end(State.CANCELLED)
        elif key == "clear":
            self._forget_pin()
        elif key == "enter":
            if self._digits >= DIGITS_MIN:
                self._encipher()
        elif self._digits < DIGITS_MAX:
            self._pin[self._digits] = ord(key)
            self._digits += 1

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
            self._end(State.IDLE)
            key_id = self._keys.key_id() if self._keys else bytes(8)
            done = bytes((VERSION,)) + key_id
        elif kind == ASK:
            if self._keys is None:
                return frames.build(sequence, REFUSED, bytes((NO_KEYS,)))
            done = self._ask(payload)
        elif kind == POLL and not payload:
            done = self._report()
        elif kind == CANCEL and not payload:
            self._end(State.IDLE)
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
        self._end(State.ASKING)
        self._deadline_s = self._now_s() + seconds
        self._pan = pan.decode("ascii")
        self._amount = rest[1:].decode("ascii", "replace")
        return b""

    def _report(self) -> bytes:
        state = self.state
        report = bytes((state, self._digits)) + self._result
        if state is not State.ASKING:
            # Told once; a repetition of this request is answered from memory.
            self._end(State.IDLE)
        return report

    def _encipher(self) -> None:
        if self._keys is None:
            return  # nobody is asked without keys
        ksn, key = self._keys.next_pin_key()
        pin = self._pin[: self._digits]
        block = encipher_format_4(pin, self._pan, key, self._random(FORMAT_4_FILL_BYTES))
        wipe(pin)
        self._end(State.ENTERED)
        self._result = ksn + block

    def _end(self, state: State) -> None:
        """Go to another state; whatever was entered or enciphered is forgotten."""
        self._state = state
        self._forget_pin()
        self._pan = ""
        self._result = b""

    def _forget_pin(self) -> None:
        wipe(self._pin)
        self._digits = 0
