"""The log of who did what, who allowed it, and what was refused.

Each line is chained to the one before it by its hash, so that one that was
altered, taken out or moved shows. A tail that was cut off shows only to
whoever keeps a later head: that is the bank's part.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

import apsw

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


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain, for somebody else to keep."""

    length: int
    digest: bytes


_NO_LINES: Final = Head(0, _GENESIS)
_HEAD: Final = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1"
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
        rows: list[Row] = connection.execute(_HEAD).fetchall()
        head = Head(*rows[0]) if rows else _NO_LINES
        at_ms = self._clock.wall_ms()
        body = json.dumps(asdict(line), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        digest = _link(head.digest, head.length + 1, at_ms, body)
        connection.execute(
            "INSERT INTO audit (seq, at_ms, body, hash) VALUES (?, ?, ?, ?)",
            (head.length + 1, at_ms, body, digest),
        )

    def head(self) -> Head:
        """Return where the chain ends."""
        rows = self._store.read(_HEAD)
        return Head(*rows[0]) if rows else _NO_LINES

    def lines(self) -> Iterator[tuple[int, AuditLine]]:
        """Yield each line with its time in Unix milliseconds, oldest first."""
        for _seq, at_ms, body, _digest in self._store.read(_ALL):
            values = json.loads(body)
            yield at_ms, AuditLine(**{**values, "approved_by": tuple(values["approved_by"])})

    def verify(self, anchor: Head | None = None) -> int:
        """Check the whole chain; return its length.

        anchor: an earlier head that somebody else kept; the chain must go through it.
        Raises RegisterUnusable naming the first line that does not hold.
        """
        digest, count = _GENESIS, 0
        is_anchored = anchor is None or anchor == _NO_LINES
        for seq, at_ms, body, kept in self._store.read(_ALL):
            count += 1
            digest = _link(digest, count, at_ms, body)
            if seq != count or kept != digest:
                raise RegisterUnusable(f"Line {count} of the audit log was altered or taken out")
            is_anchored = is_anchored or anchor == Head(count, digest)
        if anchor is not None and not is_anchored:
            raise RegisterUnusable(
                f"The audit log does not go through line {anchor.length} as it was confirmed: "
                "lines were cut off or written again"
            )
        return count


def _link(head: bytes, seq: int, at_ms: int, body: str) -> bytes:
    return hashlib.sha256(b"%b%d|%d|%b" % (head, seq, at_ms, body.encode())).digest()
