"""What may be asked for at the close of day; a part of the till's one door."""

from __future__ import annotations

from collections.abc import Callable

from terminal.batch.batch import Batch
from terminal.batch.events import (
    BatchCheckWanted,
    BatchCloseWanted,
    DifferenceAccepted,
    LinesWanted,
    TotalsWanted,
)
from terminal.errors import NotAllowed
from terminal.journal import Journal
from terminal.people.notes import checked_note
from terminal.people.privileges import Act
from terminal.people.register import Person
from terminal.runner import Runner

Check = Callable[[Act, str], Person]
"""Returns who does it, if it may be done; raises ApprovalNeeded, NotAllowed."""


class DayDoor:
    """The close of day. Its calls return at once; the view tells how it goes on.

    Each raises ApprovalNeeded or NotAllowed, with nothing changed.
    """

    def __init__(self, runner: Runner, journal: Journal, check: Check) -> None:
        self._runner = runner
        self._journal = journal
        self._check = check

    def ask_totals(self) -> None:
        """Sum the open batch up and ask the bank what it has: View.inquiry tells."""
        self._check(Act.READ_TOTALS, "")
        self._runner.ask(TotalsWanted())

    def compare_lines(self) -> None:
        """Have the open batch, its totals asked for, compared line by line: View.inquiry tells."""
        if self._runner.view.inquiry is None:
            raise NotAllowed("Ask for the totals first")
        self._runner.ask(LinesWanted())

    def close(self) -> int:
        """Close the open batch; return its number. View.batches tells how it goes on.

        Raises Busy while a payment is not at its end, JournalUnavailable.
        """
        closer = self._check(Act.SETTLE, "close of day")
        self._runner.ask(BatchCloseWanted(closer.called))
        return self._runner.view.batch - 1

    def check(self, number: int) -> None:
        """Ask the bank again about a batch that is not closed. Raises JournalUnavailable."""
        self._check(Act.SETTLE, f"batch {number}")
        self._runner.ask(BatchCheckWanted(number))

    def accept(self, number: int, note: str) -> None:
        """Take a batch as the bank has it, and say why; the bank closes it then.

        Raises JournalUnavailable.
        """
        kept = checked_note(note)
        supervisor = self._check(Act.SETTLE, f"batch {number}")
        self._runner.ask(DifferenceAccepted(number, supervisor.called, kept))

    def batch(self, number: int) -> Batch:
        """Return a batch whose close was asked for."""
        self._check(Act.READ_TOTALS, f"batch {number}")
        found = self._journal.batch(number)
        if found is None:
            raise NotAllowed(f"No batch {number} was closed here")
        return found
