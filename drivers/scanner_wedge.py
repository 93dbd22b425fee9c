"""A hand scanner that types like a keyboard.

What it typed is told from a person's typing elsewhere, next to the keys; here
codes are handed over to whoever waits for symbols.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

from drivers.errors import OptionRefused
from drivers.protocols import Diagnosis, Health, Symbol, Symbology

CODES_MAX: Final = 8


class WedgeScanner:
    """Satisfies drivers.protocols.TypedScanner."""

    def __init__(self, *, symbology: str = "qr", prefix: str = "", suffix: str = "\r") -> None:
        r"""symbology: 'qr' or 'code128', what a typed code counts as.

        prefix, suffix: as the scanner is set, for whoever has the keys; '\r' is
        Enter, '\t' Tab.
        """
        try:
            self._symbology = Symbology(symbology)
        except ValueError:
            known = ", ".join(each.value for each in Symbology)
            raise OptionRefused(f"symbology {symbology!r}: one of {known}") from None
        self.prefix = prefix
        self.suffix = suffix
        self._changed = threading.Condition()
        self._codes: deque[bytes] = deque(maxlen=CODES_MAX)
        self._is_on = False

    def offer(self, text: str) -> bool:
        """Hand over a code that was typed. False: nobody looks for one now."""
        with self._changed:
            if not self._is_on:
                return False
            self._codes.append(text.encode("utf-8", "replace"))
            self._changed.notify_all()
            return True

    def start(self) -> None:
        """Begin to take codes. Safe to call twice."""
        with self._changed:
            self._is_on = True

    def stop(self) -> None:
        """Take no more, and forget those that wait. Safe to call twice."""
        with self._changed:
            self._is_on = False
            self._codes.clear()
            self._changed.notify_all()

    def wait_for_symbols(self, timeout_s: float) -> Sequence[Symbol]:
        """Return the codes that were typed, or nothing in time."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            self._changed.wait_for(
                lambda: self._codes or not self._is_on, max(0.0, deadline - time.monotonic())
            )
            codes = [Symbol(self._symbology, code) for code in self._codes]
            self._codes.clear()
            return codes

    def diagnose(self) -> Diagnosis:
        """Say how the scanner is: a keyboard cannot be asked."""
        state = "on" if self._is_on else "off until a sale opens"
        return Diagnosis(Health.READY, f"keyboard scanner: {state}")

    def close(self) -> None:
        """Stop. Safe to call twice."""
        self.stop()
