"""What the close of day hears, and what it wishes done."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from terminal.batch.batch import Batch, BatchMove, Difference, Line, Total


class BatchPurpose(enum.Enum):
    """Why a batch is told to the bank."""

    TOTALS = "totals"
    CLOSE = "close"
    LINES = "lines"


# --- events -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TotalsWanted:
    """Sum the open batch up, and ask the bank what it has."""


@dataclass(frozen=True, slots=True)
class LinesWanted:
    """Have the open batch compared line by line, before it is closed."""


@dataclass(frozen=True, slots=True)
class BatchCloseWanted:
    """Close the open batch; the next payment begins another."""

    by: str
    """Who asks, as receipts call them."""


@dataclass(frozen=True, slots=True)
class BatchCheckWanted:
    """Ask the bank now about a batch that is not closed."""

    number: int


@dataclass(frozen=True, slots=True)
class DifferenceAccepted:
    """Somebody who may do so takes a batch as the bank has it."""

    number: int
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class BatchAnswered:
    """The bank told how a batch stands there, and it is verified."""

    purpose: BatchPurpose
    number: int
    state: str
    """As in docs/bank-link.md: open, closed or differs."""
    totals: tuple[Total, ...]


@dataclass(frozen=True, slots=True)
class LinesCompared:
    """The bank compared a part of a batch, and it is verified."""

    number: int
    differences: tuple[Difference, ...]
    through: str = ""
    """Compared up to this attempt only; '': the whole part."""


@dataclass(frozen=True, slots=True)
class BatchUnanswered:
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


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Put this move on disk before anything else happens."""

    batch: Batch
    """As it stands after the move."""
    move: BatchMove


@dataclass(frozen=True, slots=True)
class SendBatch:
    """Tell the bank of a batch; the answer comes as an event with the same number."""

    purpose: BatchPurpose
    batch: Batch
    lines: tuple[Line, ...] = ()
    """For LINES: a part, in order of identity."""
    after: str = ""
    """The last attempt of the part before; '' for the first."""
    is_last: bool = True
