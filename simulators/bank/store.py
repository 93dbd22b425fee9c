"""The bank's database: opened, locked, and each transaction run to its end.

SQLite in a file for one process and its helpers, or a PostgreSQL server that
many workers share. The work is the same; a transaction that others got in the
way of is run again.
"""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy import Connection, Engine, event, select
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import StaticPool

from simulators.bank import days, schema
from simulators.bank.errors import StoreBusy, StoreUnusable
from simulators.bank.place import BankPlace

T = TypeVar("T")

TRIES_MAX = 5

TRIES_ON_SERVER_MAX = 50
"""Where many write to one row at once, each try lets at least one of them through."""

# Serialisation failure and deadlock. Source: PostgreSQL, appendix A.
RETRIED_SQLSTATES = frozenset({"40001", "40P01"})

# Another worker made the same table in the same moment. Source: the same.
MADE_MEANWHILE = RETRIED_SQLSTATES | {"42P07", "42710", "23505"}

POOL_MAX = 10
"""Connections of one worker to a server."""
POOL_WAIT_S = 10


class Store:
    """One database that work is done in, a whole transaction at a time."""

    def __init__(
        self,
        engine: Engine,
        lock_file: Path | None = None,
        *,
        tries_max: int = TRIES_MAX,
        is_shared: bool = False,
    ) -> None:
        """lock_file: taken around each SQLite transaction.

        is_shared: the database lets many write at once.
        """
        self._engine = engine
        self._lock_file = lock_file
        self._tries_max = tries_max
        self._turn = None if is_shared else threading.Lock()
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

    @classmethod
    def on_server(cls, url: str) -> Store:
        """Open the database at a postgresql:// address; the tables are made if they are not there.

        Raises StoreUnusable, without the address, which may hold a password.
        """
        try:
            place = sqlalchemy.make_url(url).set(drivername="postgresql+psycopg")
        except ArgumentError as error:
            raise StoreUnusable("the database's address is no postgresql:// address") from error
        engine = sqlalchemy.create_engine(
            place,
            isolation_level="SERIALIZABLE",
            pool_size=POOL_MAX,
            max_overflow=0,
            pool_timeout=POOL_WAIT_S,
            pool_pre_ping=True,
            hide_parameters=True,
            # Read whole, a table counts as read by everyone: each would be in
            # the way of each. Source: PostgreSQL, 13.2.3.
            connect_args={"options": "-c enable_seqscan=off"},
        )
        return cls(engine, tries_max=TRIES_ON_SERVER_MAX, is_shared=True)

    @classmethod
    def open(cls, place: BankPlace, database: str | None) -> Store:
        """Open a bank's database: at an address, or without one in its folder."""
        return cls.on_server(database) if database else cls.on_file(place.ledger)

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
                if error.connection_invalidated:
                    # Perhaps it was written, perhaps not: whoever asks again finds out.
                    raise StoreBusy("the database went away") from error
                if not _is_worth_another_try(error):
                    if self._turn is None and isinstance(error, OperationalError):
                        raise StoreBusy("the database does not answer") from error
                    raise
                if tries == self._tries_max:
                    raise StoreBusy(f"no transaction came through in {tries} tries") from error
            except PoolTimeout as error:
                raise StoreBusy("all connections to the database are taken") from error

    def prepare_days(self, now_ms: int) -> None:
        """Make room for today's payments and those of the days to come.

        A server keeps each day apart; see days.py. Safe from many workers at once.
        """
        days.prepare(self._engine, now_ms)

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
        if self._turn is None:
            yield
            return
        with self._turn:
            if self._lock_file is None:
                yield
                return
            with self._lock_file.open("ab") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield

    def _create(self) -> None:
        tries = 0
        while True:
            tries += 1
            try:
                self._create_at_once()
            except DBAPIError as error:
                is_made_meanwhile = getattr(error.orig, "sqlstate", None) in MADE_MEANWHILE
                if is_made_meanwhile and tries < TRIES_MAX:
                    continue
                if isinstance(error, OperationalError):
                    raise StoreUnusable("the bank's database cannot be opened") from error
                raise StoreUnusable("the bank's database is damaged, or is no database") from error
            return

    def _create_at_once(self) -> None:
        with self._engine.begin() as connection:
            schema.metadata.create_all(connection)
            query = select(schema.facts.c.value).where(schema.facts.c.name == "version")
            version = connection.scalar(query)
            if version is None:
                row = {"name": "version", "value": str(schema.VERSION)}
                connection.execute(schema.facts.insert(), row)
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
