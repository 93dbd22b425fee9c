"""Card sales that are kept here until the bank has them: which may be, and how they go on.

Two kinds, told apart wherever they are shown: approved by the card itself, and
deferred, which nobody has approved yet. Both are sent one at a time, the oldest first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from terminal.core.book import Book
from terminal.core.hand import Hand
from terminal.core.reasons import approval
from terminal.errors import NotAllowed
from terminal.events import BankAnswer, Purpose, Tender
from terminal.messages import Message
from terminal.seams import Clock
from terminal.states import FOR_A_PERSON, KEPT, State
from terminal.states import Event as Move
from terminal.view import Kind, PaymentView

# What the bank has to decide or undo first: nothing that waited anyway overtakes it.
_FIRST = (State.AUTHORISING, State.COMPLETING, State.UNKNOWN, State.REVERSING)

STUCK_AFTER = 5
"""A sale whose answer was lost so often lets the others pass it."""


@dataclass(frozen=True, slots=True)
class CurrencyLimits:
    """How much of one currency may be deferred, in its minor units."""

    amount_max_minor: int
    """In one sale."""
    sum_max_minor: int
    """In all that is kept."""


@dataclass(frozen=True, slots=True)
class OfflineLimits:
    """How much a shop keeps while the bank is not reached."""

    defers: bool = False
    """Sales that nobody has approved may be kept, at the shop's risk."""
    count_max: int = 500
    age_max_s: float = 86_400.0
    """While the oldest is older than this no further one is kept."""
    by_currency: Mapping[str, CurrencyLimits] = field(default_factory=dict)
    """A currency that is not named is not deferred."""


class Store:
    """The kept sales of one till."""

    def __init__(self, book: Book, hand: Hand, clock: Clock, limits: OfflineLimits) -> None:
        self._book = book
        self._hand = hand
        self._clock = clock
        self.limits = limits
        self._raised = 0
        """How often the limits were raised since nothing was kept."""
        self._lost: Counter[str] = Counter()

    # --- what may be kept -------------------------------------------------------

    def kept(self) -> list[PaymentView]:
        """Return what is kept, in the order in which it will be sent."""
        found = [payment for payment in self._book.payments() if payment.state in KEPT]
        return sorted(found, key=self._place)

    def _place(self, payment: PaymentView) -> tuple[bool, int]:
        return self._lost.get(payment.id, 0) >= STUCK_AFTER, payment.number

    def is_full(self, payment: PaymentView) -> bool:
        """Say whether this sale would be one too many, whoever has approved it."""
        kept, times = self.kept(), self._raised + 1
        if not kept:
            return False
        oldest_s = (self._clock.wall_ms() - min(other.created_ms for other in kept)) / 1000
        limits = self.limits.by_currency.get(payment.currency)
        sum_minor = payment.amount_minor + sum(
            other.amount_minor for other in kept if other.currency == payment.currency
        )
        return (
            len(kept) >= self.limits.count_max * times
            or oldest_s > self.limits.age_max_s * times
            or (limits is not None and sum_minor > limits.sum_max_minor * times)
        )

    def verdict(self, payment: PaymentView, tender: Tender | None) -> Message | None:
        """Say what the cashier may do about a sale that never left, if it may be kept at all.

        Only a card can be, whose sale was signed when it was read, and that
        needs no PIN: a code and a PIN are for now. Nor can a chip that waited in
        its slot: without the bank's word it has declined.
        """
        limits = self.limits.by_currency.get(payment.currency)
        is_fit = (
            payment.kind is Kind.SALE
            and tender is not None
            and bool(tender.proof)
            and not tender.slot
            and tender.facts is not None
            and not tender.facts.pin
        )
        if not self.limits.defers or limits is None or not is_fit:
            return None
        is_over = payment.amount_minor > min(limits.amount_max_minor, limits.sum_max_minor)
        return Message.OFFLINE_FULL if is_over or self.is_full(payment) else Message.MAY_KEEP

    def keep(self, _event: object = None) -> None:
        """Keep the sale in hand, as the cashier has chosen. Raises NotAllowed."""
        payment, held = self._hand.payment, self._hand.held
        if payment is None or held is None or payment.state is not State.NOT_SENT:
            raise NotAllowed("Only a sale that was not sent can be kept")
        tender = held.sent
        if tender is None or self.verdict(payment, tender) is not Message.MAY_KEEP:
            raise NotAllowed("This sale cannot be kept: take cash, or try again")
        held.sent = None
        self._book.move(
            payment,
            Move.CASHIER_KEPT,
            sealed=tender.to_keep,
            is_deferred=True,
            reason=Message.DEFERRED,
            next_step=Message.CUSTOMER_SIGNS if payment.signature else Message.SENT_LATER,
        )

    def raise_limits(self, _event: object = None) -> None:
        """Allow as much again as the shop's limits say, until nothing is kept any more."""
        if not self.kept():
            raise NotAllowed("Nothing is kept: the limits are not reached")
        self._raised += 1

    # --- how it goes on ---------------------------------------------------------

    def forward(self) -> None:
        """Send the first of the kept sales, unless it must wait or something goes first."""
        first = min(
            (payment for payment in self._book.payments() if payment.state in KEPT),
            key=self._place,
            default=None,
        )
        if first is None:
            self._raised = 0
            self._lost.clear()
        elif self._book.next_try(first) is None and not any(map(self._book.in_state, _FIRST)):
            self._book.send(Purpose.ADVISE, first)

    def decided(self, payment: PaymentView, answer: BankAnswer) -> None:
        """The bank has booked it, or it never will."""
        if answer.state == "approved":
            reason, next_step = approval(payment)
            self._book.move(
                payment,
                Move.BANK_APPROVED,
                sealed="",
                brand=answer.brand or payment.brand,
                bank_reference=answer.reference,
                authorisation=answer.authorisation,
                response_code=answer.code,
                reason=reason,
                next_step=next_step,
            )
        else:
            # Answered, it leaves no card data behind, sealed or not.
            self._refuse(payment, answer.code, bank_reference=answer.reference, sealed="")

    def not_accepted(self, payment: PaymentView, code: str = "") -> None:
        """The bank will not take it, however often it is sent; nobody has decided on it."""
        self._refuse(payment, code)

    def lost(self, payment: PaymentView) -> None:
        """It left, and no answer came."""
        self._lost[payment.id] += 1

    def _refuse(self, payment: PaymentView, code: str, **changes: str) -> None:
        self._book.move(
            payment,
            Move.BANK_DECLINED,
            response_code=code,
            reason=Message.STORED_REFUSED,
            next_step=Message.TELL_SUPERVISOR,
            **changes,
        )

    # --- what only a person can end ---------------------------------------------

    def settle(self, attempt: str, note: str, person: str) -> None:
        """Note how somebody settled what the bank refused for good. Raises NotAllowed."""
        payment = self._book.find(attempt)
        if payment is None or payment.state not in FOR_A_PERSON:
            raise NotAllowed("This payment waits for nobody's decision")
        self._book.move(
            payment,
            Move.PERSON_SETTLED,
            sealed="",
            note=note,
            settled_by=person,
            reason=Message.SETTLED,
            next_step=Message.NOTHING,
        )

    def note_exported(self, attempts: tuple[str, ...]) -> None:
        """Note that these were written to a file that the bank can be given."""
        for payment in self.kept():
            if payment.id in attempts and not payment.is_exported:
                self._book.move(payment, Move.EXPORTED, is_exported=True)


def refuse_while_kept(kept: Iterable[PaymentView]) -> None:
    """Raise NotAllowed while a kept sale is neither sent nor exported.

    Asked before whatever could leave them behind: signing out, wiping,
    enrolling again.
    """
    count = sum(not payment.is_exported for payment in kept)
    if count:
        raise NotAllowed(f"Kept sales not sent yet: {count}. Send or export them first")
