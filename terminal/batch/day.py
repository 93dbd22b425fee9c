"""Which of the shop's days a moment belongs to.

A name for people to find a batch by. Nothing is ordered, opened or closed by it.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShopDay:
    """The shop's calendar: where it is, and when its day ends."""

    zone: datetime.tzinfo | None = None
    """None: where the machine thinks it is."""
    ends_at: datetime.time = datetime.time(0)
    """What is paid before it, in the small hours, belongs to the day before."""

    def of(self, unix_ms: int) -> str:
        """Return the shop's day of a moment, ISO 8601."""
        utc = datetime.datetime.fromtimestamp(unix_ms // 1000, datetime.UTC)
        local = utc.astimezone(self.zone)
        day = local.date()
        if local.time() < self.ends_at:
            day -= datetime.timedelta(days=1)
        return day.isoformat()
