"""A customer's entry of one PIN: keys in, dots out, at the end what only its reader can open."""

from __future__ import annotations

import enum
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from drivers.protocols import FIRST_TRY, PinTries
from emv.keys.offline_pin import encipher_for_card, padding_bytes
from emv.keys.pin_block import FORMAT_4_FILL_BYTES, encipher_format_4, wipe

DIGITS_MIN: Final = 4
DIGITS_MAX: Final = 12
KEYS: Final = (*"0123456789", "enter", "clear", "cancel")


Seal = Callable[[bytearray], tuple[bytes | bytearray, ...]]
"""Makes of a PIN's digits what may leave the pad."""


class State(enum.IntEnum):
    """Where it is; the number goes over a pad's line."""

    IDLE = 0
    ASKING = 1
    ENTERED = 2
    CANCELLED = 3
    LATE = 4
    SKIPPED = 5


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
        self._amount = self._remark = ""
        self._may_skip = False
        self._seal: Seal | None = None
        self._result: tuple[bytes | bytearray, ...] = ()

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
    def result(self) -> tuple[bytes | bytearray, ...]:
        """What was made of the PIN, in State.ENTERED; else nothing.

        For a bank: the serial number and the PIN block. For a card: one piece.
        """
        return self._result

    @property
    def screen(self) -> str:
        """What the customer reads. No digit is ever on it."""
        if self.state is State.ASKING:
            return f"{self._amount}\n{self._remark}PIN {'*' * self._digits}".strip()
        return {
            State.ENTERED: "THANK YOU",
            State.CANCELLED: "CANCELLED",
            State.LATE: "TOO LATE",
            State.SKIPPED: "NO PIN",
        }.get(self._state, "READY" if self._keys else "NO KEYS")

    def begin(self, pan: str, amount: str, seconds: float) -> None:
        """Ask for a bank; whatever was entered before is forgotten. It needs keys."""
        self._begin(partial(self._for_bank, pan), amount, seconds)

    def begin_for_card(
        self, seal: Seal, amount: str, seconds: float, tries: PinTries = FIRST_TRY
    ) -> None:
        """Ask for a card; whatever was entered before is forgotten.

        seal: makes of the digits what the card takes.
        """
        self._begin(seal, amount, seconds)
        self._may_skip = tries.may_skip
        self._remark = ("WRONG. " if tries.is_retry else "") + (
            "LAST TRY. " if tries.left == 1 else ""
        )

    def _begin(self, seal: Seal, amount: str, seconds: float) -> None:
        self.end(State.ASKING)
        self._deadline_s = self._now_s() + seconds
        self._seal = seal
        self._amount = amount

    def press(self, key: str) -> None:
        """Press a key: a digit, 'enter', 'clear' or 'cancel'. Raises ValueError.

        A clear of nothing cancels; an enter with fewer than four digits waits,
        with none it goes on without a PIN where that is allowed.
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
                self._complete()
            elif self._may_skip and not self._digits:
                self.end(State.SKIPPED)
        elif self._digits < DIGITS_MAX:
            self._pin[self._digits] = ord(key)
            self._digits += 1

    def end(self, state: State = State.IDLE) -> None:
        """Go to another state; whatever was entered or enciphered is forgotten."""
        self._state = state
        self._forget_pin()
        self._seal = None
        self._may_skip = False
        self._remark = ""
        self._result = ()

    def _complete(self) -> None:
        if self._seal is None:
            return  # nobody asks
        pin = self._pin[: self._digits]
        result = self._seal(pin)
        wipe(pin)
        self.end(State.ENTERED)
        self._result = result

    def _for_bank(self, pan: str, pin: bytearray) -> tuple[bytes, bytes]:
        if self._keys is None:
            raise ValueError("a pad without keys asks nobody")
        ksn, key = self._keys.next_pin_key()
        return ksn, encipher_format_4(pin, pan, key, self._random(FORMAT_4_FILL_BYTES))

    def _forget_pin(self) -> None:
        wipe(self._pin)
        self._digits = 0


def sealer(modulus: bytes, exponent: int, challenge: bytes, random: Callable[[int], bytes]) -> Seal:
    """Return what enciphers a PIN for one card. challenge: the card's 8 bytes."""

    def seal(pin: bytearray) -> tuple[bytes]:
        padding = random(padding_bytes(len(modulus)))
        return (encipher_for_card(pin, modulus, exponent, challenge, padding),)

    return seal
