"""Notices two tills with the same keys: one of them uses a number that was used before.

A sliding window, since a till's lanes overtake each other. What is below it
counts as used. The bank serves on and tells; to revoke is for its people.

Source: RFC 4303, 3.4.3, where the window guards against replays.
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from simulators.bank.schema import counters

WINDOW = 1024


def count(connection: Connection, till: str, number: int, now_ms: int) -> None:
    """Note a request's number, and the moment if it cannot be the same till's."""
    where = counters.c.till == till
    known = connection.execute(select(counters).where(where)).first()
    if known is None:
        row = {"till": till, "highest": number, "seen": "1", "cloned_ms": 0}
        connection.execute(counters.insert(), row)
        return
    seen, behind = int(known.seen, 16), known.highest - number
    changed: dict[str, str | int]
    if behind < 0:
        shifted = (seen << min(-behind, WINDOW) | 1) % (1 << WINDOW)
        changed = {"highest": number, "seen": f"{shifted:x}"}
    elif behind >= WINDOW or seen >> behind & 1:
        changed = {"cloned_ms": known.cloned_ms or now_ms}
    else:
        changed = {"seen": f"{seen | 1 << behind:x}"}
    connection.execute(counters.update().where(where).values(**changed))


def is_cloned(connection: Connection, till: str) -> bool:
    """Return whether a number of this till came twice since it was enrolled."""
    return bool(connection.scalar(select(counters.c.cloned_ms).where(counters.c.till == till)))


def forget(connection: Connection, till: str) -> None:
    """Begin anew, for a till that was just enrolled."""
    connection.execute(counters.delete().where(counters.c.till == till))
