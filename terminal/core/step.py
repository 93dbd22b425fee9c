"""The payment core: one event in, an ordered list of wishes out.

Nothing here blocks, opens, sends or sleeps. The runner carries the wishes
out in their order and posts what comes of them as further events. Any
number of payments may be open; one of them at most is in hand, the others
are followed until the bank has ended them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from terminal.batch.closing import TIMER as BATCH_TIMER
from terminal.batch.closing import Closing
from terminal.core.asking import Asking
from terminal.core.book import NO_PAYMENT, Book
from terminal.core.follow_ups import FollowUps
from terminal.core.following import POLL_S, Following
from terminal.core.hand import Hand, with_facts
from terminal.core.limits import Limits
from terminal.core.showing import view_of
from terminal.core.spent_codes import SpentCodes
from terminal.devices import Devices
from terminal.errors import Busy, NotAllowed
from terminal.events import (
    Answered,
    AnswerLost,
    CancelWanted,
    CardCompleted,
    CardEnd,
    CardPresented,
    CardRead,
    CheckWanted,
    CodeRead,
    CodeRejected,
    CodeWanted,
    DeviceHealth,
    Exported,
    FollowUpWanted,
    InboxEvent,
    JournalFailed,
    KeepWanted,
    LeaveWanted,
    NeverLeft,
    Purpose,
    RaiseWanted,
    Refused,
    SaleWanted,
    Sending,
    SettleWanted,
    Started,
    SyncWanted,
    TellCard,
    Tender,
    TimerRang,
    Wish,
)
from terminal.messages import TEXT, Message
from terminal.news.news import NUDGE_TIMER, News
from terminal.news.terms import Terms
from terminal.seams import Clock, Randomness
from terminal.states import FINAL, FOR_A_PERSON, KEPT, TRANSITIONS, State
from terminal.states import Event as Move
from terminal.store import Store
from terminal.view import Kind, PaymentView, Readiness, Step, View

ECHO_S = 20.0
ECHO_SOON_S = 3.0
"""While the bank is out of reach somebody may be waiting for it."""

_AFTER_CODE = {
    Message.NOT_A_PAYMENT_CODE: Message.ANOTHER_CARD_OR_WALLET,
    Message.TWO_CODES: Message.TRY_ONCE_MORE,
    Message.CODE_ALREADY_SEEN: Message.REFRESH_CODE,
    Message.CARD_ONLY: Message.ANOTHER_CARD,
}
"""What to do after a code that did not count."""

_KEEPABLE = frozenset({State.UNKNOWN, State.REVERSING, State.CLOSING}) | KEPT | FOR_A_PERSON


class Core:
    """All payments of one till, moved one event at a time."""

    def __init__(
        self,
        clock: Clock,
        limits: Limits,
        lookup: Callable[[str], PaymentView],
        random: Randomness,
        read_batch: Callable[[int], Sequence[PaymentView]],
    ) -> None:
        """lookup: finds a payment by identity; raises UnknownPayment.

        read_batch: finds a batch's payments, oldest first.
        """
        self._clock = clock
        self._limits = limits
        self._lookup = lookup
        self._book = Book(clock, random)
        self._hand = Hand(self._book, clock, limits.present_s, limits.pin_s)
        self._store = Store(self._book, self._hand, clock, limits.offline)
        self._closing = Closing(self._book, clock, read_batch, limits.day.of)
        self._follow_ups = FollowUps(
            self._book, limits, lookup, open_batch=lambda: self._closing.number
        )
        self._following = Following(
            self._book,
            self._hand,
            clock,
            limits.patience,
            confirm=self._follow_ups.confirm,
            store=self._store,
        )
        self._asking = Asking(self._book, self._hand, self._following, lambda: self._closing.number)
        self._news = News(self._book, clock, lambda: self._hand.is_free, self._take_up)
        self._next_number = 1
        self._devices = Devices()
        self._spent_codes = SpentCodes(lambda attempt: lookup(attempt).state)
        self._journal_fault = False
        self._handlers: dict[type[InboxEvent], Callable[[Any], None]] = {
            Started: self._started,
            SaleWanted: self._sale_wanted,
            FollowUpWanted: self._follow_up_wanted,
            CancelWanted: self._cancel_wanted,
            CodeWanted: self._code_wanted,
            CheckWanted: self._check_wanted,
            LeaveWanted: self._leave_wanted,
            KeepWanted: self._store.keep,
            SyncWanted: self._following.hurry,
            RaiseWanted: self._store.raise_limits,
            SettleWanted: self._settle_wanted,
            Exported: self._exported,
            CardPresented: self._card_presented,
            CardRead: self._card_read,
            CardCompleted: self._following.card_completed,
            CodeRead: self._code_read,
            CodeRejected: self._code_rejected,
            DeviceHealth: self._device_health,
            Sending: self._following.sending,
            Answered: self._answered,
            Refused: self._following.refused,
            NeverLeft: self._following.never_left,
            AnswerLost: self._following.answer_lost,
            TimerRang: self._timer_rang,
            **self._asking.handlers,
            **self._closing.handlers,
            **self._news.handlers,
        }

    def readiness(self, device: str) -> Readiness | None:
        """Return how a device stands, by its name. From any thread."""
        return self._devices.readiness(device)

    def step(self, event: InboxEvent) -> list[Wish]:
        """Take one event; return what is to be done, in order.

        Raises TillError, with nothing changed, if the event asks for what
        cannot be done now.
        """
        if isinstance(event, JournalFailed):
            self._journal_failed(event)
            return self._book.wishes
        if self._book.begin():
            # What the last step recorded went through.
            self._journal_fault = False
        self._handlers[type(event)](event)
        self._store.forward()
        self._news.between_sales()
        return self._book.wishes

    def view(self) -> View:
        """Return the whole till as it stands."""
        return view_of(
            self._book,
            self._hand,
            bank=self._following.bank,
            devices=self._devices,
            journal_fault=self._journal_fault,
            clock_wrong=self._following.is_clock_wrong,
            closing=self._closing,
            news=self._news,
            now_ms=self._clock.wall_ms(),
        )

    # --- what the cashier wants ---------------------------------------------

    def _sale_wanted(self, event: SaleWanted) -> None:
        self._check_free()
        if event.kind is not Kind.BALANCE:
            self._limits.check(event.amount_minor)
        self._enter(event.attempt, event.kind, event.amount_minor, event.currency, event.cashier)
        if event.tender is not None and self._hand.held is not None:
            self._hand.held.tender = event.tender
            self._following.proceed()
            return
        self._hand.present()

    def _follow_up_wanted(self, event: FollowUpWanted) -> None:
        self._check_free()
        original, amount_minor = self._follow_ups.check(event)
        self._enter(
            event.attempt, event.kind, amount_minor, original.currency, event.cashier, original
        )
        if self._hand.held is not None:
            self._hand.held.tender = Tender(sealed="", is_offline=False)
        self._following.proceed()

    def _cancel_wanted(self, _event: CancelWanted) -> None:
        payment = self._hand.payment
        if payment is None:
            return
        if payment.state is State.AWAITING_TENDER:
            self._end_unsent(payment, Move.CASHIER_CANCELLED, Message.CANCELLED)
        elif payment.state in (State.CODE_OPEN, State.AWAITING_PAYER):
            self._following.close(payment, resume=False)
        elif payment.state in FINAL:
            self._hand.drop()
        else:
            raise NotAllowed(TEXT[Message.ALREADY_SENT])

    def _code_wanted(self, event: CodeWanted) -> None:
        payment, held = self._hand.payment, self._hand.held
        if payment is None or held is None or payment.state is not State.AWAITING_TENDER:
            raise NotAllowed("A code can be shown while the till waits for card or code")
        if self._wants_card:
            raise NotAllowed(TEXT[Message.CARD_ONLY])
        if held.tender is not None or held.reading:
            raise NotAllowed(TEXT[Message.READING])
        payment = self._book.move(payment, Move.CODE_REQUESTED)
        self._hand.hint(None)
        self._hand.await_answer(None)
        self._book.stop_timer("present", payment)
        self._book.send(Purpose.ORDER, payment, order=event.order)

    def _check_wanted(self, _event: CheckWanted) -> None:
        payment = self._hand.payment
        settled = FINAL | FOR_A_PERSON | {State.AWAITING_TENDER, State.AUTHORISING}
        if payment is not None and payment.state not in settled:
            self._following.follow(payment)

    def _settle_wanted(self, event: SettleWanted) -> None:
        self._store.settle(event.attempt, event.note, event.person)

    def _exported(self, event: Exported) -> None:
        self._store.note_exported(event.attempts)

    def _leave_wanted(self, _event: LeaveWanted) -> None:
        payment = self._hand.payment
        if payment is not None and payment.state not in FINAL | _KEEPABLE:
            raise NotAllowed(f"Payment {payment.number} is not finished")
        self._hand.drop()

    # --- cards and codes ----------------------------------------------------

    def _card_presented(self, event: CardPresented) -> None:
        if (held := self._hand.listens(event.arming)) is not None:
            if not held.reading:
                self._hand.hint(None)
                self._hand.note_duration("present")
            held.reading.add(event.reader)

    def _card_read(self, event: CardRead) -> None:
        payment, held = self._hand.payment, self._hand.listens(event.arming)
        if payment is None or held is None:
            if event.waits_for:
                self._book.wish(TellCard(event.reader, event.waits_for))
            return
        held.reading.discard(event.reader)
        if held.question is not None and held.question.reader == event.reader:
            # The card left, or was let go, while its holder was asked.
            self._hand.end_question()
        if event.end is CardEnd.AGAIN or (
            # The code on the customer's screen can still be paid.
            event.end is CardEnd.DECLINED and payment.state is State.CODE_OPEN
        ):
            if not held.reading:
                self._hand.hint(event.reason, event.next_step)
            return
        self._hand.note_duration("read")
        if event.end is CardEnd.DECLINED:
            self._hand.disarm()
            self._book.stop_timer("present", payment)
            self._book.move(
                with_facts(self._book.get(payment.id) or payment, event.facts),
                Move.CARD_DECLINED,
                reason=event.reason or Message.DECLINED_BY_CARD,
                next_step=event.next_step or Message.ANOTHER_CARD_OR_WALLET,
            )
            return
        is_offline = event.end is CardEnd.APPROVED
        self._choose(
            Tender(
                event.sealed,
                is_offline=is_offline,
                kept=event.kept,
                facts=event.facts,
                slot=event.reader if event.waits_for else "",
                proof=event.proof,
            )
        )

    def _code_read(self, event: CodeRead) -> None:
        held = self._hand.listens(event.arming)
        if held is None or held.reading:
            return
        if self._wants_card:
            self._reject_code(Message.CARD_ONLY)
            return
        if not self._spent_codes.spend(event.fingerprint, held.attempt):
            self._reject_code(Message.CODE_ALREADY_SEEN)
            return
        self._hand.note_duration("present")
        self._choose(Tender(event.sealed, is_offline=False, brand=event.brand))

    @property
    def _wants_card(self) -> bool:
        """True while a payment is in hand that no wallet can make."""
        payment = self._hand.payment
        return payment is not None and payment.kind is not Kind.SALE

    def _code_rejected(self, event: CodeRejected) -> None:
        held = self._hand.listens(event.arming)
        if held is not None and not held.reading:
            self._reject_code(event.reason)

    def _reject_code(self, reason: Message) -> None:
        self._hand.hint(reason, _AFTER_CODE.get(reason))

    def _choose(self, tender: Tender) -> None:
        """The first medium wins; nothing of the others counts from here on."""
        payment, held = self._hand.payment, self._hand.held
        if payment is None or held is None:
            return
        self._hand.disarm()
        self._book.stop_timer("present", payment)
        self._hand.hint(None)
        held.tender = tender
        held.step = Step.READ
        if payment.state is State.CODE_OPEN:
            self._following.close(payment, resume=False)
            self._book.set_timer("tender", payment, self._limits.patience.answer_s)
        else:
            self._following.proceed()

    # --- what the bank says -------------------------------------------------

    def _answered(self, event: Answered) -> None:
        self._following.answered(event)
        if event.purpose is Purpose.ECHO:
            self._news.heard(event.answer)

    def _take_up(self, terms: Terms) -> None:
        self._limits = terms.limits
        self._store.limits = terms.limits.offline
        self._follow_ups.limits = terms.limits

    # --- time, devices, start, disk -----------------------------------------

    def _timer_rang(self, event: TimerRang) -> None:
        name = event.timer.name
        if name == "echo":
            self._book.send(Purpose.ECHO, NO_PAYMENT)
            soon = self._following.bank is not Readiness.READY
            self._book.set_timer("echo", NO_PAYMENT, ECHO_SOON_S if soon else ECHO_S)
            return
        if name == NUDGE_TIMER:
            self._news.nudge_rang()
            self._following.look()
            self._book.send(Purpose.ECHO, NO_PAYMENT)
            return
        if name == BATCH_TIMER:
            self._closing.rang(event.timer.attempt)
            return
        payment = self._book.get(event.timer.attempt)
        if payment is None:
            return
        held = self._hand.holds(payment)
        match name, payment.state:
            case "present", State.AWAITING_TENDER if held is not None:
                if held.reading:
                    self._book.set_timer("present", payment, POLL_S)
                elif held.tender is None:
                    self._end_unsent(payment, Move.TIMED_OUT, Message.TIMED_OUT)
            case "question", _ if held is not None:
                self._asking.time_is_up()
            case "card", State.COMPLETING:
                self._following.card_silent(payment)
            case (("follow" | "poll"), _):
                self._following.follow(payment)
            case "payer", State.AWAITING_PAYER:
                self._following.close(payment, resume=False)
            case "code", State.CODE_OPEN:
                self._following.close(payment, resume=True)
            case "tender", State.CLOSING if held is not None:
                # The customer has long left; a card must not be charged now.
                self._hand.drop_tender()

    def _device_health(self, event: DeviceHealth) -> None:
        self._devices.note(event.name, event.role, event.readiness, event.trouble)

    def _started(self, event: Started) -> None:
        self._next_number = event.next_number
        self._devices.begin(event.devices)
        self._book.recent = event.recent
        for payment in event.unfinished:
            self._book.take_up(payment)
            if payment.kind is Kind.BALANCE and payment.state is State.AUTHORISING:
                self._following.drop_inquiry(payment)
                continue
            target = TRANSITIONS[payment.state, Move.RESTARTED]
            if target is State.CANCELLED:
                payment = self._book.move(payment, Move.RESTARTED, reason=Message.CANCELLED)
            elif target is not payment.state:
                payment = self._book.move(payment, Move.RESTARTED)
            self._following.follow(payment)
        self._closing.begin(event.batch, event.batches)
        self._news.begin(event.parameters, event.bulletins_read)
        self._book.send(Purpose.ECHO, NO_PAYMENT)
        self._book.set_timer("echo", NO_PAYMENT, ECHO_SOON_S)

    def _journal_failed(self, event: JournalFailed) -> None:
        """Go back to what the disk holds; nothing that stood behind was done."""
        self._journal_fault = True
        if self._book.had_armed(event):
            self._hand.is_armed = False
        for attempt, before in self._book.undo(event):
            held = self._hand.held
            is_over = before is None or before.state in FINAL | {State.AWAITING_TENDER}
            if is_over:
                self._following.let_card_go(attempt)
            if held is not None and held.attempt == attempt and is_over:
                self._hand.disarm()
                self._hand.drop()
        self._closing.undo(event)

    # --- small change -------------------------------------------------------

    def _check_free(self) -> None:
        payment = self._hand.payment
        if payment is not None and not self._hand.is_free:
            words = payment.state.replace("_", " ")
            raise Busy(f"Payment {payment.number} is {words}: finish or keep it first")

    def _enter(
        self,
        attempt: str,
        kind: Kind,
        amount_minor: int,
        currency: str,
        cashier: str,
        original: PaymentView | None = None,
    ) -> None:
        """Take a new payment in hand, and have it written down.

        original: the payment that it follows.
        """
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
            cashier=cashier,
            batch=self._closing.number,
        )
        self._closing.note_payment(now_ms)
        if original is not None:
            payment = replace(
                payment,
                original=original.id,
                medium=original.medium,
                brand=original.brand,
                masked_pan=original.masked_pan,
            )
        self._next_number += 1
        self._hand.take(attempt)
        self._book.enter(payment)

    def _end_unsent(self, payment: PaymentView, move: Move, reason: Message) -> None:
        held = self._hand.held
        next_step = Message.PRESS_ENTER
        self._hand.drop_tender()
        if held is not None and held.hint is not None:
            # What was wrong with the last card says more than that it ended.
            reason, next_step = held.hint, held.hint_step or next_step
        self._hand.disarm()
        self._book.stop_timer("present", payment)
        self._book.move(payment, move, reason=reason, next_step=next_step)
