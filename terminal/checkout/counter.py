"""All media of one till, armed and released together."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from config.schema import Settings
from emv.errors import ConfigurationError
from terminal.events import Arm, AskPin, DeviceHealth, InboxEvent, TellCard
from terminal.questions import AnswerCard
from terminal.view import Readiness

if TYPE_CHECKING:
    from terminal.checkout.pin import PinWorker
    from terminal.traces.keeper import TraceKeeper

log = logging.getLogger(__name__)

CLOSE_S = 5.0


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

    def tell(self, wish: TellCard | AnswerCard, /) -> None:
        """Give a chip that waits here its issuer's or its holder's word. Returns at once."""

    def close(self) -> None:
        """Let the device go."""


class Media(NamedTuple):
    """What a counter is made of."""

    workers: Sequence[Worker]
    pin: PinWorker | None
    traces: TraceKeeper | None = None


def counter_places(settings: Settings) -> tuple[tuple[str, str], ...]:
    """Return name and role of every device that reads cards or codes, as far as is known."""
    readers = [(device.name, "reader") for device in settings.devices.readers]
    scanners = [(device.name, "camera") for device in settings.devices.scanners]
    return (*readers, *scanners)


class Counter:
    """Everything that can read a card or a code, and the PIN pad if there is one."""

    def __init__(
        self,
        places: tuple[tuple[str, str], ...],
        open_media: Callable[[], Media],
        post: Callable[[InboxEvent], None],
    ) -> None:
        """places: name and role of every device; nothing is opened without one.

        open_media: brings the workers; called once, on a thread of its own.
        """
        self.places = places
        self._open_media = open_media
        self._post = post
        self._workers: Sequence[Worker] = ()
        self._pin: PinWorker | None = None
        self._traces: TraceKeeper | None = None
        self._wish: Arm | None = None
        self.is_closing = False
        """Nothing more is started."""
        self._lock = threading.Lock()
        self._opener = threading.Thread(target=self._open, name="counter", daemon=True)

    def start(self) -> None:
        """Open every device, each on its own thread. Returns at once."""
        if self.places:
            self._opener.start()

    def arm(self, wish: Arm) -> None:
        """Switch all of it on for one sale; no card of an earlier one is kept."""
        self.end_pin()
        with self._lock:
            self._wish = wish
            for worker in self._workers:
                worker.arm(wish)

    def disarm(self) -> None:
        """Switch all of it off."""
        with self._lock:
            self._wish = None
            for worker in self._workers:
                worker.disarm()

    def tell_card(self, wish: TellCard | AnswerCard) -> None:
        """Give the chip that waits in a slot its issuer's or its holder's word."""
        for worker in self._workers:
            if worker.place[0] == wish.reader:
                worker.tell(wish)

    def ask_pin(self, wish: AskPin) -> None:
        """Ask the customer for a PIN. Only a card that was kept for one leads here."""
        if self._pin is not None:
            self._pin.ask(wish)

    def end_pin(self, asking: int = 0) -> None:
        """Ask no longer, and forget every card; with a number only that question ends."""
        if self._pin is not None:
            self._pin.end(asking)

    def close(self) -> None:
        """Let every device go."""
        with self._lock:
            self.is_closing = True
        if self._opener.is_alive():
            self._opener.join(CLOSE_S)
        for worker in self._workers:
            worker.close()
        if self._pin is not None:
            self._pin.close()
        if self._traces is not None:
            self._traces.close()

    def _open(self) -> None:
        try:
            media = self._open_media()
        except ConfigurationError as error:
            log.error("no card or code can be read: %s", error)
            for name, role in self.places:
                self._post(DeviceHealth(name, role, Readiness.FAULTY))
            return
        with self._lock:
            if self.is_closing:
                return
            self._workers, self._pin, self._traces = media
            if self._traces is not None:
                self._traces.start()
            for worker in self._workers:
                worker.start()
                if self._wish is not None:
                    # A sale was opened meanwhile.
                    worker.arm(self._wish)
        if self._pin is not None:
            self._pin.start()
