"""What the core wishes asked, as requests of the link; what came of them, as events.

Nothing here is sent: the desk's lanes carry it, or a world in one process.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Literal, cast

from terminal.bank import messages
from terminal.bank.exchange import Refusal, VerifiedAnswer
from terminal.errors import AnswerLost, LinkNotSecure, MalformedMessage, NeverLeft
from terminal.events import Answered, BankAnswer, InboxEvent, Purpose, Refused, Send
from terminal.events import AnswerLost as AnswerLostEvent
from terminal.events import NeverLeft as NeverLeftEvent
from terminal.view import PRESENTED, Kind, Medium

log = logging.getLogger(__name__)

Silence = NeverLeft | AnswerLost | MalformedMessage
"""Why no answer came."""

_REVERSAL_REASONS: dict[
    str, Literal["no_answer", "not_found", "card_refused", "signature_refused"]
] = {
    "not_found": "not_found",
    "card_refused": "card_refused",
    "signature_refused": "signature_refused",
}


_TENDERS: dict[Medium | None, type[messages.Tender]] = {
    Medium.PAYMENT_CODE: messages.CodeTender,
    Medium.KEYED: messages.KeyedTender,
}


class Errands:
    """Turns what the core wishes asked into requests."""

    def __init__(self, find_sealed: Callable[[str], str], *, code_valid_s: int) -> None:
        """find_sealed: what is kept of a card sale, as Tender.to_keep made it.

        code_valid_s: how long a shown code may be paid, in seconds.
        """
        self._find_sealed = find_sealed
        self._code_valid_s = code_valid_s

    def request(self, wish: Send) -> messages.Request:
        """Return the request. Raises MalformedMessage if no bank could be sent it."""
        payment = wish.payment
        at = messages.format_moment(payment.created_ms)
        match wish.purpose:
            case Purpose.PAY if payment.kind is Kind.BALANCE:
                card = messages.CardTender(wish.sealed)
                return messages.Inquiry(payment.id, payment.currency, at, card)
            case Purpose.PAY:
                tender: messages.Tender | None = None
                if payment.kind in PRESENTED:
                    tender = _TENDERS.get(payment.medium, messages.CardTender)(wish.sealed)
                return messages.Payment(
                    attempt=payment.id,
                    number=payment.number,
                    kind=cast(messages.PaymentKind, payment.kind.value),
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


def answered(wish: Send, reply: VerifiedAnswer | Refusal) -> InboxEvent:
    """Return what the core is told of the bank's verified answer."""
    purpose, attempt = wish.purpose, wish.payment.id
    if isinstance(reply, Refusal):
        log.warning("%s %s refused: %s, %s", purpose.value, attempt, reply.error, reply.detail)
        return Refused(purpose, attempt, reply.status, reply.error, reply.skew_ms)
    return Answered(purpose, attempt, _in_core_words(reply.answer, reply.skew_ms))


def unanswered(wish: Send, error: Silence) -> InboxEvent:
    """Return what the core is told of no answer: it never left, or nobody knows."""
    purpose, attempt = wish.purpose, wish.payment.id
    if isinstance(error, AnswerLost):
        log.warning("%s %s has no answer: %s", purpose.value, attempt, error)
        return AnswerLostEvent(purpose, attempt, str(error))
    log.info("%s %s never left: %s", purpose.value, attempt, error)
    return NeverLeftEvent(
        purpose,
        attempt,
        str(error),
        is_insecure=isinstance(error, LinkNotSecure),
        is_malformed=isinstance(error, MalformedMessage),
    )


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
        balance_minor=answer.balance_minor,
        skew_ms=skew_ms,
        parameters=answer.parameters or 0,
        bulletin=answer.bulletin or 0,
    )
