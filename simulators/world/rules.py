"""What must hold in a world, at each step and at its end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from simulators.card import AnyProfile, find_card
from simulators.world.bank import WorldBank
from simulators.world.broken import RuleBroken
from simulators.world.till import WorldTill
from simulators.world.works import INSERTED, TAPPED
from terminal.events import Entry
from terminal.money import plain_amount
from terminal.states import FINAL, State
from terminal.view import Kind, Medium, PaymentView, Stage, View

COPY: Final = "重打印"
"""What stands on a receipt that was printed before."""
_TAKEN: Final = frozenset({State.APPROVED, State.STORED, State.DEFERRED, State.VOIDED})
_BOOKED: Final = frozenset({State.APPROVED, State.VOIDED})
_JUDGED: Final = (FINAL - {State.SETTLED}) | {State.STORED_REFUSED}
"""States in which the bank's books are known; what somebody settles is settled outside them."""


class Rules:
    """Looks on, and raises RuleBroken. Satisfies simulators.world.till.Watcher."""

    def __init__(self, bank: WorldBank) -> None:
        self._bank = bank
        self._handed_over: dict[str, tuple[str, State]] = {}
        """Attempts for which goods were given, with the till and what it showed."""

    # --- at each step -------------------------------------------------------------

    def moved(self, till: WorldTill, entries: Sequence[Entry]) -> None:
        """Compare each move that ends a payment with the bank's books."""
        for entry in entries:
            payment = entry.payment
            if payment.state in _JUDGED:
                booked, due = self._bank.net_minor(payment.id), due_minor(payment)
                if booked != due:
                    self._break("money", till, payment, f"the bank booked {booked}, not {due}")
            if payment.state is State.NOT_SENT and self._bank.state(payment.id):
                self._break("not sent", till, payment, "yet the bank has heard of it")
            is_chips = payment.medium is Medium.CHIP and payment.kind is Kind.SALE
            if is_chips and payment.state in _BOOKED and not till.counter.agreed(payment.id):
                self._break("card", till, payment, "the chip did not agree")

    def sends(self, till: WorldTill, payment: PaymentView) -> None:
        """No new payment goes to the bank before a reversal that is pending."""
        for other in till.journal.unfinished():
            if other.state is State.REVERSING:
                self._break("overtaken", till, payment, f"{other.number} is being reversed")

    def started(self, till: WorldTill, length: int) -> None:
        """No move that was called safe is gone."""
        if length < till.length:
            raise RuleBroken("memory", f"{till.name} has {length} moves of {till.length}")
        till.length = length

    def shows(self, till: WorldTill, view: View) -> None:
        """Goods are handed over where the till says so: the journal has to say it too."""
        payment = view.payment
        if view.stage is not Stage.RESULT or payment is None or payment.state not in _TAKEN:
            return
        if payment.id in self._handed_over:
            return
        kept = till.journal.payment(payment.id)
        if kept.state is not payment.state:
            self._break("screen", till, kept, f"the screen says {payment.state}")
        self._handed_over[payment.id] = (till.name, payment.state)

    def printed(self, till: WorldTill) -> None:
        """A receipt says what the journal says."""
        slip = till.printer.slips[-1]
        if not slip.attempt:
            return
        payment = till.journal.payment(slip.attempt)
        if plain_amount(payment.amount_minor, 2) not in slip.text:
            self._break("receipt", till, payment, "another amount is on paper")
        if payment.state in _BOOKED and not self._bank.state(payment.id):
            self._break("receipt", till, payment, "the bank has never heard of it")

    # --- at the end -----------------------------------------------------------------

    def check_end(self, tills: Iterable[WorldTill], counters: Mapping[str, int]) -> None:
        """Compare ledger, journals, receipts and card counters, once all is quiet.

        counters: by account, how many transactions its card has counted.
        """
        known: dict[str, PaymentView] = {}
        for till in tills:
            payments = till.journal.payments(limit=1_000_000)
            known |= {payment.id: payment for payment in payments}
            self._check_journal(till, payments)
            self._check_paper(till)
        for attempt, state in self._bank.attempts().items():
            if attempt not in known:
                raise RuleBroken("unknown to the tills", f"the bank has {attempt} as {state}")
        if faults := self._bank.faults():
            raise RuleBroken("ledger", "; ".join(faults))
        self._check_goods(known)
        self._check_cards(known, counters)

    def _check_journal(self, till: WorldTill, payments: Sequence[PaymentView]) -> None:
        till.journal.verify()
        for payment in payments:
            if payment.state not in FINAL:
                self._break("open", till, payment, "long after everything was mended")
            if payment.state not in _JUDGED:
                continue
            booked, due = self._bank.net_minor(payment.id), due_minor(payment)
            if booked != due:
                self._break("money", till, payment, f"the bank booked {booked}, not {due}")
            if payment.state is State.NOT_SENT and self._bank.state(payment.id):
                self._break("not sent", till, payment, "yet the bank has heard of it")
        if unsettled := till.journal.unsettled_batches():
            batch = unsettled[0]
            raise RuleBroken(
                "close of day", f"{till.name}: batch {batch.number} is {batch.state}: {batch}"
            )

    def _check_paper(self, till: WorldTill) -> None:
        """Nobody asked for a second slip, and none is for a payment that was never made."""
        printed: set[str] = set()
        for slip in till.printer.slips:
            if slip.text in printed or COPY in slip.text:
                raise RuleBroken("receipt", f"{till.name} printed it twice: {slip.text}")
            printed.add(slip.text)
            if slip.attempt:
                till.journal.payment(slip.attempt)

    def _check_goods(self, known: Mapping[str, PaymentView]) -> None:
        for attempt, (till, shown) in self._handed_over.items():
            payment = known[attempt]
            if payment.state not in _BOOKED and shown is State.APPROVED:
                raise RuleBroken(
                    "goods", f"{till} showed {attempt} as approved, and it is {payment.state}"
                )

    def _check_cards(self, known: Mapping[str, PaymentView], counters: Mapping[str, int]) -> None:
        """Each card sale that was paid used one cryptogram of its card, and no other did."""
        used: dict[str, int] = {}
        for account, counter, attempt in self._bank.cryptograms():
            if attempt in used:
                raise RuleBroken("card counters", f"{attempt} has two cryptograms")
            used[attempt] = counter
            if counter > counters[account]:
                raise RuleBroken("card counters", f"{account} never counted to {counter}")
        for payment in known.values():
            is_card = payment.medium in (Medium.CARD, Medium.CHIP, Medium.PHONE)
            is_paid = payment.kind is Kind.SALE and payment.state in _BOOKED
            if is_card and is_paid and payment.id not in used:
                raise RuleBroken("card counters", f"{payment.id} was paid by no cryptogram")

    @staticmethod
    def _break(rule: str, till: WorldTill, payment: PaymentView, detail: str) -> None:
        raise RuleBroken(
            rule, f"{till.name}: payment {payment.number}, {payment.state}, {payment.id}: {detail}"
        )


def due_minor(payment: PaymentView) -> int:
    """Return what the merchant has by a payment at its end; below zero what it gave back."""
    if payment.state not in _BOOKED:
        return 0
    return payment.amount_minor if payment.kind is Kind.SALE else -payment.amount_minor


def find_clear(folders: Iterable[Path], texts: Iterable[str]) -> None:
    """Look for card numbers in every file and text; raise RuleBroken where one is."""
    needles = [
        form for name in (*TAPPED, *INSERTED) for pan in pans_of(name) for form in _forms(pan)
    ]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    pieces = [(str(path), path.read_bytes()) for path in files]
    pieces += [("what was said", text.encode()) for text in texts]
    for where, content in pieces:
        for needle in needles:
            if needle in content:
                raise RuleBroken("card data in clear", where)


def pans_of(card: str) -> set[str]:
    """Return the numbers of a card of a world."""
    profile: AnyProfile = find_card(card)
    return {application.pan for application in profile.applications if application.pan}


def _forms(pan: str) -> tuple[bytes, ...]:
    """Return a number as text, and as packed digits."""
    return pan.encode("ascii"), bytes.fromhex(pan + "F" * (len(pan) % 2))
