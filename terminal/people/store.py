"""The file that people, wrong tries and audit log are in.

SQLite, beside the journal and apart from it: a screen and a command line may
use it at once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import apsw

from terminal.database import connect, transaction, translated
from terminal.errors import RegisterUnusable

FILE: Final = "people.db"
SCHEMA_VERSION: Final = 1

_SCHEMA: Final = """
CREATE TABLE people (
    name TEXT PRIMARY KEY,
    called TEXT NOT NULL,
    role TEXT NOT NULL,
    secret TEXT NOT NULL,
    must_change INTEGER NOT NULL,
    code_key BLOB,
    code_step INTEGER NOT NULL DEFAULT 0,
    has_left INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE tries (
    name TEXT NOT NULL UNIQUE,
    wrong INTEGER NOT NULL,
    lock_s REAL NOT NULL,
    boot TEXT,
    uptime_s REAL
) STRICT;
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    body TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT;
PRAGMA user_version = 1;
"""

Row = tuple[Any, ...]


class PeopleStore:
    """One connection, for any thread; one writes at a time."""

    def __init__(self, folder: Path) -> None:
        """Open or make the file in this folder. Raises RegisterUnusable."""
        self.path = folder / FILE
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise RegisterUnusable(f"{folder}: {error.strerror}") from error
        with translated(self.path, RegisterUnusable, RegisterUnusable):
            self._connection = connect(
                self.path, apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
            )
            self.path.chmod(0o600)
            # A wrong try that was counted stays counted when the power goes.
            self._connection.execute("PRAGMA synchronous = FULL")
            self._prepare()

    def read(self, statement: str, values: tuple[Any, ...] = ()) -> list[Row]:
        """Return all rows. Raises RegisterUnusable."""
        with self._lock, translated(self.path, RegisterUnusable, RegisterUnusable):
            return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[apsw.Connection]:
        """Write all of the block, or nothing. Raises RegisterUnusable."""
        with (
            self._lock,
            translated(self.path, RegisterUnusable, RegisterUnusable),
            transaction(self._connection) as connection,
        ):
            yield connection

    def close(self) -> None:
        """Let the file go. Safe to call twice."""
        self._connection.close()

    def _prepare(self) -> None:
        with transaction(self._connection) as connection:
            rows: list[Row] = connection.execute("PRAGMA user_version").fetchall()
            version = int(rows[0][0])
            if version == 0:
                connection.execute(_SCHEMA)
        if version > SCHEMA_VERSION:
            raise RegisterUnusable(
                f"{self.path} was written by a newer OpenTill (schema {version}); run that release"
            )
