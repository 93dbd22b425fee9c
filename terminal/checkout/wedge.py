"""Tells a scanner that types like a keyboard from a person who types.

A scanner's keys come faster than fingers, or behind a prefix. Keys are held
back for the moment that it takes to know, so that no digit of a scan is ever
taken for a digit of an amount. Nothing here reads a clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SCAN_CHARACTERS_MAX: Final = 4296
"""What the largest QR code holds. Source: ISO/IEC 18004:2015, table 7."""
LINE_CHARACTERS_MIN: Final = 12
"""The shortest payment code; no amount and no word is as long."""


@dataclass(frozen=True, slots=True)
class Typed:
    """Keys that a person pressed, in their order."""

    keys: str


@dataclass(frozen=True, slots=True)
class Scanned:
    """A whole code, without prefix and suffix."""

    text: str


@dataclass(frozen=True, slots=True)
class Spoiled:
    """A scan that was cut off or too long: to be read again, not to be typed."""


Finding = Typed | Scanned | Spoiled


class WedgeDetector:
    """Takes every key with its time, and says what it was as soon as that is known."""

    def __init__(
        self,
        *,
        prefix: str = "",
        suffix: str = "\r",
        gap_max_s: float = 0.035,
        characters_min: int = 6,
        pause_max_s: float = 0.25,
    ) -> None:
        r"""prefix, suffix: as the scanner is set; '\r' stands for Enter, '\t' for Tab.

        gap_max_s: keys that follow each other within it may be a scanner's.
        characters_min: so many in such a row are one; fewer are a person's, or
        a key that types '000'. pause_max_s: a scan that is known as such may
        hesitate this long; then it is cut off, or, without a suffix, complete.
        """
        self._prefix = prefix
        self._suffix = suffix
        self._gap_max_s = gap_max_s
        self._characters_min = characters_min
        self._pause_max_s = pause_max_s
        self._held = ""
        self._is_scan = False
        self._is_overflowing = False
        self._last_s = 0.0

    def code_in(self, line: str) -> str:
        """Return the code in a line that came as a whole; empty if a person typed it.

        Where keys come line by line, nobody knows how fast they were pressed.
        """
        if self._prefix:
            return line.removeprefix(self._prefix) if line.startswith(self._prefix) else ""
        is_code = len(line) >= LINE_CHARACTERS_MIN and not any(map(str.isspace, line))
        return line if is_code else ""

    @property
    def due_s(self) -> float | None:
        """When to call idle() if no key comes before; None while nothing is held."""
        return self._last_s + self._patience_s() if self._held else None

    def key(self, character: str, at_s: float) -> Sequence[Finding]:
        """Take one key.

        character: what it types; '\r' for Enter. at_s: when it was pressed, on
        any clock that only goes forward.
        """
        found = list(self.idle(at_s))
        self._last_s = at_s
        if self._is_overflowing:
            self._held = self._held[-len(self._suffix) :] if self._suffix else "x"
        self._held += character
        if self._is_scan and len(self._held) > SCAN_CHARACTERS_MAX + len(
            self._prefix + self._suffix
        ):
            self._is_overflowing = True
        if not self._is_scan:
            self._is_scan = self._looks_like_a_scan()
        if self._is_scan and self._suffix and self._held.endswith(self._suffix):
            found.append(self._end())
        elif not self._is_scan and not self._may_become_a_scan(character):
            found.append(self._type())
        return found

    def idle(self, at_s: float) -> Sequence[Finding]:
        """Say what was held, if its time is up."""
        if not self._held or at_s < self._last_s + self._patience_s():
            return ()
        if not self._is_scan:
            return (self._type(),)
        if self._suffix:
            return (self._spoil(),)
        return (self._end(),)

    def _patience_s(self) -> float:
        return self._pause_max_s if self._is_scan else self._gap_max_s

    def _looks_like_a_scan(self) -> bool:
        if self._prefix:
            return self._held.startswith(self._prefix)
        body = self._held.removesuffix(self._suffix)
        return len(body) >= self._characters_min

    def _may_become_a_scan(self, character: str) -> bool:
        if self._prefix:
            return self._prefix.startswith(self._held)
        # Enter after a few digits is a person's, and waits for nothing.
        return not (self._suffix and character == self._suffix[-1])

    def _end(self) -> Finding:
        if self._is_overflowing:
            return self._spoil()
        text = self._held.removesuffix(self._suffix).removeprefix(self._prefix)
        self._forget()
        return Scanned(text) if text else Spoiled()

    def _spoil(self) -> Finding:
        self._forget()
        return Spoiled()

    def _type(self) -> Finding:
        typed = Typed(self._held)
        self._forget()
        return typed

    def _forget(self) -> None:
        self._held = ""
        self._is_scan = False
        self._is_overflowing = False
