"""What can be done about an earlier payment, and the words for it, on either face."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from terminal.states import State
from terminal.view import TAKING, WALLETS, Kind, PaymentView, ShopFacts
from ui.door import Door
from ui.locale import mark


@dataclass(frozen=True, slots=True)
class FollowUp:
    """One such thing."""

    letter: str
    """The key in the list."""
    verb: str
    """What it is called in lines."""
    action: str
    title: str
    may: Callable[[PaymentView, ShopFacts], bool]
    refusal: str
    """Said where it may not be."""
    begin: Callable[[Door, PaymentView, int], str]
    """Wishes for it; the last is the amount in minor units."""
    question: str
    """Asked in lines, of an {amount} and a {number}."""
    whole_minor: Callable[[PaymentView], int] | None = None
    """What the amount is, until another is typed; None: it must be typed."""
    whole: str = ""
    """What that is called on the screen, with {amount} in it."""
    sentence: str = ""
    """Asked on the screen where the amount is no choice; '' where it is."""


def _stands(payment: PaymentView, *kinds: Kind) -> bool:
    return payment.state is State.APPROVED and payment.kind in kinds


def _may_refund(payment: PaymentView, _shop: ShopFacts) -> bool:
    return _stands(payment, *TAKING) and payment.refunded_minor < payment.amount_minor


def _may_void(payment: PaymentView, _shop: ShopFacts) -> bool:
    return _stands(payment, *TAKING) and not (payment.refunded_minor or payment.tip_minor)


def _is_held(payment: PaymentView, _shop: ShopFacts) -> bool:
    return _stands(payment, Kind.PREAUTH)


def _may_release(payment: PaymentView, _shop: ShopFacts) -> bool:
    return _stands(payment, Kind.PREAUTH, Kind.INCREMENT)


def _may_tip(payment: PaymentView, shop: ShopFacts) -> bool:
    is_card = _stands(payment, Kind.SALE, Kind.COMPLETION) and payment.medium not in WALLETS
    return shop.takes_tips and is_card and not (payment.refunded_minor or payment.tip_minor)


def begin_again(till: Door, payment: PaymentView) -> str:
    """Begin the same once more; return its identity."""
    if payment.kind is Kind.BALANCE:
        return till.balance()
    begin = till.preauth if payment.kind is Kind.PREAUTH else till.sale
    return begin(payment.amount_minor)


REFUND = FollowUp(
    "R",
    "refund",
    mark("Refund"),
    mark("REFUND"),
    _may_refund,
    mark("Nothing here to refund"),
    lambda till, payment, amount_minor: till.refund(payment.id, amount_minor),
    mark("Refund {amount} of {number}? Enter does it, cancel does not."),
    lambda payment: payment.amount_minor - payment.refunded_minor,
    mark("Left to refund: {amount}"),
)
VOID = FollowUp(
    "V",
    "void",
    mark("Void"),
    mark("VOID"),
    _may_void,
    mark("This payment cannot be voided"),
    lambda till, payment, _amount: till.void(payment.id),
    mark("Void {number}, {amount}? Enter does it, cancel does not."),
    lambda payment: payment.amount_minor,
    sentence=mark("Void all of this? The customer is not charged."),
)
COMPLETE = FollowUp(
    "C",
    "complete",
    mark("Complete"),
    mark("COMPLETION"),
    _is_held,
    mark("Nothing is held here"),
    lambda till, payment, amount_minor: till.complete(payment.id, amount_minor),
    mark("Take {amount} of what {number} holds? Enter does it, cancel does not."),
    lambda payment: payment.held_minor,
    mark("Held: {amount}"),
)
INCREMENT = FollowUp(
    "A",
    "more",
    mark("Hold more"),
    mark("INCREMENT"),
    _is_held,
    mark("Nothing is held here"),
    lambda till, payment, amount_minor: till.increment(payment.id, amount_minor),
    mark("Hold {amount} more under {number}? Enter does it, cancel does not."),
)
RELEASE = FollowUp(
    "L",
    "release",
    mark("Release"),
    mark("RELEASE"),
    _may_release,
    mark("Nothing is held here"),
    lambda till, payment, _amount: till.release(payment.id),
    mark("Let {amount} of {number} go? Enter does it, cancel does not."),
    lambda payment: payment.held_minor or payment.amount_minor,
    sentence=mark("Let all of this go? The shop takes nothing."),
)
TIP = FollowUp(
    "T",
    "tip",
    mark("Tip"),
    mark("TIP"),
    _may_tip,
    mark("No tip can be added here"),
    lambda till, payment, amount_minor: till.tip(payment.id, amount_minor),
    mark("Add a tip of {amount} to {number}? Enter does it, cancel does not."),
)

FOLLOW_UPS = (REFUND, VOID, COMPLETE, INCREMENT, RELEASE, TIP)
BY_LETTER = {one.letter.lower(): one for one in FOLLOW_UPS}
