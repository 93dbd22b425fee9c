"""The payment in hand: what the cashier and the customer are looking at.

What is here need not outlive the power; the book and the journal have the
rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from terminal.core.book import Book
from terminal.events import Arm, AskPin, CardFacts, Disarm, EndPin, TellCard, Tender
from terminal.messages import Message
from terminal.questions import CardAsks, PinWanted
from terminal.seams import Clock
from terminal.states import FINAL, FOR_A_PERSON, KEPT, State
from terminal.view import Kind, Medium, PaymentView, ShownCode, Step


@dataclass(slots=True)
class PinQuestion:
    """A customer who is asked for a PIN."""

    asking: int
    digits: int = 0


@dataclass(slots=True)
class Held:
    """One payment while it is in hand. Moments are on the monotonic clock."""

    attempt: str
    started_at: float
    phase_at: float
    arming: int = 0
    reading: set[str] = field(default_factory=set)
    """The readers that talk to a card now."""
    hint: Message | None = None
    hint_step: Message | None = None
    tender: Tender | None = None
    """Chosen, and waiting for a code to close, a reversal to go through, or a PIN."""
    sent: Tender | None = None
    """On its way, or provably never sent: then the cashier may have it kept."""
    pin: PinQuestion | None = None
    question: CardAsks | None = None
    """What a chip in a slot asks its holder before it goes on."""
    question_until: float | None = None
    language: str = ""
    """Of the card's holder, ISO 639; empty until a card has said."""
    resume: bool = False
    """After closing, go back to presenting instead of cancelling."""
    code: ShownCode | None = None
    step: Step = Step.NONE
    deadline_at: float | None = None


class Hand:
    """Holds one payment at most, and arms the devices for it."""

    def __init__(self, book: Book, clock: Clock, present_s: float, pin_s: float) -> None:
        """present_s, pin_s: how long a customer may take to present and to type, in seconds."""
        self._book = book
        self._clock = clock
        self._present_s = present_s
        self._pin_s = pin_s
        self._arming = 0
        self._asking = 0
        self.is_armed = False
        self.held: Held | None = None

    @property
    def payment(self) -> PaymentView | None:
        """The payment in hand; it may have ended."""
        return None if self.held is None else self._book.find(self.held.attempt)

    def holds(self, payment: PaymentView) -> Held | None:
        """Return what is held of this payment, if it is the one in hand."""
        held = self.held
        return held if held is not None and held.attempt == payment.id else None

    def take(self, attempt: str) -> None:
        """Take a new payment in hand."""
        now = self._clock.monotonic()
        self._book.forget_ended()
        self.held = Held(attempt, started_at=now, phase_at=now)

    def drop(self) -> None:
        """Look at no payment any more; the book follows it on."""
        self.drop_tender()
        self.held = None
        self._book.forget_ended()

    # --- presenting -----------------------------------------------------------

    def present(self, hint: Message | None = None) -> None:
        """Arm every medium for the payment in hand."""
        payment, held = self.payment, self.held
        if payment is None or held is None:
            return
        held.hint, held.hint_step = hint, None
        held.resume = False
        held.code = None
        held.phase_at = self._clock.monotonic()
        if not self.is_armed:
            self._arming += 1
            self.is_armed = True
            held.arming = self._arming
            held.language = ""
            self._book.wish(
                Arm(
                    self._arming,
                    payment.id,
                    payment.amount_minor,
                    payment.currency,
                    must_go_online=payment.kind is not Kind.SALE,
                )
            )
        self._restart_present(payment, held)

    def _restart_present(self, payment: PaymentView, held: Held) -> None:
        """Give the customer the whole time to present something."""
        held.deadline_at = self._clock.monotonic() + self._present_s
        self._book.set_timer("present", payment, self._present_s)

    def disarm(self) -> None:
        """Switch every device off."""
        if self.is_armed:
            self.is_armed = False
            self._book.wish(Disarm())
        if self.held is not None:
            self.held.reading.clear()
            self._drop_question(self.held)

    def drop_tender(self) -> None:
        """Let go what the customer pays with, unsent; nobody is asked for its PIN."""
        held = self.held
        if held is None or held.tender is None:
            return
        if held.tender.kept is not None:
            self._book.wish(EndPin())
        if held.tender.slot:
            self._book.wish(TellCard(held.tender.slot, held.attempt))
        held.tender = held.pin = None
        held.step = Step.NONE

    # --- asking -----------------------------------------------------------------

    def ask_pin(self, payment: PaymentView, kept: int) -> None:
        """Have the customer enter the PIN that the tender waits for.

        kept: what the card's data are kept under.
        """
        if self.held is not None:
            self.await_answer(self._pin_s)
            self._ask_pin(self.held, payment, kept)

    def ask(self, asked: CardAsks) -> None:
        """Put the question of a chip in a slot to its holder."""
        payment, held = self.payment, self.held
        if payment is None or held is None:
            return
        held.question = asked
        limit_s = self._present_s
        if isinstance(asked.question, PinWanted):
            # The PIN pad keeps its time itself.
            limit_s = self._pin_s
            self.hint(Message.WRONG_PIN if asked.question.is_retry else None)
            self._ask_pin(held, payment, asked.question.kept)
        else:
            self._book.set_timer("question", payment, limit_s)
        held.question_until = self._clock.monotonic() + limit_s

    def _ask_pin(self, held: Held, payment: PaymentView, kept: int) -> None:
        self._asking += 1
        held.pin = PinQuestion(self._asking)
        self._book.wish(
            AskPin(
                self._asking,
                payment.id,
                kept,
                payment.amount_minor,
                payment.currency,
                self._pin_s,
            )
        )

    def end_question(self) -> None:
        """The chip asks no more: its card goes on, or another may come."""
        payment, held = self.payment, self.held
        if payment is None or held is None or held.question is None:
            return
        self._drop_question(held)
        self._book.stop_timer("question", payment)
        self.hint(None)
        if payment.state is State.AWAITING_TENDER:
            self._restart_present(payment, held)

    def _drop_question(self, held: Held) -> None:
        """Nobody is asked any more; a chip that still waits learns it from being disarmed."""
        if held.question is None:
            return
        if held.pin is not None:
            self._book.wish(EndPin(held.pin.asking))
        held.pin = held.question = held.question_until = None

    def asks_pin(self, asking: int) -> Held | None:
        """Return what is held if an event of this question still counts."""
        held = self.held
        if held is None or held.pin is None or held.pin.asking != asking:
            return None
        return held

    def listens(self, arming: int) -> Held | None:
        """Return what is held if an event of this arming still counts.

        The first medium wins: what the others send after that is of an
        arming that is over.
        """
        held = self.held
        if held is None or not self.is_armed or held.arming != arming:
            return None
        return held

    def hint(self, message: Message | None, next_step: Message | None = None) -> None:
        """Say why the last card or code did not count."""
        if self.held is not None:
            self.held.hint, self.held.hint_step = message, next_step

    def await_answer(self, answer_s: float | None) -> None:
        """The payment ends by itself in so many seconds; None: it does not."""
        if self.held is not None:
            now = self._clock.monotonic()
            self.held.deadline_at = None if answer_s is None else now + answer_s

    # --- what is known of it ----------------------------------------------------

    def note_duration(self, phase: str, of: PaymentView | None = None) -> None:
        """Close a phase of the payment in hand, and begin the next.

        of: only if this is the payment in hand.
        """
        held = self.held
        payment = None if held is None else self._book.get(held.attempt)
        if held is None or payment is None or (of is not None and of.id != payment.id):
            return
        now = self._clock.monotonic()
        spent_ms = round((now - held.phase_at) * 1000, 1)
        held.phase_at = now
        durations = {**payment.durations_ms, phase: spent_ms}
        self._book.amend(replace(payment, durations_ms=durations))

    def set_step(self, step: Step, of: PaymentView) -> None:
        """The payment in hand has come so far."""
        if (held := self.holds(of)) is not None:
            held.step = step

    @property
    def is_free(self) -> bool:
        """True if a new payment may be taken in hand."""
        payment = self.payment
        return payment is None or payment.state in FINAL | KEPT | FOR_A_PERSON


def with_facts(payment: PaymentView, facts: CardFacts | None) -> PaymentView:
    """Return the payment with what may be kept of its card."""
    if facts is None:
        return payment
    return replace(
        payment,
        medium=facts.medium,
        brand=facts.brand,
        masked_pan=facts.masked_pan,
        application_label=facts.application_label,
        aid=facts.aid,
        tvr=facts.tvr,
        ctq=facts.ctq,
        signature=facts.signature,
        pin=facts.pin,
    )


def with_tender(payment: PaymentView, tender: Tender) -> PaymentView:
    """Return the payment with what its tender shows; money that goes back has none."""
    if tender.facts is None and tender.sealed:
        # A wallet's name may be known to the bank only.
        return replace(payment, medium=Medium.PAYMENT_CODE, brand=tender.brand)
    return with_facts(payment, tender.facts)
