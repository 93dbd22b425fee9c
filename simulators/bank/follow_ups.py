"""What follows an earlier payment: money back, a tip, and what becomes of a hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from simulators.bank import batches, holds
from simulators.bank.desk import (
    HOLD_ENDED,
    NO_ORIGINAL,
    NOT_POSSIBLE,
    WRONG_AMOUNT,
    Desk,
    RRow,
    merchant_account,
)
from simulators.bank.issuer import rules
from simulators.bank.messages import PaymentRequest
from simulators.bank.schema import payments

TAKING = ("sale", "completion", "tip")
"""What brought money to the shop."""
TIP_PERCENT_MAX = 50
"""The most a tip may be, of what it is given on."""


def book(desk: Desk, request: PaymentRequest) -> None:
    """Decide on a request that names an earlier payment, write it down, move its money."""
    deed = _DEEDS[request.kind]
    original = _original(desk, request)
    code = NO_ORIGINAL if original is None else deed.judge(desk, request, original)
    columns: dict[str, Any] = {
        "kind": request.kind,
        "number": request.number,
        "amount_minor": request.amount_minor,
        "currency": request.currency,
        "at": request.at,
        "original": request.original,
    }
    if original is None or code != rules.APPROVED:
        desk.add(request.attempt, state="declined", code=code, **columns)
        return
    columns |= {
        "medium": original.medium,
        "account": original.account,
        "brand": original.brand,
    }
    desk.add(request.attempt, **desk.approval(), **columns)
    deed.do(desk, request, original)


def undo(desk: Desk, found: RRow) -> None:
    """Undo the money of an approved payment that followed another, as far as it stands."""
    original = desk.payment(found.original)
    if original is not None:
        _DEEDS[found.kind].undo(desk, found, original)


def refunded_minor(desk: Desk, attempt: str) -> int:
    """Return what of a payment was given back already."""
    query = select(func.sum(payments.c.amount_minor)).where(
        payments.c.original == attempt,
        payments.c.kind == "refund",
        payments.c.state == "approved",
    )
    return int(desk.connection.scalar(query) or 0)


@dataclass(frozen=True, slots=True)
class _Deed:
    """How one kind of payment is decided on, done, and undone by a reversal."""

    judge: Callable[[Desk, PaymentRequest, RRow], str]
    """Returns a response code, for a request and the payment it names."""
    do: Callable[[Desk, PaymentRequest, RRow], None]
    undo: Callable[[Desk, RRow, RRow], None]
    """Of an approved payment and the one that it named."""


def _original(desk: Desk, request: PaymentRequest) -> RRow | None:
    """Return the payment that is named, if this merchant made it in this currency."""
    original = desk.payment(request.original or "")
    if original is None or original.merchant != desk.merchant:
        return None
    return original if original.currency == request.currency else None


def _stands(original: RRow, *kinds: str) -> bool:
    return original.state == "approved" and original.kind in kinds


# ---- money back ------------------------------------------------------------


def _judge_refund(desk: Desk, request: PaymentRequest, original: RRow) -> str:
    if not _stands(original, *TAKING):
        return NOT_POSSIBLE
    left_minor = original.amount_minor - refunded_minor(desk, original.attempt)
    return WRONG_AMOUNT if request.amount_minor > left_minor else rules.APPROVED


def _refund(desk: Desk, request: PaymentRequest, original: RRow) -> None:
    _to_customer(desk, request.attempt, "refund", original, request.amount_minor)


def _undo_return(desk: Desk, found: RRow, original: RRow) -> None:
    # Was the sale itself reversed meanwhile, the customer has all of it back
    # already, this part included, and must not lose it again.
    if original.state not in ("approved", "voided"):
        return
    merchant = merchant_account(found.merchant)
    desk.move(
        found.attempt, "reversal", original.account, merchant, found.amount_minor, found.currency
    )


def _judge_void(desk: Desk, request: PaymentRequest, original: RRow) -> str:
    if (
        not _stands(original, *TAKING)
        or refunded_minor(desk, original.attempt)
        or _tips(desk, original.attempt)
        or batches.is_settled(desk, original)
    ):
        return NOT_POSSIBLE
    return rules.APPROVED if request.amount_minor == original.amount_minor else WRONG_AMOUNT


def _void(desk: Desk, request: PaymentRequest, original: RRow) -> None:
    preauth = _preauth_of(desk, original)
    if preauth is None:
        _to_customer(desk, request.attempt, "void", original, original.amount_minor)
    else:
        holds.reopen(desk, request.attempt, "void", preauth, original.amount_minor)
    desk.change(original.attempt, state="voided")


def _undo_void(desk: Desk, found: RRow, original: RRow) -> None:
    preauth = _preauth_of(desk, original)
    if preauth is None:
        _undo_return(desk, found, original)
    elif (hold := holds.find_hold(desk, preauth.attempt)) is not None:
        holds.take(desk, found.attempt, "reversal", hold, original.amount_minor)
        desk.change(preauth.attempt, state="captured")
    else:
        return
    if original.state == "voided":
        desk.change(original.attempt, state="approved")


def _to_customer(desk: Desk, attempt: str, what: str, original: RRow, amount_minor: int) -> None:
    merchant = merchant_account(desk.merchant)
    desk.move(attempt, what, merchant, original.account, amount_minor, original.currency)


# ---- tips ------------------------------------------------------------------


def _judge_tip(desk: Desk, request: PaymentRequest, original: RRow) -> str:
    if (
        not _stands(original, "sale", "completion")
        or original.medium != "card"
        or refunded_minor(desk, original.attempt)
        or _tips(desk, original.attempt)
        or batches.is_settled(desk, original)
    ):
        return NOT_POSSIBLE
    if request.amount_minor * 100 > original.amount_minor * TIP_PERCENT_MAX:
        return WRONG_AMOUNT
    return rules.APPROVED


def _tip(desk: Desk, request: PaymentRequest, original: RRow) -> None:
    merchant = merchant_account(desk.merchant)
    amount_minor, currency = request.amount_minor, request.currency
    desk.move(request.attempt, "tip", original.account, merchant, amount_minor, currency)


def _undo_tip(desk: Desk, found: RRow, original: RRow) -> None:
    _to_customer(desk, found.attempt, "reversal", original, found.amount_minor)


def _tips(desk: Desk, attempt: str) -> int:
    """Count the tips that stand on a payment."""
    query = select(func.count()).where(
        payments.c.original == attempt,
        payments.c.kind == "tip",
        payments.c.state == "approved",
    )
    return desk.connection.scalar(query) or 0


# ---- holds -----------------------------------------------------------------


def _judge_increment(desk: Desk, request: PaymentRequest, original: RRow) -> str:
    if original.kind != "preauth":
        return NOT_POSSIBLE
    if holds.find_hold(desk, original.attempt) is None:
        return HOLD_ENDED
    holds.end_late(desk, original.account)
    balance_minor = desk.balance_minor(original.account, request.currency)
    return rules.APPROVED if request.amount_minor <= balance_minor else rules.INSUFFICIENT_FUNDS


def _increment(desk: Desk, request: PaymentRequest, original: RRow) -> None:
    if (hold := holds.find_hold(desk, original.attempt)) is not None:
        holds.grow(desk, request.attempt, hold, request.amount_minor)


def _undo_increment(desk: Desk, found: RRow, original: RRow) -> None:
    # A hold that has ended has taken the increment with it.
    if (hold := holds.find_hold(desk, original.attempt)) is not None:
        holds.grow(desk, found.attempt, hold, -found.amount_minor)


def _judge_completion(desk: Desk, request: PaymentRequest, original: RRow) -> str:
    if original.kind != "preauth":
        return NOT_POSSIBLE
    hold = holds.find_hold(desk, original.attempt)
    if hold is None:
        return HOLD_ENDED
    is_over = request.amount_minor * 100 > hold.amount_minor * holds.COMPLETION_PERCENT_MAX
    return WRONG_AMOUNT if is_over else rules.APPROVED


def _complete(desk: Desk, request: PaymentRequest, original: RRow) -> None:
    if (hold := holds.find_hold(desk, original.attempt)) is not None:
        holds.take(desk, request.attempt, "completion", hold, request.amount_minor)
        desk.change(original.attempt, state="captured")


def _undo_completion(desk: Desk, found: RRow, original: RRow) -> None:
    rest_minor = found.amount_minor - refunded_minor(desk, found.attempt)
    holds.reopen(desk, found.attempt, "reversal", original, rest_minor)


def _judge_release(desk: Desk, request: PaymentRequest, original: RRow) -> str:
    preauth = _preauth_of(desk, original) or original
    if original.kind not in ("preauth", "increment"):
        return NOT_POSSIBLE
    hold = holds.find_hold(desk, preauth.attempt)
    if hold is None or original.state != "approved":
        return HOLD_ENDED
    whole_minor = hold.amount_minor if original.kind == "preauth" else original.amount_minor
    return rules.APPROVED if request.amount_minor == whole_minor else WRONG_AMOUNT


def _release(desk: Desk, request: PaymentRequest, original: RRow) -> None:
    preauth = _preauth_of(desk, original) or original
    hold = holds.find_hold(desk, preauth.attempt)
    if hold is None:
        return
    if original.kind == "increment":
        holds.grow(desk, request.attempt, hold, -original.amount_minor)
    else:
        holds.let_go(desk, request.attempt, "release", hold)
    desk.change(original.attempt, state="voided")


def _undo_release(desk: Desk, found: RRow, original: RRow) -> None:
    if original.state != "voided":
        return
    if original.kind == "preauth":
        holds.reopen(desk, found.attempt, "reversal", original, 0)
        return
    if (hold := holds.find_hold(desk, original.original)) is not None:
        holds.grow(desk, found.attempt, hold, original.amount_minor)
        desk.change(original.attempt, state="approved")


def _preauth_of(desk: Desk, payment: RRow) -> RRow | None:
    """Return the pre-authorisation that a completion or an increment belongs to."""
    is_of_one = payment.kind in ("completion", "increment")
    return desk.payment(payment.original) if is_of_one else None


_DEEDS = {
    "refund": _Deed(_judge_refund, _refund, _undo_return),
    "void": _Deed(_judge_void, _void, _undo_void),
    "tip": _Deed(_judge_tip, _tip, _undo_tip),
    "increment": _Deed(_judge_increment, _increment, _undo_increment),
    "completion": _Deed(_judge_completion, _complete, _undo_completion),
    "release": _Deed(_judge_release, _release, _undo_release),
}
