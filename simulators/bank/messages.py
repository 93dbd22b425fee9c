"""Every message of the bank's two doors, read strictly.

The published contract is made from these types, see contract.py.
"""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from simulators.bank.errors import Refused

BODY_BYTES_MAX = 65_536

AMOUNT_MINOR_MAX = 999_999_999_999
"""What the card's own field holds: twelve digits (tag 9F02)."""

UUID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
AT_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"

Identity = Annotated[str, Meta(pattern=UUID_PATTERN, description="A UUID in lower case.")]
Moment = Annotated[str, Meta(pattern=AT_PATTERN, description="RFC 3339, UTC, milliseconds.")]
AmountMinor = Annotated[
    int, Meta(gt=0, le=AMOUNT_MINOR_MAX, description="Whole minor units of the currency.")
]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$", description="ISO 4217 letters.")]
Number = Annotated[int, Meta(ge=0, le=2**53, description="The till's own running number.")]
Batch = Annotated[
    int, Meta(ge=0, le=2**31 - 1, description="The till's own running number of what it closes.")
]
Sealed = Annotated[str, Meta(max_length=16_384, description="JWE, compact.")]
Code = Annotated[str, Meta(min_length=1, max_length=512)]


PaymentKind = Literal[
    "sale", "refund", "void", "preauth", "increment", "completion", "release", "tip"
]
CountedKind = Literal["sale", "refund", "void", "completion", "tip"]
"""Kinds that a batch sums up: those that move the shop's money."""
PRESENTED = ("sale", "preauth")
"""Kinds for which the customer presents something; the others name what they follow."""


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What all messages share: a field nobody knows is refused by name."""


class CardTender(Message, frozen=True, tag_field="type", tag="card"):
    """A card, sealed to the bank."""

    sealed: Sealed

    def __repr__(self) -> str:
        return "CardTender(…)"


class CodeTender(Message, frozen=True, tag_field="type", tag="payment_code"):
    """The customer's payment code, sealed to the bank."""

    sealed: Sealed

    def __repr__(self) -> str:
        return "CodeTender(…)"


class KeyedTender(Message, frozen=True, tag_field="type", tag="keyed"):
    """A card that was not there: its number was typed, sealed to the bank."""

    sealed: Sealed

    def __repr__(self) -> str:
        return "KeyedTender(…)"


# ---- from the till ---------------------------------------------------------


class PaymentRequest(Message, frozen=True):
    """Take money, hold it, or give it back."""

    attempt: Identity
    number: Number
    kind: PaymentKind
    amount_minor: AmountMinor
    currency: Currency
    at: Moment
    tender: CardTender | CodeTender | KeyedTender | None = None
    original: Identity | None = None
    batch: Batch = 0


class BalanceRequest(Message, frozen=True):
    """What has this card's account? The card was told the amount zero."""

    attempt: Identity
    currency: Currency
    at: Moment
    tender: CardTender

    @property
    def amount_minor(self) -> int:
        """What the card was told."""
        return 0


class AdviceRequest(Message, frozen=True):
    """A card sale that a till kept: approved by the card, or by nobody yet."""

    attempt: Identity
    number: Number
    amount_minor: AmountMinor
    currency: Currency
    at: Moment
    tender: CardTender
    kind: Literal["sale"] = "sale"
    original: None = None
    batch: Batch = 0
    deferred: Annotated[
        bool, Meta(description="The card asked for the bank, which was not reached.")
    ] = False
    proof: (
        Annotated[
            str,
            Meta(max_length=4_096, description="JWS, compact, made when the card was read."),
        ]
        | None
    ) = None


class StatusRequest(Message, frozen=True):
    """What is booked under an attempt?"""

    attempt: Identity


class ReversalRequest(Message, frozen=True):
    """Let no money stand under an attempt, seen or unseen."""

    attempt: Identity
    reason: Literal["no_answer", "not_found", "card_refused", "signature_refused", "late"]


class CloseRequest(Message, frozen=True):
    """End every open order and pending wallet payment of an attempt."""

    attempt: Identity


class OrderRequest(Message, frozen=True):
    """Open a code for the customer to scan."""

    order: Identity
    attempt: Identity
    number: Number
    amount_minor: AmountMinor
    currency: Currency
    at: Moment
    valid_s: Annotated[int, Meta(gt=0, le=86_400, description="Seconds.")]
    batch: Batch = 0


class BatchTotal(Message, frozen=True):
    """What one kind of payment of a batch sums up to; amounts are above zero."""

    kind: CountedKind
    medium: Literal["card", "wallet"]
    brand: Annotated[str, Meta(max_length=64)]
    currency: Currency
    count: Annotated[int, Meta(gt=0, le=2**31 - 1)]
    amount_minor: Annotated[int, Meta(gt=0, le=2**53)]


class BatchLine(Message, frozen=True):
    """One payment of a batch that moved money and stands."""

    attempt: Identity
    number: Number
    kind: CountedKind
    medium: Literal["card", "wallet"]
    brand: Annotated[str, Meta(max_length=64)]
    currency: Currency
    amount_minor: AmountMinor


class BatchTotalsRequest(Message, frozen=True):
    """What does a batch sum up to?"""

    batch: Batch


class ChainEnd(Message, frozen=True):
    """How long a chain of hashes is, and its last hash."""

    length: Annotated[int, Meta(gt=0, le=2**53)]
    digest: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$", description="SHA-256, hex.")]


class ChainEndsRequest(Message, frozen=True):
    """Keep where my journal and my audit log end."""

    journal: ChainEnd | None = None
    audit: ChainEnd | None = None


class BatchCloseRequest(Message, frozen=True):
    """Close a batch, if it is alike on both sides."""

    batch: Batch
    totals: Annotated[list[BatchTotal], Meta(max_length=200)]
    digest: Annotated[
        str, Meta(pattern=r"^[0-9a-f]{64}$", description="SHA-256 over the lines, hex.")
    ]
    accepted: Annotated[
        bool, Meta(description="Close it though the two differ: somebody has looked at it.")
    ] = False
    ends: ChainEndsRequest | None = None


class BatchLinesRequest(Message, frozen=True):
    """Compare these lines of a batch with what is booked."""

    batch: Batch
    after: Annotated[
        str, Meta(max_length=36, description="The attempt this part begins after; or empty.")
    ]
    lines: Annotated[list[BatchLine], Meta(max_length=200)]
    is_last: bool


class EchoRequest(Message, frozen=True):
    """Is the bank there, and what is its time?"""


Pem = Annotated[str, Meta(max_length=20_000, description="PEM.")]


class CertificatesRequest(Message, frozen=True):
    """Certify my new keys; the old ones stay good until the new are used."""

    tls_csr: Pem
    signing_csr: Pem


class LeaveRequest(Message, frozen=True):
    """Take my keys for nothing any more."""


class ParametersRequest(Message, frozen=True):
    """What am I to work by, if it is newer than this?"""

    have: Annotated[str, Meta(pattern=r"^[0-9]{1,9}$", description="A version; 0 for none.")]


class BulletinsRequest(Message, frozen=True):
    """What has my cashier still to read?"""

    after: Annotated[
        str, Meta(pattern=r"^[0-9]{1,9}$", description="The number read last; 0 for none.")
    ]


class RevocationsRequest(Message, frozen=True):
    """Which certificates of this bank are not to be trusted any more?"""


class Answer(Message, frozen=True):
    """A decision, or what is booked."""

    at: Moment
    attempt: Identity | None = None
    state: (
        Literal[
            "approved",
            "declined",
            "pending",
            "open",
            "closed",
            "reversed",
            "not_found",
        ]
        | None
    ) = None
    code: Annotated[str, Meta(pattern=r"^[0-9A-Z]{2}$", description="Response code.")] | None = None
    reference: str | None = None
    authorisation: str | None = None
    emv: Annotated[str, Meta(description="Hex of tag 91.")] | None = None
    brand: str | None = None
    balance_minor: (
        Annotated[int, Meta(description="What the account has; of a balance inquiry.")] | None
    ) = None
    shown_code: Annotated[str, Meta(description="Text to draw as a QR code.")] | None = None
    expires_at: Moment | None = None
    notice: (
        Annotated[
            Literal["cloned"],
            Meta(description="Of an echo: another till was seen with the same keys."),
        ]
        | None
    ) = None
    parameters: (
        Annotated[
            int, Meta(description="Of an echo: the newest version at /v1/parameters; 0 for none.")
        ]
        | None
    ) = None
    bulletin: (
        Annotated[
            int, Meta(description="Of an echo: the newest number at /v1/bulletins; 0 for none.")
        ]
        | None
    ) = None


class CertificatesAnswer(Message, frozen=True):
    """Certificates, as at enrolment."""

    at: Moment
    role: str
    id: str
    merchant: str
    tls_chain: Pem
    bank_ca: Pem
    expires_ms: int
    signing_certificate: Pem
    algorithm: str
    answer_key: Pem
    answer_key_id: str
    sealing_key: dict[str, str]


class ParametersAnswer(Message, frozen=True):
    """What tills work by; null for one that has the newest."""

    at: Moment
    document: Annotated[str, Meta(description="JWS, compact, of a TOML text.")] | None
    exception_key: (
        Annotated[str, Meta(description="Hex: the key of the list of cards in it.")] | None
    ) = None


class Bulletin(Message, frozen=True):
    """One message of the bank to the cashier."""

    number: int
    at: Moment
    text: Annotated[str, Meta(max_length=200)]


class BulletinsAnswer(Message, frozen=True):
    """The oldest of those that come after."""

    at: Moment
    bulletins: Annotated[list[Bulletin], Meta(max_length=20)]


class RevocationsAnswer(Message, frozen=True):
    """Everything that was revoked, signed by the bank's CA."""

    at: Moment
    revoked: Annotated[str, Meta(description="An X.509 CRL as PEM.")]


class ChainEndsAnswer(Message, frozen=True):
    """The ends that are kept of a till's chains, the longest first."""

    at: Moment
    journal: list[ChainEnd]
    audit: list[ChainEnd]


class BatchAnswer(Message, frozen=True):
    """How a batch stands, and what it sums up to here."""

    at: Moment
    batch: Batch
    state: Literal["open", "closed", "differs"]
    totals: list[BatchTotal]


class Difference(Message, frozen=True):
    """One payment that both sides do not have alike; null where one has none."""

    attempt: Identity
    till: BatchLine | None
    bank: BatchLine | None


class LinesAnswer(Message, frozen=True):
    """Which of the lines differ."""

    at: Moment
    batch: Batch
    differences: list[Difference]
    through: Annotated[
        Identity | None, Meta(description="Compared up to here only: send what comes after it.")
    ] = None


class Refusal(Message, frozen=True):
    """Why nothing was done."""

    error: str
    detail: str
    at: Moment


# ---- from the wallet -------------------------------------------------------


class CodesRequest(Message, frozen=True):
    """Give me a payment code to show."""

    wallet: str
    form: Literal["digits", "cpm"] = "digits"


class CodesAnswer(Message, frozen=True):
    """A payment code, good once."""

    code: str
    expires_at: Moment


class PayRequest(Message, frozen=True):
    """Pay the code that a till shows."""

    wallet: str
    shown_code: Code


class PendingRequest(Message, frozen=True):
    """What waits for my owner?"""

    wallet: str


class PendingPayment(Message, frozen=True):
    """A payment that waits for its payer."""

    attempt: Identity
    amount_minor: AmountMinor
    currency: Currency
    merchant: str
    expires_at: Moment


class PendingAnswer(Message, frozen=True):
    """All that wait, the oldest first."""

    payments: list[PendingPayment]


class DecisionRequest(Message, frozen=True):
    """The payer confirms, or refuses."""

    wallet: str
    attempt: Identity


class WalletAnswer(Message, frozen=True):
    """What came of it; the amount where there was a payment."""

    state: Literal["approved", "declined", "closed"]
    code: str
    attempt: Identity | UnsetType = UNSET
    amount_minor: AmountMinor | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET
    merchant: str | UnsetType = UNSET


M = TypeVar("M", bound=Message)


def read(body: bytes, kind: type[M]) -> M:
    """Return a message of this kind.

    Raises Refused: 400 for what is not JSON of this shape, the key named, and
    for what no calendar has; 422 for a payment that contradicts itself.
    """
    if len(body) > BODY_BYTES_MAX:
        raise Refused(413, "too_large", f"a body has at most {BODY_BYTES_MAX} bytes")
    try:
        message = msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        # A card number in the wrong place must not come back, nor reach a log.
        detail = re.sub(r"\d{8,}", "…", str(error))
        raise Refused(400, "malformed", f"the body is not what this path takes: {detail}") from None
    at = getattr(message, "at", None)
    if at is not None:
        try:
            datetime.datetime.fromisoformat(at)
        except ValueError as error:
            raise Refused(400, "malformed", "at is not in the calendar") from error
    if isinstance(message, PaymentRequest):
        _check_payment(message)
    return message


def moment(unix_ms: int) -> str:
    """Return Unix milliseconds as the link writes time."""
    seconds, milliseconds = divmod(unix_ms, 1000)
    whole = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"


def _check_payment(payment: PaymentRequest) -> None:
    is_presented = payment.kind in PRESENTED
    if is_presented and (payment.tender is None or payment.original is not None):
        word = f"{payment.kind}_malformed"
        raise Refused(422, word, "it has a tender and names no original")
    if not is_presented and (payment.tender is not None or payment.original is None):
        raise Refused(422, f"{payment.kind}_malformed", "it names its original and has no tender")
