"""What every SQLite file of the till has in common: how it is opened, and what its errors mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from terminal.errors import TillError

BUSY_MS = 2000


def connect(path: Path, flags: int) -> apsw.Connection:
    """Return a connection that waits a moment where another writes."""
    connection = apsw.Connection(str(path), flags=flags)
    connection.set_busy_timeout(BUSY_MS)
    return connection


@contextmanager
def transaction(connection: apsw.Connection) -> Iterator[apsw.Connection]:
    """Write all of the block, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def translated(
    path: Path, unavailable: type[TillError], damaged: type[TillError]
) -> Iterator[None]:
    """Turn SQLite's errors into ours, saying what to do."""
    try:
        yield
    except (apsw.FullError, apsw.TooBigError) as error:
        raise unavailable(
            f"No room on the disk for {path}: free some space, then try again"
        ) from error
    except (apsw.CorruptError, apsw.NotADBError, UnicodeDecodeError) as error:
        raise damaged(
            f"{path} is damaged ({error}): nothing was changed; export what is readable"
        ) from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise unavailable(f"{path} is in use by another program") from error
    except (apsw.ReadOnlyError, apsw.CantOpenError, apsw.PermissionsError) as error:
        raise unavailable(f"Cannot write {path}: check its permissions") from error
    except apsw.IOError as error:
        raise unavailable(f"The disk failed under {path}: {error}") from error
