"""What payments sum up to at the close of day: lines, totals, rows."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from terminal.batch.batch import Batch, Line, Means, Total
from terminal.states import State
from terminal.view import TAKING, WALLETS, Kind, PaymentView

# What was voided counts, and beside it its void: that is how the bank books it.
# What is only held, or let go, is no money of the shop's yet.
_COUNTED = dict.fromkeys(TAKING, frozenset({State.APPROVED, State.VOIDED})) | dict.fromkeys(
    (Kind.REFUND, Kind.VOID), frozenset({State.APPROVED})
)


def lines_of(payments: Iterable[PaymentView]) -> tuple[Line, ...]:
    """Return the payments that moved money and stand, in order of identity."""
    lines = [
        Line(
            attempt=payment.id,
            number=payment.number,
            kind=payment.kind,
            means=Means.WALLET if payment.medium in WALLETS else Means.CARD,
            brand=payment.brand,
            currency=payment.currency,
            amount_minor=payment.amount_minor,
            cashier=payment.cashier,
        )
        for payment in payments
        if payment.state in _COUNTED.get(payment.kind, ())
    ]
    return tuple(sorted(lines, key=lambda line: line.attempt))


def totals_of(lines: Iterable[Line]) -> tuple[Total, ...]:
    """Return the sums of lines that are alike but in amount, in a fixed order."""
    return _summed(
        Total(line.kind, line.means, line.brand, line.currency, 1, line.amount_minor, line.cashier)
        for line in lines
    )


def without_cashiers(totals: Iterable[Total]) -> tuple[Total, ...]:
    """Return the totals as the bank has them."""
    return _summed(replace(total, cashier="") for total in totals)


def digest_of(lines: Sequence[Line]) -> str:
    """Return what two batches share only if they have the same money in each line.

    lines: in order of identity. Source: docs/bank-link.md, Batches.
    """
    text = "".join(
        f"{line.attempt} {line.kind} {line.amount_minor} {line.currency}\n" for line in lines
    )
    return hashlib.sha256(text.encode("ascii")).hexdigest()


class RowName(enum.StrEnum):
    """A row of the close of day."""

    CARDS = "cards"
    WALLETS = "wallets"
    TIPS = "tips"
    REFUNDS = "refunds"
    VOIDS = "voids"
    NET = "net"


@dataclass(frozen=True, slots=True)
class Row:
    """One row on both sides; money given back is below zero."""

    name: RowName
    till_minor: int
    bank_minor: int | None
    """None until the bank has said it."""

    @property
    def difference_minor(self) -> int | None:
        """Return by how much the till has more; None until the bank has spoken."""
        return None if self.bank_minor is None else self.till_minor - self.bank_minor


def rows_of(batch: Batch, currency: str) -> tuple[Row, ...]:
    """Return the rows of one currency; tips have one where there are any."""
    rows = (
        Row(
            name,
            _minor(batch.totals, name, currency),
            None if batch.bank is None else _minor(batch.bank, name, currency),
        )
        for name in RowName
    )
    return tuple(
        row for row in rows if row.name is not RowName.TIPS or row.till_minor or row.bank_minor
    )


def currencies_of(batch: Batch) -> tuple[str, ...]:
    """Return the currencies that either side has money in."""
    return tuple(sorted({total.currency for total in (*batch.totals, *(batch.bank or ()))}))


def net_by(
    totals: Iterable[Total], name: Callable[[Total], str], currency: str
) -> dict[str, tuple[int, int]]:
    """Return how many payments and how much there is by some name, such as the cashier's."""
    sums: dict[str, tuple[int, int]] = {}
    for total in totals:
        if total.currency == currency:
            count, minor = sums.get(name(total), (0, 0))
            sums[name(total)] = (count + total.count, minor + total.signed_minor)
    return dict(sorted(sums.items()))


def _minor(totals: Iterable[Total], name: RowName, currency: str) -> int:
    return sum(
        total.signed_minor
        for total in totals
        if total.currency == currency and name in (RowName.NET, _row_of(total))
    )


def _row_of(total: Total) -> RowName:
    if total.kind is Kind.TIP:
        return RowName.TIPS
    if total.kind in TAKING:
        return RowName.CARDS if total.means is Means.CARD else RowName.WALLETS
    return RowName.REFUNDS if total.kind is Kind.REFUND else RowName.VOIDS


def _summed(parts: Iterable[Total]) -> tuple[Total, ...]:
    sums: dict[tuple[str, ...], Total] = {}
    for part in parts:
        key = (part.kind, part.means, part.brand, part.currency, part.cashier)
        if (known := sums.get(key)) is not None:
            part = replace(
                part,
                count=known.count + part.count,
                amount_minor=known.amount_minor + part.amount_minor,
            )
        sums[key] = part
    return tuple(sums[key] for key in sorted(sums))
