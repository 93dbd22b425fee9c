"""5.5: expiry, exception file, cash and cashback."""

from __future__ import annotations

from typing import Protocol

from emv import bits, tags
from emv.bits import AUC, CTQ
from emv.conversation import Kernel, note, on_exception_file
from emv.entry_point.configuration import TYPE_CASH, TYPE_CASHBACK, TYPE_MANUAL_CASH
from emv.kernels.c3.session import Session
from emv.kernels.objects import sequence_number
from emv.outcome import (
    MessageId,
    Outcome,
    ReaderStatus,
    Reason,
    Status,
    UserInterfaceRequest,
)
from emv.restrictions import allows_cash, allows_cashback, is_expired


def restrict_processing(session: Session) -> Kernel[Outcome | None]:
    """Decide expiry, exception file, cash and cashback.

    Returns the outcome if the card wants another interface for it.
    Raises MalformedData if a date cannot be read.

    Source: Book C-3, 5.5.1.
    """
    ctq = session.ctq or CTQ(0)
    if session.cryptogram == bits.CID_TC:
        yield from _check_expiry(session, ctq)
        if session.decline is None and session.configuration.has_exception_file:
            yield from _check_exception_file(session)

    kind = session.activation.transaction.transaction_type
    if session.decline not in (None, Reason.CARD_DECLINED):
        return None
    if kind in (TYPE_CASH, TYPE_MANUAL_CASH) and session.configuration.checks_cash:
        allowed = _is_allowed(session, allows_cash)
        switch, reason = CTQ.SWITCH_FOR_CASH, Reason.CASH_NOT_ALLOWED
    elif kind == TYPE_CASHBACK and session.configuration.checks_cashback:
        allowed = _is_allowed(session, allows_cashback)
        switch, reason = CTQ.SWITCH_FOR_CASHBACK, Reason.CASHBACK_NOT_ALLOWED
    else:
        return None
    if allowed:
        return None
    yield from note("{reason}", session.cite("5.5.1.3 and 5.5.1.4"), reason=str(reason))
    if switch in ctq:
        return Outcome(
            Status.TRY_ANOTHER_INTERFACE,
            ui=UserInterfaceRequest(MessageId.TRY_OTHER_INTERFACE, ReaderStatus.PROCESSING_ERROR),
            reason=reason,
        )
    session.decline = session.decline or reason
    return None


def _check_expiry(session: Session, ctq: CTQ) -> Kernel[None]:
    """Source: Book C-3, 5.5.1.1."""
    expiration = session.card.get(tags.TAG_5F24_EXPIRATION_DATE)
    # A card that does not say until when it is valid counts as expired.
    if expiration is not None and not is_expired(expiration, session.activation.transaction.date):
        return
    if CTQ.ONLINE_IF_EXPIRED in ctq and session.is_online_capable:
        session.must_go_online = True
        yield from note("expired: the card goes online with that", session.cite("5.5.1.1"))
        return
    session.decline = Reason.EXPIRED
    yield from note("expired", session.cite("5.5.1.1"))


def _check_exception_file(session: Session) -> Kernel[None]:
    """Source: Book C-3, 5.5.1.2."""
    if (yield from on_exception_file(session.pan, sequence_number(session.card))):
        session.decline = Reason.EXCEPTION_FILE
        yield from note("on the exception file", session.cite("5.5.1.2"))


class _Allowance(Protocol):
    """The shape of restrictions.allows_cash and its neighbours."""

    def __call__(self, usage: AUC, *, is_domestic: bool) -> bool:
        """Whether the usage control allows it."""


def _is_allowed(session: Session, allows: _Allowance) -> bool:
    """Ask the usage control; a card without one, or without a country, allows nothing.

    unsettled: for the lack of either the public implementations refuse,
    where EMV Book 3, 10.4.2 would let a contact card pass.
    """
    usage = session.card.get(tags.TAG_9F07_APPLICATION_USAGE_CONTROL)
    country = session.card.get(tags.TAG_5F28_ISSUER_COUNTRY_CODE)
    if usage is None or country is None:
        return False
    is_domestic = country == session.terminal[tags.TAG_9F1A_TERMINAL_COUNTRY_CODE]
    return allows(AUC.decode(usage), is_domestic=is_domestic)
