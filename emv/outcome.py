"""What a kernel returns: outcome, user-interface request, error indication.

Source: EMV Contactless Book A, 6.2; Book C-2, Outcome Parameter Set.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field


class Status(enum.Enum):
    """How the conversation ended."""

    APPROVED = "approved"
    DECLINED = "declined"
    ONLINE_REQUEST = "online request"
    END_APPLICATION = "end application"
    SELECT_NEXT = "select next"
    TRY_ANOTHER_INTERFACE = "try another interface"
    TRY_AGAIN = "try again"


class Start(enum.Enum):
    """Where the Entry Point begins again."""

    A = "pre-processing"
    B = "protocol activation"
    C = "combination selection"
    D = "kernel activation"


class CVM(enum.Enum):
    """How the cardholder is verified, as the kernel decided."""

    NONE = "no CVM"
    SIGNATURE = "signature"
    OFFLINE_PIN = "offline PIN"
    ONLINE_PIN = "online PIN"
    CONFIRMATION_CODE_VERIFIED = "confirmation code verified"
    NOT_APPLICABLE = "n/a"


class MessageId(enum.IntEnum):
    """Standard messages. Source: Book A, 9.4."""

    APPROVED = 0x03
    NOT_AUTHORISED = 0x07
    ENTER_PIN = 0x09
    PROCESSING_ERROR = 0x0F
    REMOVE_CARD = 0x10
    WELCOME = 0x14
    PRESENT_CARD = 0x15
    PROCESSING = 0x16
    CARD_READ_OK = 0x17
    TRY_OTHER_INTERFACE = 0x18
    PRESENT_ONE_CARD = 0x19
    APPROVED_SIGN = 0x1A
    AUTHORISING = 0x1B
    TRY_ANOTHER_CARD = 0x1C
    INSERT_CARD = 0x1D
    CLEAR_DISPLAY = 0x1E
    SEE_PHONE = 0x20
    PRESENT_CARD_AGAIN = 0x21
    NONE = 0xFF


class ReaderStatus(enum.IntEnum):
    """What the reader's lights and sounds say. Source: Book A, 9.2."""

    NOT_READY = 0
    IDLE = 1
    READY_TO_READ = 2
    PROCESSING = 3
    CARD_READ_OK = 4
    PROCESSING_ERROR = 5


@dataclass(frozen=True, slots=True)
class UserInterfaceRequest:
    """What the reader should show and for how long."""

    message: MessageId
    status: ReaderStatus
    hold_ms: int = 0
    language: bytes = b""
    """Tag 5F2D: up to four two-letter codes, the card's preference."""
    value_minor: int | None = None
    """An amount or a balance to show, with its currency, when there is one."""
    currency: int | None = None
    """ISO 4217 numeric code of value_minor."""


PRESENT_AGAIN = UserInterfaceRequest(MessageId.PRESENT_CARD_AGAIN, ReaderStatus.READY_TO_READ)
"""For another tap."""


@dataclass(frozen=True, slots=True)
class ErrorIndication:
    """Where it went wrong: layer 1, 2 or 3, and the card's last status word."""

    layer: int
    detail: str
    status_word: int | None = None
    message: MessageId = MessageId.NONE


class Reason(enum.StrEnum):
    """Why a conversation ended as it did; stable words for screens and scripts.

    An online request carries no reason: the issuer decides.
    """

    NO_APPLICATION = "no application"
    OVER_CONTACTLESS_LIMIT = "over contactless limit"
    ZERO_AMOUNT = "zero amount not allowed"
    LINK_LOST = "link lost"
    SEE_PHONE = "see phone"
    MODE_NOT_SUPPORTED = "mode not supported"
    """The card speaks a mode this reader has not, such as magnetic stripe."""
    SWITCH_INTERFACE = "switch interface"
    """The card itself asks for another interface."""
    SELECT_NEXT = "conditions of use not satisfied"
    CARD_REFUSED = "card refused"
    """A status word that no rule foresees."""
    CARD_DATA_MISSING = "card data missing"
    CARD_DATA_ERROR = "card data error"
    CARD_DECLINED = "card declined"
    EXPIRED = "expired"
    EXCEPTION_FILE = "exception file"
    CASH_NOT_ALLOWED = "cash not allowed"
    CASHBACK_NOT_ALLOWED = "cashback not allowed"
    TOO_SLOW = "answer too slow"
    """Relay resistance: the card may be far away, and somebody between."""
    NOT_AUTHENTIC = "not authentic"
    """Offline data authentication failed."""
    PIN_NOT_POSSIBLE = "pin not possible"
    """The card wants a PIN, and the reader has no PIN pad."""
    CVM_NOT_POSSIBLE = "cardholder verification not possible"
    DEVICE_NOT_TRUSTED = "device verification not proved"
    """The phone says that it verified its owner, and its data do not prove it."""
    ONLINE_NOT_POSSIBLE = "online not possible"
    """The card wants the issuer, and the reader is offline only."""
    NOT_YET_EFFECTIVE = "not yet effective"
    SERVICE_NOT_ALLOWED = "service not allowed"
    PIN_NOT_ENTERED = "pin not entered"
    PIN_BLOCKED = "pin blocked"
    """No try is left for the offline PIN."""
    TERMINAL_DECLINED = "terminal declined"
    """By action codes, for findings that have no reason of their own."""
    ISSUER_DECLINED = "issuer declined"
    REFERRAL = "referral"
    """The issuer, or an older card, wants to be called by telephone."""
    REFUSED_AFTER_APPROVAL = "card refused after approval"
    """The issuer approved, and the card did not: the money must go back."""
    CANCELLED = "cancelled"
    CARD_BLOCKED = "card blocked"
    APPLICATION_BLOCKED = "application blocked"


class Interface(enum.Enum):
    """The other way to try."""

    CONTACT = "contact"
    MAGSTRIPE = "magnetic stripe"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one kernel conversation. A declined card is an outcome."""

    status: Status
    start: Start | None = None
    cvm: CVM = CVM.NOT_APPLICABLE
    ui: UserInterfaceRequest | None = None
    ui_on_restart: UserInterfaceRequest | None = None
    # Both hold card data, so that neither may show in a log or a traceback.
    data_record: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    """Tag to value: what goes to the bank and onto the receipt."""
    discretionary: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    alternate_interface: Interface | None = None
    receipt: bool = False
    field_off_ms: int | None = None
    removal_timeout_ms: int = 0
    error: ErrorIndication | None = None
    awaits_issuer: bool = False
    """A second tap, at B, takes the issuer's answer to the card."""
    reason: str = ""
    """A Reason for the decision that ended it, such as 'expired'."""
    retained: object | None = field(default=None, repr=False)
    """What the Entry Point keeps for a restart; hand the outcome back to it."""
