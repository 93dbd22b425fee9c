"""What the screens show, as plain facts. No words, no colours, no decisions."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from terminal.messages import Message
from terminal.news.bulletins import Bulletin
from terminal.states import State

if TYPE_CHECKING:
    from emv.dialogue import Told

    # A batch is made of what is in here.
    from terminal.batch.batch import Batch


class Kind(enum.StrEnum):
    """What a payment is."""

    SALE = "sale"
    REFUND = "refund"
    VOID = "void"
    PREAUTH = "preauth"
    """The bank holds money for the shop; nothing is taken yet."""
    INCREMENT = "increment"
    """More is held under an earlier pre-authorisation."""
    COMPLETION = "completion"
    """The shop takes what it is owed of the money held, once; the rest is let go."""
    RELEASE = "release"
    """A hold, or one increment of it, is let go: nothing was taken."""
    TIP = "tip"
    """Added to a card payment before its batch is closed."""
    BALANCE = "balance"
    """What a card's account has: no money moves."""


TAKING = frozenset({Kind.SALE, Kind.COMPLETION, Kind.TIP})
"""Money comes to the shop by them: they can be voided, and given back."""
PRESENTED = frozenset({Kind.SALE, Kind.PREAUTH, Kind.BALANCE})
"""The customer presents something; every other kind follows an earlier payment."""


class Medium(enum.StrEnum):
    """How the customer paid."""

    CARD = "card"
    CHIP = "chip"
    """A card in a slot, which has a last word of its own."""
    PHONE = "phone"
    KEYED = "keyed"
    """A card that is not here: its number was typed."""
    PAYMENT_CODE = "payment_code"
    """The customer's code, scanned by us."""
    SHOWN_CODE = "shown_code"
    """Our code, scanned by the customer."""


WALLETS = frozenset({Medium.PAYMENT_CODE, Medium.SHOWN_CODE})


class Stage(enum.StrEnum):
    """Which screen the till is on."""

    IDLE = "idle"
    PRESENT = "present"
    READING = "reading"
    CHOOSE = "choose"
    PIN = "pin"
    CODE = "code"
    PROCESSING = "processing"
    PAYER = "payer"
    CLOSING = "closing"
    RESULT = "result"


class Step(enum.IntEnum):
    """How far the payment in hand has come; each includes those before."""

    NONE = 0
    READ = 1
    WRITTEN = 2
    SENT = 3
    ANSWERED = 4


class Readiness(enum.StrEnum):
    """How one way to pay, or one device, stands."""

    READY = "ready"
    STARTING = "starting"
    OFF = "off"
    FAULTY = "faulty"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class PaymentView:
    """One payment as the lists, the result and scripts show it."""

    id: str
    """The attempt's identity, a UUIDv7."""
    number: int
    """Counts up in this journal; what people call a payment by."""
    kind: Kind
    state: State
    amount_minor: int
    currency: str
    """ISO 4217 letters."""
    created_ms: int
    """Unix time in milliseconds, by the till's clock."""
    updated_ms: int
    cashier: str = ""
    """Who was signed in when it began."""
    batch: int = 0
    """What it is closed with; 0 in a journal that counted none yet."""
    medium: Medium | None = None
    brand: str = ""
    """'Visa', 'Alipay'; empty until known."""
    masked_pan: str = ""
    """First six, last four at most; empty for codes."""
    reason: Message | None = None
    next_step: Message | None = None
    response_code: str = ""
    """The bank's two characters; supervisor only where it is 41 or 43."""
    bank_reference: str = ""
    authorisation: str = ""
    application_label: str = ""
    aid: str = ""
    """Upper-case hex, as are the two below."""
    tvr: str = ""
    ctq: str = ""
    signature: bool = False
    """The customer has to sign the receipt."""
    pin: bool = False
    """The customer entered a PIN, for the bank or for the card."""
    original: str = ""
    """The identity of the payment that this one follows; '' if it follows none."""
    refunded_minor: int = 0
    """Sum of refunds of this payment that stand or may stand."""
    held_minor: int = 0
    """Of a pre-authorisation: what it and the increments that stand come to."""
    tip_minor: int = 0
    """The tip on this payment that stands or may stand."""
    balance_minor: int | None = None
    """What the card's account has, of an inquiry; no journal keeps it."""
    expires_ms: int | None = None
    """Of a pre-authorisation: when the bank lets the money go by itself."""
    asked: int = 0
    """How often the bank has been asked about it."""
    reversals_sent: int = 0
    """How often its reversal has been sent, by this till and those before it."""
    is_deferred: bool = False
    """Kept at the shop's risk first: the bank was not asked before the goods were gone."""
    is_exported: bool = False
    """Written to a file that the bank can be given, while it was kept."""
    note: str = ""
    """How somebody settled what the bank had refused for good."""
    settled_by: str = ""
    durations_ms: Mapping[str, float] = field(default_factory=dict)
    """By phase: 'present', 'read', 'written', 'bank'."""


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One line of what card and till said: a sentence in English, with values in its braces."""

    at_us: int
    """Time the card has taken since it arrived, in microseconds."""
    text: str
    values: Mapping[str, str | int] = field(default_factory=dict)
    source: str = ""
    """Book and section of a decision's rule."""
    exchange: Told | None = None
    """A command and its answer, for whoever wants the bytes."""

    @property
    def said(self) -> str:
        """The whole sentence, in English."""
        return self.text.format_map(self.values) if self.values else self.text


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One journal line of a payment, for people."""

    offset_ms: int
    """Since the first line."""
    text: str
    """No card data."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that hangs over the shop; the gravest comes first."""

    message: Message
    count: int = 0
    tries: int = 0
    """How often it was tried in vain."""
    amount_minor: int | None = None
    age_s: float | None = None


@dataclass(frozen=True, slots=True)
class ShownCode:
    """A code on the customer's screen."""

    text: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class View:
    """The whole till at one moment. Times are seconds on the till's own clock."""

    stage: Stage = Stage.IDLE
    payment: PaymentView | None = None
    """The payment in hand, or the one whose result stands."""
    prompt: Message | None = None
    """What the customer or cashier should do now."""
    hint: Message | None = None
    """Why the last card or code did not count, while the sale goes on."""
    step: Step = Step.NONE
    choices: Sequence[str] = ()
    """Applications of the card, for Stage.CHOOSE; a single one is to be agreed to."""
    language: str = ""
    """What the card's holder likes to be spoken to in, ISO 639; empty if nobody knows."""
    pin_digits: int = 0
    """How many digits stand on the PIN pad; for Stage.PIN."""
    tries_left: int | None = None
    """How many tries the card gives for its PIN; None: not told, or the bank checks it."""
    card_stays: bool = False
    """The card is in a slot and must stay there."""
    tap: Readiness = Readiness.OFF
    insert: Readiness = Readiness.ABSENT
    scan: Readiness = Readiness.OFF
    show: Readiness = Readiness.OFF
    """READY means F7 may be pressed."""
    keep: Readiness = Readiness.OFF
    """READY means that the sale which was not sent may be kept, with K."""
    code: ShownCode | None = None
    started_at: float = 0.0
    deadline_at: float | None = None
    """When this stage ends by itself; None when it does not."""
    next_ask_at: float | None = None
    """When the bank is asked again about the payment in hand."""
    cancellable: bool = False
    bank: Readiness = Readiness.STARTING
    reader: Readiness = Readiness.STARTING
    camera: Readiness = Readiness.STARTING
    notices: Sequence[Notice] = ()
    recent: Sequence[PaymentView] = ()
    """The last few payments, newest first."""
    open_count: int | None = None
    """Payments that the till brings to their end; None until it has begun."""
    batch: int = 0
    """The number of the open one."""
    inquiry: Batch | None = None
    """The open batch as it was when somebody last asked for its totals."""
    batches: Sequence[Batch] = ()
    """Those that wait for their close, and the one that was closed last."""
    parameters: int = 0
    """The version of what the bank sets here; 0: nothing."""
    bulletins: Sequence[Bulletin] = ()
    """Messages of the bank that nobody has read yet, oldest first."""


@dataclass(frozen=True, slots=True)
class ShopFacts:
    """What does not change while a sale is under way."""

    name: str
    name_zh: str
    till_name: str
    cashier: str
    """Who stands on receipts where nobody was signed in."""
    currency: str
    currency_symbol: str
    """'¥'; empty where letters are used instead."""
    currency_digits: int
    amount_max_minor: int
    is_bench: bool
    is_training: bool = False
    has_printer: bool = False
    """Receipts come on paper; else they are shown."""
    has_drawer: bool = False
    takes_tips: bool = False
    refund_limit_minor: int | None = None
    """Above it two persons must say yes; None: there is no such limit."""
    idle_sign_out_s: float | None = None
    """After so long without a key the till signs the cashier out; None: never."""
    wallets: Sequence[str] = ()
    """Brands that can pay a shown code."""
    welcome: str = ""
    """What customers read while no sale is under way; '': the till's own words."""
    welcome_zh: str = ""
    kept_max: int = 0
    """Most sales kept at a time while the bank is not reached."""
    kept_sum_max_minor: int | None = None
    """What they may come to; None: there is no such limit."""


class Observer(Protocol):
    """Called on the core's thread with each new view; must return at once."""

    def __call__(self, view: View, /) -> None:
        """Take the new view."""
