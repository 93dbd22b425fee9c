"""A partition of the payments for each day, where the database has partitions.

A payment's identity begins with the moment it was made (UUID version 7), so a
day is a range of identities: a payment is found in its own day's partition
alone, and an old day is let go without touching the others. What has another
kind of identity, or one of a day that was not prepared, stands in the rest.

Only PostgreSQL's own words are in here; a database that spreads tables by
itself needs nothing of it.
"""

from __future__ import annotations

import datetime

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

DAYS_AHEAD = 7

# Somebody else made it first, is busy, or payments of that day stand in the rest
# already. The payments go there then, and are found. Source: PostgreSQL, appendix A.
HARMLESS = frozenset({"42P07", "23505", "23514", "55P03"})


def prepare(engine: Engine, now_ms: int) -> None:
    """Make the partitions of today and the days to come; nothing where there are none.

    now_ms: Unix time. Safe to call from many workers at once.
    """
    if engine.dialect.name != "postgresql":
        return
    today = datetime.datetime.fromtimestamp(now_ms // 1000, datetime.UTC).date()
    days = (today + datetime.timedelta(days=ahead) for ahead in range(DAYS_AHEAD + 1))
    for day in days:
        try:
            with engine.begin() as connection:
                # Not to wait behind a long reader while every payment waits behind us.
                connection.execute(text("SET LOCAL lock_timeout = '2s'"))
                connection.execute(text(_partition(day)))
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in HARMLESS:
                raise


def _partition(day: datetime.date) -> str:
    next_day = day + datetime.timedelta(days=1)
    return (
        f"CREATE TABLE IF NOT EXISTS payments_{day:%Y%m%d} PARTITION OF payments "
        f"FOR VALUES FROM ('{_begins(day)}') TO ('{_begins(next_day)}')"
    )


def _begins(day: datetime.date) -> str:
    """Return the beginning of the first identity of a day. Source: RFC 9562, 5.7."""
    midnight = datetime.datetime(day.year, day.month, day.day, tzinfo=datetime.UTC)
    digits = f"{int(midnight.timestamp()) * 1000:012x}"
    return f"{digits[:8]}-{digits[8:]}"
