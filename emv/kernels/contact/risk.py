"""10.6 Terminal risk management: limits, chance, counters, the exception file."""

from __future__ import annotations

from emv import risk
from emv.bits import TSI, TVR
from emv.conversation import Kernel, logged_amount, note, on_exception_file
from emv.kernels.contact.session import Session
from emv.kernels.objects import sequence_number

SOURCE = "Book 3, 10.6"


def manage_risk(session: Session, *, forced_online: bool) -> Kernel[None]:
    """Find what must go online for the acquirer's and the issuer's safety.

    It is done for every card, whatever its AIP says: the limits are not
    the card's to waive.
    forced_online: the cashier has doubts.

    Source: EMV 4.4 Book 3, 10.6; the exception file: Book 4, 6.3.5.
    """
    configuration, limits = session.configuration, session.application.limits
    amount = session.transaction.amount_authorised_minor
    number = sequence_number(session.card)
    if forced_online:
        session.tvr |= TVR.FORCED_ONLINE
    if configuration.has_exception_file and (yield from on_exception_file(session.pan, number)):
        session.tvr |= TVR.ON_EXCEPTION_FILE
        yield from note("on the exception file", "Book 4, 6.3.5")
    logged = 0
    if configuration.has_transaction_log:
        logged = yield from logged_amount(session.pan, number)
    if risk.exceeds_floor(amount, logged, limits):
        session.tvr |= TVR.FLOOR_LIMIT_EXCEEDED
        yield from session.transaction.note_limit(
            "amount {amount} reaches the floor limit {limit}: the issuer is asked",
            limits.floor_minor,
            "Book 3, 10.6.1",
            logged_minor=logged,
        )
    if (yield from risk.is_selected(amount, limits)):
        session.tvr |= TVR.RANDOMLY_SELECTED
        yield from note("selected by chance", "Book 3, 10.6.2")
    session.tvr |= yield from risk.check_velocity(session.card)
    session.tsi |= TSI.TERMINAL_RISK_MANAGEMENT_PERFORMED
