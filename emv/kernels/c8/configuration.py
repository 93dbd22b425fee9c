"""What the acquirer decides for kernel 8, for one AID.

Source: EMV Contactless Book C-8, Annex A.3: the objects that may be
configured, 9F8206 to 9F8221.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from emv import tags
from emv.bits import TVR8
from emv.errors import ConfigurationError
from emv.kernels.c8.certificates import ECKeyStore
from emv.kernels.relay import USUAL_LIMITS, RelayResistance
from emv.outcome import MessageId

ENVELOPES = range(tags.TAG_9F8111_DATA_ENVELOPE_1, tags.TAG_9F811A_DATA_ENVELOPE_10 + 1)
ENVELOPE_BYTES_MAX = 243

ONLINE_PIN, SIGNATURE, NO_CVM, ON_DEVICE = 0x40, 0x20, 0x08, 0x04
"""Ways to verify, as byte 1 of the Terminal Risk Management Data names them."""

NEVER_FORGIVEN = TVR8.LOCAL_AUTHENTICATION_FAILED | TVR8.CARDHOLDER_VERIFICATION_FAILED
OWN_BITS = (
    TVR8.LOCAL_AUTHENTICATION_NOT_PERFORMED
    | TVR8.LOCAL_AUTHENTICATION_FAILED
    | TVR8.CARDHOLDER_VERIFICATION_FAILED
    | TVR8.ONLINE_CVM_CAPTURED
    | TVR8.FLOOR_LIMIT_EXCEEDED
    | TVR8.KERNEL_8_FORMAT
    | TVR8.AID_MISMATCH
    | TVR8.RELAY_THRESHOLD_EXCEEDED
    | TVR8.RELAY_TIME_LIMITS_EXCEEDED
    | TVR8.RELAY_RESISTANCE_PERFORMED
    | TVR8.RELAY_RESISTANCE_NOT_PERFORMED
)

ANYTHING_AMISS = TVR8((1 << 40) - 1).without(
    TVR8.KERNEL_8_FORMAT | TVR8.RELAY_RESISTANCE_PERFORMED | TVR8.RELAY_RESISTANCE_NOT_PERFORMED
)
"""Every bit that is a finding."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Limits, action codes and abilities. Amounts are minor units."""

    ca_keys: ECKeyStore = field(default_factory=ECKeyStore)
    floor_limit_minor: int = 0
    """Above it a sale goes online, if the action code says so; 9F820D."""
    cvm_required_limit_minor: int = 0
    """Above it the cardholder is verified; 9F820E."""
    action_denial: TVR8 = NEVER_FORGIVEN
    """Findings that decline; 9F820B."""
    action_online: TVR8 = ANYTHING_AMISS
    """Findings that go online; 9F820C."""
    local_authentication: bool = True
    """Prove the card here, where it can be; byte 3 of 9F820A."""
    reports_failed_authentication: bool = True
    """Tell the issuer that the card was not proved; 9F8209, b4."""
    relay_resistance: RelayResistance | None = USUAL_LIMITS
    """None to leave the protocol out; 9F8209, b5."""
    card_data_input: int = 0x00
    """Terminal Capabilities, byte 1; 9F8206."""
    cvm_capability_required: int = SIGNATURE | ON_DEVICE
    """Ways to verify above the CVM limit; 9F8207."""
    cvm_capability_not_required: int = NO_CVM | ON_DEVICE
    """Ways to verify up to the CVM limit; 9F8208."""
    reserved_tvr_mask: TVR8 = OWN_BITS
    """Bits of the TVR that a card may not write; 9F821A."""
    default_cdol1: bytes = b""
    """For a card that has none of its own; 9F8220."""
    iad_mac_offset: int = 0
    """Where the MAC goes in tag 9F10 for a card that leaves it to the reader; 9F821E."""
    tags_to_read: tuple[int, ...] = ()
    """Data envelopes to read; 9F8203."""
    envelopes_to_write: Mapping[int, bytes] = field(default_factory=dict)
    """Data envelopes to write after the cryptogram; BF8104."""
    restart_messages: frozenset[MessageId] = frozenset(
        {MessageId.SEE_PHONE, MessageId.PRESENT_CARD_AGAIN, MessageId.INSERT_CARD}
    )
    """What a card may have its holder told; 9F821D."""
    message_hold_ms: int = 1300
    """How long a closing message stays; 9F8211."""
    field_off_ms: int = 1300
    """How long the field is off for a card that asks for it; 9F8212."""
    application_version: bytes = b"\x00\x02"
    """Tag 9F09."""

    def __post_init__(self) -> None:
        """Raise ConfigurationError, naming the setting, for what cannot be."""
        for name in ("card_data_input", "cvm_capability_required", "cvm_capability_not_required"):
            if not 0 <= getattr(self, name) <= 0xFF:
                raise ConfigurationError(f"kernel 8: {name} is not one byte")
        if not set(self.tags_to_read) | self.envelopes_to_write.keys() <= set(ENVELOPES):
            raise ConfigurationError("kernel 8: data envelopes are 9F8111 to 9F811A")
        if any(len(value) > ENVELOPE_BYTES_MAX for value in self.envelopes_to_write.values()):
            raise ConfigurationError(
                f"kernel 8: a data envelope holds {ENVELOPE_BYTES_MAX} bytes at most"
            )
        relay = self.relay_resistance
        if relay is not None and not 0 <= relay.mismatch_threshold_percent <= 100:
            raise ConfigurationError("kernel 8: mismatch_threshold_percent is not 0 to 100")
