"""The people of one till: a cashier, customers with cards and wallets, and somebody who repairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from simulators.card import AnyCard
from simulators.card.faults import with_faults
from simulators.wallet import Wallet
from simulators.wallet_door import WalletError
from simulators.world.agenda import Agenda
from simulators.world.history import GiveBack, Sale
from simulators.world.till import WorldTill
from terminal.batch.events import BatchCloseWanted
from terminal.errors import JournalUnavailable
from terminal.events import (
    CancelWanted,
    CardEnd,
    CodeWanted,
    FollowUpWanted,
    KeepWanted,
    LeaveWanted,
    SaleWanted,
    SettleWanted,
)
from terminal.seams import uuid7
from terminal.states import FOR_A_PERSON, State
from terminal.view import Kind, Readiness, View

CURRENCY: Final = "CNY"
CASHIER: Final = "01"
SUPERVISOR: Final = "00"
TRIES_MAX: Final = 3
AGAIN_S: Final = 2.0
LOOKED_AT: Final = 100
"""Of so many payments the cashier finds one to give back."""
ESCAPES: Final = frozenset({State.AWAITING_TENDER, State.CODE_OPEN, State.AWAITING_PAYER})


class People:
    """Whoever stands on either side of one counter."""

    def __init__(
        self,
        till: WorldTill,
        agenda: Agenda,
        cards: Mapping[str, AnyCard],
        wallets: Mapping[str, Wallet],
    ) -> None:
        self._till = till
        self._agenda = agenda
        self._cards = cards
        self._wallets = wallets
        self._sale: tuple[str, Sale] | None = None
        """The sale in hand, by its attempt."""

    # --- the cashier ------------------------------------------------------------

    def sell(self, sale: Sale) -> None:
        """Ring a sale up, if the counter can be cleared for it."""
        if not self._clear():
            return
        attempt = uuid7(self._till.clock, self._till.random)
        wanted = SaleWanted(attempt, sale.amount_minor, CURRENCY, CASHIER)
        if self._till.take(wanted) is not None:
            return
        self._sale = attempt, sale
        self._agenda.after(sale.presents_s, lambda: self._present(attempt, sale, TRIES_MAX))
        if sale.escapes_s is not None:
            self._agenda.after(sale.escapes_s, lambda: self._escape(attempt))

    def give_back(self, deed: GiveBack) -> None:
        """Refund or void one of the last sales."""
        if not self._clear():
            return
        try:
            payments = self._till.journal.payments(limit=LOOKED_AT)
        except JournalUnavailable:
            # The disk is broken: nobody finds the sale now.
            return
        sales = [
            payment
            for payment in payments
            if payment.kind is Kind.SALE and payment.state is State.APPROVED
        ]
        if not sales:
            return
        sale = sales[deed.pick % len(sales)]
        attempt = uuid7(self._till.clock, self._till.random)
        if deed.is_void:
            self._till.take(FollowUpWanted(attempt, Kind.VOID, sale.id, cashier=CASHIER))
            return
        amount_minor = max(1, int((sale.amount_minor - sale.refunded_minor) * deed.share))
        self._till.take(FollowUpWanted(attempt, Kind.REFUND, sale.id, amount_minor, CASHIER))

    def leave(self) -> None:
        """Go on with what the till can finish by itself."""
        if self._till.is_on:
            self._till.take(LeaveWanted())

    def close_day(self) -> None:
        """Ask for the close; the till refuses it while a payment is open."""
        if self._clear():
            self._till.take(BatchCloseWanted(SUPERVISOR))

    def settle_inbox(self) -> None:
        """Settle what the bank refused for good."""
        for payment in self._till.journal.unfinished():
            if payment.state in FOR_A_PERSON:
                self._till.take(SettleWanted(payment.id, "asked the customer", SUPERVISOR))

    def look(self, view: View) -> None:
        """The cashier looks at the screen: a sale that was not sent may be kept."""
        payment = view.payment
        if payment is None or self._sale is None or self._sale[0] != payment.id:
            return
        if view.keep is Readiness.READY and self._sale[1].keeps:
            self._agenda.after(1.0, lambda: self._keep(payment.id))

    def _keep(self, attempt: str) -> None:
        if self._in_hand(attempt, State.NOT_SENT):
            self._till.take(KeepWanted())

    def _escape(self, attempt: str) -> None:
        if self._in_hand(attempt, *ESCAPES):
            self._till.take(CancelWanted())

    def _clear(self) -> bool:
        """Make the counter free; False if a payment still needs it."""
        if not self._till.is_on:
            return False
        payment = self._till.view.payment
        if payment is None:
            return True
        if payment.state in ESCAPES:
            self._till.take(CancelWanted())
        if self._till.is_on:
            self._till.take(LeaveWanted())
        return self._till.is_on

    def _in_hand(self, attempt: str, *states: State) -> bool:
        payment = self._till.view.payment
        return payment is not None and payment.id == attempt and payment.state in states

    # --- the customer -----------------------------------------------------------

    def _present(self, attempt: str, sale: Sale, tries: int) -> None:
        """Present what the customer pays with; up to so many times, if it does not count."""
        if not self._in_hand(attempt, State.AWAITING_TENDER):
            return
        kind, _, name = sale.tender.partition(":")
        faults = (sale.tear,) if sale.tear and tries == TRIES_MAX else ()
        try:
            is_done = self._show(attempt, sale, kind, name, faults)
        except WalletError:
            # The wallet has no way to its bank now.
            is_done = False
        if not is_done and tries > 1:
            self._agenda.after(AGAIN_S, lambda: self._present(attempt, sale, tries - 1))

    def _show(
        self, attempt: str, sale: Sale, kind: str, name: str, faults: tuple[str, ...]
    ) -> bool:
        """Present it once; False if it has to be presented again. Raises WalletError."""
        counter = self._till.counter
        match kind:
            case "card":
                end = counter.tap(with_faults(self._cards[name], faults))
                return end not in (None, CardEnd.AGAIN)
            case "chip":
                return counter.insert(with_faults(self._cards[name], faults))
            case "code":
                codes, _ = self._wallets[name].new_codes()
                self._agenda.after(sale.pays_s, lambda: self._answer_pending(name))
                return counter.scan(codes[0])
            case _:
                refusal = self._till.take(CodeWanted(uuid7(self._till.clock, self._till.random)))
                self._agenda.after(1.0, lambda: self._look_for_code(attempt, sale, name, 20))
                if sale.second:
                    self._agenda.after(sale.presents_s, lambda: self._tap_second(attempt, sale))
                return refusal is None

    def _tap_second(self, attempt: str, sale: Sale) -> None:
        if self._in_hand(attempt, State.CODE_OPEN):
            self._till.counter.tap(self._cards[sale.second.partition(":")[2]])

    def _look_for_code(self, attempt: str, sale: Sale, wallet: str, looks: int) -> None:
        """Scan the code once it is shown, and pay it whenever the owner is ready."""
        code = self._till.view.code
        if not self._in_hand(attempt, State.CODE_OPEN) or looks == 0:
            return
        if code is None:
            self._agenda.after(1.0, lambda: self._look_for_code(attempt, sale, wallet, looks - 1))
            return
        text = code.text
        self._agenda.after(sale.pays_s, lambda: self._ask_wallet(lambda: self._pay(wallet, text)))

    def _pay(self, wallet: str, text: str) -> None:
        self._wallets[wallet].pay(text)

    def _answer_pending(self, wallet: str) -> None:
        self._ask_wallet(lambda: self._wallets[wallet].answer_pending())

    @staticmethod
    def _ask_wallet(ask: Callable[[], object]) -> None:
        try:
            ask()
        except WalletError:
            # No way to the bank: the owner puts the phone away.
            return
