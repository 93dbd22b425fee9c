"""The core's one thread: takes events from the inbox, carries wishes out.

Everything that waits (readers, cameras, the bank) runs on workers of its
own and posts what happened; nothing on this thread waits for anything but
the inbox, the next timer, and the disk.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future

from terminal.core.step import Core
from terminal.errors import TillError
from terminal.events import InboxEvent
from terminal.executor import Bank, Devices, Executor, News
from terminal.journal import Journal
from terminal.seams import Clock
from terminal.view import Observer, Readiness, View

log = logging.getLogger(__name__)

# A cashier's wish is answered by the core in microseconds; a disk that takes
# longer than this for one commit is as good as gone.
ANSWER_S = 10.0


class Runner:
    """An executor on a thread of its own, and the inbox before it."""

    def __init__(self, core: Core, journal: Journal, clock: Clock) -> None:
        self._executor = Executor(core, journal, clock)
        self._clock = clock
        self._inbox: queue.SimpleQueue[tuple[InboxEvent, Future[None] | None] | None] = (
            queue.SimpleQueue()
        )
        self._thread = threading.Thread(target=self._run, name="core", daemon=True)

    def start(
        self, first: InboxEvent, devices: Devices, bank: Bank, news: News | None = None
    ) -> None:
        """Begin with this event; the others carry the wishes out."""
        self._executor.begin(devices, bank, news)
        self._inbox.put((first, None))
        self._thread.start()

    def post(self, event: InboxEvent) -> None:
        """Put an event into the inbox; returns at once, from any thread."""
        self._inbox.put((event, None))

    def ask(self, event: InboxEvent) -> None:
        """Post an event, and wait until the core has taken it.

        Raises the TillError with which the core refused it.
        """
        taken: Future[None] = Future()
        self._inbox.put((event, taken))
        taken.result(ANSWER_S)

    @property
    def view(self) -> View:
        """The last view, whole and unchanging."""
        return self._executor.view

    def readiness(self, device: str) -> Readiness | None:
        """Return how a device stands, by its name; None if it has never been heard of."""
        return self._executor.readiness(device)

    def subscribe(self, observer: Observer) -> Callable[[], None]:
        """Have each new view handed over; returns how to end that."""
        return self._executor.subscribe(observer)

    def stop(self) -> None:
        """Take what is in the inbox, then end. Safe to call twice."""
        if self._thread.is_alive():
            self._inbox.put(None)
            self._thread.join(ANSWER_S)

    def _run(self) -> None:
        while True:
            for event in self._executor.due():
                self._take(event, None)
            try:
                item = self._inbox.get(timeout=self._until_next_timer())
            except queue.Empty:
                continue
            if item is None:
                return
            self._take(*item)

    def _take(self, event: InboxEvent, taken: Future[None] | None) -> None:
        try:
            self._executor.take(event)
        except TillError as refusal:
            if taken is not None:
                taken.set_exception(refusal)
            else:
                log.warning("%s was not done: %s", type(event).__name__, refusal)
        else:
            if taken is not None:
                taken.set_result(None)

    def _until_next_timer(self) -> float | None:
        due = self._executor.next_due()
        return None if due is None else max(0.0, due - self._clock.monotonic())
