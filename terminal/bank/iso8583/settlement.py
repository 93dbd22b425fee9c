"""The close of a batch in this dialect: two columns of sums, and the lines one by one.

Source: Q/CUP 009, batch settlement and batch upload.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from terminal.bank.batch_messages import BatchTotal
from terminal.bank.iso8583.transactions import totals_field
from terminal.errors import MalformedMessage

Column = tuple[int, int]
"""Sum in minor units, and count."""

DEBITS: Final = frozenset({"sale", "completion", "tip"})
"""What the shop is paid; the rest it gives back."""
COUNTS: Final = 1000
"""A count has three digits: of a larger batch it is the last three, and the sums decide."""

AGREES, DIFFERS = "1", "2"
_TOLD = re.compile(r"([0-9]{12})([0-9]{3})([0-9]{12})([0-9]{3})([0-9])")


def told_totals(totals: Iterable[BatchTotal]) -> str:
    """Return field 48 of a settlement."""
    debits, credits_ = (0, 0), (0, 0)
    for total in totals:
        if total.kind in DEBITS:
            debits = debits[0] + total.amount_minor, debits[1] + total.count
        else:
            credits_ = credits_[0] + total.amount_minor, credits_[1] + total.count
    return totals_field((debits[0], debits[1] % COUNTS), (credits_[0], credits_[1] % COUNTS))


def read_verdict(told: str, currency: str) -> tuple[bool, tuple[BatchTotal, ...]]:
    """Return whether the bank has the same, and its own two sums.

    told: field 48 of the answer. Raises MalformedMessage.
    """
    match = _TOLD.fullmatch(told)
    if match is None or match[5] not in (AGREES, DIFFERS):
        raise MalformedMessage("field 48 of a settlement's answer is no totals and verdict")
    columns = (("sale", match[1], match[2]), ("refund", match[3], match[4]))
    totals = tuple(
        BatchTotal(
            kind=kind,  # type: ignore[arg-type]  # one of two, just above
            medium="card",
            brand="",
            currency=currency,
            count=int(count),
            amount_minor=int(sum_),
        )
        for kind, sum_, count in columns
        if int(count)
    )
    return match[5] == AGREES, totals
