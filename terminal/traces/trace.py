"""One conversation with a card as it is kept: what was asked, answered and decided.

Hex digits are whole where the card is a simulated one; of any other card a
star stands for each digit that nobody may see.
"""

from __future__ import annotations

import datetime
from typing import Literal

import msgspec
from msgspec import Struct

from emv.conversation import PINEntry
from emv.entry_point import Transaction
from terminal.errors import NotAllowed

Interface = Literal["contact", "contact-with-keys", "contactless"]
"""Where the card was; 'with keys': in a slot that checks a PIN by itself."""


class Exchanged(Struct, frozen=True, forbid_unknown_fields=True, tag="exchange"):
    """A command, and the card's answer."""

    command: str
    response: str
    """Data and status word."""
    took_us: int


class Lost(Struct, frozen=True, forbid_unknown_fields=True, tag="lost"):
    """A command that no answer came to."""

    command: str
    kind: str
    """'timeout' or 'transmission'."""


class Left(Struct, frozen=True, forbid_unknown_fields=True, tag="left"):
    """A card that was lost while somebody was asked about it."""

    kind: str
    """'timeout' or 'transmission'."""


class Decided(Struct, frozen=True, forbid_unknown_fields=True, tag="decision"):
    """A decision, and the rule that made it."""

    text: str
    """In English; what stands in braces is in values."""
    source: str
    values: dict[str, str | int]


class Drawn(Struct, frozen=True, forbid_unknown_fields=True, tag="random"):
    """Random bytes that were asked for."""

    count: int
    value: str
    """Hex digits; stars where the card is real, as its secrets hang on them."""


class LookedUp(Struct, frozen=True, forbid_unknown_fields=True, tag="exception file"):
    """Whether the card is on the exception file."""

    is_on_it: bool


class Counted(Struct, frozen=True, forbid_unknown_fields=True, tag="logged amount"):
    """What the card paid here before, unsettled."""

    amount_minor: int


class Chosen(Struct, frozen=True, forbid_unknown_fields=True, tag="application"):
    """Which application the cardholder wanted."""

    place: int | None


class PINTaken(Struct, frozen=True, forbid_unknown_fields=True, tag="pin"):
    """How a question for a PIN ended."""

    is_online: bool
    entry: PINEntry
    status: int | None


class IssuerSaid(Struct, frozen=True, forbid_unknown_fields=True, tag="issuer"):
    """What the issuer answered; without a code it could not be asked."""

    code: str = ""
    """Two characters, in hex digits."""
    authentication: str = ""
    scripts: str = ""


class Shown(Struct, frozen=True, forbid_unknown_fields=True, tag="message"):
    """A message for the reader's display."""

    message: int


Step = (
    Exchanged
    | Lost
    | Left
    | Decided
    | Drawn
    | LookedUp
    | Counted
    | Chosen
    | PINTaken
    | IssuerSaid
    | Shown
)


class Sale(Struct, frozen=True, forbid_unknown_fields=True):
    """What the card was asked to pay."""

    amount_minor: int
    currency: int
    """ISO 4217 number."""
    currency_exponent: int
    date: datetime.date
    time: datetime.time | None = None
    amount_other_minor: int = 0
    transaction_type: int = 0
    sequence: int | None = None

    @classmethod
    def of(cls, transaction: Transaction) -> Sale:
        """Return what is kept of a transaction."""
        return cls(
            transaction.amount_authorised_minor,
            transaction.currency,
            transaction.currency_exponent,
            transaction.date,
            transaction.time,
            transaction.amount_other_minor,
            transaction.transaction_type,
            transaction.sequence,
        )

    @property
    def transaction(self) -> Transaction:
        """The transaction again. Raises ConfigurationError for what cannot be one."""
        return Transaction(
            self.amount_minor,
            self.currency,
            self.currency_exponent,
            self.date,
            self.amount_other_minor,
            self.transaction_type,
            self.time,
            self.sequence,
        )


class Trace(Struct, frozen=True, forbid_unknown_fields=True):
    """One conversation, from the card's arrival to the outcome."""

    attempt: str
    reader: str
    interface: Interface
    """Where the card was; keys of its own let a slot take a PIN in clear."""
    started_ms: int
    """Unix time in milliseconds."""
    whole: bool
    """Nothing is masked: the card is a simulated one."""
    restarts: bool
    """It goes on with a tap before it: the amount has been looked at already."""
    sale: Sale
    steps: tuple[Step, ...]
    status: str = ""
    """The outcome's; empty if the conversation was broken off."""
    reason: str = ""
    cvm: str = ""
    format: Literal[1] = 1
    """Counts up when the form loses or changes a key."""


def encode(trace: Trace) -> bytes:
    """Return a trace as it is written: JSON, one object."""
    return msgspec.json.encode(trace)


def decode(content: bytes) -> Trace:
    """Return the trace in these bytes. Raises NotAllowed, naming the key, if it is none."""
    try:
        return msgspec.json.decode(content, type=Trace)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise NotAllowed(f"This is no trace of this till: {error}") from error
