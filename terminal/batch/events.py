"""What the close of day hears, and what it wishes done."""

from __future__ import annotations

import enum

from msgspec import Struct

from terminal.batch.batch import Batch, BatchMove, Difference, Line, Total


class BatchPurpose(enum.Enum):
    """Why a batch is told to the bank."""

    TOTALS = "totals"
    CLOSE = "close"
    LINES = "lines"


# --- events -----------------------------------------------------------------


class TotalsWanted(Struct, frozen=True):
    """Sum the open batch up, and ask the bank what it has."""


class LinesWanted(Struct, frozen=True):
    """Have the open batch compared line by line, before it is closed."""


class BatchCloseWanted(Struct, frozen=True):
    """Close the open batch; the next payment begins another."""

    by: str
    """Who asks, as receipts call them."""


class BatchCheckWanted(Struct, frozen=True):
    """Ask the bank now about a batch that is not closed."""

    number: int


class DifferenceAccepted(Struct, frozen=True):
    """Somebody who may do so takes a batch as the bank has it."""

    number: int
    by: str
    note: str


class BatchAnswered(Struct, frozen=True):
    """The bank told how a batch stands there, and it is verified."""

    purpose: BatchPurpose
    number: int
    state: str
    """As in docs/bank-link.md: open, closed or differs."""
    totals: tuple[Total, ...]


class LinesCompared(Struct, frozen=True):
    """The bank compared a part of a batch, and it is verified."""

    number: int
    differences: tuple[Difference, ...]
    through: str = ""
    """Compared up to this attempt only; '': the whole part."""


class BatchUnanswered(Struct, frozen=True):
    """No verified answer came, or the bank refused the question itself."""

    purpose: BatchPurpose
    number: int


BatchEvent = (
    TotalsWanted
    | LinesWanted
    | BatchCloseWanted
    | BatchCheckWanted
    | DifferenceAccepted
    | BatchAnswered
    | LinesCompared
    | BatchUnanswered
)

# --- wishes -----------------------------------------------------------------


class RecordBatch(Struct, frozen=True):
    """Put this move on disk before anything else happens."""

    batch: Batch
    """As it stands after the move."""
    move: BatchMove


class SendBatch(Struct, frozen=True):
    """Tell the bank of a batch; the answer comes as an event with the same number."""

    purpose: BatchPurpose
    batch: Batch
    lines: tuple[Line, ...] = ()
    """For LINES: a part, in order of identity."""
    after: str = ""
    """The last attempt of the part before; '' for the first."""
    is_last: bool = True
