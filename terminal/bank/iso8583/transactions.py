"""What a till asks of a bank in this dialect, as a table, and the messages built from it.

Source: Q/CUP 009 (message type, processing code, condition and the function in
field 60 tell what is asked); reason codes of reversals, the same.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from terminal.bank.iso8583 import chip
from terminal.bank.iso8583 import fields as f
from terminal.bank.iso8583.chip import CardFields
from terminal.bank.iso8583.codec import Message

Fields = dict[int, str]

APPROVED = "00"
MAC_WRONG = "A0"

SIGN_ON = ("0800", "00", "003")
SIGN_OFF = ("0820", "00", "002")
ECHO = ("0820", "00", "301")
SETTLEMENT = ("0500", "00", "201")
UPLOAD = ("0320", "00", "201")
UPLOAD_END = ("0320", "00", "202")
OPERATOR = "01 "
"""Field 63 of a sign-on: who signs on; a cashier's number, the rest is the till's own affair."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How one transaction is written."""

    type: str
    processing_code: str
    condition: str
    function: str
    """Field 60, its first two digits."""
    is_reversible: bool
    """Without an answer it is reversed; else it is sent again until answered."""


BALANCE = Kind("0200", "310000", "00", "01", is_reversible=False)
PRE_AUTHORISATION = Kind("0100", "030000", "06", "10", is_reversible=True)
PRE_AUTHORISATION_CANCEL = Kind("0100", "200000", "06", "11", is_reversible=True)
COMPLETION = Kind("0200", "000000", "06", "20", is_reversible=True)
COMPLETION_CANCEL = Kind("0200", "200000", "06", "21", is_reversible=True)
SALE = Kind("0200", "000000", "00", "22", is_reversible=True)
VOID = Kind("0200", "200000", "00", "23", is_reversible=True)
REFUND = Kind("0220", "200000", "00", "25", is_reversible=False)
OFFLINE_SALE = Kind("0220", "000000", "00", "30", is_reversible=False)

PRESENTED = {"sale": SALE, "preauth": PRE_AUTHORISATION}
"""The link's kinds of payment that a card is presented for."""
_FOLLOWING = {
    "void": VOID,
    "refund": REFUND,
    "completion": COMPLETION,
    "release": PRE_AUTHORISATION_CANCEL,
}

REPEATED_TYPES = frozenset(kind.type for kind in (REFUND, OFFLINE_SALE) if not kind.is_reversible)
"""Message types that are sent again, not reversed, where no answer came."""


class Entry(enum.Enum):
    """How the card was read; with the third digit, field 22."""

    CONTACT = "05"
    CONTACTLESS = "07"


class Reason(enum.Enum):
    """Why a payment is reversed, field 39."""

    NO_ANSWER = "98"
    ANSWER_UNTRUSTED = "A0"
    OTHER = "06"


@dataclass(frozen=True, slots=True)
class Till:
    """Who asks."""

    terminal: str
    """At most 8 letters."""
    merchant: str
    """At most 15 letters."""
    batch: str = "000001"
    """Six digits: of the batch that a message is about."""
    currency: str = "156"
    """ISO 4217 number."""
    has_original_elements: bool = False
    """A reversal names its original in field 90, with a second bitmap, too."""

    @property
    def names(self) -> Fields:
        """Return fields 41 and 42, filled up with spaces."""
        return {f.TERMINAL: f"{self.terminal:<8}", f.MERCHANT: f"{self.merchant:<15}"}


@dataclass(frozen=True, slots=True)
class Original:
    """The payment that a void, a refund or a reversal is about."""

    batch: str
    stan: str
    date: str
    """MMDD, as the bank's answer said."""
    reference: str
    authorisation: str = ""


def sign_on(till: Till, stan: str) -> Message:
    """Ask for this day's working keys."""
    return _network(till, stan, SIGN_ON, {f.OPERATOR: OPERATOR})


def sign_off(till: Till, stan: str) -> Message:
    """Say that nothing more will come."""
    return _network(till, stan, SIGN_OFF)


def echo(till: Till, stan: str) -> Message:
    """Ask whether the bank is there."""
    return _network(till, stan, ECHO)


def card_payment(
    till: Till, kind: Kind, stan: str, amount_minor: int, card: CardFields, entry: Entry
) -> Message:
    """Ask for a payment with a card: a sale, a pre-authorisation, an offline sale."""
    fields = _payment(till, kind, stan, amount_minor)
    fields |= {
        f.PAN: card.pan,
        f.EXPIRY: card.expiry,
        f.ENTRY_MODE: entry.value + "2",
        f.PAN_SEQUENCE: card.sequence,
        f.TRACK_2: card.track_2,
        f.CHIP: card.data(chip.TO_ISSUER),
    }
    return Message(kind.type, _present(fields))


def follow_up(
    till: Till, kind: Kind, stan: str, amount_minor: int, pan: str, original: Original
) -> Message:
    """Ask for something about an earlier payment: a void, a refund, a completion."""
    fields = _payment(till, kind, stan, amount_minor)
    fields |= {
        f.PAN: pan,
        f.REFERENCE: original.reference,
        f.AUTHORISATION: original.authorisation,
        f.ORIGINAL: original.batch + original.stan + original.date,
    }
    return Message(kind.type, _present(fields))


# What a reversal repeats of its original. Neither track nor PIN block: they
# are gone once the original is on its way.
REPEATED = (
    f.PAN,
    f.PROCESSING_CODE,
    f.AMOUNT,
    f.STAN,
    f.EXPIRY,
    f.ENTRY_MODE,
    f.PAN_SEQUENCE,
    f.CONDITION,
    f.REFERENCE,
    f.AUTHORISATION,
    f.TERMINAL,
    f.MERCHANT,
    f.CURRENCY,
    f.BATCH,
    f.ORIGINAL,
)


def following(kind: str, original: Mapping[int, str]) -> Kind | None:
    """Return how a payment that follows another is written; None if it cannot be.

    kind: the link's word. original: what is kept of the payment it follows.
    """
    if kind == "void" and original[f.BATCH].startswith(COMPLETION.function):
        return COMPLETION_CANCEL
    return _FOLLOWING.get(kind)


def repeated_in_reversal(original: Message) -> Fields:
    """Return the fields of a payment that its reversal needs: what is kept of it."""
    return {number: original.get(number) for number in REPEATED if original.get(number)}


def batch_of(kept: Mapping[int, str]) -> str:
    """Return the batch that a payment was numbered in."""
    return kept[f.BATCH][2:8]


def reversal(till: Till, kept: Mapping[int, str], kind: str, reason: Reason) -> Message:
    """Undo a payment that has no trusted answer.

    kept: of repeated_in_reversal(). kind: the original's message type.
    """
    fields = dict(kept) | {f.RESPONSE: reason.value}
    if till.has_original_elements:
        fields[f.ORIGINAL_ELEMENTS] = (kind + kept[f.STAN]).ljust(42, "0")
    return Message("0400", fields)


def settlement(till: Till, stan: str, totals: str) -> Message:
    """Ask whether the bank has the same totals.

    totals: debit sum (12 digits) and count (3), credit sum and count, minor units.
    """
    fields = {f.TOTALS: totals, f.CURRENCY: till.currency}
    return _network(till, stan, SETTLEMENT, fields)


def upload(till: Till, stan: str, kept: Mapping[int, str]) -> Message:
    """Tell the bank one payment of a batch whose totals differ."""
    fields = {
        number: kept[number] for number in (f.PAN, f.PROCESSING_CODE, f.AMOUNT) if number in kept
    }
    return _network(till, stan, UPLOAD, fields | {f.ORIGINAL: batch_of(kept) + kept[f.STAN]})


def upload_end(till: Till, stan: str, count: int) -> Message:
    """Say that the whole batch has been told, so many payments."""
    return _network(till, stan, UPLOAD_END, {f.TOTALS: f"{count:04}"})


def totals_field(debits: tuple[int, int], credits_: tuple[int, int]) -> str:
    """Return field 48 of a settlement: sum in minor units and count, of each."""
    return "".join(f"{sum_:012}{count:03}" for sum_, count in (debits, credits_))


def _network(
    till: Till, stan: str, what: tuple[str, str, str], more: Fields | None = None
) -> Message:
    kind, function, code = what
    fields = {f.STAN: stan, **till.names, f.BATCH: function + till.batch + code}
    return Message(kind, fields | (more or {}))


def _payment(till: Till, kind: Kind, stan: str, amount_minor: int) -> Fields:
    return {
        f.PROCESSING_CODE: kind.processing_code,
        f.AMOUNT: f"{amount_minor:012}",
        f.STAN: stan,
        f.CONDITION: kind.condition,
        **till.names,
        f.CURRENCY: till.currency,
        f.BATCH: f"{kind.function}{till.batch}000",
    }


def _present(fields: Fields) -> Fields:
    """Leave out what is empty."""
    return {number: text for number, text in fields.items() if text}
