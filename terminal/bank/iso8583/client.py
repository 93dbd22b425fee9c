"""The bank link's requests and answers, carried in ISO 8583.

It takes the place of terminal.bank.client.BankClient and promises the same:
a decision that is proved the bank's, or the exact kind of silence. What the
dialect has no message for is answered from what is kept, or refused.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from terminal.bank import messages
from terminal.bank.batch_messages import (
    BatchAnswer,
    BatchClose,
    BatchDifference,
    BatchLines,
    BatchQuestion,
    BatchTotals,
    LinesAnswer,
)
from terminal.bank.client import Refusal, VerifiedAnswer
from terminal.bank.iso8583 import settlement, transactions
from terminal.bank.iso8583.answers import Reply
from terminal.bank.iso8583.cards import CardSafe
from terminal.bank.iso8583.chip import read_card
from terminal.bank.iso8583.codec import Message
from terminal.bank.iso8583.kept import Original, Originals
from terminal.bank.iso8583.link import Link
from terminal.bank.iso8583.session import Session
from terminal.bank.iso8583.transactions import Entry, Kind, Reason, Till
from terminal.bank.messages import Answer, Payment, Request
from terminal.errors import (
    AnswerLost,
    LinkNotSecure,
    MalformedMessage,
    NeverLeft,
    UntrustedAnswer,
)
from terminal.seams import Clock

STANS: Final = 1_000_000
BATCHES: Final = 1_000_000
UPLOADS: Final = 10_000
NO_RECORD: Final = "25"
NOT_OFFERED: Final = 422

Sending = Callable[[], None] | None


class Iso8583Client:
    """Asks one bank in this dialect; the lanes of a till share one, and take turns."""

    def __init__(
        self,
        session: Session,
        link: Link,
        originals: Originals,
        safe: CardSafe,
        clock: Clock,
        currency: str = "CNY",
    ) -> None:
        """currency: ISO 4217 letters of the one that this till takes."""
        self._session = session
        self._link = link
        self._originals = originals
        self._safe = safe
        self._clock = clock
        self._letters = currency
        # The bank knows one message key of a till: two who sign on at once
        # would take each other's away.
        self._turn = threading.Lock()

    def call(self, request: Request, sending: Sending = None) -> VerifiedAnswer | Refusal:
        """Return the bank's decision, as terminal.bank.client.BankClient.call does."""
        with self._turn:
            match request:
                case Payment():
                    return self._pay(request, sending)
                case messages.Advice():
                    return self._advise(request, sending)
                case messages.StatusQuestion():
                    return self._ask(request.attempt)
                case messages.Reversal():
                    return self._reverse(request)
                case messages.Echo():
                    self._exchange(transactions.echo(self._session.till, self._network_stan()))
                    return self._answer()
                case messages.Closing():
                    # No order can have been opened here.
                    return self._answer(request.attempt, "closed")
                case messages.Inquiry():
                    return self._not_offered("balance inquiries")
                case messages.Order():
                    return self._not_offered("codes that the customer scans")

    def settle(self, question: BatchQuestion) -> BatchAnswer | LinesAnswer | Refusal:
        """Return what the bank says of a batch, as terminal.bank.client.BankClient.settle does.

        Which payments only the bank has, the dialect cannot tell: they show in the
        sums. Before the close it tells nothing at all.
        """
        match question:
            case BatchTotals():
                return self._not_offered("a question about a batch that is not being closed")
            case BatchClose():
                with self._turn:
                    return self._close_batch(question)
            case BatchLines():
                return self._compare(question)

    def close(self) -> None:
        """End the link for good; a call that waits ends at once. From any thread."""
        self._link.close()

    # --- payments ---------------------------------------------------------------

    def _pay(self, request: Payment, sending: Sending) -> VerifiedAnswer | Refusal:
        if isinstance(request.tender, messages.CodeTender | messages.KeyedTender):
            return self._not_offered("payment codes and typed numbers")
        if isinstance(request.tender, messages.CardTender):
            kind = transactions.PRESENTED[request.kind]
            message = self._card_message(kind, request, request.tender.sealed)
        else:
            original = self._originals.find(request.original or "")
            if original is None or original.reply is None:
                return self._not_offered(f"a {request.kind} of a payment that is not kept here")
            following = transactions.following(request.kind, original.fields)
            if following is None:
                return self._not_offered(f"payments of kind {request.kind}")
            message = self._follow_up(following, request, original)
        return self._send_payment(request.attempt, message, sending)

    def _send_payment(self, attempt: str, message: Message, sending: Sending) -> VerifiedAnswer:
        self._sign_on()
        try:
            kept = self._originals.about_to_send(attempt, message)
        except OSError as error:
            raise NeverLeft(f"nothing is sent that cannot be kept: {error.strerror}") from None
        try:
            reply = self._exchange(message, sending)
        except NeverLeft:
            self._originals.forget(attempt)
            raise
        self._keep(attempt, kept, reply)
        return self._decided(attempt, reply)

    def _keep(self, attempt: str, original: Original, reply: Reply) -> None:
        try:
            self._originals.answered(attempt, original, reply)
        except OSError as error:
            raise AnswerLost(f"the answer cannot be kept: {error.strerror}") from None

    def _advise(self, request: messages.Advice, sending: Sending) -> VerifiedAnswer:
        # The sealed sale itself is kept until this is answered.
        message = self._card_message(transactions.OFFLINE_SALE, request, request.tender.sealed)
        return self._send_payment(request.attempt, message, sending)

    def _ask(self, attempt: str) -> VerifiedAnswer:
        """Say what is known of a payment: the dialect has no question for it.

        A message that is not reversed but repeated is repeated: its answer is
        the one that got lost.
        """
        original = self._originals.find(attempt)
        if original is None:
            return self._answer(attempt, "not_found")
        if original.reply is not None:
            return self._decided(attempt, original.reply)
        if original.is_reversible:
            return self._answer(attempt, "not_found")
        reply = self._exchange(Message(original.type, original.fields))
        self._keep(attempt, original, reply)
        return self._decided(attempt, reply)

    def _reverse(self, request: messages.Reversal) -> VerifiedAnswer:
        original = self._originals.find(request.attempt)
        if original is not None:
            is_silence = request.reason in ("no_answer", "not_found")
            reason = Reason.NO_ANSWER if is_silence else Reason.OTHER
            till, kept = self._session.till, original.fields
            message = transactions.reversal(till, kept, original.type, reason)
            reply = self._exchange(message)
            if not reply.is_approved:
                raise AnswerLost(f"the bank answered the reversal with code {reply.code}")
            self._originals.forget(request.attempt)
        # What was never kept was never sent: it is kept before the first byte.
        return self._answer(request.attempt, "reversed")

    # --- the end of the day -------------------------------------------------------

    def _close_batch(self, question: BatchClose) -> BatchAnswer | Refusal:
        till, stan = self._till_in(question.batch), self._network_stan()
        is_alike, own = True, question.totals
        if question.accepted:
            # The lines have been compared; this ends their upload, and the batch.
            count = sum(total.count for total in question.totals)
            reply = self._exchange(transactions.upload_end(till, stan, count % UPLOADS))
        else:
            told = settlement.told_totals(question.totals)
            reply = self._exchange(transactions.settlement(till, stan, told))
            if reply.is_approved:
                try:
                    is_alike, own = settlement.read_verdict(reply.totals, self._letters)
                except MalformedMessage as error:
                    raise AnswerLost(str(error)) from None
        if not reply.is_approved:
            return Refusal(NOT_OFFERED, reply.code, f"the bank answered with code {reply.code}", 0)
        return BatchAnswer(
            at=messages.format_moment(self._clock.wall_ms()),
            batch=question.batch,
            state="closed" if is_alike else "differs",
            # Alike, its two sums say no more than our own brand by brand.
            totals=question.totals if is_alike else own,
        )

    def _compare(self, question: BatchLines) -> LinesAnswer:
        """Tell the bank each line; payments go on between one and the next."""
        till = self._till_in(question.batch)
        differences = []
        for line in question.lines:
            original = self._originals.find(line.attempt)
            with self._turn:
                if original is None or not self._is_booked(till, original):
                    differences.append(BatchDifference(attempt=line.attempt, till=line))
        return LinesAnswer(
            at=messages.format_moment(self._clock.wall_ms()),
            batch=question.batch,
            differences=tuple(differences),
        )

    def _is_booked(self, till: Till, original: Original) -> bool:
        reply = self._exchange(transactions.upload(till, self._network_stan(), original.fields))
        if not reply.is_approved and reply.code != NO_RECORD:
            raise AnswerLost(f"the bank answered a line with code {reply.code}")
        return reply.is_approved

    # --- messages ---------------------------------------------------------------

    def _till_in(self, batch: int) -> Till:
        return replace(self._session.till, batch=f"{batch % BATCHES:06}")

    def _card_message(self, kind: Kind, request: Payment | messages.Advice, sealed: str) -> Message:
        content = self._safe.open(request.attempt, sealed)
        entry = Entry.CONTACT if content["entry"] == "contact" else Entry.CONTACTLESS
        card = read_card(bytes.fromhex(content["emv"]))
        stan = f"{request.number % STANS:06}"
        return transactions.card_payment(
            self._till_in(request.batch), kind, stan, request.amount_minor, card, entry
        )

    def _follow_up(self, kind: Kind, request: Payment, original: Original) -> Message:
        stan = f"{request.number % STANS:06}"
        return transactions.follow_up(
            self._till_in(request.batch),
            kind,
            stan,
            request.amount_minor,
            original.pan,
            original.named,
        )

    def _network_stan(self) -> str:
        """Return a number for a message that is no payment; nobody refers to it again."""
        return f"{self._clock.wall_ms() // 1000 % STANS:06}"

    def _exchange(self, message: Message, sending: Sending = None) -> Reply:
        self._sign_on()
        sent = self._session.ask(message)
        return self._session.hear(message, self._link.exchange(sent, sending))

    def _sign_on(self) -> None:
        """Get a message key if there is none. Raises NeverLeft: no payment has left."""
        if self._session.is_signed_on:
            return
        request, sent = self._session.sign_on(self._network_stan())
        try:
            self._session.take_keys(request, self._link.exchange(sent))
        except (AnswerLost, MalformedMessage) as error:
            raise NeverLeft(f"the bank did not sign this till on: {error}") from None
        except UntrustedAnswer as error:
            raise LinkNotSecure(f"the bank did not sign this till on: {error}") from None

    # --- answers ----------------------------------------------------------------

    def _decided(self, attempt: str, reply: Reply) -> VerifiedAnswer:
        state = "approved" if reply.is_approved else "declined"
        return self._answer(attempt, state, reply)

    def _answer(
        self, attempt: str | None = None, state: str | None = None, reply: Reply | None = None
    ) -> VerifiedAnswer:
        # The dialect's clock has no year and no zone: no skew is told.
        answer = Answer(
            at=messages.format_moment(self._clock.wall_ms()),
            attempt=attempt,
            state=state,
            code=reply.code if reply else None,
            reference=reply.reference if reply else None,
            authorisation=reply.authorisation if reply else None,
            emv=reply.emv.hex().upper() if reply and reply.emv else None,
        )
        return VerifiedAnswer(answer, 0)

    def _not_offered(self, what: str) -> Refusal:
        return Refusal(NOT_OFFERED, "not_offered", f"this bank does not take {what}", 0)
