"""Carries out what the core wishes, in order, on the one thread that calls it.

The runner gives it a thread of its own. A world in one process calls it in
virtual time.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
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
from terminal.news.events import AdoptTerms, FetchBulletins, FetchTerms, NewsWish
from terminal.questions import AnswerCard
from terminal.seams import Clock
from terminal.view import Observer, Readiness, View


class Devices(Protocol):
    """Whatever can read a customer's card or code."""

    def arm(self, wish: Arm, /) -> None:
        """Switch on; returns at once."""

    def disarm(self) -> None:
        """Switch off at the next poll; returns at once."""

    def tell_card(self, wish: TellCard | AnswerCard, /) -> None:
        """Give a chip that waits its issuer's or its holder's word; returns at once."""

    def ask_pin(self, wish: AskPin, /) -> None:
        """Ask the customer for a PIN; returns at once, the end comes as an event."""

    def end_pin(self, asking: int = 0, /) -> None:
        """Ask no longer, and forget the card; returns at once."""


class Bank(Protocol):
    """Whoever carries requests to the bank."""

    def send(self, wish: Send | SendBatch, /) -> None:
        """Take the request; returns at once, the answer comes as an event."""


class News(Protocol):
    """Whoever asks the bank for its news, and has the till work by them."""

    def do(self, wish: NewsWish, /) -> None:
        """Take up what is here, queue what has to be asked for; returns at once."""


class Executor:
    """Joins the core to its journal, its clock and its workers. Never waits but for the disk."""

    def __init__(self, core: Core, journal: Journal, clock: Clock) -> None:
        self._core = core
        self._journal = journal
        self._clock = clock
        self._devices: Devices | None = None
        self._bank: Bank | None = None
        self._news: News | None = None
        self._timers: dict[Timer, float] = {}
        self._heap: list[tuple[float, int, Timer]] = []
        self._pushed = 0
        self._observers: list[Observer] = []
        self._view = View()

    def begin(self, devices: Devices, bank: Bank, news: News | None = None) -> None:
        """Have these carry the wishes out from here on.

        news: None where the till keeps to what it opened with.
        """
        self._devices, self._bank, self._news = devices, bank, news

    @property
    def view(self) -> View:
        """The last view, whole and unchanging. From any thread."""
        return self._view

    def readiness(self, device: str) -> Readiness | None:
        """Return how a device stands, by its name; None if it has never been heard of."""
        return self._core.readiness(device)

    def subscribe(self, observer: Observer) -> Callable[[], None]:
        """Have each new view handed over; returns how to end that. From any thread."""
        self._observers = [*self._observers, observer]

        def unsubscribe() -> None:
            self._observers = [other for other in self._observers if other is not observer]

        return unsubscribe

    def take(self, event: InboxEvent) -> None:
        """Have the core take an event, and do what it wishes.

        Raises the TillError with which the core refused it, or which the journal met.
        """
        try:
            failure = self._carry_out(self._core.step(event))
        finally:
            self._publish()
        if failure is not None:
            raise failure

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
                case TellCard() | AnswerCard() if self._devices is not None:
                    self._devices.tell_card(wish)
                case AskPin() if self._devices is not None:
                    self._devices.ask_pin(wish)
                case EndPin(asking) if self._devices is not None:
                    self._devices.end_pin(asking)
                case FetchTerms() | AdoptTerms() | FetchBulletins() if self._news is not None:
                    self._news.do(wish)
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

    def next_due(self) -> float | None:
        """Return when the next timer rings, on the monotonic clock; None if none is set."""
        while self._heap and self._timers.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def due(self) -> list[TimerRang]:
        """Return the timers that have rung by now; each is told once."""
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
