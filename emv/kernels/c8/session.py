"""One transaction of kernel 8 in the making: what was given, read and decided."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from emv import bits, tags
from emv.bits import AIP, TVR8
from emv.entry_point import Activation
from emv.kernels.c8.configuration import Configuration
from emv.outcome import CVM, UserInterfaceRequest
from emv.records import Record

KERNEL_ID = 8
SOURCE = "Book C-8"

FIELD_OFF_DETECTION = 0x80
"""Card Qualifier, byte 5."""
LOCAL_AUTHENTICATION = 0x10
"""Terminal Capabilities, byte 3."""
CVM_LIMIT_EXCEEDED = 0x80
"""Terminal Risk Management Data, byte 2."""


@dataclass(slots=True)
class Session:
    """What the kernel's database holds while it runs."""

    configuration: Configuration
    activation: Activation
    terminal: dict[int, bytes] = field(repr=False)
    """Data objects of terminal and transaction."""
    fci: dict[int, bytes] = field(repr=False)
    card: dict[int, bytes] = field(default_factory=dict, repr=False)
    """Data objects of every answer of the card, deciphered."""
    cdol1: bytes = b""
    """The card's list, or the reader's own for a card without one."""
    records: tuple[Record, ...] = ()
    """As they were before the card enciphered them."""
    aip: AIP = field(default=AIP(0))
    tvr: TVR8 = field(default=TVR8.KERNEL_8_FORMAT)
    cvm: CVM = CVM.NOT_APPLICABLE
    decision: int = bits.CID_TC
    """What the reader would have: approve, go online or decline, as bits 8 and 7 of tag 9F27."""
    findings: TVR8 = field(default=TVR8(0))
    """What of the TVR made the reader decide for less than a TC."""
    covered: bytes = field(default=b"", repr=False)
    """What the card was given and how far it is: the IAD-MAC is over these first."""
    discretionary: dict[int, bytes] = field(default_factory=dict, repr=False)

    @property
    def amount(self) -> int:
        """Amount, authorised, in minor units."""
        return self.activation.transaction.amount_authorised_minor

    @property
    def is_over_cvm_limit(self) -> bool:
        """Whether the cardholder must be verified. The limit itself is not over."""
        return self.amount > self.configuration.cvm_required_limit_minor

    @property
    def authenticates_locally(self) -> bool:
        """Whether the card is to be proved here."""
        return self.configuration.local_authentication and AIP.CDA in self.aip

    @property
    def detects_field_off(self) -> bool:
        """Whether the card has the field go off at the end."""
        qualifier = self.fci.get(tags.TAG_9F2C_CARD_QUALIFIER, bytes(7))
        return bool(qualifier[4] & FIELD_OFF_DETECTION)

    def message(self, request: UserInterfaceRequest) -> UserInterfaceRequest:
        """Return a message in the card's language preference."""
        language = self.fci.get(tags.TAG_5F2D_LANGUAGE_PREFERENCE, b"")
        return replace(request, language=language)


def set_terminal_capabilities(session: Session) -> None:
    """Write tags 9F33 and 9F1D as the amount demands it.

    Source: Book C-8, Reader CVM Required Limit.
    """
    configuration = session.configuration
    is_over = session.is_over_cvm_limit
    cvm = (
        configuration.cvm_capability_required
        if is_over
        else configuration.cvm_capability_not_required
    )
    security = LOCAL_AUTHENTICATION if configuration.local_authentication else 0
    session.terminal[tags.TAG_9F33_TERMINAL_CAPABILITIES] = bytes(
        (configuration.card_data_input, cvm, security)
    )
    limit = CVM_LIMIT_EXCEEDED if is_over else 0
    session.terminal[tags.TAG_9F1D_TERMINAL_RISK_MANAGEMENT_DATA] = bytes((cvm, limit, *bytes(6)))
