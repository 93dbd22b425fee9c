"""What reaches the core through its inbox, and what it wishes done.

Events are facts: something happened. Wishes are deeds in order: a Record
is on disk before the wish behind it begins, and if it cannot be written the
rest of that list is not done.
"""

from __future__ import annotations

import enum

from msgspec import Struct

from terminal.batch.batch import Batch
from terminal.batch.events import BatchEvent, RecordBatch, SendBatch
from terminal.messages import Message
from terminal.news.events import NewsEvent, NewsWish
from terminal.questions import AnswerCard, CardAsks, CardSpeaks, ChoiceMade, PinAnswered
from terminal.states import Event as Move
from terminal.view import Kind, Medium, PaymentView, Readiness

# --- events -----------------------------------------------------------------


class Started(Struct, frozen=True):
    """The till came up; these payments were open when it went down."""

    unfinished: tuple[PaymentView, ...]
    recent: tuple[PaymentView, ...]
    next_number: int
    devices: tuple[tuple[str, str], ...] = ()
    """Name and role of each; they are about to come up."""
    batch: int = 1
    """The number of the open one."""
    batches: tuple[Batch, ...] = ()
    """Those whose close did not come to its end."""
    parameters: int = 0
    """The version of what the bank sets here; 0: nothing."""
    bulletins_read: int = 0
    """The number of the bank's message that was read last."""


class SaleWanted(Struct, frozen=True):
    """The cashier entered an amount."""

    attempt: str
    amount_minor: int
    currency: str
    cashier: str = ""
    """Who is signed in, as receipts call them."""
    kind: Kind = Kind.SALE
    """One for which the customer presents something."""
    tender: Tender | None = None
    """What it is paid with, where that is known already: a card that was typed."""


class FollowUpWanted(Struct, frozen=True):
    """Something is to follow an earlier payment."""

    attempt: str
    kind: Kind
    original: str
    """The identity of the earlier one."""
    amount_minor: int | None = None
    """None: all that there is."""
    cashier: str = ""


class CancelWanted(Struct, frozen=True):
    """Esc."""


class CodeWanted(Struct, frozen=True):
    """F7: show the customer a code to scan.

    order: a fresh identity for it.
    """

    order: str


class CheckWanted(Struct, frozen=True):
    """Ask the bank now, not at the next turn."""


class LeaveWanted(Struct, frozen=True):
    """Done with this result, or go on and let the till finish it."""


class SignatureRefused(Struct, frozen=True):
    """The customer's signature is not the card's."""


class KeepWanted(Struct, frozen=True):
    """K: keep the sale that was not sent, at the shop's risk."""


class SyncWanted(Struct, frozen=True):
    """Reverse and forward now what waits for its turn."""


class RaiseWanted(Struct, frozen=True):
    """Keep as much again as the shop's limits say."""


class SettleWanted(Struct, frozen=True):
    """Somebody who may has settled what the bank refused for good."""

    attempt: str
    note: str
    person: str
    """As receipts call them."""


class Exported(Struct, frozen=True):
    """These kept sales were written to a file that the bank can be given."""

    attempts: tuple[str, ...]


class CardPresented(Struct, frozen=True):
    """A card is active in a reader."""

    arming: int
    reader: str = ""
    """Its name."""


class CardEnd(enum.Enum):
    """What a conversation with a card came to, for the core."""

    ONLINE = "online"
    APPROVED = "approved"
    DECLINED = "declined"
    AGAIN = "again"
    """The same card or another may be presented; the sale goes on."""


class CardFacts(Struct, frozen=True):
    """What may be shown and kept of a card. No whole number in it."""

    medium: Medium
    brand: str
    masked_pan: str
    application_label: str = ""
    aid: str = ""
    tvr: str = ""
    ctq: str = ""
    signature: bool = False
    pin: bool = False
    """The bank is sent a PIN with it."""


class CardRead(Struct, frozen=True):
    """A conversation with a card is over."""

    arming: int
    end: CardEnd
    reason: Message | None = None
    next_step: Message | None = None
    facts: CardFacts | None = None
    sealed: str = ""
    """Card data as JWE to the bank's key; for ONLINE and APPROVED."""
    reader: str = ""
    """Its name."""
    kept: int | None = None
    """For ONLINE, where the customer must enter a PIN first: nothing is sealed
    before, and the card's data are kept under this number."""
    waits_for: str = ""
    """For ONLINE: the attempt whose word from the bank a chip in a slot waits for."""
    proof: str = ""
    """The till's signature on the sale, made when the card was read; '' with a PIN."""


class CardCompleted(Struct, frozen=True):
    """A chip that waited for the bank's word has said its own."""

    attempt: str
    agrees: bool


class CodeRead(Struct, frozen=True):
    """A customer's payment code was scanned."""

    arming: int
    brand: str
    sealed: str
    fingerprint: str
    """The same for the same code, and for no other."""

    def __repr__(self) -> str:
        return f"CodeRead({self.arming}, {self.brand!r}, …)"


class CodeRejected(Struct, frozen=True):
    """Something was scanned that cannot pay."""

    arming: int
    reason: Message


class PinDigits(Struct, frozen=True):
    """So many digits stand on the PIN pad; nobody here knows which."""

    asking: int
    digits: int


class PinEntered(Struct, frozen=True):
    """The customer has entered a PIN; it is under the seal, with the card."""

    asking: int
    sealed: str


class PinEnded(Struct, frozen=True):
    """There will be no PIN."""

    asking: int
    reason: Message
    next_step: Message


class DeviceHealth(Struct, frozen=True):
    """A device changed its state."""

    name: str
    role: str
    """'reader', 'contact', 'camera', 'printer' or 'display'."""
    readiness: Readiness
    trouble: Message | None = None
    """What to tell the cashier of it; None: what its readiness says."""


class Purpose(enum.Enum):
    """Why a request goes to the bank."""

    PAY = "pay"
    ASK = "ask"
    REVERSE = "reverse"
    CLOSE = "close"
    ORDER = "order"
    ADVISE = "advise"
    ECHO = "echo"


class BankAnswer(Struct, frozen=True):
    """A verified decision of the bank, in the core's words."""

    state: str
    """As in docs/bank-link.md: approved, declined, pending, not_found, …"""
    code: str = ""
    reference: str = ""
    authorisation: str = ""
    brand: str = ""
    shown_code: str = ""
    expires_at_ms: int | None = None
    emv: str = ""
    """What the issuer tells a chip: hex of tags 91, 71 and 72."""
    balance_minor: int | None = None
    """What a card's account has, where that was asked."""
    skew_ms: int = 0
    """How far the bank's clock is ahead of ours."""
    parameters: int = 0
    """Of an echo: the newest version of what the bank sets; 0: it sets nothing."""
    bulletin: int = 0
    """Of an echo: the number of its newest message to the cashier; 0: there is none."""


class Sending(Struct, frozen=True):
    """The request is on its way out: from here on silence is no decline."""

    purpose: Purpose
    attempt: str


class Answered(Struct, frozen=True):
    """The bank decided, and the answer was verified."""

    purpose: Purpose
    attempt: str
    answer: BankAnswer


class Refused(Struct, frozen=True):
    """The bank refused the request itself, in a verified answer."""

    purpose: Purpose
    attempt: str
    status: int
    error: str
    skew_ms: int = 0


class NeverLeft(Struct, frozen=True):
    """Provably nothing of the request left the till."""

    purpose: Purpose
    attempt: str
    detail: str
    is_insecure: bool = False
    """A certificate or a key is wrong, on either side: a person must act."""
    is_malformed: bool = False
    """It can be sent to no bank: what the till has of it is damaged."""


class AnswerLost(Struct, frozen=True):
    """The request left, and no verified answer came."""

    purpose: Purpose
    attempt: str
    detail: str


class TimerRang(Struct, frozen=True):
    """A moment the core asked for has come."""

    timer: Timer


class JournalFailed(Struct, frozen=True):
    """A Record could not be written; what stood behind it was not done."""

    payments: tuple[str, ...]
    """The attempts it would have moved."""
    undone: tuple[Wish, ...]
    """The wishes behind it."""
    detail: str
    batch: int = 0
    """The batch it would have moved; 0: none."""


# --- wishes -----------------------------------------------------------------


class Entry(Struct, frozen=True):
    """One move of one payment, as the journal keeps it."""

    payment: PaymentView
    """As it stands after the move."""
    move: Move | None
    """None when the entry is the payment's first."""
    sealed: str | None = None
    """A sealed sale to keep until the bank has it; '' erases it."""


class Record(Struct, frozen=True):
    """Put these moves on disk, all or none, before anything else happens."""

    entries: tuple[Entry, ...]


class Arm(Struct, frozen=True):
    """Switch on everything that can read a customer's card or code."""

    arming: int
    attempt: str
    amount_minor: int
    currency: str
    must_go_online: bool = False
    """A card's own yes would be worth nothing: the bank must be asked."""


class Disarm(Struct, frozen=True):
    """Switch all of it off."""


class TellCard(Struct, frozen=True):
    """Give the chip that waits in a slot its issuer's word."""

    reader: str
    attempt: str
    code: str = ""
    """The response code; empty: nobody could be asked, and the card shall decline."""
    emv: str = ""


class AskPin(Struct, frozen=True):
    """Have the customer enter a PIN for the card that was read for this attempt."""

    asking: int
    attempt: str
    kept: int
    """What the card's data are kept under."""
    amount_minor: int
    currency: str
    within_s: float


class EndPin(Struct, frozen=True):
    """Ask for no PIN any more, and forget the card that it was for."""

    asking: int = 0
    """Only if this is what is asked, and of other cards none is forgotten; 0: in any case."""


class Send(Struct, frozen=True):
    """Ask the bank; the answer comes as an event with the same attempt."""

    purpose: Purpose
    payment: PaymentView
    sealed: str = ""
    order: str = ""
    reason: str = ""
    """Of a reversal."""


class Timer(Struct, frozen=True):
    """A moment's name: what for, and for which attempt."""

    name: str
    attempt: str = ""


class SetTimer(Struct, frozen=True):
    """Ring at this moment of the monotonic clock; replaces one of that name."""

    timer: Timer
    at: float


class StopTimer(Struct, frozen=True):
    """Do not ring."""

    timer: Timer


Wish = (
    Record
    | RecordBatch
    | Arm
    | Disarm
    | TellCard
    | AnswerCard
    | AskPin
    | EndPin
    | Send
    | SendBatch
    | SetTimer
    | StopTimer
    | NewsWish
)
InboxEvent = (
    Started
    | SaleWanted
    | FollowUpWanted
    | CancelWanted
    | CodeWanted
    | CheckWanted
    | LeaveWanted
    | SignatureRefused
    | KeepWanted
    | SyncWanted
    | RaiseWanted
    | SettleWanted
    | Exported
    | CardPresented
    | CardRead
    | CardCompleted
    | CardAsks
    | CardSpeaks
    | ChoiceMade
    | CodeRead
    | CodeRejected
    | PinDigits
    | PinEntered
    | PinAnswered
    | PinEnded
    | DeviceHealth
    | Sending
    | Answered
    | Refused
    | NeverLeft
    | AnswerLost
    | TimerRang
    | JournalFailed
    | BatchEvent
    | NewsEvent
)


class Tender(Struct, frozen=True):
    """What the customer pays with, sealed, on its way to the bank."""

    sealed: str
    is_offline: bool
    """The card has approved; the bank will be told."""
    kept: int | None = None
    """The customer must enter a PIN first; until then nothing is sealed, and the
    card's data are kept under this number."""
    facts: CardFacts | None = None
    """Of a card or a phone."""
    slot: str = ""
    """The reader in which a chip waits for the bank's word."""
    brand: str = ""
    """Of a wallet's code."""
    proof: str = ""
    """The till's signature on a card sale that needs no PIN, made when it was read."""

    @property
    def to_keep(self) -> str:
        """What the journal keeps of it until the bank has it: seal and proof, a line each."""
        return f"{self.sealed}\n{self.proof}" if self.proof else self.sealed
