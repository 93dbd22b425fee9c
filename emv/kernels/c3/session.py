"""What kernel 3 is told, and one transaction in the making."""

from __future__ import annotations

from dataclasses import dataclass, field

from emv import bits, tags
from emv.authentication import CAKeyStore
from emv.bits import CTQ, TTQ
from emv.entry_point import Activation
from emv.kernels.objects import pan_of_track_2
from emv.outcome import Reason
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

    @property
    def is_online_capable(self) -> bool:
        """Whether this reader can ask the issuer at all."""
        return TTQ.OFFLINE_ONLY not in self.ttq

    @property
    def pan(self) -> str:
        """The card number, out of track 2."""
        return pan_of_track_2(self.card[tags.TAG_57_TRACK_2_EQUIVALENT_DATA])
