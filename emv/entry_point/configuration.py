"""What the Entry Point is told: the terminal, its combinations, one transaction.

Source: EMV Contactless Book A, 5; Book B, 3.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from emv import tags
from emv.conversation import Kernel, note
from emv.errors import ConfigurationError

TYPE_GOODS = 0x00
TYPE_CASH = 0x01
TYPE_CASHBACK = 0x09
TYPE_REFUND = 0x20
TYPE_MANUAL_CASH = 0x17

AMOUNT_MAX = 10**12 - 1  # Tag 9F02 has twelve digits.


def digits(value: int, length: int, what: str) -> bytes:
    """Return a number as packed digits, two a byte, zeros on the left.

    Raises ConfigurationError, naming it, if it is negative or too long.
    """
    text = f"{value:0{2 * length}d}"
    if value < 0 or len(text) > 2 * length:
        raise ConfigurationError(f"{what} does not fit {2 * length} digits")
    return bytes.fromhex(text)


@dataclass(frozen=True, slots=True)
class LimitSet:
    """Limits that stand in for a combination's own: dynamic reader limits.

    Source: Book C-3, dynamic reader limits.
    """

    program: bytes
    """With what the card's Application Program Identifier, tag 9F5A, begins."""
    transaction_limit_minor: int | None = None
    floor_limit_minor: int | None = None
    cvm_required_limit_minor: int | None = None
    status_check: bool | None = None
    zero_amount_allowed: bool | None = None

    def __post_init__(self) -> None:
        """Raise ConfigurationError for an identifier that no card can have."""
        if not 1 <= len(self.program) <= 16:
            raise ConfigurationError(f"tag 9F5A of {len(self.program)} bytes, must be 1 to 16")


@dataclass(frozen=True, slots=True)
class Combination:
    """One application of the reader with the kernel that speaks it.

    Amounts are in minor units of the transaction's currency; an absent
    limit is not tested.

    Source: Book A, Table 5-2; Book B, 3.1.
    """

    aid: bytes
    """5 to 16 bytes; a card's longer name that begins with it matches too."""
    kernel_id: int
    """1 to 63, or a 3-byte identifier read as one number."""
    ttq: bytes | None = None
    """Terminal Transaction Qualifiers, tag 9F66, 4 bytes."""
    transaction_limit_minor: int | None = None
    """Reader Contactless Transaction Limit: from it on, no tap."""
    floor_limit_minor: int | None = None
    """Reader Contactless Floor Limit: above it, online."""
    terminal_floor_limit_minor: int | None = None
    """Tag 9F1B, which stands in for an absent reader floor limit."""
    cvm_required_limit_minor: int | None = None
    """Reader CVM Required Limit: from it on, the cardholder is verified."""
    status_check: bool | None = None
    """Status Check Support flag; None where it is absent."""
    zero_amount_allowed: bool | None = None
    """Zero Amount Allowed flag; None where it is absent, which allows it."""
    extended_selection: bool | None = None
    """Extended Selection Support flag; None where it is absent."""
    partial_match: bool = True
    """False narrows Book B's rule to names that equal the AID."""
    transaction_types: frozenset[int] = frozenset(
        {TYPE_GOODS, TYPE_CASH, TYPE_MANUAL_CASH, TYPE_CASHBACK, TYPE_REFUND}
    )
    """Values of tag 9C that this combination serves."""
    limit_sets: tuple[LimitSet, ...] = ()
    """By what program a card belongs to; for kernel 3."""

    def __post_init__(self) -> None:
        """Raise ConfigurationError, naming the AID, for what cannot be."""
        name = self.aid.hex().upper()
        if not 5 <= len(self.aid) <= 16:
            raise ConfigurationError(f"AID {name}: {len(self.aid)} bytes, must be 5 to 16")
        if self.ttq is not None and len(self.ttq) != 4:
            raise ConfigurationError(f"AID {name}: tag 9F66 of {len(self.ttq)} bytes, must be 4")
        if not 0 < self.kernel_id <= 0xFFFFFF:
            raise ConfigurationError(f"AID {name}: {self.kernel_id} is no kernel identifier")

    @property
    def rid(self) -> bytes:
        """The scheme: the first 5 bytes of the AID."""
        return self.aid[:5]

    def for_program(self, program: bytes) -> Combination | None:
        """Return this combination under the limits of a card's program; None if it has none.

        program: tag 9F5A. Of several sets the longest that it begins with counts.
        """
        fitting = [one for one in self.limit_sets if program.startswith(one.program)]
        if not fitting:
            return None
        limits = max(fitting, key=lambda one: len(one.program))
        return replace(
            self,
            transaction_limit_minor=limits.transaction_limit_minor,
            floor_limit_minor=limits.floor_limit_minor,
            cvm_required_limit_minor=limits.cvm_required_limit_minor,
            status_check=limits.status_check,
            zero_amount_allowed=limits.zero_amount_allowed,
        )


@dataclass(frozen=True, slots=True)
class Terminal:
    """What does not change from one transaction to the next."""

    country: int
    """ISO 3166-1 numeric."""
    terminal_type: int = 0x22
    """Tag 9F35, as printed: 22 is attended, online with offline capability."""
    capabilities: bytes = b"\x00\x08\x08"
    """Tag 9F33, 3 bytes."""
    additional_capabilities: bytes = bytes(5)
    """Tag 9F40, 5 bytes."""
    merchant_category: int | None = None
    merchant_id: str = ""
    """At most 15 characters; tag 9F16."""
    merchant_name: str = ""
    """Name and location, tag 9F4E; what is not ASCII becomes '?'."""
    terminal_id: str = ""
    """At most 8 characters; tag 9F1C."""
    acquirer_id: int | None = None
    others: Mapping[int, bytes] = field(default_factory=dict)
    """More terminal data objects, tag to value, for a kernel that asks."""

    def __post_init__(self) -> None:
        """Raise ConfigurationError now for what would fail at the first tap."""
        self.objects()

    def objects(self) -> dict[int, bytes]:
        """Return the terminal's data objects, tag to value.

        Raises ConfigurationError, naming the object, if one does not fit.
        """
        values = {
            tags.TAG_9F1A_TERMINAL_COUNTRY_CODE: digits(self.country, 2, "tag 9F1A"),
            tags.TAG_9F35_TERMINAL_TYPE: bytes((self.terminal_type,)),
            tags.TAG_9F33_TERMINAL_CAPABILITIES: self.capabilities,
            tags.TAG_9F40_ADDITIONAL_TERMINAL_CAPABILITIES: self.additional_capabilities,
            # 07: contactless chip. Source: ISO 8583:1987 DE 22, as schemes use it.
            tags.TAG_9F39_POS_ENTRY_MODE: b"\x07",
        }
        if self.merchant_category is not None:
            values[tags.TAG_9F15_MERCHANT_CATEGORY_CODE] = digits(
                self.merchant_category, 2, "tag 9F15"
            )
        if self.acquirer_id is not None:
            values[tags.TAG_9F01_ACQUIRER_IDENTIFIER] = digits(self.acquirer_id, 6, "tag 9F01")
        if self.merchant_id:
            values[tags.TAG_9F16_MERCHANT_IDENTIFIER] = _text(self.merchant_id, 15, "tag 9F16")
        if self.terminal_id:
            values[tags.TAG_9F1C_TERMINAL_IDENTIFICATION] = _text(self.terminal_id, 8, "tag 9F1C")
        if self.merchant_name:
            values[tags.TAG_9F4E_MERCHANT_NAME_AND_LOCATION] = self.merchant_name.encode(
                "ascii", "replace"
            )
        for tag, length in (
            (tags.TAG_9F33_TERMINAL_CAPABILITIES, 3),
            (tags.TAG_9F40_ADDITIONAL_TERMINAL_CAPABILITIES, 5),
        ):
            if len(values[tag]) != length:
                raise ConfigurationError(f"tag {tag:X} of {len(values[tag])} bytes")
        return {**values, **self.others}


def _text(value: str, length: int, what: str) -> bytes:
    """Return text as a tag of fixed length carries it, blanks on the right."""
    if len(value) > length or not value.isascii():
        raise ConfigurationError(f"{what} does not fit {length} ASCII characters")
    return value.ljust(length).encode("ascii")


@dataclass(frozen=True, slots=True)
class Transaction:
    """One payment, as the card will hear of it."""

    amount_authorised_minor: int
    """The whole amount, cashback included."""
    currency: int
    """ISO 4217 numeric."""
    currency_exponent: int
    """Digits after the point: 2 for most currencies."""
    date: datetime.date
    """The till's own date, where it stands."""
    amount_other_minor: int = 0
    """The cashback in it."""
    transaction_type: int = TYPE_GOODS
    """Tag 9C: 00 goods, 01 cash, 09 with cashback, 20 refund; as printed."""
    time: datetime.time | None = None
    sequence: int | None = None
    """Tag 9F41, Transaction Sequence Counter."""

    def __post_init__(self) -> None:
        """Raise ConfigurationError now for what would fail at the tap."""
        self.objects()

    def note_limit(
        self, text: str, limit_minor: int, source: str, *, logged_minor: int = 0
    ) -> Kernel[None]:
        """Write into the trace how the amount stands to a limit.

        text: with {amount} and {limit} in it. logged_minor: what the card
        paid here before, and counts too.
        """
        amount = self.plain(self.amount_authorised_minor + logged_minor)
        yield from note(text, source, amount=amount, limit=self.plain(limit_minor))

    def plain(self, amount_minor: int) -> str:
        """Return an amount as people write it, without its currency."""
        if not self.currency_exponent:
            return str(amount_minor)
        whole, rest = divmod(amount_minor, 10**self.currency_exponent)
        return f"{whole}.{rest:0{self.currency_exponent}}"

    def objects(self) -> dict[int, bytes]:
        """Return the transaction's data objects, tag to value.

        Raises ConfigurationError, naming the object, if one does not fit.
        """
        values = {
            tags.TAG_9F02_AMOUNT_AUTHORISED: digits(self.amount_authorised_minor, 6, "tag 9F02"),
            tags.TAG_9F03_AMOUNT_OTHER: digits(self.amount_other_minor, 6, "tag 9F03"),
            tags.TAG_5F2A_TRANSACTION_CURRENCY_CODE: digits(self.currency, 2, "tag 5F2A"),
            tags.TAG_5F36_TRANSACTION_CURRENCY_EXPONENT: digits(
                self.currency_exponent, 1, "tag 5F36"
            ),
            tags.TAG_9A_TRANSACTION_DATE: bytes.fromhex(self.date.strftime("%y%m%d")),
            tags.TAG_9C_TRANSACTION_TYPE: bytes((self.transaction_type,)),
        }
        if self.time is not None:
            values[tags.TAG_9F21_TRANSACTION_TIME] = bytes.fromhex(self.time.strftime("%H%M%S"))
        if self.sequence is not None:
            values[tags.TAG_9F41_TRANSACTION_SEQUENCE_COUNTER] = digits(
                self.sequence % 10**8, 4, "tag 9F41"
            )
        return values


@dataclass(frozen=True, slots=True)
class EntryPointConfig:
    """The terminal and everything it can do with a tap."""

    terminal: Terminal
    combinations: tuple[Combination, ...]
    """In the reader's own order, which decides between equals."""
