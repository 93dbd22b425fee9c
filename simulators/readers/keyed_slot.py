"""A slot and a PIN pad in one housing: a PIN in clear never leaves it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from drivers.protocols import FIRST_TRY, Interface, NoPin, PinTries
from simulators.readers.in_process import InProcessReader


class ClearPinPad(Protocol):
    """A pad that sends VERIFY itself."""

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
        """Ask for a PIN, send it to the card, and return the card's status word."""


class KeyedSlot(InProcessReader):
    """Satisfies drivers.protocols.PinReader."""

    def __init__(self, pad: Callable[[], ClearPinPad]) -> None:
        """pad: its keys; fetched when they are first needed."""
        super().__init__(interface=Interface.CONTACT)
        self._pad = pad

    def verify_pin(
        self,
        timeout_s: float,
        *,
        tries: PinTries = FIRST_TRY,
        amount: str = "",
        on_digits: Callable[[int], None] | None = None,
        stop: threading.Event | None = None,
    ) -> int | NoPin:
        """Ask the customer for a PIN, send VERIFY, and return the card's status word."""
        return self._pad().verify(
            self.transceive,
            timeout_s,
            tries=tries,
            amount=amount,
            on_digits=on_digits,
            stop=stop,
        )
