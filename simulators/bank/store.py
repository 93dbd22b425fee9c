"""The bank's database: opened, locked, and each transaction run to its end."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy import Connection, Engine, event, select
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.pool import StaticPool

from simulators.bank import schema
from simulators.bank.errors import StoreBusy, StoreUnusable

T = TypeVar("T")

TRIES_MAX = 5

# Serialisation failure and deadlock. Source: PostgreSQL, appendix A.
RETRIED_SQLSTATES = frozenset({"40001", "40P01"})


class Store:
    """One database that work is done in, a whole transaction at a time."""

    def __init__(self, engine: Engine, lock_file: Path | None = None) -> None:
        """lock_file: taken around each SQLite transaction; None for a server."""
        self._engine = engine
        self._lock_file = lock_file
        self._turn = threading.Lock()
        with self._exclusive():
            self._create()

    @classmethod
    def on_file(cls, path: Path) -> Store:
        """Open, or make, the SQLite database at path.

        Raises StoreUnusable if it is not one of this release.
        """
        lock_file = path.with_suffix(".lock")
        for file in (path, lock_file):
            file.touch(mode=0o600, exist_ok=True)
        engine = sqlalchemy.create_engine(
            f"sqlite:///{path}",
            connect_args={"check_same_thread": False, "timeout": 10.0},
            poolclass=StaticPool,
            # Else its errors would quote what was to be written.
            hide_parameters=True,
        )
        event.listen(engine, "connect", _prepare_connection)
        event.listen(engine, "begin", _begin_at_once)
        return cls(engine, lock_file)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run work in one transaction, again if others got in its way.

        work: must do nothing but through its connection, as it may run again.
        Raises StoreBusy when the tries are used up, and whatever work raises.
        """
        tries = 0
        while True:
            tries += 1
            try:
                with self._exclusive(), self._engine.begin() as connection:
                    return work(connection)
            except DBAPIError as error:
                if not _is_worth_another_try(error):
                    raise
                if tries == TRIES_MAX:
                    raise StoreBusy(f"no transaction came through in {tries} tries") from error

    def close(self) -> None:
        """Let the database go. Safe to call twice."""
        with self._exclusive():
            self._engine.dispose()

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Keep other threads and processes from writing or checkpointing.

        SQLite up to 3.51.2 can lose a reset of its write-ahead log when two
        connections write or checkpoint at once; Debian 12 has 3.40.
        """
        with self._turn:
            if self._lock_file is None:
                yield
                return
            with self._lock_file.open("ab") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield

    def _create(self) -> None:
        try:
            with self._engine.begin() as connection:
                schema.metadata.create_all(connection)
                query = select(schema.facts.c.value).where(schema.facts.c.name == "version")
                version = connection.scalar(query)
                if version is None:
                    connection.execute(
                        schema.facts.insert(), {"name": "version", "value": str(schema.VERSION)}
                    )
        except OperationalError as error:
            raise StoreUnusable("the bank's database cannot be opened") from error
        except DBAPIError as error:
            raise StoreUnusable("the bank's database is damaged, or is no database") from error
        if version not in (None, str(schema.VERSION)):
            raise StoreUnusable(
                f"the bank's database has version {version}, this release reads {schema.VERSION}"
            )


@contextmanager
def reading(path: Path) -> Iterator[Connection]:
    """Look at the SQLite database at path, while a bank may be running on it."""
    engine = sqlalchemy.create_engine(f"sqlite:///file:{path}?mode=ro&uri=true")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _prepare_connection(connection: Any, _record: object) -> None:
    # The driver would begin its transactions late, as readers that turn
    # into writers and then lose to each other.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def _begin_at_once(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _is_worth_another_try(error: DBAPIError) -> bool:
    # A key that we made ourselves was taken: the next try makes another, or
    # finds what the winner wrote.
    if isinstance(error, IntegrityError):
        return True
    code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", "")
    return code in RETRIED_SQLSTATES or str(code).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
