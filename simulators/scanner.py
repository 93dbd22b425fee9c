"""A hand scanner: sends what is held before it, as it is set."""

from __future__ import annotations

from collections.abc import Sequence

ENDLESS_BYTES = 1 << 20


class ScannerSimulator:
    """A scanner without its wire; serve it with simulators.serial_line."""

    def __init__(
        self, prefix: bytes = b"", suffix: bytes = b"\r\n", *, sends_aim: bool = False
    ) -> None:
        """sends_aim: it names the printed form before each code."""
        self._prefix = prefix
        self._suffix = suffix
        self._sends_aim = sends_aim

    def receive(self, data: bytes) -> bytes:
        """Take what a till sends; this scanner obeys nobody."""
        return b""

    def scan(self, text: str, symbology: str = "qr") -> bytes:
        """Return what it sends for a code. symbology: 'qr' or 'code128'."""
        aim = {"qr": b"]Q1", "code128": b"]C0"}[symbology] if self._sends_aim else b""
        return self._prefix + aim + text.encode() + self._suffix

    def endless(self, size: int = ENDLESS_BYTES) -> bytes:
        """Return a code that never ends, as a scanner with a broken head sends."""
        return self._prefix + b"7" * size


def keys_at(text: str, start_s: float, pace_s: float) -> Sequence[tuple[str, float]]:
    """Return the keys a keyboard scanner types, each with its time."""
    return [(character, start_s + number * pace_s) for number, character in enumerate(text)]
