"""All media of one till, armed and released together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from terminal.checkout.pin import PinWorker
from terminal.events import Arm, AskPin, TellCard


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

    def tell(self, wish: TellCard, /) -> None:
        """Give a chip that waits here its issuer's word. Returns at once."""

    def close(self) -> None:
        """Let the device go."""


class Counter:
    """Everything that can read a card or a code, and the PIN pad if there is one."""

    def __init__(self, workers: Sequence[Worker], pin: PinWorker | None = None) -> None:
        self._workers = workers
        self._pin = pin

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """Name and role of every device."""
        return tuple(worker.place for worker in self._workers)

    def start(self) -> None:
        """Open every device, each on its own thread."""
        for worker in self._workers:
            worker.start()
        if self._pin is not None:
            self._pin.start()

    def arm(self, wish: Arm) -> None:
        """Switch all of it on for one sale; no card of an earlier one is kept."""
        self.end_pin()
        for worker in self._workers:
            worker.arm(wish)

    def disarm(self) -> None:
        """Switch all of it off."""
        for worker in self._workers:
            worker.disarm()

    def tell_card(self, wish: TellCard) -> None:
        """Give the chip that waits in a slot its issuer's word."""
        for worker in self._workers:
            if worker.place[0] == wish.reader:
                worker.tell(wish)

    def ask_pin(self, wish: AskPin) -> None:
        """Ask the customer for a PIN. Only a card that was kept for one leads here."""
        if self._pin is not None:
            self._pin.ask(wish)

    def end_pin(self) -> None:
        """Ask no longer, and forget every card."""
        if self._pin is not None:
            self._pin.end()

    def close(self) -> None:
        """Let every device go."""
        for worker in self._workers:
            worker.close()
        if self._pin is not None:
            self._pin.close()
