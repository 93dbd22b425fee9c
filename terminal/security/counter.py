"""Numbers the till's requests, so that the bank notices a second till with the same keys.

No number is used twice, through restarts and by processes side by side: each
takes a block of them from a file first. A copy of the till takes the same
ones. It tells copies apart, such as a restored disk; a thief who leaves the
number out is for the bank to find.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

from terminal.security.files import alone, write_file

FILE: Final = "request-counter"
BLOCK: Final = 64
"""Numbers taken at once: one write to disk for so many requests."""


class RequestCounter:
    """Gives each request of a process its number. For all lanes at once."""

    def __init__(self, folder: Path) -> None:
        """folder: the till's keys; nothing is read before the first number is wanted."""
        self._folder = folder
        self._lock = threading.Lock()
        self._next = self._end = 0
        self._written_ns = 0

    def take(self) -> int:
        """Return a number that no request of this till has had. Raises OSError, ValueError."""
        with self._lock:
            if self._next == self._end or self._others_took():
                self._take_block()
            self._next += 1
            return self._next - 1

    def _others_took(self) -> bool:
        # Numbers far behind another process's would look like a copy's.
        return (self._folder / FILE).stat().st_mtime_ns != self._written_ns

    def _take_block(self) -> None:
        path = self._folder / FILE
        with alone(self._folder):
            self._next = int(path.read_text("ascii")) if path.exists() else 0
            write_file(path, str(self._next + BLOCK).encode("ascii"))
            self._written_ns = path.stat().st_mtime_ns
        self._end = self._next + BLOCK
