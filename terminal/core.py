"""The payment core: one event in, an ordered list of wishes out.

Nothing here blocks, opens, sends or sleeps. The runner carries the wishes
out in their order and posts what comes of them as further events. Any
number of payments may be open; one of them at most is in hand, the others
are followed until the bank has ended them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from terminal.errors import AlreadySettled, AmountRefused, Busy, NotAllowed
from terminal.events import (
    Answered,
    AnswerLost,
    Arm,
    BankAnswer,
    CancelWanted,
    CardEnd,
    CardPresented,
    CardRead,
    CheckWanted,
    CodeRead,
    CodeRejected,
    CodeWanted,
    DeviceHealth,
    Disarm,
    Entry,
    InboxEvent,
    JournalFailed,
    LeaveWanted,
    NeverLeft,
    Purpose,
    Record,
    RefundWanted,
    Refused,
    SaleWanted,
    Send,
    Sending,
    SetTimer,
    Started,
    StopTimer,
    Tender,
    Timer,
    TimerRang,
    VoidWanted,
    Wish,
)
from terminal.messages import TEXT, Message
from terminal.notices import notices_for
from terminal.reasons import Reason, reason_for
from terminal.seams import Clock
from terminal.states import FINAL, TRANSITIONS, State, after
from terminal.states import Event as Move
from terminal.view import (
    Kind,
    Medium,
    PaymentView,
    Readiness,
    ShownCode,
    Stage,
    Step,
    View,
)

RECENT_MAX = 5

# A reversal of nothing harms nobody; a customer who waits longer than this
# for "unknown" to clear does.
ASKS_MAX = 5
RETRY_FIRST_S = 1.0
RETRY_MAX_S = 60.0
POLL_S = 2.0
ECHO_S = 20.0
# The order is closed by the bank's clock; ours may run a little ahead.
CODE_GRACE_S = 3.0
SKEW_MAX_MS = 300_000

_KEEPABLE = frozenset({State.UNKNOWN, State.REVERSING, State.CLOSING, State.STORED})
# These may already have moved money back, so they count against the sale.
_MONEY_MAY_MOVE = frozenset(State) - {
    State.DECLINED,
    State.CANCELLED,
    State.NOT_SENT,
    State.REVERSED,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the core waits, in seconds, and how much it takes, in minor units."""

    amount_max_minor: int
    present_s: float = 60.0
    payer_s: float = 60.0
    code_s: float = 120.0
    answer_s: float = 30.0


@dataclass(slots=True)
class _Hand:
    """The payment in hand: what need not outlive the power."""

    attempt: str
    started_at: float
    phase_at: float
    arming: int = 0
    reading: bool = False
    hint: Message | None = None
    hint_step: Message | None = None
    tender: Tender | None = None
    """Chosen, and waiting for a code to close or a reversal to go through."""
    resume: bool = False
    """After closing, go back to presenting instead of cancelling."""
    code: ShownCode | None = None
    step: Step = Step.NONE
    deadline_at: float | None = None


class Core:
    """All payments of one till, moved one event at a time."""

    def __init__(self, clock: Clock, limits: Limits, lookup: Callable[[str], PaymentView]) -> None:
        """lookup: finds a payment by identity; raises UnknownPayment."""
        self._clock = clock
        self._limits = limits
        self._lookup = lookup
        self._open: dict[str, PaymentView] = {}
        self._ended: PaymentView | None = None
        self._hand: _Hand | None = None
        self._recent: list[PaymentView] = []
        self._next_number = 1
        self._arming = 0
        self._armed = False
        self._tries: dict[str, int] = {}
        self._next_try: dict[str, float] = {}
        self._in_flight: set[tuple[Purpose, str]] = set()
        self._health = {
            "reader": Readiness.STARTING,
            "contact": Readiness.ABSENT,
            "camera": Readiness.STARTING,
        }
        self._bank = Readiness.STARTING
        self._skew_ms = 0
        self._journal_fault = False
        self._before: dict[str, PaymentView | None] = {}
        self._wishes: list[Wish] = []

    def step(self, event: InboxEvent) -> list[Wish]:
        """Take one event; return what is to be done, in order.

        Raises TillError, with nothing changed, if the event asks for what
        cannot be done now.
        """
        self._wishes = []
        if not isinstance(event, JournalFailed):
            if self._before:
                self._journal_fault = False
            self._before = {}
        _HANDLERS[type(event)](self, event)
        return self._wishes

    # --- what the cashier wants ---------------------------------------------

    def _sale_wanted(self, event: SaleWanted) -> None:
        self._free_hand()
        self._check_amount(event.amount_minor)
        payment = self._new_payment(event.attempt, Kind.SALE, event.amount_minor, event.currency)
        self._record(Entry(payment, None))
        self._present()

    def _refund_wanted(self, event: RefundWanted) -> None:
        self._free_hand()
        sale = self._lookup(event.original)
        if sale.kind is not Kind.SALE or sale.state is not State.APPROVED:
            raise NotAllowed(f"Payment {sale.number} is {sale.state}: nothing to refund")
        left = sale.amount_minor - sale.refunded_minor
        amount = left if event.amount_minor is None else event.amount_minor
        if left <= 0:
            raise AlreadySettled(f"Payment {sale.number} is refunded in full")
        if amount > left:
            raise AmountRefused(f"Only {left} minor units are left to refund of {sale.number}")
        self._check_amount(amount)
        self._give_back(event.attempt, Kind.REFUND, sale, amount)

    def _void_wanted(self, event: VoidWanted) -> None:
        self._free_hand()
        sale = self._lookup(event.original)
        if sale.kind is not Kind.SALE or sale.state is not State.APPROVED:
            raise NotAllowed(f"Payment {sale.number} is {sale.state}: nothing to void")
        if sale.refunded_minor:
            raise NotAllowed(f"Payment {sale.number} has refunds: refund the rest instead")
        for other in self._open.values():
            if other.original == sale.id:
                raise Busy(f"Payment {other.number} is still giving {sale.number} back")
        self._give_back(event.attempt, Kind.VOID, sale, sale.amount_minor)

    def _give_back(self, attempt: str, kind: Kind, sale: PaymentView, amount: int) -> None:
        payment = self._new_payment(attempt, kind, amount, sale.currency)
        payment = replace(
            payment,
            original=sale.id,
            medium=sale.medium,
            brand=sale.brand,
            masked_pan=sale.masked_pan,
        )
        self._record(Entry(payment, None))
        if self._hand is not None:
            self._hand.tender = Tender(sealed="", is_offline=False)
        self._proceed()

    def _cancel_wanted(self, _event: CancelWanted) -> None:
        payment = self._in_hand()
        if payment is None:
            return
        if payment.state is State.AWAITING_TENDER:
            self._end_unsent(payment, Move.CASHIER_CANCELLED, Message.CANCELLED)
        elif payment.state in (State.CODE_OPEN, State.AWAITING_PAYER):
            self._close(payment, resume=False)
        elif payment.state in FINAL:
            self._hand = None
        else:
            raise NotAllowed(TEXT[Message.ALREADY_SENT])

    def _code_wanted(self, event: CodeWanted) -> None:
        payment, hand = self._in_hand(), self._hand
        if payment is None or hand is None or payment.state is not State.AWAITING_TENDER:
            raise NotAllowed("A code can be shown while the till waits for card or code")
        if hand.tender is not None or hand.reading:
            raise NotAllowed(TEXT[Message.READING])
        payment = self._move(payment, Move.CODE_REQUESTED)
        hand.hint = hand.hint_step = None
        hand.deadline_at = None
        self._stop(Timer("present", payment.id))
        self._send(Purpose.ORDER, payment, order=event.order)

    def _check_wanted(self, _event: CheckWanted) -> None:
        payment = self._in_hand()
        if payment is not None and payment.state not in (
            State.AWAITING_TENDER,
            State.AUTHORISING,
            *FINAL,
        ):
            self._follow(payment)

    def _leave_wanted(self, _event: LeaveWanted) -> None:
        payment = self._in_hand()
        if payment is not None and payment.state not in FINAL | _KEEPABLE:
            raise NotAllowed(f"Payment {payment.number} is not finished")
        self._hand = None

    # --- cards and codes ----------------------------------------------------

    def _card_presented(self, event: CardPresented) -> None:
        hand = self._hand
        if hand is None or event.arming != hand.arming or not self._armed:
            return
        hand.reading = True
        hand.hint = hand.hint_step = None
        self._note_duration("present")

    def _card_read(self, event: CardRead) -> None:
        payment, hand = self._in_hand(), self._hand
        if payment is None or hand is None or event.arming != hand.arming or not self._armed:
            return
        hand.reading = False
        if event.end is CardEnd.AGAIN or (
            # The code on the customer's screen can still be paid.
            event.end is CardEnd.DECLINED and payment.state is State.CODE_OPEN
        ):
            hand.hint, hand.hint_step = event.reason, event.next_step
            return
        self._note_duration("read")
        if event.end is CardEnd.DECLINED:
            self._disarm()
            self._stop(Timer("present", payment.id))
            self._move(
                self._with_facts(payment, event),
                Move.CARD_DECLINED,
                reason=event.reason or Message.DECLINED_BY_CARD,
                next_step=event.next_step or Message.ANOTHER_CARD_OR_WALLET,
            )
            return
        self._choose(
            Tender(event.sealed, is_offline=event.end is CardEnd.APPROVED, facts=event.facts)
        )

    def _code_read(self, event: CodeRead) -> None:
        hand = self._hand
        if hand is None or event.arming != hand.arming or not self._armed or hand.reading:
            return
        self._note_duration("present")
        self._choose(Tender(event.sealed, is_offline=False, brand=event.brand))

    def _code_rejected(self, event: CodeRejected) -> None:
        hand = self._hand
        if hand is not None and event.arming == hand.arming and self._armed and not hand.reading:
            hand.hint, hand.hint_step = event.reason, None

    def _choose(self, tender: Tender) -> None:
        """The first medium wins; nothing of the others counts from here on."""
        payment, hand = self._in_hand(), self._hand
        if payment is None or hand is None:
            return
        self._disarm()
        self._stop(Timer("present", payment.id))
        hand.tender = tender
        hand.step = Step.READ
        hand.hint = hand.hint_step = None
        if payment.state is State.CODE_OPEN:
            self._close(payment, resume=False)
            self._set(Timer("tender", payment.id), self._limits.answer_s)
        else:
            self._proceed()

    def _proceed(self) -> None:
        """Send the chosen tender, unless something must go first."""
        payment, hand = self._in_hand(), self._hand
        if payment is None or hand is None or hand.tender is None:
            return
        tender = hand.tender
        if not tender.is_offline and (pending := self._in_state(State.REVERSING)):
            hand.deadline_at = None
            for other in pending:
                self._follow(other)
            return
        hand.tender = None
        payment = self._with_tender(payment, tender)
        if tender.is_offline:
            payment = self._move(
                payment,
                Move.CARD_APPROVED,
                sealed=tender.sealed,
                reason=Message.STORED,
                next_step=Message.CUSTOMER_SIGNS if payment.signature else Message.SENT_LATER,
            )
            self._follow(payment)
            return
        payment = self._move(payment, Move.ONLINE_REQUESTED)
        hand.step = Step.WRITTEN
        hand.deadline_at = self._clock.monotonic() + self._limits.answer_s
        self._send(Purpose.PAY, payment, sealed=tender.sealed)

    # --- the bank -----------------------------------------------------------

    def _sending(self, event: Sending) -> None:
        payment = self._open.get(event.attempt)
        if payment is None or event.purpose is not Purpose.PAY:
            return
        if self._hand is not None and self._hand.attempt == event.attempt:
            self._note_duration("written")
            self._hand.step = Step.SENT

    def _answered(self, event: Answered) -> None:
        self._landed(event.purpose, event.attempt)
        self._bank = Readiness.READY
        self._skew_ms = event.answer.skew_ms
        payment = self._open.get(event.attempt)
        if payment is None:
            return
        match event.purpose, payment.state:
            case Purpose.PAY, State.AUTHORISING:
                self._authorised(payment, event.answer)
            case Purpose.ASK, State.UNKNOWN:
                self._told(payment, event.answer)
            case Purpose.ASK, State.AWAITING_PAYER | State.CODE_OPEN:
                self._polled(payment, event.answer)
            case Purpose.ORDER, State.CODE_OPEN:
                self._ordered(payment, event.answer)
            case Purpose.CLOSE, State.CLOSING:
                self._closed(payment, event.answer)
            case Purpose.REVERSE, State.REVERSING if event.answer.state == "reversed":
                self._forget_tries(payment)
                self._move(
                    payment,
                    Move.REVERSAL_CONFIRMED,
                    reason=Message.REVERSED,
                    next_step=Message.CHARGE_AGAIN,
                )
                self._proceed()
            case Purpose.ADVISE, State.STORED if event.answer.state in ("approved", "declined"):
                self._advised(payment, event.answer)
            case _:
                # The bank answered, but not what ends this state: keep at it.
                self._retry(payment)

    def _authorised(self, payment: PaymentView, answer: BankAnswer) -> None:
        self._note_duration("bank", payment)
        payment = self._open[payment.id]
        if self._hand is not None and self._hand.attempt == payment.id:
            self._hand.step = Step.ANSWERED
        if answer.state == "approved":
            self._approve(payment, answer)
        elif answer.state == "declined":
            self._decline(payment, answer)
        elif answer.state == "pending":
            self._move(payment, Move.BANK_PENDING, brand=answer.brand or payment.brand)
            self._set(Timer("poll", payment.id), POLL_S)
            self._set(Timer("payer", payment.id), self._limits.payer_s)
            if self._hand is not None and self._hand.attempt == payment.id:
                self._hand.deadline_at = self._clock.monotonic() + self._limits.payer_s
        else:
            self._lost(payment)

    def _told(self, payment: PaymentView, answer: BankAnswer) -> None:
        """What the bank says of a payment whose own answer was lost."""
        self._forget_tries(payment)
        if answer.state == "approved":
            self._approve(payment, answer)
        elif answer.state == "declined":
            self._decline(payment, answer)
        elif answer.state in ("pending", "open"):
            payment = self._move(payment, Move.BANK_PENDING)
            self._send(Purpose.CLOSE, payment)
        else:
            self._reverse(payment, answer.state)

    def _polled(self, payment: PaymentView, answer: BankAnswer) -> None:
        """What the bank says of a code on show, or of a payer who must confirm."""
        if answer.state == "approved":
            self._note_duration("payer", payment)
            self._approve(self._open[payment.id], answer)
        elif answer.state == "declined" and payment.state is State.AWAITING_PAYER:
            self._decline(payment, answer)
        elif answer.state in ("pending", "open"):
            self._set(Timer("poll", payment.id), POLL_S)
        elif payment.state is State.AWAITING_PAYER:
            self._close(payment, resume=False)
        else:
            self._code_gone(payment, Message.OUR_CODE_EXPIRED)

    def _ordered(self, payment: PaymentView, answer: BankAnswer) -> None:
        if answer.state != "open":
            self._code_gone(payment, Message.CODE_UNAVAILABLE)
            return
        self._note_duration("order", payment)
        now = self._clock.monotonic()
        valid_s = self._limits.code_s
        if answer.expires_at_ms is not None:
            # The bank's clock decides; only the difference to its own "at" counts.
            valid_s = (answer.expires_at_ms - self._clock.wall_ms() - answer.skew_ms) / 1000
        valid_s = max(0.0, min(valid_s, self._limits.code_s))
        if self._hand is not None and self._hand.attempt == payment.id:
            self._hand.code = ShownCode(answer.shown_code, now + valid_s)
            self._hand.deadline_at = now + valid_s
        self._set(Timer("poll", payment.id), POLL_S)
        self._set(Timer("code", payment.id), valid_s + CODE_GRACE_S)

    def _closed(self, payment: PaymentView, answer: BankAnswer) -> None:
        hand = self._hand if self._hand and self._hand.attempt == payment.id else None
        tender_waits = hand is not None and hand.tender is not None
        self._stop(Timer("tender", payment.id))
        self._forget_tries(payment)
        if answer.state == "approved":
            if hand is not None:
                # The wallet was faster: the card is not charged.
                hand.tender = None
            self._approve(payment, answer)
        elif answer.state == "declined" and not tender_waits:
            self._decline(payment, answer)
        elif answer.state not in ("closed", "declined", "not_found", "reversed"):
            self._retry(payment)
        elif hand is not None and (tender_waits or hand.resume):
            hand.code = None
            self._move(payment, Move.ORDER_RELEASED)
            if tender_waits:
                self._proceed()
            else:
                self._present(hint=Message.OUR_CODE_EXPIRED)
        else:
            self._move(payment, Move.ORDER_CLOSED, reason=Message.CANCELLED, next_step=None)

    def _advised(self, payment: PaymentView, answer: BankAnswer) -> None:
        self._forget_tries(payment)
        if answer.state == "approved":
            self._move(
                payment,
                Move.BANK_APPROVED,
                sealed="",
                bank_reference=answer.reference,
                authorisation=answer.authorisation,
                response_code=answer.code,
                reason=Message.APPROVED_SIGN if payment.signature else Message.APPROVED,
                next_step=Message.CUSTOMER_SIGNS if payment.signature else Message.HAND_OVER,
            )
        else:
            self._move(
                payment,
                Move.BANK_DECLINED,
                sealed="",
                response_code=answer.code,
                reason=Message.STORED_REFUSED,
                next_step=Message.TELL_SUPERVISOR,
            )

    def _refused(self, event: Refused) -> None:
        self._landed(event.purpose, event.attempt)
        self._bank = Readiness.READY
        self._skew_ms = event.skew_ms
        payment = self._open.get(event.attempt)
        if payment is None:
            return
        # 409 says the bank holds something else under this identity, and 429
        # and 5xx say nothing about it: only asking can tell.
        says_nothing = event.status in (409, 429) or event.status >= 500
        if event.purpose is Purpose.PAY and payment.state is State.AUTHORISING:
            if says_nothing:
                self._lost(payment)
            else:
                clock_wrong = abs(event.skew_ms) > SKEW_MAX_MS
                self._move(
                    payment,
                    Move.BANK_DECLINED,
                    reason=Message.CLOCK_WRONG if clock_wrong else Message.BANK_REFUSED_REQUEST,
                    next_step=Message.TELL_SUPERVISOR,
                    response_code=str(event.status),
                )
        elif event.purpose is Purpose.ORDER and payment.state is State.CODE_OPEN:
            if says_nothing:
                self._close(payment, resume=True)
            else:
                self._code_gone(payment, Message.CODE_UNAVAILABLE)
        else:
            self._unanswered(payment, event.purpose)

    def _never_left(self, event: NeverLeft) -> None:
        self._landed(event.purpose, event.attempt)
        self._bank = Readiness.FAULTY
        payment = self._open.get(event.attempt)
        if payment is None:
            return
        if event.purpose is Purpose.PAY and payment.state is State.AUTHORISING:
            self._move(
                payment,
                Move.NEVER_LEFT,
                reason=Message.NOT_SENT,
                next_step=Message.CHECK_NETWORK,
            )
        elif event.purpose is Purpose.ORDER and payment.state is State.CODE_OPEN:
            self._code_gone(payment, Message.CODE_UNAVAILABLE)
        else:
            self._unanswered(payment, event.purpose)

    def _answer_lost(self, event: AnswerLost) -> None:
        self._landed(event.purpose, event.attempt)
        self._bank = Readiness.FAULTY
        payment = self._open.get(event.attempt)
        if payment is None:
            return
        if event.purpose is Purpose.PAY and payment.state is State.AUTHORISING:
            self._lost(payment)
        elif event.purpose is Purpose.ORDER and payment.state is State.CODE_OPEN:
            # The order may stand: it has to be closed before the sale goes on.
            self._close(payment, resume=True)
        else:
            self._unanswered(payment, event.purpose)

    def _unanswered(self, payment: PaymentView, purpose: Purpose) -> None:
        """Nothing was learnt: try again later, or stop asking and reverse."""
        if payment.state is State.REVERSING:
            self._give_up_waiting()
        asked_enough = self._tries.get(payment.id, 0) >= ASKS_MAX
        if purpose is Purpose.ASK and payment.state is State.UNKNOWN and asked_enough:
            self._reverse(payment, "no_answer")
            return
        if payment.state in (State.AWAITING_PAYER, State.CODE_OPEN):
            self._set(Timer("poll", payment.id), POLL_S)
        else:
            self._retry(payment)

    def _give_up_waiting(self) -> None:
        """A sale that waits behind a reversal is not sent while that cannot be."""
        payment, hand = self._in_hand(), self._hand
        if payment is None or hand is None or hand.tender is None:
            return
        if payment.state is State.AWAITING_TENDER:
            hand.tender = None
            self._move(
                payment,
                Move.NEVER_LEFT,
                reason=Message.REVERSAL_FIRST,
                next_step=Message.CHECK_NETWORK,
            )

    # --- ways for one payment to go on --------------------------------------

    def _approve(self, payment: PaymentView, answer: BankAnswer) -> None:
        reason, step = Message.APPROVED, Message.HAND_OVER
        if payment.signature:
            reason, step = Message.APPROVED_SIGN, Message.CUSTOMER_SIGNS
        if payment.kind is not Kind.SALE:
            reason = Message.REFUNDED if payment.kind is Kind.REFUND else Message.VOIDED
            step = Message.NOTHING
        by_our_code = payment.medium is None
        self._stop(Timer("poll", payment.id))
        if self._hand is not None and self._hand.attempt == payment.id:
            self._disarm()
        self._move(
            payment,
            Move.BANK_APPROVED,
            medium=Medium.SHOWN_CODE if by_our_code else payment.medium,
            brand=answer.brand or payment.brand,
            response_code=answer.code,
            bank_reference=answer.reference,
            authorisation=answer.authorisation,
            reason=reason,
            next_step=step,
        )
        if payment.kind is Kind.VOID:
            sale = self._lookup(payment.original)
            self._move(sale, Move.VOID_CONFIRMED, reason=Message.VOIDED, next_step=Message.NOTHING)

    def _decline(self, payment: PaymentView, answer: BankAnswer) -> None:
        reason: Reason = reason_for(answer.code)
        self._stop(Timer("poll", payment.id))
        self._move(
            payment,
            Move.BANK_DECLINED,
            brand=answer.brand or payment.brand,
            response_code=answer.code,
            bank_reference=answer.reference,
            reason=reason.message,
            next_step=reason.next_step,
        )

    def _lost(self, payment: PaymentView) -> None:
        payment = self._move(
            payment,
            Move.ANSWER_LOST,
            reason=Message.UNKNOWN,
            next_step=Message.DO_NOT_CHARGE_AGAIN,
        )
        self._follow(payment)

    def _reverse(self, payment: PaymentView, why: str) -> None:
        self._forget_tries(payment)
        payment = self._move(
            payment,
            Move.NOT_FOUND_OR_SILENT,
            reason=Message.REVERSING,
            next_step=Message.DO_NOT_CHARGE_AGAIN,
        )
        self._send(
            Purpose.REVERSE, payment, reason="no_answer" if why == "no_answer" else "not_found"
        )

    def _close(self, payment: PaymentView, *, resume: bool) -> None:
        """Ask the bank to shut the door this payment has open there."""
        for name in ("poll", "payer", "code"):
            self._stop(Timer(name, payment.id))
        if self._hand is not None and self._hand.attempt == payment.id:
            self._disarm()
            self._hand.resume = resume
            self._hand.code = None
            self._hand.deadline_at = None
        payment = self._move(payment, Move.RELEASE_WANTED)
        self._send(Purpose.CLOSE, payment)

    def _code_gone(self, payment: PaymentView, hint: Message) -> None:
        for name in ("poll", "code"):
            self._stop(Timer(name, payment.id))
        self._move(payment, Move.CODE_REFUSED)
        if self._hand is not None and self._hand.attempt == payment.id:
            self._hand.code = None
            self._present(hint=hint)

    def _end_unsent(self, payment: PaymentView, move: Move, reason: Message) -> None:
        hand = self._hand
        self._disarm()
        self._stop(Timer("present", payment.id))
        next_step = Message.PRESS_ENTER
        if hand is not None and hand.hint is not None:
            # What was wrong with the last card says more than that it ended.
            reason, next_step = hand.hint, hand.hint_step or next_step
        if hand is not None:
            hand.tender = None
        self._move(payment, move, reason=reason, next_step=next_step)

    def _present(self, hint: Message | None = None) -> None:
        """Arm every medium for the sale in hand."""
        payment, hand = self._in_hand(), self._hand
        if payment is None or hand is None:
            return
        hand.hint, hand.hint_step = hint, None
        hand.resume = False
        hand.phase_at = self._clock.monotonic()
        hand.deadline_at = hand.phase_at + self._limits.present_s
        if not self._armed:
            self._arming += 1
            self._armed = True
            hand.arming = self._arming
            self._wishes.append(
                Arm(self._arming, payment.id, payment.amount_minor, payment.currency)
            )
        self._set(Timer("present", payment.id), self._limits.present_s)

    def _disarm(self) -> None:
        if self._armed:
            self._armed = False
            self._wishes.append(Disarm())
        if self._hand is not None:
            self._hand.reading = False

    def _follow(self, payment: PaymentView) -> None:
        """Do now what brings an open payment nearer to its end."""
        match payment.state:
            case State.AWAITING_TENDER:
                if self._hand is None or self._hand.attempt != payment.id:
                    self._move(payment, Move.RESTARTED, reason=Message.CANCELLED)
            case State.AUTHORISING:
                if (Purpose.PAY, payment.id) not in self._in_flight:
                    self._lost(payment)
            case State.UNKNOWN:
                if (Purpose.ASK, payment.id) not in self._in_flight:
                    asked = replace(payment, asked=payment.asked + 1)
                    self._open[payment.id] = asked
                    self._send(Purpose.ASK, asked)
            case State.AWAITING_PAYER | State.CODE_OPEN:
                self._send(Purpose.ASK, payment)
            case State.REVERSING:
                self._send(Purpose.REVERSE, payment, reason="no_answer")
            case State.CLOSING:
                self._send(Purpose.CLOSE, payment)
            case State.STORED:
                self._send(Purpose.ADVISE, payment)
            case _:
                pass

    def _retry(self, payment: PaymentView) -> None:
        tries = self._tries.get(payment.id, 0)
        self._tries[payment.id] = tries + 1
        delay_s = min(RETRY_MAX_S, RETRY_FIRST_S * 2.0 ** min(tries, 10))
        self._next_try[payment.id] = self._clock.monotonic() + delay_s
        self._set(Timer("follow", payment.id), delay_s)

    def _forget_tries(self, payment: PaymentView) -> None:
        self._tries.pop(payment.id, None)
        self._next_try.pop(payment.id, None)
        self._stop(Timer("follow", payment.id))

    # --- time, devices, start, disk -----------------------------------------

    def _timer_rang(self, event: TimerRang) -> None:
        name = event.timer.name
        if name == "echo":
            if not self._in_flight:
                self._wishes.append(Send(Purpose.ECHO, _NO_PAYMENT))
            self._set(Timer("echo"), ECHO_S)
            return
        payment = self._open.get(event.timer.attempt)
        if payment is None:
            return
        hand = self._hand if self._hand and self._hand.attempt == payment.id else None
        if name == "present" and payment.state is State.AWAITING_TENDER and hand is not None:
            if hand.reading:
                self._set(Timer("present", payment.id), POLL_S)
            elif hand.tender is None:
                self._end_unsent(payment, Move.TIMED_OUT, Message.TIMED_OUT)
        elif name in ("follow", "poll"):
            self._next_try.pop(payment.id, None)
            self._follow(payment)
        elif name == "payer" and payment.state is State.AWAITING_PAYER:
            self._close(payment, resume=False)
        elif name == "code" and payment.state is State.CODE_OPEN:
            self._close(payment, resume=True)
        elif name == "tender" and hand is not None and payment.state is State.CLOSING:
            # The customer has long left; a card must not be charged now.
            hand.tender = None

    def _device_health(self, event: DeviceHealth) -> None:
        self._health[event.role] = event.readiness

    def _started(self, event: Started) -> None:
        self._next_number = event.next_number
        self._recent = list(event.recent)
        for payment in event.unfinished:
            self._open[payment.id] = payment
            target = TRANSITIONS[payment.state, Move.RESTARTED]
            if target is State.CANCELLED:
                payment = self._move(payment, Move.RESTARTED, reason=Message.CANCELLED)
            elif target is not payment.state:
                payment = self._move(payment, Move.RESTARTED)
            self._follow(payment)
        self._wishes.append(Send(Purpose.ECHO, _NO_PAYMENT))
        self._set(Timer("echo"), ECHO_S)

    def _journal_failed(self, event: JournalFailed) -> None:
        """Go back to what the disk holds; nothing that stood behind was done."""
        self._journal_fault = True
        for wish in event.undone:
            match wish:
                case Send(purpose, payment):
                    self._landed(purpose, payment.id)
                    if payment.id in self._open and payment.id not in event.payments:
                        self._retry(payment)
                case Arm():
                    self._armed = False
                case SetTimer() | StopTimer() | Disarm():
                    # They move nothing, and other payments may wait for them.
                    self._wishes.append(wish)
        for attempt in event.payments:
            before = self._before.get(attempt)
            self._open.pop(attempt, None)
            in_hand = self._hand is not None and self._hand.attempt == attempt
            if before is None or before.state in FINAL:
                if in_hand:
                    self._drop_hand()
                continue
            self._open[attempt] = before
            if in_hand and before.state is State.AWAITING_TENDER:
                self._drop_hand()
            self._retry(before)

    def _drop_hand(self) -> None:
        self._armed = False
        self._wishes.append(Disarm())
        self._hand = None
        self._ended = None

    # --- small change -------------------------------------------------------

    def _check_amount(self, amount_minor: int) -> None:
        if amount_minor <= 0:
            raise AmountRefused("The amount must be above zero")
        if amount_minor > self._limits.amount_max_minor:
            raise AmountRefused(
                f"The amount is over this till's limit of {self._limits.amount_max_minor} "
                "minor units"
            )

    def _free_hand(self) -> None:
        payment = self._in_hand()
        if payment is not None and payment.state not in FINAL | {State.STORED}:
            raise Busy(f"Payment {payment.number} is {payment.state}: finish or keep it first")
        self._hand = None

    def _in_hand(self) -> PaymentView | None:
        if self._hand is None:
            return None
        if self._hand.attempt in self._open:
            return self._open[self._hand.attempt]
        return self._ended

    def _in_state(self, state: State) -> list[PaymentView]:
        return [payment for payment in self._open.values() if payment.state is state]

    def _new_payment(
        self, attempt: str, kind: Kind, amount_minor: int, currency: str
    ) -> PaymentView:
        now_ms = self._clock.wall_ms()
        payment = PaymentView(
            id=attempt,
            number=self._next_number,
            kind=kind,
            state=State.AWAITING_TENDER,
            amount_minor=amount_minor,
            currency=currency,
            created_ms=now_ms,
            updated_ms=now_ms,
        )
        self._next_number += 1
        now = self._clock.monotonic()
        self._hand = _Hand(attempt, started_at=now, phase_at=now)
        self._ended = None
        return payment

    def _move(
        self, payment: PaymentView, move: Move, *, sealed: str | None = None, **changes: Any
    ) -> PaymentView:
        """Move a payment by the table, and have the move recorded."""
        moved = replace(
            payment,
            state=after(payment.state, move),
            updated_ms=self._clock.wall_ms(),
            **changes,
        )
        self._record(Entry(moved, move, sealed))
        if moved.state in FINAL:
            self._forget_tries(moved)
        return moved

    def _record(self, entry: Entry) -> None:
        payment = entry.payment
        self._before.setdefault(payment.id, self._open.get(payment.id))
        if payment.state in FINAL:
            self._open.pop(payment.id, None)
            if self._hand is not None and self._hand.attempt == payment.id:
                self._ended = payment
                self._hand.deadline_at = None
        else:
            self._open[payment.id] = payment
        self._recent = [other for other in self._recent if other.id != payment.id]
        self._recent.append(payment)
        self._recent.sort(key=lambda other: -other.number)
        del self._recent[RECENT_MAX:]
        if self._wishes and isinstance(last := self._wishes[-1], Record):
            self._wishes[-1] = Record((*last.entries, entry))
        else:
            self._wishes.append(Record((entry,)))

    def _with_facts(self, payment: PaymentView, event: CardRead) -> PaymentView:
        tender = Tender("", is_offline=False, facts=event.facts)
        return self._with_tender(payment, tender) if event.facts else payment

    def _with_tender(self, payment: PaymentView, tender: Tender) -> PaymentView:
        payment = self._open[payment.id]
        if (facts := tender.facts) is not None:
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
            )
        if tender.brand:
            return replace(payment, medium=Medium.PAYMENT_CODE, brand=tender.brand)
        return payment

    def _note_duration(self, phase: str, of: PaymentView | None = None) -> None:
        """Close a phase of the payment in hand, and begin the next.

        of: only if this is the payment in hand.
        """
        hand = self._hand
        payment = None if hand is None else self._open.get(hand.attempt)
        if hand is None or payment is None or (of is not None and of.id != payment.id):
            return
        now = self._clock.monotonic()
        spent_ms = round((now - hand.phase_at) * 1000, 1)
        hand.phase_at = now
        self._open[payment.id] = replace(
            payment, durations_ms={**payment.durations_ms, phase: spent_ms}
        )

    def _send(
        self,
        purpose: Purpose,
        payment: PaymentView,
        *,
        sealed: str = "",
        order: str = "",
        reason: str = "",
    ) -> None:
        if (purpose, payment.id) in self._in_flight:
            return
        self._in_flight.add((purpose, payment.id))
        self._wishes.append(Send(purpose, payment, sealed, order, reason))

    def _landed(self, purpose: Purpose, attempt: str) -> None:
        self._in_flight.discard((purpose, attempt))

    def _set(self, timer: Timer, in_s: float) -> None:
        self._wishes.append(SetTimer(timer, self._clock.monotonic() + in_s))

    def _stop(self, timer: Timer) -> None:
        self._wishes.append(StopTimer(timer))

    # --- what is to be seen -------------------------------------------------

    def view(self) -> View:
        """Return the whole till as it stands."""
        payment, hand = self._in_hand(), self._hand
        armed = self._armed and hand is not None and not hand.reading
        view = View(
            bank=self._bank,
            reader=self._health["reader"],
            camera=self._health["camera"],
            insert=self._health["contact"],
            tap=self._health["reader"] if armed else Readiness.OFF,
            scan=self._health["camera"] if armed else Readiness.OFF,
            notices=notices_for(
                [
                    other
                    for other in self._open.values()
                    if payment is None or other.id != payment.id
                ],
                bank=self._bank,
                reader=self._health["reader"],
                camera=self._health["camera"],
                journal_fault=self._journal_fault,
                clock_wrong=abs(self._skew_ms) > SKEW_MAX_MS,
                now_ms=self._clock.wall_ms(),
            ),
            recent=tuple(self._recent),
            open_count=len(self._open),
        )
        if payment is None or hand is None:
            return view
        stage, prompt = self._stage(payment, hand)
        can_show = stage is Stage.PRESENT and self._bank is not Readiness.FAULTY
        return replace(
            view,
            stage=stage,
            payment=payment,
            prompt=prompt,
            hint=hand.hint,
            step=hand.step,
            show=Readiness.READY if can_show else Readiness.OFF,
            code=hand.code,
            started_at=hand.started_at,
            deadline_at=hand.deadline_at,
            next_ask_at=self._next_try.get(payment.id),
            cancellable=payment.state
            in (State.AWAITING_TENDER, State.CODE_OPEN, State.AWAITING_PAYER),
        )

    def _stage(self, payment: PaymentView, hand: _Hand) -> tuple[Stage, Message | None]:
        match payment.state:
            case State.AWAITING_TENDER if hand.tender is not None:
                return Stage.PROCESSING, Message.REVERSING
            case State.AWAITING_TENDER if hand.reading:
                return Stage.READING, Message.READING
            case State.AWAITING_TENDER:
                return Stage.PRESENT, Message.PRESENT
            case State.CODE_OPEN:
                return Stage.CODE, Message.READING if hand.reading else Message.CUSTOMER_SCANS
            case State.AUTHORISING:
                return Stage.PROCESSING, Message.AUTHORISING
            case State.AWAITING_PAYER:
                return Stage.PAYER, Message.PAYER_CONFIRMS
            case State.CLOSING:
                return Stage.CLOSING, Message.CLOSING_CODE
            case _:
                return Stage.RESULT, payment.reason


_NO_PAYMENT = PaymentView(
    id="",
    number=0,
    kind=Kind.SALE,
    state=State.AWAITING_TENDER,
    amount_minor=0,
    currency="",
    created_ms=0,
    updated_ms=0,
)

_HANDLERS: dict[type[InboxEvent], Callable[[Core, Any], None]] = {
    Started: Core._started,
    SaleWanted: Core._sale_wanted,
    RefundWanted: Core._refund_wanted,
    VoidWanted: Core._void_wanted,
    CancelWanted: Core._cancel_wanted,
    CodeWanted: Core._code_wanted,
    CheckWanted: Core._check_wanted,
    LeaveWanted: Core._leave_wanted,
    CardPresented: Core._card_presented,
    CardRead: Core._card_read,
    CodeRead: Core._code_read,
    CodeRejected: Core._code_rejected,
    DeviceHealth: Core._device_health,
    Sending: Core._sending,
    Answered: Core._answered,
    Refused: Core._refused,
    NeverLeft: Core._never_left,
    AnswerLost: Core._answer_lost,
    TimerRang: Core._timer_rang,
    JournalFailed: Core._journal_failed,
}
