"""The core's one thread: takes events from the inbox, carries wishes out.

Everything that waits (readers, cameras, the bank) runs on workers of its
own and posts what happened; nothing on this thread waits for anything but
the inbox, the next timer, and the disk.
"""

from __future__ import annotations

import heapq
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Protocol

from terminal.batch.events import RecordBatch, SendBatch
from terminal.core.step import Core
from terminal.errors import JournalCorrupt, JournalUnavailable, TillError
from terminal.events import (
    Arm,
    AskPin,
    Disarm,
    EndPin,
    InboxEvent,
    JournalFailed,
    Record,
    Send,
    SetTimer,
    StopTimer,
    TellCard,
    Timer,
    TimerRang,
    Wish,
)
from terminal.journal import Journal
from terminal.seams import Clock
from terminal.view import Observer, Readiness, View

log = logging.getLogger(__name__)

# A cashier's wish is answered by the core in microseconds; a disk that takes
# longer than this for one commit is as good as gone.
ANSWER_S = 10.0


class Devices(Protocol):
    """Whatever can read a customer's card or code."""

    def arm(self, wish: Arm, /) -> None:
        """Switch on; returns at once."""

    def disarm(self) -> None:
        """Switch off at the next poll; returns at once."""

    def tell_card(self, wish: TellCard, /) -> None:
        """Give a chip that waits its issuer's word; returns at once."""

    def ask_pin(self, wish: AskPin, /) -> None:
        """Ask the customer for a PIN; returns at once, the end comes as an event."""

    def end_pin(self) -> None:
        """Ask no longer, and forget the card; returns at once."""


class Bank(Protocol):
    """Whoever carries requests to the bank."""

    def send(self, wish: Send | SendBatch, /) -> None:
        """Take the request; returns at once, the answer comes as an event."""


class Runner:
    """Joins the core to its journal, its clock and its workers."""

    def __init__(self, core: Core, journal: Journal, clock: Clock) -> None:
        self._core = core
        self._journal = journal
        self._clock = clock
        self._devices: Devices | None = None
        self._bank: Bank | None = None
        self._inbox: queue.SimpleQueue[tuple[InboxEvent, Future[None] | None] | None] = (
            queue.SimpleQueue()
        )
        self._timers: dict[Timer, float] = {}
        self._heap: list[tuple[float, int, Timer]] = []
        self._pushed = 0
        self._observers: list[Observer] = []
        self._view = View()
        self._thread = threading.Thread(target=self._run, name="core", daemon=True)

    def start(self, first: InboxEvent, devices: Devices, bank: Bank) -> None:
        """Begin with this event; devices and bank carry the wishes out."""
        self._devices, self._bank = devices, bank
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
        return self._view

    def readiness(self, device: str) -> Readiness | None:
        """Return how a device stands, by its name; None if it has never been heard of."""
        return self._core.readiness(device)

    def subscribe(self, observer: Observer) -> Callable[[], None]:
        """Have each new view handed over; returns how to end that."""
        self._observers = [*self._observers, observer]

        def unsubscribe() -> None:
            self._observers = [other for other in self._observers if other is not observer]

        return unsubscribe

    def stop(self) -> None:
        """Take what is in the inbox, then end. Safe to call twice."""
        if self._thread.is_alive():
            self._inbox.put(None)
            self._thread.join(ANSWER_S)

    def _run(self) -> None:
        while True:
            for event in self._due():
                self._take(event, None)
            try:
                item = self._inbox.get(timeout=self._until_next_timer())
            except queue.Empty:
                continue
            if item is None:
                return
            self._take(*item)

    def _take(self, event: InboxEvent, taken: Future[None] | None) -> None:
        failure: TillError | None = None
        try:
            failure = self._carry_out(self._core.step(event))
        except TillError as refusal:
            failure = refusal
        self._publish()
        if taken is not None:
            if failure is None:
                taken.set_result(None)
            else:
                taken.set_exception(failure)
        elif failure is not None:
            log.warning("%s was not done: %s", type(event).__name__, failure)

    def _carry_out(self, wishes: Sequence[Wish]) -> TillError | None:
        for place, wish in enumerate(wishes):
            match wish:
                case Record() | RecordBatch():
                    try:
                        self._record(wish)
                    except (JournalUnavailable, JournalCorrupt) as failure:
                        undone = tuple(wishes[place + 1 :])
                        self._carry_out(self._core.step(_failure(wish, undone, failure)))
                        return failure
                case Send() | SendBatch() if self._bank is not None:
                    self._bank.send(wish)
                case Arm() if self._devices is not None:
                    self._devices.arm(wish)
                case Disarm() if self._devices is not None:
                    self._devices.disarm()
                case TellCard() if self._devices is not None:
                    self._devices.tell_card(wish)
                case AskPin() if self._devices is not None:
                    self._devices.ask_pin(wish)
                case EndPin() if self._devices is not None:
                    self._devices.end_pin()
                case SetTimer(timer, at):
                    self._timers[timer] = at
                    self._pushed += 1
                    heapq.heappush(self._heap, (at, self._pushed, timer))
                case StopTimer(timer):
                    self._timers.pop(timer, None)
        return None

    def _record(self, wish: Record | RecordBatch) -> None:
        if isinstance(wish, Record):
            self._journal.append(wish.entries)
        else:
            self._journal.append_batch(wish)

    def _until_next_timer(self) -> float | None:
        while self._heap and self._timers.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        if not self._heap:
            return None
        return max(0.0, self._heap[0][0] - self._clock.monotonic())

    def _due(self) -> list[TimerRang]:
        now = self._clock.monotonic()
        rang = []
        while self._heap and self._heap[0][0] <= now:
            at, _, timer = heapq.heappop(self._heap)
            if self._timers.get(timer) == at:
                del self._timers[timer]
                rang.append(TimerRang(timer))
        return rang

    def _publish(self) -> None:
        view = self._core.view()
        if view == self._view:
            return
        self._view = view
        for observer in self._observers:
            observer(view)


def _failure(
    wish: Record | RecordBatch, undone: tuple[Wish, ...], error: TillError
) -> JournalFailed:
    """Return what the core is told of a record that did not reach the disk."""
    if isinstance(wish, RecordBatch):
        return JournalFailed((), undone, str(error), batch=wish.batch.number)
    return JournalFailed(tuple(entry.payment.id for entry in wish.entries), undone, str(error))
