"""Which customers' codes have paid, so that none is sent to the bank twice.

A code is good for one payment. The last customer's phone may still lie before
the camera when the next sale opens; the bank would decline its code, and the
sale would be over. Remembered while the till runs; the bank remembers longer.
"""

from __future__ import annotations

from collections.abc import Callable

from terminal.states import State

CODES_MAX = 200
"""A wallet's code lives for minutes: far fewer can still be shown."""


class SpentCodes:
    """Codes by their fingerprints, each with the payment that it went into."""

    def __init__(self, state_of: Callable[[str], State]) -> None:
        """state_of: a payment's state, by its identity."""
        self._state_of = state_of
        self._attempts: dict[str, str] = {}

    def spend(self, fingerprint: str, attempt: str) -> bool:
        """Note that a code goes into a payment; False if it went into another one.

        A payment that provably never left has used no code.
        """
        earlier = self._attempts.pop(fingerprint, attempt)
        if earlier != attempt and self._state_of(earlier) is not State.NOT_SENT:
            self._attempts[fingerprint] = earlier
            return False
        self._attempts[fingerprint] = attempt
        if len(self._attempts) > CODES_MAX:
            del self._attempts[next(iter(self._attempts))]
        return True
