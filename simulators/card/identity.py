"""Whose account a card is: its number, its last day, its tracks."""

from __future__ import annotations

import calendar
from dataclasses import dataclass, field

SERVICE_CODE = "201"  # International, chip, normal authorisation: ISO/IEC 7813.


@dataclass(frozen=True)
class Identity:
    """Whose account it is, as data objects."""

    pan: str = field(repr=False)
    sequence_number: int
    expiry: str
    """YYYY-MM."""

    @property
    def track_2(self) -> bytes:
        """Value of tag 57."""
        return self.stripe_track_2(10)

    def stripe_track_1(self, digits: int) -> bytes:
        """Value of tag 56, with so many discretionary digits."""
        month = self.expiry[2:4] + self.expiry[5:7]
        return f"B{self.pan}^TEST/CARD^{month}{SERVICE_CODE}{'0' * digits}".encode()

    def stripe_track_2(self, digits: int) -> bytes:
        """Value of tag 9F6B, with so many discretionary digits."""
        month = self.expiry[2:4] + self.expiry[5:7]
        return _packed(f"{self.pan}D{month}{SERVICE_CODE}{'0' * digits}")

    @property
    def application_pan(self) -> bytes:
        """Value of tag 5A."""
        return _packed(self.pan)

    @property
    def expiration_date(self) -> bytes:
        """Value of tag 5F24: the last day of the month."""
        year, month = int(self.expiry[:4]), int(self.expiry[5:7])
        day = calendar.monthrange(year, month)[1]
        return bytes.fromhex(f"{year % 100:02}{month:02}{day:02}")

    @property
    def pan_sequence_number(self) -> bytes:
        """Value of tag 5F34."""
        return bytes.fromhex(f"{self.sequence_number:02}")


def _packed(digits: str) -> bytes:
    """Pack digits two to a byte, F at the end."""
    return bytes.fromhex(digits + "F" * (len(digits) % 2))
