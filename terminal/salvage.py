"""What can still be read of a damaged journal, for somebody who must go on with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import apsw

_MOVES: Final = """
    SELECT seq, CAST(attempt AS BLOB), at_ms, CAST(body AS BLOB), hash FROM moves
"""
_MOVE_BYTES_MIN: Final = 100
"""No move is shorter: identity and hash alone are 68 bytes."""


def readable_moves(connection: apsw.Connection) -> Iterator[dict[str, Any]]:
    """Give each move that can be read, in order; damaged pages are stepped over.

    Raises apsw.CorruptError or apsw.NotADBError if nothing can be.
    """
    last = 0
    try:
        for row in connection.execute(_MOVES + "ORDER BY seq"):
            last = int(row[0])
            yield _line(row)
    except apsw.CorruptError:
        found = _one_by_one(connection, last)
        first = next(found, None)
        if first is None and last == 0:
            raise
        if first is not None:
            yield _line(first)
        yield from map(_line, found)


def _one_by_one(connection: apsw.Connection, last: int) -> Iterator[tuple[Any, ...]]:
    """Give the moves behind this one, each looked for by its own number."""
    for seq in range(last + 1, _moves_max(connection) + 1):
        try:
            yield from connection.execute(_MOVES + "WHERE seq = ?", (seq,)).fetchall()
        except apsw.CorruptError:
            continue


def _moves_max(connection: apsw.Connection) -> int:
    ((pages, size),) = connection.execute(
        "SELECT page_count, page_size FROM pragma_page_count, pragma_page_size"
    ).fetchall()
    return int(pages) * int(size) // _MOVE_BYTES_MIN  # type: ignore[arg-type]


def _line(row: tuple[Any, ...]) -> dict[str, Any]:
    seq, attempt, at_ms, body, digest = row
    line = {"seq": seq, "attempt": _text(attempt), "at_ms": at_ms, "hash": digest.hex()}
    try:
        return {**line, **json.loads(body)}
    except (ValueError, TypeError):
        return {**line, "damaged": _text(body)}


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
