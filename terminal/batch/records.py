"""How the journal keeps batches: in the same chain as payments, and in a table of their own."""

from __future__ import annotations

import json
import re
from typing import Final

import apsw
import msgspec

from terminal.batch.batch import Batch, BatchState

_EPOCH_MS: Final = 1_735_689_600_000
"""The first of January 2025, UTC."""

SCHEMA = f"""
CREATE TABLE batches (
    number INTEGER PRIMARY KEY,
    state TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX batches_unsettled ON batches (state) WHERE state <> '{BatchState.CLOSED}';
"""

UNSETTLED = f"SELECT body FROM batches WHERE state <> '{BatchState.CLOSED}' ORDER BY +number"  # noqa: S608


def fresh_number(now_ms: int) -> int:
    """Return the number that a new journal's first batch gets: hours since 2025.

    A till that has lost its journal must not count from one again: the bank has
    closed those batches, and takes nothing more in them. Nobody closes a batch
    every hour, so that this is ahead of any number used before.
    """
    return max(1, (now_ms - _EPOCH_MS) // 3_600_000)


def key(number: int) -> str:
    """Return what a batch is called where a payment's identity stands."""
    return f"batch-{number}"


def number_of(key: str) -> int | None:
    """Return the number of the batch that is called so; None if it is a payment."""
    found = re.fullmatch(r"batch-([0-9]+)", key)
    return int(found.group(1)) if found else None


def encoded(batch: Batch) -> str:
    """Return a batch as the journal writes it, the same each time."""
    values = msgspec.to_builtins(batch)
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def decoded(body: str) -> Batch:
    """Return the batch in a body of ours."""
    return msgspec.json.decode(body, type=Batch)


def project(connection: apsw.Connection, batch: Batch, body: str) -> None:
    """Put a batch into the table that is read, in place of what it was."""
    connection.execute(
        """
        INSERT INTO batches VALUES (?, ?, ?)
        ON CONFLICT (number) DO UPDATE SET state = excluded.state, body = excluded.body
        """,
        (batch.number, batch.state, body),
    )
