"""A PIN pad made of the till's own screen and keyboard. Test PINs only: a till is no safe place.

What is typed goes key by key into the entry's buffer and nowhere else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

from drivers.errors import DeviceNotReady
from drivers.protocols import Diagnosis, EncryptedPin, Health, NoPin
from simulators.card.errors import CardSimulatorError
from simulators.pinpad.entry import Keys, PinEntry, State

POLL_S: Final = 0.1
"""How soon a question that nobody wants any more ends, in seconds."""


class ScreenPinPad:
    """Satisfies drivers.protocols.PinPad; press() comes from the screen's thread."""

    def __init__(
        self, keys: Keys, random: Callable[[int], bytes], now_s: Callable[[], float]
    ) -> None:
        """keys, random, now_s: as PinEntry takes them."""
        self._keys = keys
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
        with self._changed:
            self._entry.begin(pan, amount, timeout_s)
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
    ) -> EncryptedPin | NoPin:
        digits = 0
        while not (stop.is_set() or self._closing.is_set()):
            state = self._entry.state
            if state is State.CANCELLED:
                return NoPin.CANCELLED
            if state is State.LATE:
                return NoPin.LATE
            if self._entry.block is not None:
                ksn, block = self._entry.block
                return EncryptedPin(block, ksn)
            if self._entry.digits != digits:
                digits = self._entry.digits
                on_digits(digits)
            self._changed.wait(POLL_S)
        return NoPin.STOPPED


def _nobody(_digits: int) -> None:
    """Listen to no count."""
