"""A batch: the payments that a till closes together, and how that stands.

A payment belongs to the batch that was open when it began, by number and never
by time: no change of a clock can split a batch.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from terminal.errors import IllegalTransition
from terminal.view import TAKING, Kind


class BatchState(enum.StrEnum):
    """Where a batch stands. The journal holds the value."""

    OPEN = "open"
    """It takes payments. The journal holds none of this state."""
    CLOSING = "closing"
    """The bank is asked to close it, and has not answered."""
    COMPARING = "comparing"
    """The bank has something else: it is told line by line."""
    DIFFERS = "differs"
    """A person decides on the lines that differ."""
    CLOSED = "closed"


class BatchMove(enum.StrEnum):
    """What moves a batch."""

    CLOSE_WANTED = "close_wanted"
    BANK_CLOSED = "bank_closed"
    BANK_DIFFERS = "bank_differs"
    COMPARED = "compared"
    CHECK_WANTED = "check_wanted"
    ACCEPTED = "accepted"


# Every batch moves through this table and nowhere else. Silence moves none of them.
TRANSITIONS = {
    (BatchState.OPEN, BatchMove.CLOSE_WANTED): BatchState.CLOSING,
    (BatchState.CLOSING, BatchMove.BANK_CLOSED): BatchState.CLOSED,
    (BatchState.CLOSING, BatchMove.BANK_DIFFERS): BatchState.COMPARING,
    (BatchState.COMPARING, BatchMove.COMPARED): BatchState.DIFFERS,
    # The bank may have mended it, or the shop takes it as it is: the bank closes it.
    (BatchState.DIFFERS, BatchMove.CHECK_WANTED): BatchState.CLOSING,
    (BatchState.DIFFERS, BatchMove.ACCEPTED): BatchState.CLOSING,
}


def after(state: BatchState, move: BatchMove) -> BatchState:
    """Return where the move takes a batch. Raises IllegalTransition."""
    try:
        return TRANSITIONS[state, move]
    except KeyError:
        raise IllegalTransition(f"no way from a batch that is {state} by {move}") from None


class Means(enum.StrEnum):
    """What was paid with, as far as the close of day tells it apart."""

    CARD = "card"
    """Phones at the reader, too."""
    WALLET = "wallet"


@dataclass(frozen=True, slots=True)
class Line:
    """One payment that moved money and stands."""

    attempt: str
    number: int
    kind: Kind
    means: Means
    brand: str
    currency: str
    amount_minor: int
    cashier: str = ""
    """The bank does not know it."""


@dataclass(frozen=True, slots=True)
class Total:
    """What lines of one kind sum up to; amounts are above zero."""

    kind: Kind
    means: Means
    brand: str
    currency: str
    count: int
    amount_minor: int
    cashier: str = ""
    """The bank does not know it."""

    @property
    def signed_minor(self) -> int:
        """Return the amount as it counts for the shop."""
        return self.amount_minor if self.kind in TAKING else -self.amount_minor


@dataclass(frozen=True, slots=True)
class Difference:
    """One payment that both sides do not have alike; None where one has none."""

    attempt: str
    till: Line | None
    bank: Line | None


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch, whole, as the journal keeps it."""

    number: int
    state: BatchState
    day: str
    """The shop's day it belongs to, ISO 8601; of its first payment."""
    totals: tuple[Total, ...]
    """By kind, means, brand, cashier and currency."""
    digest: str
    """Of the lines; see docs/bank-link.md."""
    updated_ms: int = 0
    closed_by: str = ""
    """Who asked for the close."""
    bank: tuple[Total, ...] | None = None
    """What the bank has; None until it has said so."""
    differences: tuple[Difference, ...] | None = None
    """None until it was compared line by line."""
    accepted_by: str = ""
    """Who accepted the difference."""
    note: str = ""
    """Why, in their words."""
