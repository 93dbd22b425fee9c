"""Transaction counters: a card counts its transactions and never goes back."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from simulators.card.errors import KeysUnusable
from simulators.card.folder import PrivateFolder

COUNTER_MAX = 0xFFFF


class Counter(Protocol):
    """The application transaction counter of one card."""

    def value(self) -> int:
        """Return how many transactions the card has begun."""

    def next(self) -> int | None:
        """Count one more and return it; None when the counter is used up."""


class FileCounter:
    """A counter that outlives the process, and that two processes may share."""

    def __init__(self, folder: PrivateFolder, name: str) -> None:
        """folder/name: a file with the decimal number, made at the first count."""
        self._folder = folder
        self._name = name

    @property
    def path(self) -> Path:
        """Where the number stands."""
        return self._folder.path / self._name

    def value(self) -> int:
        """Return how many transactions the card has begun.

        Raises KeysUnusable if the file holds no counter.
        """
        content = self._folder.read(self._name)
        if content is None:
            return 0
        text = content.strip()
        if not text.isdigit() or int(text) > COUNTER_MAX:
            raise KeysUnusable(
                f"{self.path}: not a counter from 0 to {COUNTER_MAX}; write the last one into it"
            )
        return int(text)

    def next(self) -> int | None:
        """Count one more and return it; None when the counter is used up.

        The number is on disk before it is used: a bank that has seen a
        counter refuses it for good.
        Raises KeysUnusable if the file holds no counter or cannot be written.
        """
        with self._folder.locked():
            value = self.value()
            if value == COUNTER_MAX:
                return None
            self._folder.write(self._name, b"%d\n" % (value + 1))
            return value + 1
