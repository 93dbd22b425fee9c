"""What the contact kernel is told, and one transaction in the making."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from emv import bits, tags
from emv.actions import ActionCodes, Reach, reach_of
from emv.authentication import CAKeyStore, PublicKey
from emv.bits import AIP, TSI, TVR, AdditionalTerminalCapabilities, TerminalCapabilities
from emv.conversation import IssuerAnswer
from emv.entry_point import Terminal, Transaction
from emv.kernels.evidence import Evidence
from emv.outcome import CVM
from emv.records import Record
from emv.risk import RiskLimits
from emv.scripts import ScriptResult
from emv.selection import TerminalApplication

# ISO 8583:1987 DE 22 as schemes use it: chip, read through its contacts.
ENTRY_MODE_CHIP = b"\x05"


@dataclass(frozen=True, slots=True)
class Application(TerminalApplication):
    """One application of the terminal, with what its acquirer decides."""

    version: bytes = b"\x00\x8c"
    """Tag 9F09, 2 bytes."""
    action_codes: ActionCodes = field(default_factory=ActionCodes)
    """TAC denial, online, default."""
    limits: RiskLimits = field(default_factory=RiskLimits)
    default_ddol: bytes = bytes.fromhex("9F3704")
    """For a card that does not say what it wants to sign."""
    default_tdol: bytes = b""
    """For a card that wants a hash and does not say over what."""

    @property
    def rid(self) -> bytes:
        """The scheme: the first 5 bytes of the AID."""
        return self.aid[:5]


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the acquirer and the shop decide for every contact payment."""

    applications: tuple[Application, ...]
    """In the terminal's own order."""
    ca_keys: CAKeyStore = field(default_factory=CAKeyStore)
    languages: tuple[str, ...] = ("en",)
    """ISO 639 codes of what the cardholder's screen speaks."""
    asks_cardholder: bool = True
    """There is a screen on which he can choose an application, or agree to one."""
    has_exception_file: bool = True
    has_transaction_log: bool = False
    """Amounts paid here with the same card and not yet settled count to the floor limit."""


@dataclass(slots=True)
class Session:
    """One transaction in the making: what was given, read and decided."""

    configuration: Configuration
    application: Application
    transaction: Transaction
    terminal: dict[int, bytes] = field(repr=False)
    """Data objects of terminal and transaction, and what they became meanwhile."""
    fci: dict[int, bytes] = field(repr=False)
    card: dict[int, bytes] = field(default_factory=dict, repr=False)
    """Data objects of the GPO response, the records, and later answers."""
    records: tuple[Record, ...] = ()
    tvr: TVR = field(default_factory=lambda: TVR(0))
    tsi: TSI = field(default_factory=lambda: TSI(0))
    cvm: CVM = CVM.NONE
    pdol_data: bytes = field(default=b"", repr=False)
    cdol_data: bytes = field(default=b"", repr=False)
    """What the card was given in GENERATE AC so far, joined."""
    icc_key: PublicKey | None = None
    """The card's key, if combined authentication was selected and the key recovered."""
    issuer: IssuerAnswer | None = field(default=None, repr=False)
    script_results: list[ScriptResult] = field(default_factory=list)

    @classmethod
    def begin(
        cls,
        configuration: Configuration,
        application: Application,
        terminal: Terminal,
        transaction: Transaction,
        fci: dict[int, bytes],
    ) -> Session:
        """Start with everything that is known before the card speaks."""
        amount = transaction.amount_authorised_minor
        objects = {**terminal.objects(), **transaction.objects()}
        objects |= {
            tags.TAG_9F06_AID_TERMINAL: application.aid,
            tags.TAG_9F09_APPLICATION_VERSION_TERMINAL: application.version,
            tags.TAG_9F1B_TERMINAL_FLOOR_LIMIT: _binary(application.limits.floor_minor),
            tags.TAG_81_AMOUNT_AUTHORISED_BINARY: _binary(amount),
            tags.TAG_9F04_AMOUNT_OTHER_BINARY: _binary(transaction.amount_other_minor),
            tags.TAG_9F34_CVM_RESULTS: bits.CVM_RESULTS_NOT_PERFORMED,
            tags.TAG_9F39_POS_ENTRY_MODE: ENTRY_MODE_CHIP,
        }
        return cls(configuration, application, transaction, terminal=objects, fci=fci)

    def values(self) -> Mapping[int, bytes]:
        """Return every object a card may ask for; the terminal's word goes before the card's."""
        return {
            **self.fci,
            **self.card,
            **self.terminal,
            tags.TAG_95_TVR: self.tvr.encoded,
            tags.TAG_9B_TSI: self.tsi.encoded,
        }

    @property
    def aip(self) -> AIP:
        """What the card supports."""
        return AIP.decode(self.card[tags.TAG_82_AIP])

    @property
    def capabilities(self) -> TerminalCapabilities:
        """What the terminal supports."""
        return TerminalCapabilities.decode(self.terminal[tags.TAG_9F33_TERMINAL_CAPABILITIES])

    @property
    def reach(self) -> Reach:
        """Whom the terminal can ask."""
        return reach_of(self.terminal[tags.TAG_9F35_TERMINAL_TYPE][0])

    @property
    def pan(self) -> str:
        """The card number."""
        return self.card[tags.TAG_5A_PAN].hex().upper().rstrip("F")

    @property
    def evidence(self) -> Evidence:
        """What the card brings to prove itself."""
        return Evidence(
            self.card,
            self.records,
            self.configuration.ca_keys,
            self.application.rid,
            self.pan,
            self.transaction.date,
        )

    @property
    def language(self) -> bytes:
        """The card's language preference, for what is shown."""
        return self.fci.get(tags.TAG_5F2D_LANGUAGE_PREFERENCE, b"")


def _binary(amount_minor: int) -> bytes:
    """Return an amount as 4 binary bytes; the most they can say if it is more.

    Source: EMV 4.4 Book 3, Annex A, tags 81 and 9F1B.
    """
    return min(amount_minor, 0xFFFFFFFF).to_bytes(4, "big")


def code_tables(terminal: Terminal) -> frozenset[int]:
    """Return the parts of ISO/IEC 8859 that the terminal can show.

    Source: EMV 4.4 Book 4, Annex A3, byte 5 and byte 4.
    """
    capabilities = AdditionalTerminalCapabilities.decode(terminal.additional_capabilities)
    return frozenset(
        number
        for number in range(1, 11)
        if AdditionalTerminalCapabilities(1 << (number - 1)) in capabilities
    )
