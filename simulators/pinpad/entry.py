"""A customer's entry of one PIN: keys in, dots out, at the end a block only a bank can open."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Final, Protocol

from emv.keys.pin_block import FORMAT_4_FILL_BYTES, encipher_format_4, wipe

DIGITS_MIN: Final = 4
DIGITS_MAX: Final = 12
KEYS: Final = (*"0123456789", "enter", "clear", "cancel")


class State(enum.IntEnum):
    """Where it is; the number goes over a pad's line."""

    IDLE = 0
    ASKING = 1
    ENTERED = 2
    CANCELLED = 3
    LATE = 4


class Keys(Protocol):
    """Where a pad's keys come from."""

    def key_id(self) -> bytes:
        """Return the initial key's id, 8 bytes."""

    def next_pin_key(self) -> tuple[bytes, bytes]:
        """Return a serial number and the AES key for one PIN."""


class PinEntry:
    """What every PIN pad has inside."""

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
        self._state = State.IDLE
        self._deadline_s = 0.0
        # Never grown: a buffer that grows leaves its old digits behind in memory.
        self._pin = bytearray(DIGITS_MAX)
        self._digits = 0
        self._pan = ""
        self._amount = ""
        self._block: tuple[bytes, bytes] | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.state.name})"

    @property
    def state(self) -> State:
        """Where it is now, by its clock."""
        if self._state is State.ASKING and self._now_s() >= self._deadline_s:
            self.end(State.LATE)
        return self._state

    @property
    def digits(self) -> int:
        """How many digits stand there."""
        return self._digits

    @property
    def block(self) -> tuple[bytes, bytes] | None:
        """The serial number and the PIN block, in State.ENTERED; else None."""
        return self._block

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

    def begin(self, pan: str, amount: str, seconds: float) -> None:
        """Ask; whatever was entered before is forgotten. It needs keys."""
        self.end(State.ASKING)
        self._deadline_s = self._now_s() + seconds
        self._pan = pan
        self._amount = amount

    def press(self, key: str) -> None:
        """Press a key: a digit, 'enter', 'clear' or 'cancel'. Raises ValueError.

        A clear of nothing cancels; an enter with fewer than four digits waits.
        """
        if key not in KEYS:
            raise ValueError(f"no such key; there are {', '.join(KEYS)}")
        if self.state is not State.ASKING:
            return
        if key == "cancel" or (key == "clear" and not self._digits):
            self.end(State.CANCELLED)
        elif key == "clear":
            self._forget_pin()
        elif key == "enter":
            if self._digits >= DIGITS_MIN:
                self._encipher()
        elif self._digits < DIGITS_MAX:
            self._pin[self._digits] = ord(key)
            self._digits += 1

    def end(self, state: State = State.IDLE) -> None:
        """Go to another state; whatever was entered or enciphered is forgotten."""
        self._state = state
        self._forget_pin()
        self._pan = ""
        self._block = None

    def _encipher(self) -> None:
        if self._keys is None:
            return  # nobody is asked without keys
        ksn, key = self._keys.next_pin_key()
        pin = self._pin[: self._digits]
        block = encipher_format_4(pin, self._pan, key, self._random(FORMAT_4_FILL_BYTES))
        wipe(pin)
        self.end(State.ENTERED)
        self._block = ksn, block

    def _forget_pin(self) -> None:
        wipe(self._pin)
        self._digits = 0
