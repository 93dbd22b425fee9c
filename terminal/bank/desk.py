"""Carries the core's requests to the bank, each lane on a thread of its own.

A wallet that has to be cancelled must not queue behind an authorisation
that waits, nor either behind the clearing up of an older payment.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from terminal.bank import messages
from terminal.batch.events import BatchPurpose, BatchUnanswered, SendBatch
from terminal.errors import AnswerLost, LinkNotSecure, MalformedMessage, NeverLeft, TillError
from terminal.events import (
    Answered,
    BankAnswer,
    InboxEvent,
    Purpose,
    Refused,
    Send,
    Sending,
)
from terminal.events import AnswerLost as AnswerLostEvent
from terminal.events import NeverLeft as NeverLeftEvent
from terminal.view import Kind

if TYPE_CHECKING:
    # A client brings requests and cryptography: they load on the lanes, so
    # that the first digit need not wait for them.
    from terminal.bank.dialects import Client

log = logging.getLogger(__name__)

CLOSE_S = 5.0

_LANES = {
    Purpose.PAY: "pay",
    Purpose.ORDER: "pay",
    Purpose.ASK: "ask",
    Purpose.CLOSE: "ask",
    Purpose.REVERSE: "settle",
    Purpose.ADVISE: "settle",
    Purpose.ECHO: "settle",
    BatchPurpose.TOTALS: "ask",
    BatchPurpose.CLOSE: "settle",
    BatchPurpose.LINES: "settle",
}

_REVERSAL_REASONS: dict[str, Literal["no_answer", "not_found", "card_refused"]] = {
    "not_found": "not_found",
    "card_refused": "card_refused",
}


class BankDesk:
    """Three lanes to one bank. Its send() returns at once."""

    def __init__(
        self,
        open_client: Callable[[], Client],
        post: Callable[[InboxEvent], None],
        find_sealed: Callable[[str], str],
        *,
        code_valid_s: int,
    ) -> None:
        """open_client: makes one client per lane, on the lane's own thread.

        find_sealed: what is kept of a card sale, as Tender.to_keep made it.
        code_valid_s: how long a shown code may be paid, in seconds.
        """
        self._open_client = open_client
        self._post = post
        self._find_sealed = find_sealed
        self._code_valid_s = code_valid_s
        self._clients: list[Client] = []
        self._closing = False
        self._queues: dict[str, queue.SimpleQueue[Send | SendBatch | None]] = {
            lane: queue.SimpleQueue() for lane in dict.fromkeys(_LANES.values())
        }
        self._threads = [
            threading.Thread(target=self._serve, args=(lane,), name=f"bank-{lane}", daemon=True)
            for lane in self._queues
        ]

    def start(self) -> None:
        """Begin to carry."""
        for thread in self._threads:
            thread.start()

    def send(self, wish: Send | SendBatch) -> None:
        """Queue a request; its end comes as exactly one event."""
        self._queues[_LANES[wish.purpose]].put(wish)

    def close(self) -> None:
        """End every call that waits, and the lanes. Safe to call twice."""
        self._closing = True
        for waiting in self._queues.values():
            waiting.put(None)
        for client in self._clients:
            client.close()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(CLOSE_S)

    def _serve(self, lane: str) -> None:
        client: Client | None = None
        while (wish := self._queues[lane].get()) is not None and not self._closing:
            if client is None:
                try:
                    client = self._open_client()
                except TillError as error:
                    # Keys that cannot be used: nothing can leave this till.
                    log.error("no bank link: %s", error)
                    self._post(_not_sent(wish, error))
                    continue
                self._clients.append(client)
            self._post(self._carry(client, wish))
            # A sealed card, and a PIN with it, is not kept until the next one comes.
            del wish

    def _carry(self, client: Client, wish: Send | SendBatch) -> InboxEvent:
        if isinstance(wish, Send):
            return self._ask(client, wish)
        from terminal.bank.batches import tell

        return tell(client, wish)

    def _ask(self, client: Client, wish: Send) -> InboxEvent:
        from terminal.bank.client import Refusal

        purpose, attempt = wish.purpose, wish.payment.id
        try:
            request = self._request(wish)
            reply = client.call(request, lambda: self._post(Sending(purpose, attempt)))
        except (NeverLeft, MalformedMessage) as error:
            log.info("%s %s never left: %s", purpose.value, attempt, error)
            return NeverLeftEvent(
                purpose,
                attempt,
                str(error),
                is_insecure=isinstance(error, LinkNotSecure),
                is_malformed=isinstance(error, MalformedMessage),
            )
        except AnswerLost as error:
            log.warning("%s %s has no answer: %s", purpose.value, attempt, error)
            return AnswerLostEvent(purpose, attempt, str(error))
        if isinstance(reply, Refusal):
            log.warning("%s %s refused: %s, %s", purpose.value, attempt, reply.error, reply.detail)
            return Refused(purpose, attempt, reply.status, reply.error, reply.skew_ms)
        return Answered(purpose, attempt, _in_core_words(reply.answer, reply.skew_ms))

    def _request(self, wish: Send) -> messages.Request:
        payment = wish.payment
        at = messages.format_moment(payment.created_ms)
        match wish.purpose:
            case Purpose.PAY:
                tender: messages.Tender | None = None
                if payment.kind is Kind.SALE:
                    is_card = bool(payment.masked_pan)
                    tender = (messages.CardTender if is_card else messages.CodeTender)(wish.sealed)
                return messages.Payment(
                    attempt=payment.id,
                    number=payment.number,
                    kind=payment.kind.value,
                    amount_minor=payment.amount_minor,
                    currency=payment.currency,
                    at=at,
                    tender=tender,
                    original=payment.original or None,
                    batch=payment.batch,
                )
            case Purpose.ADVISE:
                sealed, _, proof = self._find_sealed(payment.id).partition("\n")
                return messages.Advice(
                    attempt=payment.id,
                    number=payment.number,
                    kind="sale",
                    amount_minor=payment.amount_minor,
                    currency=payment.currency,
                    at=at,
                    tender=messages.CardTender(sealed),
                    deferred=payment.is_deferred,
                    proof=proof or None,
                    batch=payment.batch,
                )
            case Purpose.ORDER:
                return messages.Order(
                    order=wish.order,
                    attempt=payment.id,
                    number=payment.number,
                    amount_minor=payment.amount_minor,
                    currency=payment.currency,
                    at=at,
                    valid_s=self._code_valid_s,
                    batch=payment.batch,
                )
            case Purpose.ASK:
                return messages.StatusQuestion(payment.id)
            case Purpose.CLOSE:
                return messages.Closing(payment.id)
            case Purpose.REVERSE:
                return messages.Reversal(
                    attempt=payment.id,
                    reason=_REVERSAL_REASONS.get(wish.reason, "no_answer"),
                )
            case Purpose.ECHO:
                return messages.Echo()


def _not_sent(wish: Send | SendBatch, error: TillError) -> InboxEvent:
    """Return what is told of a wish for which there is no link at all."""
    if isinstance(wish, SendBatch):
        return BatchUnanswered(wish.purpose, wish.batch.number)
    return NeverLeftEvent(wish.purpose, wish.payment.id, str(error), is_insecure=True)


def _in_core_words(answer: messages.Answer, skew_ms: int) -> BankAnswer:
    expires = answer.expires_at
    return BankAnswer(
        state=answer.state or "",
        code=answer.code or "",
        reference=answer.reference or "",
        authorisation=answer.authorisation or "",
        brand=answer.brand or "",
        shown_code=answer.shown_code or "",
        expires_at_ms=None if expires is None else messages.parse_moment(expires),
        emv=answer.emv or "",
        skew_ms=skew_ms,
    )
