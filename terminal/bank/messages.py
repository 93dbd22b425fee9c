"""Every request and answer of the bank link as a type, and their exact bytes.

The contract is docs/bank-link.md. Nothing here signs, seals or sends.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal, TypeVar

import msgspec

from terminal.errors import MalformedMessage

# A pattern ends in \Z: a dollar sign would also match before a line end.
UUID_PATTERN = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z"
# Compact JWE: protected header, no wrapped key, IV, ciphertext, tag.
# Source: RFC 7516, 3.1; RFC 7518, 4.6.
SEALED_PATTERN = r"^[A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\Z"
# Compact JWS. Source: RFC 7515, 3.1.
PROOF_PATTERN = r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\Z"
AT_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z\Z"

EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

BODY_BYTES_MAX: Final = 65_536
"""No message of the link comes near; more is an attack or a mistake."""

Identity = Annotated[str, msgspec.Meta(pattern=UUID_PATTERN)]
Moment = Annotated[str, msgspec.Meta(pattern=AT_PATTERN)]
Minor = Annotated[int, msgspec.Meta(gt=0, le=10**15)]
Number = Annotated[int, msgspec.Meta(ge=0, le=10**15)]
BatchNumber = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
"""0: of none."""
Currency = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
Text = Annotated[str, msgspec.Meta(max_length=512)]
Hex = Annotated[str, msgspec.Meta(pattern=r"^([0-9A-Fa-f]{2}){0,1024}\Z")]


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What all messages share: a field nobody knows is refused.

    It could change the meaning of those we know, as a partial approval would.
    """


class CardTender(Message, frozen=True, tag_field="type", tag="card"):
    """A sealed card."""

    sealed: Annotated[str, msgspec.Meta(pattern=SEALED_PATTERN)]

    def __repr__(self) -> str:
        return "CardTender(…)"


class CodeTender(Message, frozen=True, tag_field="type", tag="payment_code"):
    """A sealed payment code of the customer."""

    sealed: Annotated[str, msgspec.Meta(pattern=SEALED_PATTERN)]

    def __repr__(self) -> str:
        return "CodeTender(…)"


class KeyedTender(Message, frozen=True, tag_field="type", tag="keyed"):
    """A sealed card whose number was typed."""

    sealed: Annotated[str, msgspec.Meta(pattern=SEALED_PATTERN)]

    def __repr__(self) -> str:
        return "KeyedTender(…)"


Tender = CardTender | CodeTender | KeyedTender


PaymentKind = Literal[
    "sale", "refund", "void", "preauth", "increment", "completion", "release", "tip"
]
PRESENTED: Final = ("sale", "preauth")
"""Kinds that have a tender; the others name the payment that they follow."""


class Payment(Message, frozen=True):
    """Take, hold or give back money.

    Raises MalformedMessage, when made, if it is neither the one nor the other.
    """

    path: ClassVar[str] = "/v1/payments"
    states: ClassVar[frozenset[str]] = frozenset({"approved", "declined", "pending"})

    attempt: Identity
    number: Number
    kind: PaymentKind
    amount_minor: Minor
    currency: Currency
    at: Moment
    tender: Tender | None = None
    original: Identity | None = None
    batch: BatchNumber = 0

    def __post_init__(self) -> None:
        is_presented = self.kind in PRESENTED
        if is_presented is (self.tender is None):
            raise MalformedMessage("a sale and a hold have a tender, and nothing else has one")
        if is_presented is (self.original is not None):
            raise MalformedMessage("a sale and a hold name no original, and all else names one")


class Advice(Message, frozen=True):
    """Report a card sale that was kept here: approved by the card, or by nobody yet."""

    path: ClassVar[str] = "/v1/advices"
    states: ClassVar[frozenset[str]] = frozenset({"approved", "declined"})

    attempt: Identity
    number: Number
    kind: Literal["sale"]
    amount_minor: Minor
    currency: Currency
    at: Moment
    tender: CardTender
    deferred: bool = False
    """The card asked for the bank's approval, and the bank was not reached."""
    proof: Annotated[str, msgspec.Meta(pattern=PROOF_PATTERN)] | None = None
    """The till's signature from when the card was read; a till of an earlier
    release made none."""
    batch: BatchNumber = 0


class Inquiry(Message, frozen=True):
    """Ask what a card's account has. No money moves."""

    path: ClassVar[str] = "/v1/balances"
    states: ClassVar[frozenset[str]] = frozenset({"approved", "declined"})

    attempt: Identity
    currency: Currency
    at: Moment
    tender: CardTender


class StatusQuestion(Message, frozen=True):
    """Ask what the bank has booked for an attempt."""

    path: ClassVar[str] = "/v1/payments/status"
    states: ClassVar[frozenset[str]] = frozenset(
        {"approved", "declined", "pending", "open", "closed", "reversed", "not_found"}
    )

    attempt: Identity


class Reversal(Message, frozen=True):
    """Undo an attempt, whether the bank has seen it or not."""

    path: ClassVar[str] = "/v1/payments/reverse"
    states: ClassVar[frozenset[str]] = frozenset({"reversed"})

    attempt: Identity
    reason: Literal["no_answer", "not_found", "card_refused", "signature_refused", "late"]


class Closing(Message, frozen=True):
    """End every open order and pending wallet payment of an attempt."""

    path: ClassVar[str] = "/v1/payments/close"
    states: ClassVar[frozenset[str]] = frozenset({"closed", "approved", "declined"})

    attempt: Identity


class Order(Message, frozen=True):
    """Ask for a code that the customer can scan."""

    path: ClassVar[str] = "/v1/orders"
    states: ClassVar[frozenset[str]] = frozenset({"open", "declined"})

    order: Identity
    attempt: Identity
    number: Number
    amount_minor: Minor
    currency: Currency
    at: Moment
    valid_s: Annotated[int, msgspec.Meta(gt=0, le=86_400)]
    batch: BatchNumber = 0


class Echo(Message, frozen=True):
    """Ask whether the bank is there, and for its clock."""

    path: ClassVar[str] = "/v1/echo"
    states: ClassVar[frozenset[str]] = frozenset()


M = TypeVar("M", bound=Message)

Request = Payment | Advice | Inquiry | StatusQuestion | Reversal | Closing | Order | Echo

# Those that are idempotent by the attempt itself. Every other request is a
# question of its own, and its answer may differ the next time.
OWN_IDENTITY = (Payment, Advice, Inquiry)


class Answer(Message, frozen=True):
    """A decision of the bank. Absent and null mean the same."""

    at: Moment
    attempt: Identity | None = None
    state: Annotated[str, msgspec.Meta(pattern=r"^[a-z_]{1,20}\Z")] | None = None
    code: Annotated[str, msgspec.Meta(pattern=r"^([0-9A-Z]{2})?\Z")] | None = None
    reference: Text | None = None
    authorisation: Text | None = None
    emv: Hex | None = None
    brand: Text | None = None
    balance_minor: Annotated[int, msgspec.Meta(ge=-(10**15), le=10**15)] | None = None
    shown_code: Text | None = None
    expires_at: Moment | None = None
    notice: Literal["cloned"] | None = None
    """Of an echo: another till was seen with the same keys."""
    parameters: Annotated[int, msgspec.Meta(ge=0, le=999_999_999)] | None = None
    """Of an echo: the newest version of what the bank sets."""
    bulletin: Annotated[int, msgspec.Meta(ge=0, le=999_999_999)] | None = None
    """Of an echo: the number of its newest message to the cashier."""


class Fault(Message, frozen=True):
    """The body of a refusal."""

    error: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_.-]{1,64}\Z")]
    at: Moment
    detail: Text = ""


def encode(request: Message) -> bytes:
    """Return the request's JSON, byte for byte the same each time.

    Raises MalformedMessage if a field is out of its bounds: msgspec checks
    only what it decodes, and a wrong request must not leave.
    """
    encoded = msgspec.json.encode(request)
    try:
        msgspec.json.decode(encoded, type=type(request))
    except msgspec.ValidationError as error:
        raise MalformedMessage(f"{type(request).__name__}: {error}") from None
    return encoded


def decode_answer(body: bytes, request: Request) -> Answer:
    """Return the answer to this request.

    body: of a 200, its signature verified.
    Raises MalformedMessage on anything the request cannot be answered with.
    """
    answer = _decode(body, Answer)
    if isinstance(request, Echo):
        if answer.state is not None or answer.attempt is not None:
            raise MalformedMessage("an echo was answered with a decision")
        return answer
    if answer.state not in request.states:
        raise MalformedMessage(f"{request.path} was answered with state {answer.state}")
    if answer.attempt != request.attempt:
        raise MalformedMessage("the answer names another attempt")
    if answer.state == "approved" and answer.code not in ("00", None):
        raise MalformedMessage(f"approved, with response code {answer.code}")
    if answer.state == "declined" and answer.code == "00":
        raise MalformedMessage("declined, with response code 00")
    is_open_order = isinstance(request, Order) and answer.state == "open"
    if is_open_order and not (answer.shown_code and answer.expires_at):
        raise MalformedMessage("an open order without its code or its end")
    for moment in (answer.at, answer.expires_at):
        if moment is not None:
            parse_moment(moment)
    return answer


def decode_object(body: bytes) -> Mapping[str, object]:
    """Return a JSON object whose fields its reader checks. Raises MalformedMessage."""
    if len(body) > BODY_BYTES_MAX:
        raise MalformedMessage(f"a body of more than {BODY_BYTES_MAX} bytes")
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedMessage(f"not a JSON object: {error}") from None


def decode_fault(body: bytes) -> Fault:
    """Return the refusal in a body. Raises MalformedMessage on anything else."""
    fault = _decode(body, Fault)
    parse_moment(fault.at)
    return fault


def _decode(body: bytes, kind: type[M]) -> M:
    if len(body) > BODY_BYTES_MAX:
        raise MalformedMessage(f"a body of more than {BODY_BYTES_MAX} bytes")
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedMessage(f"{kind.__name__}: {error}") from None


def format_moment(unix_ms: int) -> str:
    """Return Unix milliseconds as RFC 3339, UTC, to the millisecond.

    Raises MalformedMessage outside the years 1 to 9999.
    """
    seconds, milliseconds = divmod(unix_ms, 1000)
    try:
        moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    except (OverflowError, ValueError, OSError):
        raise MalformedMessage("the till's clock is outside the calendar") from None
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"


def parse_moment(text: str) -> int:
    """Return the Unix milliseconds of an RFC 3339 moment in our one form.

    Raises MalformedMessage on any other form or an impossible date.
    """
    if not re.match(AT_PATTERN, text):
        raise MalformedMessage("a moment is not RFC 3339, UTC, milliseconds")
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise MalformedMessage("a moment is not in the calendar") from None
    return (moment - EPOCH) // datetime.timedelta(milliseconds=1)
