"""What kernel 3 is told, and one transaction in the making."""

from __future__ import annotations

from dataclasses import dataclass, field

from emv import bits, tags
from emv.authentication import CAKeyStore
from emv.bits import CTQ, TTQ
from emv.entry_point import Activation
from emv.kernels.objects import pan_of_track_2
from emv.outcome import CVM, Reason
from emv.records import Record

KERNEL_ID = 3


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the acquirer decides for this kernel. Source: Book C-3, Annex A.3."""

    ca_keys: CAKeyStore = field(default_factory=CAKeyStore)
    has_exception_file: bool = True
    """Ask whether a card that approves offline is on the exception file."""
    checks_cash: bool = True
    """Application usage control for manual cash."""
    checks_cashback: bool = True
    """Application usage control for cashback."""
    accepts_fdda_version_00: bool = True
    """The older dynamic signature, over the unpredictable number alone."""


@dataclass(slots=True)
class Session:
    """One transaction in the making: what was given, read and decided."""

    configuration: Configuration
    activation: Activation
    ttq: TTQ
    terminal: dict[int, bytes] = field(repr=False)
    """Data objects of terminal and transaction, and the unpredictable number."""
    fci: dict[int, bytes] = field(repr=False)
    card: dict[int, bytes] = field(default_factory=dict, repr=False)
    """Data objects of the GPO response and the records."""
    records: tuple[Record, ...] = ()
    ctq: CTQ | None = None
    cryptogram: int = bits.CID_AAC
    decline: Reason | None = None
    """'Decline Required by Reader', with what required it."""
    must_go_online: bool = False
    """'Online Required by Reader'."""
    kernel_id: int = KERNEL_ID
    """Whose book is followed: kernel 7 takes the same steps."""
    unasked_cvms: tuple[CVM, ...] = (CVM.SIGNATURE, CVM.ONLINE_PIN)
    """What is tried, in order, where one is required and the card says nothing of it."""

    def cite(self, section: str) -> str:
        """Return the source of a decision, for the trace."""
        # Sections of Book C-7 are not known here.
        return f"Book C-3, {section}" if self.kernel_id == KERNEL_ID else f"Book C-{self.kernel_id}"

    @property
    def balance(self) -> bytes | None:
        """What the card says that it has left: offline spending, or electronic cash."""
        return self.card.get(tags.TAG_9F5D_AVAILABLE_OFFLINE_SPENDING_AMOUNT) or self.card.get(
            tags.TAG_9F79_EC_BALANCE
        )

    @property
    def is_online_capable(self) -> bool:
        """Whether this reader can ask the issuer at all."""
        return TTQ.OFFLINE_ONLY not in self.ttq

    @property
    def pan(self) -> str:
        """The card number, out of track 2."""
        return pan_of_track_2(self.card[tags.TAG_57_TRACK_2_EQUIVALENT_DATA])
