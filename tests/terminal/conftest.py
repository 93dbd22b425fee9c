"""A core without threads, a clock without time."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from config import load_currencies
from terminal.batch.batch import Batch
from terminal.batch.events import BatchPurpose, RecordBatch, SendBatch
from terminal.core.limits import Limits
from terminal.core.step import Core
from terminal.errors import UnknownPayment
from terminal.events import (
    Answered,
    Arm,
    AskPin,
    BankAnswer,
    CardEnd,
    CardFacts,
    CardPresented,
    CardRead,
    InboxEvent,
    Purpose,
    Record,
    Send,
    SetTimer,
    Started,
    StopTimer,
    Timer,
    TimerRang,
    Wish,
)
from terminal.journal import Journal
from terminal.money import amount_with_unit
from terminal.store import OfflineLimits
from terminal.summing import with_follow_ups
from terminal.view import Medium, PaymentView, View

CNY = load_currencies()["CNY"]


class StillClock:
    """Stands until it is pushed."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.unix_ms = 1_795_500_000_000

    def monotonic(self) -> float:
        return self.seconds

    def wall_ms(self) -> int:
        return self.unix_ms

    def push(self, seconds: float) -> None:
        self.seconds += seconds
        self.unix_ms += int(seconds * 1000)


def patiently(count: int) -> bytes:
    """Chance that makes each try wait as long as it may."""
    return b"\xff" * count


@dataclass
class Counter:
    """A shop counter around one core: keeps what it wished, rings its timers."""

    clock: StillClock
    offline: OfflineLimits = field(default_factory=OfflineLimits)
    payments: dict[str, PaymentView] = field(default_factory=dict)
    wishes: list[Wish] = field(default_factory=list)
    timers: dict[Timer, float] = field(default_factory=dict)
    moves: list[str] = field(default_factory=list)
    batches: dict[int, Batch] = field(default_factory=dict)
    core: Core = field(init=False)

    def __post_init__(self) -> None:
        limits = Limits(
            amount_max_minor=1_000_000,
            in_words=partial(amount_with_unit, currency=CNY),
            tip_percent_max=20,
            offline=self.offline,
        )
        self.core = Core(self.clock, limits, self.find, patiently, self.batch_payments)
        self.take(Started((), (), 1))

    def find(self, attempt: str) -> PaymentView:
        if attempt not in self.payments:
            raise UnknownPayment(attempt)
        following = [each for each in self.payments.values() if each.original == attempt]
        return with_follow_ups(self.payments[attempt], following)

    def batch_payments(self, number: int) -> list[PaymentView]:
        return [payment for payment in self.payments.values() if payment.batch == number]

    def take(self, event: InboxEvent) -> list[Wish]:
        """Give the core an event; note what it wishes, as the disk would."""
        new = self.core.step(event)
        for wish in new:
            match wish:
                case Record(entries):
                    for entry in entries:
                        self.payments[entry.payment.id] = entry.payment
                        self.moves.append(f"{entry.move or 'entered'} > {entry.payment.state}")
                case RecordBatch(batch):
                    self.batches[batch.number] = batch
                    self.moves.append(f"{wish.move} > {batch.state}")
                case SetTimer(timer, at):
                    self.timers[timer] = at
                case StopTimer(timer):
                    self.timers.pop(timer, None)
        self.wishes += new
        return new

    def ring(self, name: str) -> list[Wish]:
        """Let time run until the timer of that name rings."""
        timer = next(timer for timer in self.timers if timer.name == name)
        self.clock.push(max(0.0, self.timers.pop(timer) - self.clock.seconds))
        return self.take(TimerRang(timer))

    def answer(self, purpose: Purpose, attempt: str, state: str, code: str = "") -> list[Wish]:
        return self.take(Answered(purpose, attempt, BankAnswer(state, code)))

    def tap(self, end: CardEnd = CardEnd.ONLINE, proof: str = "") -> list[Wish]:
        """A card is read to its end."""
        arming = self.arming
        self.take(CardPresented(arming))
        facts = CardFacts(Medium.CARD, "Visa", "411111******1111")
        read = CardRead(arming, end, facts=facts, sealed="a.b.c.d.e", proof=proof)
        return self.take(read)

    def tap_for_pin(self) -> list[Wish]:
        """A card is read whose holder must enter a PIN."""
        arming = self.arming
        self.take(CardPresented(arming))
        facts = CardFacts(Medium.CARD, "Visa", "411111******1111", pin=True)
        return self.take(CardRead(arming, CardEnd.ONLINE, facts=facts, kept=7))

    def told(self, purpose: BatchPurpose) -> list[SendBatch]:
        return [
            wish for wish in self.wishes if isinstance(wish, SendBatch) and wish.purpose is purpose
        ]

    @property
    def asking(self) -> int:
        return next(wish.asking for wish in reversed(self.wishes) if isinstance(wish, AskPin))

    @property
    def arming(self) -> int:
        return next(wish.arming for wish in reversed(self.wishes) if isinstance(wish, Arm))

    @property
    def view(self) -> View:
        return self.core.view()

    def sent(self, purpose: Purpose) -> list[Send]:
        return [wish for wish in self.wishes if isinstance(wish, Send) and wish.purpose is purpose]


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def counter(clock: StillClock) -> Counter:
    return Counter(clock)


@pytest.fixture
def journal(tmp_path: Path, clock: StillClock) -> Iterator[Journal]:
    opened = Journal(tmp_path, clock)
    yield opened
    opened.close()
