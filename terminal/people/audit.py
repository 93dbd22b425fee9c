"""The log of who did what, who allowed it, and what was refused.

Each line is chained to the one before it by its hash, so that one that was
altered, taken out or moved shows. A tail that was cut off shows by the ends that
the bank has kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

import apsw

from terminal.chains import End
from terminal.errors import RegisterUnusable
from terminal.people.store import PeopleStore, Row
from terminal.seams import Clock

_GENESIS: Final = hashlib.sha256(b"OpenTill audit log").digest()


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One thing that somebody did, or was not let do. No secret, no card data."""

    act: str
    """A privileges.Act, or what happened to a person: 'sign_in', 'add', 'remove', …"""
    is_granted: bool
    name: str
    """Who asked, as the register calls them; '' if nobody was signed in."""
    role: str = ""
    approved_by: tuple[str, ...] = ()
    face: str = ""
    """'screen', 'lines' or 'command'."""
    about: str = ""
    """Which payment, person or setting."""
    why: str = ""
    """Of a refusal."""


_NO_LINES: Final = End(0, _GENESIS)
_END: Final = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1"
_ALL: Final = "SELECT seq, at_ms, body, hash FROM audit ORDER BY seq"


class AuditLog:
    """The chain in the register's own file."""

    def __init__(self, store: PeopleStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def append(self, line: AuditLine) -> None:
        """Write one line behind the last. Raises RegisterUnusable."""
        with self._store.writing() as connection:
            self.append_in(connection, line)

    def append_in(self, connection: apsw.Connection, line: AuditLine) -> None:
        """Write one line in a transaction of the store, with what it tells of."""
        rows: list[Row] = connection.execute(_END).fetchall()
        end = End(*rows[0]) if rows else _NO_LINES
        at_ms = self._clock.wall_ms()
        body = json.dumps(asdict(line), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        digest = _link(end.digest, end.length + 1, at_ms, body)
        connection.execute(
            "INSERT INTO audit (seq, at_ms, body, hash) VALUES (?, ?, ?, ?)",
            (end.length + 1, at_ms, body, digest),
        )

    def end(self) -> End:
        """Return where the chain ends."""
        rows = self._store.read(_END)
        return End(*rows[0]) if rows else _NO_LINES

    def lines(self) -> Iterator[tuple[int, AuditLine]]:
        """Yield each line with its time in Unix milliseconds, oldest first."""
        for _seq, at_ms, body, _digest in self._store.read(_ALL):
            values = json.loads(body)
            yield at_ms, AuditLine(**{**values, "approved_by": tuple(values["approved_by"])})

    def verify(self) -> int:
        """Check the whole chain; return its length.

        Raises RegisterUnusable naming the first line that does not hold.
        """
        digest, count = _GENESIS, 0
        for seq, at_ms, body, kept in self._store.read(_ALL):
            count += 1
            digest = _link(digest, count, at_ms, body)
            if seq != count or kept != digest:
                raise RegisterUnusable(f"Line {count} of the audit log was altered or taken out")
        return count

    def check_through(self, end: End) -> None:
        """Check that the chain still goes through a line that the bank was told of.

        Raises RegisterUnusable.
        """
        rows = self._store.read("SELECT hash FROM audit WHERE seq = ?", (end.length,))
        if end.length and rows != [(end.digest,)]:
            raise RegisterUnusable(
                f"The audit log does not go through line {end.length} as the bank was told of it: "
                "lines were cut off or written again. Export it and call service"
            )


def _link(head: bytes, seq: int, at_ms: int, body: str) -> bytes:
    return hashlib.sha256(b"%b%d|%d|%b" % (head, seq, at_ms, body.encode())).digest()
