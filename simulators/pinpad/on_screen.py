"""A PIN pad made of the till's own screen and keyboard. Test PINs only: a till is no safe place.

What is typed goes key by key into the entry's buffer and nowhere else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

from drivers.errors import DeviceNotReady
from drivers.protocols import (
    FIRST_TRY,
    CardKey,
    Diagnosis,
    EncryptedPin,
    Health,
    NoPin,
    PinTries,
)
from emv.keys.offline_pin import plaintext_verify
from emv.keys.pin_block import wipe
from simulators.card.errors import CardSimulatorError
from simulators.pinpad.entry import Keys, PinEntry, State, sealer

POLL_S: Final = 0.1
"""How soon a question that nobody wants any more ends, in seconds."""


class ScreenPinPad:
    """Satisfies drivers.protocols.PinPad; press() comes from the screen's thread."""

    def __init__(
        self, keys: Keys, random: Callable[[int], bytes], now_s: Callable[[], float]
    ) -> None:
        """keys, random, now_s: as PinEntry takes them."""
        self._keys = keys
        self._random = random
        self._entry = PinEntry(keys, random, now_s)
        self._changed = threading.Condition()
        self._closing = threading.Event()

    def press(self, key: str) -> None:
        """Press a key, as PinEntry names them; while it does not ask, nothing comes of it.

        Raises CardSimulatorError if its own keys cannot be used.
        """
        with self._changed:
            self._entry.press(key)
            self._changed.notify_all()

    def type(self, keys: Sequence[str], within_s: float) -> None:
        """Press these keys once it asks; not at all if it does not within so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._entry.state is State.ASKING, within_s)
            for key in keys:
                self._entry.press(key)
            self._changed.notify_all()

    def encrypted_pin(
        self,
        pan: str,
        timeout_s: float,
        *,
        amount: str = "",
        on_digits: Callable[[int], None] | None = None,
        stop: threading.Event | None = None,
    ) -> EncryptedPin | NoPin:
        """Ask the customer for a PIN. Raises DeviceNotReady if its keys cannot be used."""
        try:
            self._keys.key_id()
        except CardSimulatorError as error:
            raise DeviceNotReady(str(error)) from error
        made = self._made_of_pin(lambda: self._entry.begin(pan, amount, timeout_s), on_digits, stop)
        if isinstance(made, NoPin):
            return made
        ksn, block = made
        return EncryptedPin(bytes(block), bytes(ksn))

    def card_pin(
        self,
        key: CardKey,
        challenge: bytes,
        timeout_s: float,
        *,
        tries: PinTries = FIRST_TRY,
        amount: str = "",
        on_digits: Callable[[int], None] | None = None,
        stop: threading.Event | None = None,
    ) -> bytes | NoPin:
        """Ask the customer for a PIN that the card checks; return VERIFY's data."""
        seal = sealer(key.modulus, key.exponent, challenge, self._random)
        made = self._made_of_pin(
            lambda: self._entry.begin_for_card(seal, amount, timeout_s, tries), on_digits, stop
        )
        return made if isinstance(made, NoPin) else bytes(made[0])

    def verify(
        self,
        send: Callable[[bytes], tuple[bytes, int]],
        timeout_s: float,
        *,
        tries: PinTries = FIRST_TRY,
        amount: str = "",
        on_digits: Callable[[int], None] | None = None,
        stop: threading.Event | None = None,
    ) -> int | NoPin:
        """Ask the customer for a PIN, and send VERIFY in clear; return the card's status word.

        send: to the card of the slot that this pad is one device with.
        """
        made = self._made_of_pin(
            lambda: self._entry.begin_for_card(
                lambda pin: (plaintext_verify(pin),), amount, timeout_s, tries
            ),
            on_digits,
            stop,
        )
        if isinstance(made, NoPin):
            return made
        [command] = made
        response, _ = send(bytes(command))
        if isinstance(command, bytearray):
            wipe(command)
        return int.from_bytes(response[-2:], "big")

    def _made_of_pin(
        self,
        begin: Callable[[], None],
        on_digits: Callable[[int], None] | None,
        stop: threading.Event | None,
    ) -> tuple[bytes | bytearray, ...] | NoPin:
        """Ask, and return what was made of the PIN."""
        with self._changed:
            begin()
            self._changed.notify_all()
            try:
                return self._await_pin(on_digits or _nobody, stop or threading.Event())
            finally:
                self._entry.end()

    def diagnose(self) -> Diagnosis:
        """Say how the pad is."""
        return Diagnosis(Health.READY, "PIN pad on the screen, for test PINs only")

    def close(self) -> None:
        """End what it asks. Safe to call twice."""
        self._closing.set()

    def _await_pin(
        self, on_digits: Callable[[int], None], stop: threading.Event
    ) -> tuple[bytes | bytearray, ...] | NoPin:
        digits = 0
        while not (stop.is_set() or self._closing.is_set()):
            state = self._entry.state
            if state in _NO_PIN:
                return _NO_PIN[state]
            if state is State.ENTERED:
                return self._entry.result
            if self._entry.digits != digits:
                digits = self._entry.digits
                on_digits(digits)
            self._changed.wait(POLL_S)
        return NoPin.STOPPED


_NO_PIN: Final = {
    State.CANCELLED: NoPin.CANCELLED,
    State.LATE: NoPin.LATE,
    State.SKIPPED: NoPin.SKIPPED,
}


def _nobody(_digits: int) -> None:
    """Listen to no count."""
