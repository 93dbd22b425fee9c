"""The journal's tables, and what brings those of an earlier release up to date."""

from __future__ import annotations

from pathlib import Path

import apsw

from terminal.batch import records
from terminal.database import transaction
from terminal.errors import JournalUnavailable
from terminal.states import FINAL

VERSION = 4
WITH_BATCHES = 3
"""The first version with batches in it."""

_SCHEMA = """
CREATE TABLE moves (
    seq INTEGER PRIMARY KEY,
    attempt TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    body TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX moves_by_attempt ON moves (attempt, seq);
CREATE TABLE payments (
    attempt TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    state TEXT NOT NULL,
    original TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    words TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX payments_open ON payments (state);
CREATE INDEX payments_by_original ON payments (original) WHERE original <> '';
CREATE TABLE sealed (
    attempt TEXT PRIMARY KEY,
    data TEXT NOT NULL
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;
"""

# SQLite uses it where the question names the same states, so it is made anew
# whenever the table of states has other ends.
_OPEN_INDEX = "CREATE INDEX payments_open ON payments (state) WHERE state NOT IN ({final})"

# An earlier journal's payments are in no batch: the bank was told of none.
_BATCHES = f"""
ALTER TABLE payments ADD COLUMN batch INTEGER NOT NULL DEFAULT 0;
CREATE INDEX payments_by_batch ON payments (batch) WHERE batch > 0;
{records.SCHEMA}
PRAGMA user_version = 3;
"""

_MIGRATIONS = (
    _SCHEMA,
    "DROP INDEX payments_open; {open_index}; PRAGMA user_version = 2;",
    _BATCHES,
    # An earlier release must not open what it has no words for; and there is one end more.
    "DROP INDEX payments_open; {open_index}; PRAGMA user_version = 4;",
)
"""What brings a journal of this version to the next; version 0 is no journal yet."""


def final_list() -> str:
    """Return the states that are an end, as SQL writes them; the same text each time."""
    return ", ".join(f"'{state}'" for state in sorted(FINAL))


def bring_up_to_date(connection: apsw.Connection, path: Path) -> None:
    """Make the tables, or change those of an earlier release.

    Raises JournalUnavailable if they are of a newer one.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone() or (0,)
    if version > VERSION:
        raise JournalUnavailable(
            f"{path} was written by a newer OpenTill (schema {version}); "
            "run that release, or move the journal aside"
        )
    open_index = _OPEN_INDEX.format(final=final_list())
    for step in [_MIGRATIONS[each] for each in range(version, VERSION)]:
        with transaction(connection):
            connection.execute(step.format(open_index=open_index))
