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


@dataclass(frozen=True, slots=True)
class ErrorIndication:
    """Where it went wrong: layer 1, 2 or 3, and the card's last status word."""

    layer: int
    detail: str
    status_word: int | None = None
    message: MessageId = MessageId.NONE


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
    data_record: Mapping[int, bytes] = field(default_factory=dict)
    """Tag to value: what goes to the bank and onto the receipt."""
    discretionary: Mapping[int, bytes] = field(default_factory=dict)
    alternate_interface: Interface | None = None
    receipt: bool = False
    field_off_ms: int | None = None
    removal_timeout_ms: int = 0
    error: ErrorIndication | None = None
    reason: str = ""
    """A stable word for the decision that ended it, such as 'expired'."""
