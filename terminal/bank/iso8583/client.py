"""The bank link's requests and answers, carried in ISO 8583.

It takes the place of terminal.bank.client.BankClient and promises the same:
a decision that is proved the bank's, or the exact kind of silence. What the
dialect has no message for is answered from what is kept, or refused.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from terminal.bank import messages
from terminal.bank.batch_messages import BatchQuestion
from terminal.bank.client import Refusal, VerifiedAnswer
from terminal.bank.iso8583 import transactions
from terminal.bank.iso8583.answers import Reply
from terminal.bank.iso8583.cards import CardSafe
from terminal.bank.iso8583.chip import read_card
from terminal.bank.iso8583.codec import Message
from terminal.bank.iso8583.kept import Original, Originals
from terminal.bank.iso8583.link import Link
from terminal.bank.iso8583.session import Session
from terminal.bank.iso8583.transactions import Entry, Kind, Reason
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
NOT_OFFERED: Final = 422

Sending = Callable[[], None] | None


class Iso8583Client:
    """Asks one bank in this dialect; the lanes of a till share one, and take turns."""

    def __init__(
        self, session: Session, link: Link, originals: Originals, safe: CardSafe, clock: Clock
    ) -> None:
        self._session = session
        self._link = link
        self._originals = originals
        self._safe = safe
        self._clock = clock
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
                case messages.Order():
                    return self._not_offered("codes that the customer scans")

    def settle(self, question: BatchQuestion) -> Refusal:
        """Refuse: this till closes no batch in this dialect."""
        return self._not_offered(f"the close of batch {question.batch}")

    def close(self) -> None:
        """End the link for good; a call that waits ends at once. From any thread."""
        self._link.close()

    # --- payments ---------------------------------------------------------------

    def _pay(self, request: Payment, sending: Sending) -> VerifiedAnswer | Refusal:
        if isinstance(request.tender, messages.CodeTender):
            return self._not_offered("payment codes")
        if request.kind not in ("sale", "refund", "void"):
            return self._not_offered(f"payments of kind {request.kind}")
        if isinstance(request.tender, messages.CardTender):
            message = self._card_message(transactions.SALE, request, request.tender.sealed)
        else:
            original = self._originals.find(request.original or "")
            if original is None or original.reply is None:
                return self._not_offered("a void or a refund of a sale that is not kept here")
            kind = transactions.VOID if request.kind == "void" else transactions.REFUND
            message = self._follow_up(kind, request, original)
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

    # --- messages ---------------------------------------------------------------

    def _card_message(self, kind: Kind, request: Payment | messages.Advice, sealed: str) -> Message:
        content = self._safe.open(request.attempt, sealed)
        entry = Entry.CONTACT if content["entry"] == "contact" else Entry.CONTACTLESS
        card = read_card(bytes.fromhex(content["emv"]))
        stan = f"{request.number % STANS:06}"
        return transactions.card_payment(
            self._session.till, kind, stan, request.amount_minor, card, entry
        )

    def _follow_up(self, kind: Kind, request: Payment, original: Original) -> Message:
        stan = f"{request.number % STANS:06}"
        return transactions.follow_up(
            self._session.till, kind, stan, request.amount_minor, original.pan, original.named
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
