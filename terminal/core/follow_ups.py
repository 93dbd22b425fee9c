"""What may follow an earlier payment, and how much of it.

Money back; more held, taken or let go under a pre-authorisation; a tip.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from terminal.core.book import Book
from terminal.core.limits import Limits
from terminal.errors import AlreadySettled, AmountRefused, Busy, NotAllowed
from terminal.events import FollowUpWanted
from terminal.messages import Message
from terminal.states import Event as Move
from terminal.states import State
from terminal.view import TAKING, WALLETS, Kind, PaymentView


class FollowUps:
    """Says what is allowed, and moves the earlier payment once the bank has approved."""

    def __init__(
        self,
        book: Book,
        limits: Limits,
        lookup: Callable[[str], PaymentView],
        open_batch: Callable[[], int],
    ) -> None:
        """lookup: finds a payment by identity; raises UnknownPayment.

        open_batch: the number of the batch that payments are in now.
        """
        self._book = book
        self.limits = limits
        self._lookup = lookup
        self._open_batch = open_batch
        self._checks = {
            Kind.REFUND: self._refund,
            Kind.VOID: self._void,
            Kind.INCREMENT: self._increment,
            Kind.COMPLETION: self._completion,
            Kind.RELEASE: self._release,
            Kind.TIP: self._tip,
        }

    def check(self, event: FollowUpWanted) -> tuple[PaymentView, int]:
        """Return the earlier payment, and the amount in minor units.

        Raises AlreadySettled, AmountRefused, Busy, NotAllowed, UnknownPayment.
        """
        original = self._lookup(event.original)
        return original, self._checks[event.kind](original, event.amount_minor)

    def confirm(self, payment: PaymentView) -> None:
        """The bank has approved what follows an earlier payment: that one moves, too."""
        match payment.kind:
            case Kind.VOID:
                original = self._move(payment.original, Move.VOID_CONFIRMED, Message.VOIDED)
                if original.kind is Kind.COMPLETION:
                    self._move(original.original, Move.HOLD_REOPENED, Message.HELD)
            case Kind.COMPLETION:
                self._move(payment.original, Move.HOLD_TAKEN, Message.COMPLETED)
            case Kind.RELEASE:
                self._move(payment.original, Move.VOID_CONFIRMED, Message.RELEASED)

    def _move(self, attempt: str, move: Move, reason: Message) -> PaymentView:
        original = self._lookup(attempt)
        return self._book.move(original, move, reason=reason, next_step=Message.NOTHING)

    # --- money back, and tips -------------------------------------------------

    def _refund(self, original: PaymentView, amount_minor: int | None) -> int:
        self._check_stands(original, TAKING, "refund")
        left_minor = original.amount_minor - original.refunded_minor
        if left_minor <= 0:
            raise AlreadySettled(f"Payment {original.number} is refunded in full")
        wanted_minor = left_minor if amount_minor is None else amount_minor
        if wanted_minor > left_minor:
            left = self.limits.in_words(left_minor)
            raise AmountRefused(f"Only {left} is left to refund of {original.number}")
        self.limits.check(wanted_minor)
        return wanted_minor

    def _void(self, original: PaymentView, _amount_minor: int | None) -> int:
        self._check_stands(original, TAKING, "void")
        self._check_batch(original, "refund it instead")
        self._check_idle(original, "giving {number} back")
        if original.refunded_minor:
            raise NotAllowed(f"Payment {original.number} has refunds: refund the rest instead")
        if original.tip_minor:
            raise NotAllowed(f"Payment {original.number} has a tip: void the tip first")
        return original.amount_minor

    def _tip(self, original: PaymentView, amount_minor: int | None) -> int:
        if not self.limits.tip_percent_max:
            raise NotAllowed("This shop takes no tips")
        self._check_stands(original, {Kind.SALE, Kind.COMPLETION}, "tip")
        if original.medium in WALLETS:
            raise NotAllowed(f"Payment {original.number} was paid by a wallet: no tip on it")
        self._check_batch(original, "no tip on it")
        self._check_idle(original, "being sent for {number}")
        if original.refunded_minor:
            raise NotAllowed(f"Payment {original.number} has refunds: no tip on it")
        if original.tip_minor:
            raise NotAllowed(f"Payment {original.number} has a tip: void the tip first")
        wanted_minor = amount_minor or 0
        self.limits.check(wanted_minor)
        percent = self.limits.tip_percent_max
        self.limits.check_share(wanted_minor, original.amount_minor, percent, "tip")
        return wanted_minor

    # --- what is held -----------------------------------------------------------

    def _increment(self, original: PaymentView, amount_minor: int | None) -> int:
        self._check_hold(original)
        wanted_minor = amount_minor or 0
        self.limits.check(wanted_minor)
        self.limits.check(original.held_minor + wanted_minor)
        return wanted_minor

    def _completion(self, original: PaymentView, amount_minor: int | None) -> int:
        self._check_hold(original)
        wanted_minor = original.held_minor if amount_minor is None else amount_minor
        self.limits.check(wanted_minor)
        percent = self.limits.completion_percent_max
        self.limits.check_share(wanted_minor, original.held_minor, percent, "completion")
        return wanted_minor

    def _release(self, original: PaymentView, _amount_minor: int | None) -> int:
        if original.kind is Kind.INCREMENT:
            self._check_stands(original, {Kind.INCREMENT}, "release")
            self._check_hold(self._lookup(original.original))
            return original.amount_minor
        self._check_hold(original)
        return original.held_minor

    def _check_hold(self, original: PaymentView) -> None:
        if original.kind is not Kind.PREAUTH:
            raise NotAllowed(f"Payment {original.number} is no pre-authorisation")
        self._check_stands(original, {Kind.PREAUTH}, "hold")
        self._check_idle(original, "being sent for {number}")

    # --- what they share ----------------------------------------------------------

    @staticmethod
    def _check_stands(original: PaymentView, kinds: Collection[Kind], what: str) -> None:
        """what: 'refund', 'void', 'tip', 'hold' or 'release', for the refusal."""
        if original.kind not in kinds or original.state is not State.APPROVED:
            words = original.state.replace("_", " ")
            raise NotAllowed(f"Payment {original.number} is {words}: nothing to {what}")

    def _check_batch(self, original: PaymentView, advice: str) -> None:
        # What an earlier release took is in no batch, and none was closed with it.
        if original.batch not in (0, self._open_batch()):
            raise NotAllowed(f"The batch of payment {original.number} is closed: {advice}")

    def _check_idle(self, original: PaymentView, doing: str) -> None:
        """doing: what a payment under way is still at, with {number} in it."""
        for other in self._book.payments():
            if other.original and original.id in (other.original, self._above(other)):
                still = doing.format(number=original.number)
                raise Busy(f"Payment {other.number} is still {still}")

    def _above(self, payment: PaymentView) -> str:
        """Return what the payment before this one followed; '' if it followed none."""
        return self._lookup(payment.original).original
