"""All media of one till, armed and released together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from terminal.events import Arm


class Worker(Protocol):
    """One device's thread."""

    @property
    def place(self) -> tuple[str, str]:
        """The device's name, and its role as far as it is known."""

    def start(self) -> None:
        """Begin."""

    def arm(self, wish: Arm, /) -> None:
        """Look for a customer's card or code. Returns at once."""

    def disarm(self) -> None:
        """Stop looking. Returns at once."""

    def close(self) -> None:
        """Let the device go."""


class Counter:
    """Everything that can read a card or a code."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self._workers = workers

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """Name and role of every device."""
        return tuple(worker.place for worker in self._workers)

    def start(self) -> None:
        """Open every device, each on its own thread."""
        for worker in self._workers:
            worker.start()

    def arm(self, wish: Arm) -> None:
        """Switch all of it on for one sale."""
        for worker in self._workers:
            worker.arm(wish)

    def disarm(self) -> None:
        """Switch all of it off."""
        for worker in self._workers:
            worker.disarm()

    def close(self) -> None:
        """Let every device go."""
        for worker in self._workers:
            worker.close()
