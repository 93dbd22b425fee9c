"""What the payments that follow another come to."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from terminal.states import State
from terminal.view import TAKING, Kind, PaymentView

# What may still turn out to have been done counts as done.
_STANDING = frozenset(State) - {
    State.DECLINED,
    State.CANCELLED,
    State.NOT_SENT,
    State.REVERSED,
    State.VOIDED,
}


def with_follow_ups(payment: PaymentView, following: Collection[PaymentView]) -> PaymentView:
    """Return a payment with what has been given back, held and added since.

    following: every payment that names it.
    """
    if payment.kind is Kind.PREAUTH:
        added_minor = _sum(following, (Kind.INCREMENT,), {State.APPROVED})
        return replace(payment, held_minor=payment.amount_minor + added_minor)
    if payment.kind not in TAKING or not following:
        return payment
    return replace(
        payment,
        refunded_minor=_sum(following, (Kind.REFUND, Kind.VOID), _STANDING),
        tip_minor=_sum(following, (Kind.TIP,), _STANDING),
    )


def _sum(
    payments: Iterable[PaymentView], kinds: Collection[Kind], states: Collection[State]
) -> int:
    return sum(
        each.amount_minor for each in payments if each.kind in kinds and each.state in states
    )
