"""The close of day in lines."""

from __future__ import annotations

from collections.abc import Callable

from terminal.batch.batch import Batch, BatchState
from terminal.batch.totals import rows_of
from terminal.view import View
from ui.door import Door
from ui.locale import translate
from ui.money import amount_text
from ui.screens.close import ROWS


class DayInLines:
    """Tells the totals once they are there; Enter then closes the day."""

    def __init__(self, till: Door, language: Callable[[], str], say: Callable[[str], None]) -> None:
        """language: the one spoken now. say: takes one line to tell."""
        self._till = till
        self._language = language
        self._say = say
        self._wanted: Callable[[], object] | None = None
        """What was refused for want of a second person."""
        self._is_asking = False
        self._is_offered = False
        """The totals were told: Enter closes."""

    def _words(self, english: str) -> str:
        return translate(self._language())(english)

    def ask(self) -> None:
        """Ask for the totals. Raises ApprovalNeeded, NotAllowed."""
        self._try(self._till.day.ask_totals)
        self._is_asking = True
        self._say(self._words("Asking the bank."))

    def enter(self) -> bool:
        """Close the day, if that was offered. Raises ApprovalNeeded, NotAllowed, Busy."""
        if not self._is_offered:
            return False
        self._try(self._till.day.close)
        self._is_offered = False
        return True

    def again(self) -> None:
        """Do what waited for somebody's yes."""
        wanted = self._wanted
        if wanted == self._till.day.ask_totals:
            self.ask()
        elif wanted is not None:
            self.enter()

    def forget(self) -> None:
        """The cashier does something else."""
        self._is_asking = self._is_offered = False
        self._wanted = None

    def _try(self, wish: Callable[[], object]) -> None:
        self._wanted = wish
        wish()
        self._wanted = None

    def saw(self, old: View, view: View) -> None:
        """Tell the totals that were asked for, and what becomes of a close."""
        inquiry = view.inquiry
        if self._is_asking and inquiry is not None and inquiry.bank is not None:
            self._is_asking, self._is_offered = False, True
            self._tell_rows(inquiry)
            self._say(self._words("Enter closes the day, cancel does not."))
        before = {batch.number: batch.state for batch in old.batches}
        for batch in view.batches:
            if before.get(batch.number) is not batch.state:
                self._tell_state(batch)

    def _tell_rows(self, batch: Batch) -> None:
        shop = self._till.shop
        for row in rows_of(batch, shop.currency):
            name = self._words(ROWS[row.name])
            till = amount_text(row.till_minor, shop)
            if not row.difference_minor or row.bank_minor is None:
                self._say(f"{name}: {till}, {self._words('agrees')}.")
                continue
            text = self._words("{row}: till {till}, bank {bank}, differs.")
            bank = amount_text(row.bank_minor, shop)
            self._say(text.format(row=name, till=till, bank=bank))

    def _tell_state(self, batch: Batch) -> None:
        match batch.state:
            case BatchState.CLOSING:
                text = self._words("Batch {number} goes to the bank.")
            case BatchState.CLOSED:
                text = self._words("Batch {number} is closed.")
            case BatchState.DIFFERS:
                text = self._words("Batch {number}: the bank has something else. See till settle.")
            case _:
                return
        self._say(text.format(number=batch.number))
