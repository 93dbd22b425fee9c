"""The keys, told apart: what a person presses, and what a scanner types."""

from __future__ import annotations

from collections.abc import Sequence

from terminal.checkout.wedge import Finding, Scanned, Spoiled, Typed, WedgeDetector
from ui.screens.page import Key

Pressed = Key | Scanned | Spoiled

_TYPES = {"enter": "\r", "tab": "\t"}
"""What keys type that Textual gives no character, or another."""


class Keyboard:
    """Holds each key back until it is known who pressed it; at most an instant."""

    def __init__(self, detector: WedgeDetector | None) -> None:
        """detector: of the shop's scanner; None without one: every key is a person's."""
        self._detector = detector
        self._held: list[Key] = []

    @property
    def due_s(self) -> float | None:
        """When to call idle() if no key comes before; None while nothing is held."""
        return None if self._detector is None else self._detector.due_s

    def take(self, key: Key, at_s: float) -> Sequence[Pressed]:
        """Take a key; return what is known by now, in its order.

        at_s: when it was pressed, on any clock that only goes forward.
        """
        if self._detector is None:
            return (key,)
        character = _TYPES.get(key.name, key.character)
        if len(character) != 1:
            # No scanner has this key: whatever came before it is over.
            return (*self.idle(float("inf")), key)
        before = self.idle(at_s)
        self._held.append(key)
        return (*before, *self._released(self._detector.key(character, at_s)))

    def idle(self, at_s: float) -> Sequence[Pressed]:
        """Return what was held, if its time is up."""
        return () if self._detector is None else self._released(self._detector.idle(at_s))

    def _released(self, found: Sequence[Finding]) -> Sequence[Pressed]:
        """Return the keys themselves in place of what they type."""
        if not found:
            return ()
        keys, self._held = self._held, []
        released: list[Pressed] = []
        for each in found:
            released += keys if isinstance(each, Typed) else [each]
        return released
