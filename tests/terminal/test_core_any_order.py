"""Whatever comes in whatever order, the core keeps its promises about money."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal.errors import TillError
from terminal.events import (
    Answered,
    AnswerLost,
    AskPin,
    BankAnswer,
    CancelWanted,
    CardCompleted,
    CardEnd,
    CardFacts,
    CardPresented,
    CardRead,
    CheckWanted,
    CodeRead,
    CodeRejected,
    CodeWanted,
    EndPin,
    Entry,
    Exported,
    FollowUpWanted,
    InboxEvent,
    JournalFailed,
    KeepWanted,
    LeaveWanted,
    NeverLeft,
    PinDigits,
    PinEnded,
    PinEntered,
    Purpose,
    Record,
    Refused,
    SaleWanted,
    Send,
    SettleWanted,
    SignatureRefused,
    Started,
    SyncWanted,
    TellCard,
    TimerRang,
)
from terminal.messages import Message
from terminal.questions import CardAsks, ChoiceMade, ChoiceWanted, PinAnswered, PinWanted
from terminal.states import FINAL, FOR_A_PERSON, KEPT, State
from terminal.states import Event as Move
from terminal.store import CurrencyLimits, OfflineLimits
from terminal.view import PRESENTED, Kind, Medium, Stage

FIRST = {State.AUTHORISING, State.COMPLETING, State.UNKNOWN, State.REVERSING}
"""What goes to the bank before anything that was kept."""
PAYABLE = {State.AWAITING_TENDER, State.CODE_OPEN}
ENDS_HOLD = (Kind.COMPLETION, Kind.RELEASE)
STATES = ["approved", "declined", "pending", "open", "closed", "reversed", "not_found", "odd"]
FACTS = CardFacts(Medium.CARD, "Visa", "411111******1111")
SIGNED = CardFacts(Medium.CARD, "Visa", "411111******1111", signature=True)
CHIP = CardFacts(Medium.CHIP, "Visa", "411111******1111")


class Walk:
    """A counter that is pushed about at random, with its promises checked at each step."""

    def __init__(self, counter: Any, seed: int, follow_ups: float = 0.0) -> None:
        """follow_ups: the share of events that want something after a payment that stands."""
        self.counter = counter
        self.follow_ups = follow_ups
        self.chance = random.Random(seed)
        self.waiting: list[Send] = []
        self.attempts = 0
        self.pays: dict[str, int] = {}
        self.asked: AskPin | None = None
        """The question that the PIN pad is busy with."""
        self.chip: str | None = None
        """The attempt for which a chip in the slot waits for the bank's word."""
        self.completing: TellCard | None = None
        """What the chip was told, and has not answered yet."""

    def event(self) -> InboxEvent:
        choose = self.chance.random()
        if self.waiting and choose < 0.4:
            return self.bank_says(self.waiting.pop(self.chance.randrange(len(self.waiting))))
        if self.counter.timers and choose < 0.55:
            timer = self.chance.choice(list(self.counter.timers))
            self.counter.clock.push(
                max(0.0, self.counter.timers.pop(timer) - self.counter.clock.seconds)
            )
            return TimerRang(timer)
        if self.completing is not None and choose < 0.7:
            told, self.completing = self.completing, None
            return CardCompleted(told.attempt, told.code == "00" and self.chance.random() < 0.7)
        self.attempts += 1
        fresh = f"p{self.attempts}"
        if choose > 1 - self.follow_ups:
            return self.follow_up(fresh)
        known = self.chance.choice([*self.counter.payments, "none"])
        arming = self.chance.randint(0, self.counter.core._hand._arming)
        events: list[InboxEvent] = [
            SaleWanted(fresh, self.chance.choice([1, 500, 0, 10**9]), "CNY"),
            SaleWanted(fresh, 500, "CNY"),
            FollowUpWanted(fresh, Kind.REFUND, known, self.chance.choice([None, 1, 10**9])),
            FollowUpWanted(fresh, Kind.VOID, known),
            SaleWanted(fresh, 500, "CNY", kind=Kind.PREAUTH),
            CancelWanted(),
            CodeWanted(fresh),
            CheckWanted(),
            LeaveWanted(),
            CardPresented(arming),
            CardRead(arming, CardEnd.ONLINE, facts=FACTS, sealed="s"),
            CardRead(arming, self.chance.choice(list(CardEnd)), facts=FACTS, sealed="s"),
            CardRead(arming, CardEnd.ONLINE, facts=FACTS, kept=1),
            CardRead(arming, CardEnd.ONLINE, facts=SIGNED, sealed="s", proof="p"),
            SignatureRefused(),
            KeepWanted(),
            SyncWanted(),
            SettleWanted(known, "paid in cash", "Li Na"),
            Exported((known,)),
            CodeRead(arming, "Alipay", "s", "print"),
            CodeRejected(arming, Message.TWO_CODES),
        ]
        asking = self.chance.randint(0, self.counter.core._hand._asking)
        events += [
            PinDigits(asking, self.chance.randrange(13)),
            *self.pin_pad_says(asking),
            CardAsks(arming, "Slot", ChoiceWanted(("VISA CREDIT", "VISA DEBIT"))),
            CardAsks(arming, "Slot", PinWanted(2, 3)),
            CardRead(arming, CardEnd.AGAIN, reader="Slot"),
            ChoiceMade(self.chance.choice([None, 0, 2])),
        ]
        if self.chip is None and self.completing is None:
            events += [self.insert(arming)] * 3
        return self.chance.choice(events)

    def pin_pad_says(self, asking: int) -> list[InboxEvent]:
        """The pad answers to whoever asked: a chip checks its PIN itself, and says the rest."""
        held = self.counter.core._hand.held
        if held is not None and held.question is not None:
            return [PinAnswered(asking)]
        cancelled = PinEnded(asking, Message.PIN_CANCELLED, Message.ANOTHER_CARD)
        return [PinEntered(asking, "s"), cancelled]

    def follow_up(self, fresh: str) -> InboxEvent:
        """Something after a payment that stands, more often than after any other."""
        standing = [p.id for p in self.counter.payments.values() if p.state is State.APPROVED]
        kind = self.chance.choice([kind for kind in Kind if kind not in PRESENTED])
        amount_minor = self.chance.choice([None, 1, 100, 575, 10**9])
        return FollowUpWanted(fresh, kind, self.chance.choice([*standing, "none"]), amount_minor)

    def insert(self, arming: int) -> CardRead:
        """A chip asks for its bank, perhaps for a sale that is over."""
        in_hand = self.counter.view.payment
        attempt = in_hand.id if in_hand is not None else "none"
        kept = self.chance.choice([None, 1])
        sealed = "" if kept else "s"
        return CardRead(
            arming, CardEnd.ONLINE, None, None, CHIP, sealed, "Slot", kept=kept, waits_for=attempt
        )

    def bank_says(self, wish: Send) -> InboxEvent:
        purpose, attempt = wish.purpose, wish.payment.id
        match self.chance.randrange(6):
            case 0:
                return NeverLeft(purpose, attempt, "no route")
            case 1:
                return AnswerLost(purpose, attempt, "cut")
            case 2:
                return Refused(purpose, attempt, self.chance.choice([401, 409, 422, 503]), "no")
        state = self.chance.choice(STATES)
        return Answered(purpose, attempt, BankAnswer(state, "00" if state == "approved" else "51"))

    def step(self) -> None:
        event = self.event()
        if isinstance(event, CardRead) and event.waits_for:
            self.chip = event.waits_for
        before = dict(self.counter.payments)
        try:
            wishes = self.counter.core.step(event)
        except TillError:
            assert self.counter.payments == before
            return
        if self.chance.random() < 0.05:
            failed = next((wish for wish in wishes if isinstance(wish, Record)), None)
            if failed is not None:
                place = wishes.index(failed)
                done, undone = wishes[:place], tuple(wishes[place + 1 :])
                attempts = tuple(entry.payment.id for entry in failed.entries)
                wishes = done + self.counter.core.step(JournalFailed(attempts, undone, "disk full"))
        if isinstance(event, PinEntered | PinEnded | PinAnswered) and self.asked is not None:
            self.asked = None if event.asking == self.asked.asking else self.asked
        self.carry_out(wishes)

    def carry_out(self, wishes: list[Any]) -> None:
        counter = self.counter
        for wish in wishes:
            match wish:
                case Record(entries):
                    for entry in entries:
                        self.check_chip(entry)
                        counter.payments[entry.payment.id] = entry.payment
                case TellCard():
                    assert wish.attempt == self.chip, "a chip is told once, and of its own sale"
                    self.chip, self.completing = None, wish
                case Send():
                    self.check_send(wish)
                    self.waiting.append(wish)
                case AskPin():
                    assert counter.payments[wish.attempt].state in PAYABLE
                    self.asked = wish
                case EndPin(asking):
                    assert asking in (0, self.asked.asking if self.asked else 0)
                    self.asked = None
        counter.wishes += wishes
        for wish in wishes:
            if type(wish).__name__ == "SetTimer":
                counter.timers[wish.timer] = wish.at
            elif type(wish).__name__ == "StopTimer":
                counter.timers.pop(wish.timer, None)

    def check_chip(self, entry: Entry) -> None:
        payment = entry.payment
        if payment.medium is not Medium.CHIP or payment.state is not State.APPROVED:
            return
        was_stored = self.counter.payments[payment.id].state is State.STORED
        assert was_stored or entry.move is Move.CARD_AGREED, "a chip has the last word"

    def check_send(self, wish: Send) -> None:
        if wish.purpose is Purpose.ADVISE:
            states = {payment.state for payment in self.counter.payments.values()}
            assert not states & FIRST, "online before offline"
            under_way = [other for other in self.waiting if other.purpose is Purpose.ADVISE]
            assert not under_way, "one at a time"
        if wish.purpose is not Purpose.PAY:
            return
        attempt = wish.payment.id
        self.pays[attempt] = self.pays.get(attempt, 0) + 1
        assert self.pays[attempt] == 1, "an attempt is sent once"
        assert self.counter.payments[attempt].state is State.AUTHORISING, "on disk before the wire"
        is_presented = wish.payment.kind in PRESENTED
        assert bool(wish.sealed) is is_presented, "a card that needs a PIN is not sent without"
        for other in self.counter.payments.values():
            assert other.state is not State.REVERSING, "nothing overtakes a reversal"
            is_beside = other.id != attempt and other.original == wish.payment.original != ""
            assert not (is_beside and wish.payment.kind in ENDS_HOLD and other.state in FIRST), (
                "a hold is not ended while anything about it is in doubt"
            )


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32))
def test_any_order_of_events_keeps_every_promise(seed: int) -> None:
    """Run with the seed that hypothesis prints to see the same walk again."""
    walk = Walk(new_counter(), seed)
    for _ in range(300):
        walk.step()
        view = walk.counter.view
        in_hand = view.payment
        if in_hand is not None and in_hand.id in walk.counter.payments:
            assert walk.counter.payments[in_hand.id].number == in_hand.number
        asks = None if walk.asked is None else walk.asked.attempt
        waits = in_hand.id if in_hand is not None and view.stage is Stage.PIN else None
        assert asks == waits, "the PIN pad asks while the till waits for it, and no longer"
        if walk.chip is not None:
            assert_waits_for_something(walk, walk.chip)
    assert_followed(walk)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_any_order_of_what_follows_takes_a_hold_once_at_most(seed: int) -> None:
    """A sale and a hold stand at first."""
    walk = Walk(new_counter(), seed, follow_ups=0.4)
    for number in range(2):
        kind = Kind.PREAUTH if number % 2 else Kind.SALE
        walk.carry_out(walk.counter.core.step(SaleWanted(f"f{number}", 500, "CNY", kind=kind)))
        read = CardRead(walk.counter.arming, CardEnd.ONLINE, facts=FACTS, sealed="s")
        walk.carry_out(walk.counter.core.step(read))
        approved = BankAnswer("approved", "00")
        walk.carry_out(walk.counter.core.step(Answered(Purpose.PAY, f"f{number}", approved)))
        walk.waiting.clear()
    for _ in range(200):
        walk.step()
        assert_holds_add_up(walk)
    assert_followed(walk)


def assert_holds_add_up(walk: Walk) -> None:
    """What was held is taken at most once, or let go, and never both."""
    payments = walk.counter.payments.values()
    for preauth in payments:
        if preauth.kind is not Kind.PREAUTH:
            continue
        ends = [
            other
            for other in payments
            if other.original == preauth.id
            and other.kind in ENDS_HOLD
            and other.state is State.APPROVED
        ]
        is_ended = preauth.state in (State.CAPTURED, State.VOIDED)
        assert len(ends) == is_ended, f"{preauth.id} is {preauth.state} with {len(ends)} ends"


def assert_waits_for_something(walk: Walk, attempt: str) -> None:
    """A chip is not left in its slot for an answer that nobody will give."""
    payment = walk.counter.payments[attempt]
    held = walk.counter.core._hand.held
    has_tender = held is not None and held.attempt == attempt and held.tender is not None
    is_asked = any(
        wish.purpose is Purpose.PAY and wish.payment.id == attempt for wish in walk.waiting
    )
    assert has_tender or (payment.state is State.AUTHORISING and is_asked)


def assert_followed(walk: Walk) -> None:
    """Every open payment in doubt has a request under way or a timer set."""
    under_way = {wish.payment.id for wish in walk.waiting} | {
        timer.attempt for timer in walk.counter.timers
    }
    for payment in walk.counter.payments.values():
        if payment.state not in FINAL | FOR_A_PERSON | KEPT | {State.AWAITING_TENDER}:
            assert payment.id in under_way, f"{payment.id} {payment.state} is forgotten"
    kept = {payment.id for payment in walk.counter.payments.values() if payment.state in KEPT}
    waits = any(payment.state in FIRST for payment in walk.counter.payments.values())
    assert not kept or kept & under_way or waits, "what is kept is forgotten"


def test_a_restart_takes_up_whatever_a_walk_left_open() -> None:
    for seed in range(30):
        walk = Walk(new_counter(), seed)
        for _ in range(120):
            walk.step()
        left = [p for p in walk.counter.payments.values() if p.state not in FINAL]
        again = new_counter()
        again.payments = dict(walk.counter.payments)
        again.take(Started(tuple(left), (), 10_000))
        for payment in again.payments.values():
            assert payment.state is not State.AUTHORISING
            if payment.state not in FINAL | FOR_A_PERSON | KEPT:
                assert any(wish.payment.id == payment.id for wish in sends(again))
        kept = {p.id for p in again.payments.values() if p.state in KEPT}
        is_first = not any(payment.state in FIRST for payment in again.payments.values())
        advised = [wish.payment.id for wish in sends(again) if wish.purpose is Purpose.ADVISE]
        assert len(advised) == bool(kept and is_first), "one at a time, nothing overtaken"


def sends(counter: Any) -> list[Send]:
    return [wish for wish in counter.wishes if isinstance(wish, Send)]


@pytest.fixture(autouse=True)
def _take_counter(counter: Any) -> None:
    global new_counter
    kind, clock = type(counter), type(counter.clock)
    limits = OfflineLimits(defers=True, by_currency={"CNY": CurrencyLimits(500, 100_000)})
    new_counter = lambda: kind(clock(), limits)  # noqa: E731


new_counter: Any
