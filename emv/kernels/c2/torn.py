"""Torn transactions: what is remembered of a card that left with its answer.

A card that was asked for a cryptogram and left before its answer arrived
has counted the transaction. On its next tap it is asked for that answer
again, and no second cryptogram is made.

Source: EMV Contactless Book C-2, torn transaction log and RECOVER AC.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from emv import tags, tlv
from emv.bits import TVR
from emv.outcome import CVM

# What must be the same for an answer to be this transaction's.
_SAME = (
    tags.TAG_9F02_AMOUNT_AUTHORISED,
    tags.TAG_9F03_AMOUNT_OTHER,
    tags.TAG_5F2A_TRANSACTION_CURRENCY_CODE,
    tags.TAG_9C_TRANSACTION_TYPE,
)


@dataclass(frozen=True, slots=True)
class TornRecord:
    """One torn transaction: all that its answer has to be judged by."""

    pan: bytes = field(repr=False)
    """Tag 5A."""
    sequence_number: bytes
    """Tag 5F34; empty if the card has none."""
    at: datetime.datetime
    terminal: Mapping[int, bytes] = field(repr=False)
    """Data objects of terminal and transaction, as the card was given them."""
    tvr: TVR
    cvm: CVM
    receipt: bool
    requested: int
    asked_signature: bool
    lists_data: bytes = field(repr=False)
    relay_data: bytes
    summary: bytes
    """DS Summary 1, as it was before; empty where nothing is stored."""
    writes_storage: bool
    recovery_data: bytes = field(repr=False)
    """The values of the card's DRDOL."""

    def is_of(self, card: Mapping[int, bytes], terminal: Mapping[int, bytes]) -> bool:
        """True if this is that card's, for the same payment.

        The book compares the card alone. Here the money must be the same
        too: an answer recovered for another amount would settle a payment
        that nobody is making.
        """
        return (
            self.pan == card.get(tags.TAG_5A_PAN)
            and self.sequence_number == card.get(tags.TAG_5F34_PAN_SEQUENCE_NUMBER, b"")
            and all(self.terminal.get(tag) == terminal.get(tag) for tag in _SAME)
        )

    @property
    def encoded(self) -> bytes:
        """Tag FF8101's value, for whoever wants to know of one that was given up."""
        objects = {
            **{tag: self.terminal[tag] for tag in _SAME},
            tags.TAG_5A_PAN: self.pan,
            tags.TAG_95_TVR: self.tvr.encoded,
            tags.TAG_DF8113_DRDOL_RELATED_DATA: self.recovery_data,
        }
        if self.sequence_number:
            objects[tags.TAG_5F34_PAN_SEQUENCE_NUMBER] = self.sequence_number
        return b"".join(tlv.encode(tag, value) for tag, value in objects.items())


@dataclass(slots=True)
class TornLog:
    """The log between taps. The till owns it, in memory only: it holds card data."""

    records: tuple[TornRecord, ...] = ()


def evict(
    records: Iterable[TornRecord], now: datetime.datetime, lifetime_s: int, most: int
) -> tuple[tuple[TornRecord, ...], tuple[TornRecord, ...]]:
    """Return what stays of a log, and what is given up: the aged, then the oldest.

    records: the oldest first. most: how many may stay.
    """
    lifetime = datetime.timedelta(seconds=lifetime_s)
    # A clock that was set back must not keep a record for ever.
    young = [one for one in records if abs(now - one.at) <= lifetime]
    kept = young[max(0, len(young) - most) :]
    gone = tuple(one for one in records if not any(one is other for other in kept))
    return tuple(kept), gone
