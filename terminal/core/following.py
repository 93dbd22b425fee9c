"""Brings payments to their end at the bank, in hand or not.

Silence is never a decline: what left without a verified answer is asked
about, and reversed if the bank does not know it or does not say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from terminal.core.book import Book
from terminal.core.hand import Hand, with_tender
from terminal.core.limits import Patience
from terminal.core.reasons import approval, reason_for
from terminal.events import (
    Answered,
    AnswerLost,
    BankAnswer,
    CardCompleted,
    NeverLeft,
    Purpose,
    Refused,
    Sending,
    TellCard,
    Tender,
)
from terminal.messages import Message
from terminal.seams import Clock
from terminal.states import Event as Move
from terminal.states import State
from terminal.store import Store
from terminal.view import Kind, Medium, PaymentView, Readiness, ShownCode, Step

# A reversal of nothing harms nobody; a customer who waits longer than this
# for "unknown" to clear does.
ASKS_MAX = 5
POLL_S = 2.0
CARD_S = 30.0
"""How long a chip may take for its last word; then it is taken as a no."""
# The order is closed by the bank's clock; ours may run a little ahead.
CODE_GRACE_S = 3.0
SKEW_MAX_MS = 300_000
# Asked the same again, the bank would refuse the same again; what has to do
# with keys and clocks (401), with other requests or with its own state passes.
_FOR_GOOD = frozenset({400, 404, 405, 413, 422})


class Following:
    """Sends what is to be sent, and takes what the bank says of it."""

    def __init__(
        self,
        book: Book,
        hand: Hand,
        clock: Clock,
        patience: Patience,
        *,
        confirm: Callable[[PaymentView], None],
        store: Store,
    ) -> None:
        """confirm: moves the payment that an approved one follows."""
        self._slots: dict[str, str] = {}
        """By attempt, the reader in which a chip waits for the bank's word."""
        self._store = store
        self._book = book
        self._hand = hand
        self._clock = clock
        self._patience = patience
        self._confirm = confirm
        self.bank = Readiness.STARTING
        self._was_out_of_reach = False
        """The last thing heard of the bank is that nothing could be sent to it."""
        self.skew_ms = 0
        """How far the bank's clock was ahead of ours when it last spoke."""

    @property
    def is_clock_wrong(self) -> bool:
        """True if the bank will refuse what this till signs."""
        return abs(self.skew_ms) > SKEW_MAX_MS

    # --- what goes out ----------------------------------------------------------

    def proceed(self) -> None:
        """Send the tender in hand, unless something must go first."""
        payment, held = self._hand.payment, self._hand.held
        if payment is None or held is None or held.tender is None:
            return
        tender = held.tender
        if not tender.is_offline and (pending := self._book.in_state(State.REVERSING)):
            # No new authorisation overtakes a reversal.
            self._hand.await_answer(None)
            for other in pending:
                self.follow(other)
            return
        if tender.kept is not None:
            # Last of all: a PIN that was entered goes out at once.
            self._hand.ask_pin(payment, tender.kept)
            return
        held.tender = None
        payment = with_tender(payment, tender)
        if tender.is_offline:
            self._take_offline(payment, tender)
            return
        # A PIN is for now: what carries one is not kept a moment longer.
        held.sent = tender if tender.proof else None
        payment = self._book.move(payment, Move.ONLINE_REQUESTED)
        held.step = Step.WRITTEN
        self._hand.await_answer(self._patience.answer_s)
        if tender.slot:
            self._slots[payment.id] = tender.slot
        self._book.send(Purpose.PAY, payment, sealed=tender.sealed)

    def _take_offline(self, payment: PaymentView, tender: Tender) -> None:
        """Keep what the card has approved, unless too much is kept already."""
        if payment.kind is not Kind.SALE:
            # No card can hold money for its bank; it was asked not to say yes by itself.
            self._book.move(
                payment,
                Move.CARD_DECLINED,
                reason=Message.BANK_MUST_BE_ASKED,
                next_step=Message.ANOTHER_CARD,
            )
            return
        if self._store.is_full(payment):
            self._book.move(
                payment,
                Move.CARD_DECLINED,
                reason=Message.OFFLINE_FULL,
                next_step=Message.CASH_ONLY,
            )
            return
        self._book.move(
            payment,
            Move.CARD_APPROVED,
            sealed=tender.to_keep,
            reason=Message.STORED,
            next_step=Message.CUSTOMER_SIGNS if payment.signature else Message.SENT_LATER,
        )

    def close(self, payment: PaymentView, *, resume: bool) -> None:
        """Have the bank shut the door this payment has open there.

        resume: the sale goes on afterwards.
        """
        for name in ("poll", "payer", "code"):
            self._book.stop_timer(name, payment)
        if (held := self._hand.holds(payment)) is not None:
            self._hand.disarm()
            self._hand.await_answer(None)
            held.resume = resume
            held.code = None
        payment = self._book.move(payment, Move.RELEASE_WANTED)
        self._book.send(Purpose.CLOSE, payment)

    def follow(self, payment: PaymentView) -> None:
        """Do now what brings an open payment nearer to its end."""
        self._book.trying(payment)
        match payment.state:
            case State.AWAITING_TENDER:
                if self._hand.holds(payment) is None:
                    self._book.move(payment, Move.RESTARTED, reason=Message.CANCELLED)
            case State.AUTHORISING:
                if not self._book.is_in_flight(Purpose.PAY, payment):
                    self._lost(payment)
            case State.UNKNOWN:
                if not self._book.is_in_flight(Purpose.ASK, payment):
                    asked = self._book.amend(replace(payment, asked=payment.asked + 1))
                    self._book.send(Purpose.ASK, asked)
            case State.AWAITING_PAYER | State.CODE_OPEN:
                self._book.send(Purpose.ASK, payment)
            case State.REVERSING:
                self._send_reversal(payment, _why_reversed(payment))
            case State.CLOSING:
                self._book.send(Purpose.CLOSE, payment)

    def hurry(self, _event: object = None) -> None:
        """Do now what would be tried again later."""
        for payment in self._book.payments():
            if self._book.next_try(payment) is not None:
                self.follow(payment)

    def look(self) -> None:
        """Ask at once about payments that a customer may have ended by now."""
        for payment in self._book.payments():
            if payment.state in (State.AWAITING_PAYER, State.CODE_OPEN):
                self.follow(payment)

    # --- what comes back ----------------------------------------------------------

    def sending(self, event: Sending) -> None:
        """The first byte is about to leave."""
        payment = self._book.get(event.attempt)
        if payment is not None and event.purpose is Purpose.PAY:
            self._hand.note_duration("written", payment)
            self._hand.set_step(Step.SENT, payment)

    def answered(self, event: Answered) -> None:
        """The bank decided, and it is verified."""
        self._landed(event)
        self._heard(event.answer.skew_ms)
        payment, answer = self._book.get(event.attempt), event.answer
        if payment is None:
            return
        match event.purpose, payment.state:
            case Purpose.PAY, State.AUTHORISING:
                self._authorised(payment, answer)
            case Purpose.ASK, State.UNKNOWN:
                self._told(payment, answer)
            case Purpose.ASK, State.AWAITING_PAYER | State.CODE_OPEN:
                self._polled(payment, answer)
            case Purpose.ORDER, State.CODE_OPEN:
                self._ordered(payment, answer)
            case Purpose.CLOSE, State.CLOSING:
                self._closed(payment, answer)
            case Purpose.REVERSE, State.REVERSING if answer.state == "reversed":
                self._book.move(
                    payment,
                    Move.REVERSAL_CONFIRMED,
                    reason=Message.REVERSED,
                    next_step=Message.CHARGE_AGAIN,
                )
                self.proceed()
            case Purpose.ADVISE, (State.STORED | State.DEFERRED) if answer.state in (
                "approved",
                "declined",
            ):
                self._store.decided(payment, answer)
            case _:
                # The bank answered, but not what ends this state: keep at it.
                self._book.retry(payment)

    def refused(self, event: Refused) -> None:
        """The bank refused the request itself, and it is verified."""
        self._landed(event)
        self._heard(event.skew_ms)
        payment = self._book.get(event.attempt)
        if payment is None:
            return
        # 409 says the bank holds something else under this identity, and 429
        # and 5xx say nothing about it: only asking can tell.
        says_nothing = event.status in (409, 429) or event.status >= 500
        match event.purpose, payment.state:
            case Purpose.PAY, State.AUTHORISING if says_nothing:
                self._lost(payment)
            case Purpose.PAY, State.AUTHORISING:
                self._tell_card(payment)
                why = Message.CLOCK_WRONG if self.is_clock_wrong else Message.BANK_REFUSED_REQUEST
                self._book.move(
                    payment,
                    Move.BANK_DECLINED,
                    reason=why,
                    next_step=Message.TELL_SUPERVISOR,
                    response_code=str(event.status),
                )
            case Purpose.REVERSE, State.REVERSING if event.status in _FOR_GOOD:
                self._book.move(
                    payment,
                    Move.REVERSAL_REFUSED,
                    reason=Message.REVERSAL_REFUSED,
                    next_step=Message.TELL_SUPERVISOR,
                    response_code=str(event.status),
                )
                self.proceed()
            case Purpose.ADVISE, (State.STORED | State.DEFERRED) if event.status in _FOR_GOOD:
                self._store.not_accepted(payment, str(event.status))
            case Purpose.ORDER, State.CODE_OPEN if says_nothing:
                self.close(payment, resume=True)
            case Purpose.ORDER, State.CODE_OPEN:
                self._code_gone(payment, Message.CODE_UNAVAILABLE)
            case _:
                self._learnt_nothing(payment, event.purpose)

    def never_left(self, event: NeverLeft) -> None:
        """Provably nothing of the request left."""
        self._book.landed(event.purpose, event.attempt)
        if not event.is_malformed:
            self.bank = Readiness.FAULTY
            self._was_out_of_reach = True
        payment = self._book.get(event.attempt)
        if payment is None:
            return
        match event.purpose, payment.state:
            case Purpose.ADVISE, (State.STORED | State.DEFERRED) if event.is_malformed:
                self._store.not_accepted(payment)
            case Purpose.PAY, State.AUTHORISING:
                self._tell_card(payment)
                if event.is_insecure:
                    self._not_sent(payment, Message.LINK_NOT_SECURE, Message.TELL_SUPERVISOR)
                else:
                    self._not_sent(payment, Message.NOT_SENT, Message.CHECK_NETWORK)
            case Purpose.ORDER, State.CODE_OPEN:
                self._code_gone(payment, Message.CODE_UNAVAILABLE)
            case _:
                self._learnt_nothing(payment, event.purpose)

    def answer_lost(self, event: AnswerLost) -> None:
        """The request left, and no verified answer came."""
        self._landed(event)
        self.bank = Readiness.FAULTY
        self._was_out_of_reach = False
        payment = self._book.get(event.attempt)
        if payment is None:
            return
        if event.purpose is Purpose.ADVISE:
            self._store.lost(payment)
        match event.purpose, payment.state:
            case Purpose.PAY, State.AUTHORISING:
                self._lost(payment)
            case Purpose.ORDER, State.CODE_OPEN:
                # The order may stand: it has to be closed before the sale goes on.
                self.close(payment, resume=True)
            case _:
                self._learnt_nothing(payment, event.purpose)

    # --- what an answer means -------------------------------------------------------

    def _authorised(self, payment: PaymentView, answer: BankAnswer) -> None:
        self._hand.note_duration("bank", payment)
        self._hand.set_step(Step.ANSWERED, payment)
        payment = self._current(payment)
        match answer.state:
            case "approved" if payment.kind is Kind.BALANCE:
                self._tell_card(payment, answer)
                self._approve(payment, answer)
            case "approved" if payment.medium is Medium.CHIP:
                self._ask_card(payment, answer)
            case "approved":
                self._approve(payment, answer)
            case "declined":
                self._tell_card(payment, answer)
                self._decline(payment, answer)
            case "pending" if payment.medium is not Medium.CHIP:
                brand = answer.brand or payment.brand
                self._book.move(payment, Move.BANK_PENDING, brand=brand)
                self._book.set_timer("poll", payment, POLL_S)
                self._book.set_timer("payer", payment, self._patience.payer_s)
                if self._hand.holds(payment) is not None:
                    self._hand.await_answer(self._patience.payer_s)
            case _:
                self._lost(payment)

    def _told(self, payment: PaymentView, answer: BankAnswer) -> None:
        """What the bank says of a payment whose own answer was lost."""
        self._book.forget_tries(payment)
        match answer.state:
            case "approved" if payment.medium is Medium.CHIP:
                # Its card has left with a decline, when no answer came.
                self._card_refused(payment)
            case "approved":
                self._approve(payment, answer)
            case "declined":
                self._decline(payment, answer)
            case "pending" | "open" if payment.medium is not Medium.CHIP:
                payment = self._book.move(payment, Move.BANK_PENDING)
                self._book.send(Purpose.CLOSE, payment)
            case _:
                self._reverse(payment, "not_found")

    def _polled(self, payment: PaymentView, answer: BankAnswer) -> None:
        """What the bank says of a code on show, or of a payer who must confirm."""
        awaits_payer = payment.state is State.AWAITING_PAYER
        match answer.state:
            case "approved":
                self._hand.note_duration("payer", payment)
                self._approve(self._current(payment), answer)
            case "declined" if awaits_payer:
                self._decline(payment, answer)
            case "pending" | "open":
                self._book.set_timer("poll", payment, POLL_S)
            case _ if awaits_payer:
                self.close(payment, resume=False)
            case _:
                self._code_gone(payment, Message.OUR_CODE_EXPIRED)

    def _ordered(self, payment: PaymentView, answer: BankAnswer) -> None:
        if answer.state != "open":
            self._code_gone(payment, Message.CODE_UNAVAILABLE)
            return
        self._hand.note_duration("order", payment)
        valid_s = self._patience.code_s
        if answer.expires_at_ms is not None:
            # The bank's clock decides; only the distance from its own "at" counts.
            valid_s = (answer.expires_at_ms - self._clock.wall_ms() - answer.skew_ms) / 1000
        valid_s = max(0.0, min(valid_s, self._patience.code_s))
        if (held := self._hand.holds(payment)) is not None:
            held.code = ShownCode(answer.shown_code, self._clock.monotonic() + valid_s)
            self._hand.await_answer(valid_s)
        self._book.set_timer("poll", payment, POLL_S)
        self._book.set_timer("code", payment, valid_s + CODE_GRACE_S)

    def _closed(self, payment: PaymentView, answer: BankAnswer) -> None:
        held = self._hand.holds(payment)
        tender_waits = held is not None and held.tender is not None
        self._book.stop_timer("tender", payment)
        self._book.forget_tries(payment)
        match answer.state:
            case "approved":
                # The wallet was faster: the card is not charged.
                if held is not None:
                    self._hand.drop_tender()
                self._approve(payment, answer)
            case "declined" if not tender_waits:
                self._decline(payment, answer)
            case "closed" | "declined" | "not_found" | "reversed":
                if held is None or not (tender_waits or held.resume):
                    self._book.move(
                        payment, Move.ORDER_CLOSED, reason=Message.CANCELLED, next_step=None
                    )
                    return
                self._book.move(payment, Move.ORDER_RELEASED)
                if tender_waits:
                    self.proceed()
                else:
                    self._hand.present(hint=Message.OUR_CODE_EXPIRED)
            case _:
                self._book.retry(payment)

    # --- ways on ------------------------------------------------------------------------

    def _approve(self, payment: PaymentView, answer: BankAnswer) -> None:
        self._book.stop_timer("poll", payment)
        if self._hand.holds(payment) is not None:
            self._hand.disarm()
        reason, step = approval(payment)
        self._book.move(
            payment,
            Move.BANK_APPROVED,
            medium=payment.medium or Medium.SHOWN_CODE,
            brand=answer.brand or payment.brand,
            response_code=answer.code,
            bank_reference=answer.reference,
            authorisation=answer.authorisation,
            expires_ms=answer.expires_at_ms,
            balance_minor=answer.balance_minor,
            reason=reason,
            next_step=step,
        )
        self._confirm(payment)

    def _decline(self, payment: PaymentView, answer: BankAnswer) -> None:
        reason = reason_for(answer.code)
        self._book.stop_timer("poll", payment)
        self._book.move(
            payment,
            Move.BANK_DECLINED,
            brand=answer.brand or payment.brand,
            response_code=answer.code,
            bank_reference=answer.reference,
            signature=False,
            reason=reason.message,
            next_step=reason.next_step,
        )

    # --- a chip's own word ----------------------------------------------------------

    def _ask_card(self, payment: PaymentView, answer: BankAnswer) -> None:
        """The issuer approved: its chip has the last word."""
        asked = self._book.move(
            payment,
            Move.CARD_ASKED,
            brand=answer.brand or payment.brand,
            response_code=answer.code,
            bank_reference=answer.reference,
            authorisation=answer.authorisation,
            expires_ms=answer.expires_at_ms,
        )
        if self._hand.holds(asked) is not None:
            self._hand.await_answer(CARD_S)
        self._book.set_timer("card", asked, CARD_S)
        self._tell_card(asked, answer)

    def let_card_go(self, attempt: str) -> None:
        """Nothing was sent for the chip that waits for an answer."""
        slot = self._slots.pop(attempt, None)
        if slot is not None:
            self._book.wish(TellCard(slot, attempt))

    def _tell_card(self, payment: PaymentView, answer: BankAnswer | None = None) -> None:
        """Give a chip that waits its issuer's word; without one it shall decline."""
        slot = self._slots.pop(payment.id, None)
        if slot is not None:
            code, emv = ("", "") if answer is None else (answer.code, answer.emv)
            self._book.wish(TellCard(slot, payment.id, code, emv))

    def card_completed(self, event: CardCompleted) -> None:
        """A chip has said its last word."""
        payment = self._book.get(event.attempt)
        if payment is None or payment.state is not State.COMPLETING:
            return
        self._book.stop_timer("card", payment)
        self._hand.note_duration("card", payment)
        payment = self._current(payment)
        if not event.agrees:
            self._card_refused(payment)
            return
        reason, step = approval(payment)
        self._book.move(payment, Move.CARD_AGREED, reason=reason, next_step=step)

    def card_silent(self, payment: PaymentView) -> None:
        """A chip has not said its last word in time."""
        self._card_refused(payment)

    def _card_refused(self, payment: PaymentView) -> None:
        """What the issuer approved and its chip did not goes back."""
        self._book.forget_tries(payment)
        payment = self._book.move(
            payment,
            Move.CARD_REFUSED,
            signature=False,
            reason=Message.REVERSING,
            next_step=Message.DO_NOT_CHARGE_AGAIN,
        )
        self._send_reversal(payment, "card_refused")

    def signature_refused(self, payment: PaymentView) -> None:
        """The cashier does not take the customer's signature: the money goes back."""
        payment = self._book.move(
            payment,
            Move.SIGNATURE_REFUSED,
            sealed="",
            reason=Message.REVERSING,
            next_step=Message.DO_NOT_CHARGE_AGAIN,
        )
        self._send_reversal(payment, _why_reversed(payment))

    def drop_inquiry(self, payment: PaymentView) -> None:
        """Nobody answered what moves no money: it is over."""
        self._book.move(
            payment,
            Move.INQUIRY_DROPPED,
            reason=Message.INQUIRY_DROPPED,
            next_step=Message.PRESS_ENTER,
        )

    def _lost(self, payment: PaymentView) -> None:
        self._tell_card(payment)
        if payment.kind is Kind.BALANCE:
            self.drop_inquiry(payment)
            return
        payment = self._book.move(
            payment,
            Move.ANSWER_LOST,
            reason=Message.UNKNOWN,
            next_step=Message.DO_NOT_CHARGE_AGAIN,
        )
        self.follow(payment)

    def _reverse(self, payment: PaymentView, why: str) -> None:
        """why: 'not_found' or 'no_answer', for the bank's books."""
        self._book.forget_tries(payment)
        payment = self._book.move(
            payment,
            Move.NOT_FOUND_OR_SILENT,
            reason=Message.REVERSING,
            next_step=Message.DO_NOT_CHARGE_AGAIN,
        )
        self._send_reversal(payment, why)

    def _send_reversal(self, payment: PaymentView, why: str) -> None:
        """Each try is on disk before it leaves: a later till counts on."""
        if not self._book.is_in_flight(Purpose.REVERSE, payment):
            sent = self._book.move(
                payment, Move.REVERSAL_SENT, reversals_sent=payment.reversals_sent + 1
            )
            self._book.send(Purpose.REVERSE, sent, reason=why)

    def _not_sent(self, payment: PaymentView, reason: Message, next_step: Message) -> None:
        """Nothing was charged; what the customer showed may be kept, if the cashier says so."""
        held = self._hand.holds(payment)
        # A wrong certificate is for a person to look at, not to sell past.
        is_safe = reason is not Message.LINK_NOT_SECURE
        can_do = self._store.verdict(payment, held.sent if held and is_safe else None)
        if held is not None and can_do is not Message.MAY_KEEP:
            held.sent = None
        self._book.move(payment, Move.NEVER_LEFT, reason=reason, next_step=can_do or next_step)

    def _code_gone(self, payment: PaymentView, hint: Message) -> None:
        """The code on show can bring no money any more."""
        for name in ("poll", "code"):
            self._book.stop_timer(name, payment)
        self._book.move(payment, Move.CODE_REFUSED)
        if self._hand.holds(payment) is not None:
            self._hand.present(hint=hint)

    def _learnt_nothing(self, payment: PaymentView, purpose: Purpose) -> None:
        """Try again later, or stop asking and reverse."""
        asked_enough = self._book.tries(payment) >= ASKS_MAX
        match payment.state:
            case State.UNKNOWN if purpose is Purpose.ASK and asked_enough:
                self._reverse(payment, "no_answer")
            case State.AWAITING_PAYER | State.CODE_OPEN:
                self._book.set_timer("poll", payment, POLL_S)
            case State.REVERSING:
                self._book.retry(payment)
                self._give_up_waiting()
            case _:
                self._book.retry(payment)

    def _give_up_waiting(self) -> None:
        """A sale that waits behind a reversal is not sent while that cannot be."""
        payment, held = self._hand.payment, self._hand.held
        if payment is None or held is None or held.tender is None:
            return
        if payment.state is State.AWAITING_TENDER:
            held.sent = held.tender
            payment = with_tender(payment, held.tender)
            self._hand.drop_tender()
            self._not_sent(payment, Message.REVERSAL_FIRST, Message.CHECK_NETWORK)

    def _landed(self, event: Answered | Refused | AnswerLost) -> None:
        """The request had left: it is no longer one that can be kept."""
        self._book.landed(event.purpose, event.attempt)
        if event.purpose is Purpose.PAY and (held := self._hand.held) is not None:
            held.sent = None

    def _heard(self, skew_ms: int) -> None:
        """The bank has spoken; what waited for it to be there waits no longer."""
        self.bank = Readiness.READY
        self.skew_ms = skew_ms
        if self._was_out_of_reach:
            self._was_out_of_reach = False
            self.hurry()

    def _current(self, payment: PaymentView) -> PaymentView:
        """Return the payment with what was noted of it since."""
        return self._book.get(payment.id) or payment


def _why_reversed(payment: PaymentView) -> str:
    """Return why a payment is reversed, for the bank's books; it may be another till that asks.

    What still has a signature was approved, and it was the signature that was refused.
    """
    if payment.signature and payment.response_code:
        return "signature_refused"
    return "card_refused" if payment.medium is Medium.CHIP else "no_answer"
