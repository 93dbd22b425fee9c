"""What the acquirer decides for kernel 2, for one AID.

Source: EMV Contactless Book C-2, Annex A.1: the objects that may be
configured, DF8117 to DF8137.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from emv import bits
from emv.actions import ActionCodes
from emv.authentication import CAKeyStore
from emv.errors import ConfigurationError
from emv.kernels.relay import USUAL_LIMITS, RelayResistance
from emv.outcome import CVM, MessageId

AMOUNT_MAX = 10**12 - 1

CONTACT_CHIP = 0x20
"""Terminal Capabilities, byte 1: IC with contacts."""
SIGNATURE = 0x20
"""Terminal Capabilities, byte 2: signature."""
NO_CVM = 0x08
"""Terminal Capabilities, byte 2: no CVM required."""
CDA = 0x08
"""Terminal Capabilities, byte 3: CDA."""

DATA_STORAGE_BYTES = 8
STORED_BYTES_MAX = 160


@dataclass(frozen=True, slots=True)
class PhoneMessage:
    """One row of the phone message table, DF8131."""

    mask: int
    value: int
    """Matches where the card's interaction information, under the mask, is this."""
    message: MessageId


PHONE_MESSAGES = (
    PhoneMessage(0x000001, 0x000001, MessageId.SEE_PHONE),
    PhoneMessage(0x000800, 0x000800, MessageId.SEE_PHONE),
    PhoneMessage(0x000400, 0x000400, MessageId.SEE_PHONE),
    PhoneMessage(0x000100, 0x000100, MessageId.SEE_PHONE),
    PhoneMessage(0x000200, 0x000200, MessageId.SEE_PHONE),
    PhoneMessage(0x000000, 0x000000, MessageId.NOT_AUTHORISED),
)
"""The default table. The last row matches everything."""


@dataclass(frozen=True, slots=True)
class DataStorage:
    """What an operator keeps on cards: integrated data storage.

    Source: Book C-2, Annex A.
    """

    operator_id: bytes
    """DS Requested Operator ID, 8 bytes; tag 9F5C."""
    one_way: Callable[[bytes, bytes, bytes], bytes]
    """The digest of card, operator and input (OWHF2): no cipher is in this package."""
    info: int | None = None
    """DS ODS Info, tag DF62: in what kind of slot to write; None to read alone."""
    data: bytes = b""
    """DS ODS Term, tag DF63, at most 160 bytes: what to write."""
    cryptogram: int = bits.CID_AAC
    """DS AC Type, tag DF8108: with which cryptogram, as bits 8 and 7 of tag 9F27."""
    info_for_reader: int = 0
    """DS ODS Info For Reader, tag DF810A: with which others, and when to stop instead."""
    input_card: bytes = bytes(8)
    """DS Input (Card), tag DF60: the input whose digest was stored before."""
    input_term: bytes = field(default=bytes(8), repr=False)
    """DS Input (Term), tag DF8109: the input that the next writer has to show."""

    def __post_init__(self) -> None:
        """Raise ConfigurationError, naming the object, for what cannot be."""
        for name in ("operator_id", "input_card", "input_term"):
            if len(getattr(self, name)) != DATA_STORAGE_BYTES:
                raise ConfigurationError(f"kernel 2: {name} is not 8 bytes")
        if len(self.data) > STORED_BYTES_MAX:
            raise ConfigurationError(f"kernel 2: data of {len(self.data)} bytes, at most 160")


@dataclass(frozen=True, slots=True)
class Configuration:
    """Limits, action codes and abilities. Amounts are minor units."""

    ca_keys: CAKeyStore = field(default_factory=CAKeyStore)
    floor_limit_minor: int = 0
    """Above it a sale goes online; DF8123."""
    transaction_limit_minor: int = AMOUNT_MAX
    """Above it this application is passed over; DF8124."""
    transaction_limit_device_minor: int = AMOUNT_MAX
    """The same for a device that verifies its holder itself; DF8125."""
    cvm_required_limit_minor: int = 0
    """Above it the cardholder is verified; DF8126."""
    action_codes: ActionCodes = field(default_factory=ActionCodes)
    """What to decline, send online, or decline if that is impossible; DF8120 to DF8122."""
    supports_emv: bool = True
    """DF811B, b7, which says that it is not."""
    supports_mag_stripe: bool = False
    """DF811B, b8, which says that it is not. Schemes have ended it."""
    on_device_verification: bool = True
    """Believe a phone that has verified its holder; DF811B, b6."""
    relay_resistance: RelayResistance | None = USUAL_LIMITS
    """None to leave the protocol out; DF811B, b5."""
    reads_all_records: bool = False
    """Read on though no signature will be checked; DF811B, b3."""
    card_data_input: int = 0x00
    """Terminal Capabilities, byte 1; DF8117."""
    cvm_capability_required: int = SIGNATURE
    """Terminal Capabilities, byte 2, above the CVM limit; DF8118."""
    cvm_capability_not_required: int = NO_CVM
    """Terminal Capabilities, byte 2, up to the CVM limit; DF8119."""
    security_capability: int = CDA
    """Terminal Capabilities, byte 3; DF811F."""
    mag_stripe_cvm_required: CVM = CVM.SIGNATURE
    """How a magnetic stripe holder is verified above the CVM limit; DF811E."""
    mag_stripe_cvm_not_required: CVM = CVM.NONE
    """And up to it; DF812C."""
    torn_records_max: int = 0
    """How many torn transactions are remembered; 0 for none; DF811D."""
    torn_record_lifetime_s: int = 300
    """How long one is remembered, in seconds; DF811C."""
    message_hold_ms: int = 1300
    """How long a closing message stays; DF812D."""
    field_off_ms: int = 1300
    """How long the field is off for a card that asks for it; DF8130."""
    phone_messages: tuple[PhoneMessage, ...] = PHONE_MESSAGES
    reads_balance_before: bool = False
    """Ask for the offline balance before the cryptogram; DF8104."""
    reads_balance_after: bool = False
    """Ask for it after the cryptogram, to show it; DF8105."""
    tags_to_read: tuple[int, ...] = ()
    """Data storage objects to read, and counters; DF8112."""
    tags_to_write_before: Mapping[int, bytes] = field(default_factory=dict)
    """Data storage objects to write before the cryptogram; FF8102."""
    tags_to_write_after: Mapping[int, bytes] = field(default_factory=dict)
    """Data storage objects to write after it; FF8103."""
    storage: DataStorage | None = None
    """An operator's data, read and written with the cryptogram; None to leave them out."""
    application_version: bytes = b"\x00\x02"
    """Tag 9F09."""
    mag_stripe_version: bytes = b"\x00\x01"
    """Tag 9F6D."""

    def __post_init__(self) -> None:
        """Raise ConfigurationError, naming the setting, for what cannot be."""
        if not (self.supports_emv or self.supports_mag_stripe):
            raise ConfigurationError("kernel 2: neither EMV nor magnetic stripe mode is on")
        for name in ("card_data_input", "cvm_capability_required", "security_capability"):
            if not 0 <= getattr(self, name) <= 0xFF:
                raise ConfigurationError(f"kernel 2: {name} is not one byte")
        if not self.phone_messages or self.phone_messages[-1].mask:
            raise ConfigurationError("kernel 2: the last of phone_messages must match everything")
        relay = self.relay_resistance
        if relay is not None and not 0 <= relay.mismatch_threshold_percent <= 100:
            raise ConfigurationError("kernel 2: mismatch_threshold_percent is not 0 to 100")
