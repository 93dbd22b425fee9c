"""Brings batches to their close at the bank.

A batch that the bank has not answered for stays as it is and is asked about
again; the next one is open beside it all the while.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from terminal.batch.batch import Batch, BatchMove, BatchState, Difference, Line, after
from terminal.batch.events import (
    BatchAnswered,
    BatchCheckWanted,
    BatchCloseWanted,
    BatchPurpose,
    BatchUnanswered,
    DifferenceAccepted,
    LinesCompared,
    LinesWanted,
    RecordBatch,
    SendBatch,
    TotalsWanted,
)
from terminal.batch.totals import digest_of, lines_of, totals_of
from terminal.core.book import RETRY_FIRST_S, RETRY_MAX_S, Book
from terminal.errors import Busy, NotAllowed
from terminal.events import JournalFailed, SetTimer, StopTimer, Timer
from terminal.seams import Clock
from terminal.view import PaymentView

LINES_A_PART: Final = 200
"""What the bank takes at once. Source: docs/bank-link.md, Batches."""
TIMER: Final = "batch"


@dataclass(slots=True)
class _Comparison:
    """One batch on its way to the bank, line by line."""

    lines: tuple[Line, ...]
    sent_through: str = ""
    is_last: bool = False
    found: list[Difference] = field(default_factory=list)


class Closing:
    """The open batch, and those whose close has not come to its end."""

    def __init__(
        self,
        book: Book,
        clock: Clock,
        read_batch: Callable[[int], Sequence[PaymentView]],
        day_of: Callable[[int], str],
    ) -> None:
        """read_batch: finds a batch's payments, oldest first. day_of: names a moment's day."""
        self._book = book
        self._clock = clock
        self._read_batch = read_batch
        self._day_of = day_of
        self.number = 1
        """Of the open batch."""
        self.inquiry: Batch | None = None
        """The open batch when somebody last asked for its totals; not in the journal."""
        self._unsettled: dict[int, Batch] = {}
        self._last: Batch | None = None
        self._opened_ms: int | None = None
        self._before: tuple[int, dict[int, Batch], Batch | None] | None = None
        self._in_flight: set[tuple[BatchPurpose, int]] = set()
        self._comparisons: dict[int, _Comparison] = {}
        self._tries: dict[int, int] = {}

    @property
    def handlers(self) -> dict[type, Callable[[Any], None]]:
        """What takes each event of a batch."""
        return {
            TotalsWanted: self._totals_wanted,
            LinesWanted: self._lines_wanted,
            BatchCloseWanted: self._close_wanted,
            BatchCheckWanted: self._check_wanted,
            DifferenceAccepted: self._accepted,
            BatchAnswered: self._answered,
            LinesCompared: self._compared,
            BatchUnanswered: self._unanswered,
        }

    def begin(self, number: int, unsettled: Sequence[Batch]) -> None:
        """Take up what an earlier till left. number: of the open batch."""
        self.number = number
        payments = self._read_batch(number)
        self._opened_ms = payments[0].created_ms if payments else None
        self._unsettled = {batch.number: batch for batch in unsettled}
        for batch in unsettled:
            self._follow(batch)

    def note_payment(self, created_ms: int) -> None:
        """A payment begins in the open batch."""
        if self._opened_ms is None:
            self._opened_ms = created_ms

    @property
    def batches(self) -> tuple[Batch, ...]:
        """Those that are not closed, and the one that was closed last, if it was since start."""
        last = () if self._last is None else (self._last,)
        return (*self._unsettled.values(), *last)

    @property
    def is_day_over(self) -> bool:
        """True once the open batch's day has passed by the wall clock."""
        if self._opened_ms is None:
            return False
        return self._day_of(self._clock.wall_ms()) > self._day_of(self._opened_ms)

    # --- what people want -------------------------------------------------------

    def _totals_wanted(self, _event: TotalsWanted) -> None:
        self.inquiry, _ = self._summed_up()
        self._send(SendBatch(BatchPurpose.TOTALS, self.inquiry))

    def _lines_wanted(self, _event: LinesWanted) -> None:
        self.inquiry, lines = self._summed_up()
        self._send(SendBatch(BatchPurpose.TOTALS, self.inquiry))
        self._compare(self.inquiry, lines)

    def _close_wanted(self, event: BatchCloseWanted) -> None:
        for payment in self._book.payments():
            words = payment.state.replace("_", " ")
            raise Busy(f"Payment {payment.number} is {words}: the close waits for its end")
        batch, _ = self._summed_up()
        if not self._read_batch(self.number):
            raise NotAllowed("Nothing to close: no payment since the last close")
        batch = self._move(replace(batch, closed_by=event.by), BatchMove.CLOSE_WANTED)
        self.number += 1
        self._opened_ms = None
        self.inquiry = None
        self._send(SendBatch(BatchPurpose.CLOSE, batch))

    def _check_wanted(self, event: BatchCheckWanted) -> None:
        if self._last is not None and self._last.number == event.number:
            # It was closed while somebody made up their mind.
            return
        batch = self._found(event.number)
        if batch.state is BatchState.DIFFERS:
            batch = self._move(replace(batch, bank=None, differences=None), BatchMove.CHECK_WANTED)
        self._follow(batch)

    def _accepted(self, event: DifferenceAccepted) -> None:
        batch = self._found(event.number)
        if batch.state is not BatchState.DIFFERS:
            raise NotAllowed(f"Batch {batch.number} has no difference to accept")
        batch = self._move(
            replace(batch, accepted_by=event.by, note=event.note), BatchMove.ACCEPTED
        )
        self._follow(batch)

    def _found(self, number: int) -> Batch:
        batch = self._unsettled.get(number)
        if batch is None:
            raise NotAllowed(f"Batch {number} is not waiting for its close")
        return batch

    # --- what the bank says -------------------------------------------------------

    def _answered(self, event: BatchAnswered) -> None:
        self._in_flight.discard((event.purpose, event.number))
        if event.purpose is BatchPurpose.TOTALS:
            if self.inquiry is not None and self.inquiry.number == event.number:
                self.inquiry = replace(self.inquiry, bank=event.totals)
            return
        batch = self._unsettled.get(event.number)
        if batch is None or batch.state is not BatchState.CLOSING:
            return
        batch = replace(batch, bank=event.totals)
        self._forget_tries(batch.number)
        if event.state == "closed":
            self._last = self._move(batch, BatchMove.BANK_CLOSED)
            del self._unsettled[batch.number]
        elif event.state == "differs":
            self._follow(self._move(batch, BatchMove.BANK_DIFFERS))
        else:
            # The bank answered, but not what ends this state: keep at it.
            self._retry(batch.number)

    def _compared(self, event: LinesCompared) -> None:
        self._in_flight.discard((BatchPurpose.LINES, event.number))
        comparison = self._comparisons.get(event.number)
        if comparison is None:
            return
        comparison.found += event.differences
        self._forget_tries(event.number)
        if event.through:
            comparison.sent_through = event.through
        elif comparison.is_last:
            self._finish_comparison(event.number, comparison)
            return
        self._send_part(event.number, comparison)

    def _unanswered(self, event: BatchUnanswered) -> None:
        self._in_flight.discard((event.purpose, event.number))
        if event.number in self._unsettled:
            self._retry(event.number)
        else:
            self._comparisons.pop(event.number, None)

    # --- ways on ------------------------------------------------------------------

    def rang(self, number: str) -> None:
        """Its time to be tried again has come."""
        batch = self._unsettled.get(int(number))
        if batch is not None:
            self._follow(batch)

    def _follow(self, batch: Batch) -> None:
        """Do now what brings a batch nearer to its close."""
        match batch.state:
            case BatchState.CLOSING:
                self._send(SendBatch(BatchPurpose.CLOSE, batch))
            case BatchState.COMPARING:
                self._compare(batch, lines_of(self._read_batch(batch.number)))

    def _compare(self, batch: Batch, lines: tuple[Line, ...]) -> None:
        """Begin at the first line; nothing of an earlier try counts."""
        if (BatchPurpose.LINES, batch.number) not in self._in_flight:
            self._comparisons[batch.number] = _Comparison(lines)
            self._send_part(batch.number, self._comparisons[batch.number])

    def _send_part(self, number: int, comparison: _Comparison) -> None:
        start = comparison.sent_through
        rest = [line for line in comparison.lines if line.attempt > start]
        part = tuple(rest[:LINES_A_PART])
        comparison.is_last = len(part) == len(rest)
        comparison.sent_through = part[-1].attempt if part else start
        batch = self._unsettled.get(number) or self.inquiry
        if batch is not None:
            self._send(
                SendBatch(BatchPurpose.LINES, batch, part, start, is_last=comparison.is_last)
            )

    def _finish_comparison(self, number: int, comparison: _Comparison) -> None:
        del self._comparisons[number]
        found = tuple(comparison.found)
        batch = self._unsettled.get(number)
        if batch is not None and batch.state is BatchState.COMPARING:
            self._move(replace(batch, differences=found), BatchMove.COMPARED)
        elif self.inquiry is not None and self.inquiry.number == number:
            self.inquiry = replace(self.inquiry, differences=found)

    def _summed_up(self) -> tuple[Batch, tuple[Line, ...]]:
        """Return the open batch as it is now, and its lines."""
        payments = self._read_batch(self.number)
        lines = lines_of(payments)
        opened_ms = payments[0].created_ms if payments else self._clock.wall_ms()
        batch = Batch(
            number=self.number,
            state=BatchState.OPEN,
            day=self._day_of(opened_ms),
            totals=totals_of(lines),
            digest=digest_of(lines),
            updated_ms=self._clock.wall_ms(),
        )
        return batch, lines

    # --- one step -----------------------------------------------------------------

    def _move(self, batch: Batch, move: BatchMove) -> Batch:
        """Move a batch by the table, and have the move recorded."""
        self._before = (self.number, dict(self._unsettled), self._last)
        moved = replace(batch, state=after(batch.state, move), updated_ms=self._clock.wall_ms())
        self._unsettled[moved.number] = moved
        self._book.wish(RecordBatch(moved, move))
        return moved

    def undo(self, failed: JournalFailed) -> None:
        """Go back to what the disk holds; what was to be sent behind it is sent later."""
        if failed.batch and self._before is not None:
            self.number, self._unsettled, self._last = self._before
            payments = self._read_batch(self.number)
            self._opened_ms = payments[0].created_ms if payments else None
        for wish in failed.undone:
            if isinstance(wish, SendBatch):
                self._in_flight.discard((wish.purpose, wish.batch.number))
                if wish.batch.number in self._unsettled:
                    self._retry(wish.batch.number)

    def _send(self, wish: SendBatch) -> None:
        """Tell the bank, unless it is being told already."""
        key = (wish.purpose, wish.batch.number)
        if key not in self._in_flight:
            self._in_flight.add(key)
            self._book.wish(wish)

    def _retry(self, number: int) -> None:
        """Try later: the longer, the more often it was tried."""
        tries = self._tries.get(number, 0)
        self._tries[number] = tries + 1
        delay_s = min(RETRY_MAX_S, RETRY_FIRST_S * 2.0 ** min(tries, 10))
        at = self._clock.monotonic() + delay_s
        self._book.wish(SetTimer(Timer(TIMER, str(number)), at))

    def _forget_tries(self, number: int) -> None:
        self._tries.pop(number, None)
        self._book.wish(StopTimer(Timer(TIMER, str(number))))
