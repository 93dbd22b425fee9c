"""One transaction of kernel 2 in the making: what was given, read and decided."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from emv import bits, tags
from emv.bits import AIP, TVR
from emv.entry_point import Activation
from emv.kernels.c2.configuration import Configuration
from emv.kernels.c2.torn import TornRecord
from emv.kernels.evidence import Evidence
from emv.kernels.objects import pan_of
from emv.outcome import CVM, UserInterfaceRequest
from emv.records import Record

KERNEL_ID = 2


@dataclass(slots=True)
class Session:
    """What the kernel's database holds while it runs."""

    configuration: Configuration
    activation: Activation
    terminal: dict[int, bytes] = field(repr=False)
    """Data objects of terminal and transaction."""
    fci: dict[int, bytes] = field(repr=False)
    torn: tuple[TornRecord, ...] = ()
    """Torn transactions that may be taken up again."""
    card: dict[int, bytes] = field(default_factory=dict, repr=False)
    """Data objects of every answer of the card."""
    records: tuple[Record, ...] = ()
    aip: AIP = field(default=AIP(0))
    tvr: TVR = field(default=TVR(0))
    cvm: CVM = CVM.NOT_APPLICABLE
    receipt: bool = False
    findings: TVR = field(default=TVR(0))
    """What of the TVR made the reader ask for less than a TC."""
    requested: int = bits.CID_AAC
    """Which cryptogram the reader asked for."""
    asked_signature: bool = False
    """Whether it asked for a combined signature with it."""
    lists_data: bytes = field(default=b"", repr=False)
    """The values the card was given for PDOL and CDOL1, joined: a signature covers them."""
    relay_data: bytes = b""
    """Entropies and times of relay resistance, as the card signs them."""
    reads_storage: bool = False
    """Whether card and operator share integrated data storage: IDS Status, b8."""
    writes_storage: bool = False
    """Whether data were sent to be written: IDS Status, b7."""
    discretionary: dict[int, bytes] = field(default_factory=dict, repr=False)

    @property
    def amount(self) -> int:
        """Amount, authorised, in minor units."""
        return self.activation.transaction.amount_authorised_minor

    @property
    def pan(self) -> str:
        """The card number. Raises MalformedData if tag 5A holds none."""
        return pan_of(self.card)

    @property
    def capabilities(self) -> bytes:
        """Application Capabilities Information, tag 9F5D; zeros where it is absent."""
        return self.fci.get(tags.TAG_9F5D_APPLICATION_CAPABILITIES_INFORMATION, bytes(3))

    @property
    def evidence(self) -> Evidence:
        """What proves the card. Raises MalformedData as pan does."""
        return Evidence(
            self.card,
            self.records,
            self.configuration.ca_keys,
            # The scheme is the reader's AID's: a card must not choose whose key counts.
            self.activation.combination.rid,
            self.pan,
            self.activation.transaction.date,
        )

    @property
    def verifies_on_device(self) -> bool:
        """Whether the holder proves himself on his device, and the reader believes it."""
        return self.configuration.on_device_verification and AIP.ON_DEVICE_VERIFICATION in self.aip

    @property
    def is_over_cvm_limit(self) -> bool:
        """Whether the cardholder must be verified. The limit itself is not over."""
        return self.amount > self.configuration.cvm_required_limit_minor

    @property
    def transaction_limit(self) -> int:
        """The limit for cards, or the one for devices that verify their holder."""
        if self.verifies_on_device:
            return self.configuration.transaction_limit_device_minor
        return self.configuration.transaction_limit_minor

    def message(self, request: UserInterfaceRequest) -> UserInterfaceRequest:
        """Return a message in the card's language preference."""
        language = self.fci.get(tags.TAG_5F2D_LANGUAGE_PREFERENCE, b"")
        return replace(request, language=language)


CDA_OVER_AAC = 0x01
BALANCE_READING = 0x02
FIELD_OFF_DETECTION = 0x04
"""Application Capabilities Information, byte 2."""


def set_terminal_capabilities(session: Session) -> None:
    """Write tag 9F33 as the amount demands it. Source: Book C-2, Reader CVM Required Limit."""
    configuration = session.configuration
    cvm = (
        configuration.cvm_capability_required
        if session.is_over_cvm_limit
        else configuration.cvm_capability_not_required
    )
    session.terminal[tags.TAG_9F33_TERMINAL_CAPABILITIES] = bytes(
        (configuration.card_data_input, cvm, configuration.security_capability)
    )
