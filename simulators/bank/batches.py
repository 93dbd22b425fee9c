"""The close of a till's day: what a batch sums up to, and where the two sides differ.

A payment belongs to the batch that its request named. What counts is what
moved the shop's money and stands: sales, completions and tips, voided ones included,
and what was given back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from sqlalchemy import and_, or_, select

from simulators.bank import chain_ends
from simulators.bank.desk import Desk, RRow
from simulators.bank.errors import Refused
from simulators.bank.messages import (
    BatchAnswer,
    BatchCloseRequest,
    BatchLine,
    BatchLinesRequest,
    BatchTotal,
    BatchTotalsRequest,
    Difference,
    LinesAnswer,
    moment,
)
from simulators.bank.schema import batch_members, batches, payments

DIFFERENCES_MAX = 100
"""In one answer; the till asks on from where it ends."""

DEBITS = ("sale", "completion", "tip")
"""What a shop is paid; the rest it gives back."""

_COUNTED = or_(
    and_(
        payments.c.kind.in_(DEBITS),
        payments.c.state.in_(("approved", "voided")),
    ),
    and_(payments.c.kind.in_(("refund", "void")), payments.c.state == "approved"),
)


def enter(desk: Desk, attempt: str, batch: int) -> None:
    """Put an attempt into the batch that its request names; 0 is none.

    Raises Refused if the batch is closed, or if the attempt is in another one.
    """
    if not batch:
        return
    found = _batch_of(desk, attempt)
    if found is not None:
        if found != batch:
            raise Refused(422, "batch_differs", f"this attempt is in batch {found}")
        return
    if _closing(desk, desk.caller, batch) is not None:
        raise Refused(422, "batch_closed", f"batch {batch} is closed")
    row = {"attempt": attempt, "till": desk.caller, "batch": batch}
    desk.connection.execute(batch_members.insert(), row)


def is_settled(desk: Desk, payment: RRow) -> bool:
    """Say whether a payment's batch is closed."""
    batch = _batch_of(desk, payment.attempt)
    return batch is not None and _closing(desk, payment.till, batch) is not None


def totals(desk: Desk, request: BatchTotalsRequest) -> BatchAnswer:
    """Tell what a batch sums up to here."""
    is_closed = _closing(desk, desk.caller, request.batch) is not None
    return _tell(desk, request.batch, "closed" if is_closed else "open")


def close(desk: Desk, request: BatchCloseRequest) -> BatchAnswer:
    """Close a batch that both sides have alike, or whose difference the shop accepts."""
    if request.ends is not None:
        chain_ends.keep(desk, request.ends)
    closing = _closing(desk, desk.caller, request.batch)
    if closing is not None:
        if closing.digest != request.digest:
            raise Refused(422, "batch_closed", "it was closed with other payments in it")
        return _tell(desk, request.batch, "closed")
    lines = _lines(desk, request.batch)
    is_alike = _sums(lines) == _sorted(request.totals) and _digest(lines) == request.digest
    if not (is_alike or request.accepted):
        return _tell(desk, request.batch, "differs")
    _note_closed(desk, request.batch, request.digest, accepted=not is_alike)
    return _tell(desk, request.batch, "closed")


def compare(desk: Desk, request: BatchLinesRequest) -> LinesAnswer:
    """Compare a part of a batch, line by line; nothing is kept of what the till says."""
    theirs = {line.attempt: line for line in request.lines}
    attempts = [line.attempt for line in request.lines]
    if attempts != sorted(theirs) or any(attempt <= request.after for attempt in attempts):
        raise Refused(422, "lines_unsorted", "lines come in order of attempt, each one once")
    end = None if request.is_last else max(attempts, default=request.after)
    ours = {line.attempt: line for line in _lines(desk, request.batch, request.after, end)}
    differing = [
        Difference(attempt=attempt, till=theirs.get(attempt), bank=ours.get(attempt))
        for attempt in sorted(theirs.keys() | ours.keys())
        if theirs.get(attempt) != ours.get(attempt)
    ]
    told = differing[:DIFFERENCES_MAX]
    is_cut = len(told) < len(differing)
    return LinesAnswer(
        at=moment(desk.now_ms),
        batch=request.batch,
        differences=told,
        through=told[-1].attempt if is_cut else None,
    )


def close_by_columns(desk: Desk, batch: int, told: str | None) -> str:
    """Compare a batch in two columns, debits and credits; close it if they are alike.

    told: sum (12 digits) and count (3) of each; None closes it as it is.
    Returns the bank's own, and 1 if they were alike or 2 if not.
    """
    lines = _lines(desk, batch)
    columns = (
        [line.amount_minor for line in lines if line.kind in DEBITS],
        [line.amount_minor for line in lines if line.kind not in DEBITS],
    )
    own = "".join(f"{sum(column):012}{len(column) % 1000:03}" for column in columns)
    is_alike = told in (own, None)
    if is_alike and _closing(desk, desk.caller, batch) is None:
        _note_closed(desk, batch, _digest(lines), accepted=told is None)
    return own + ("1" if is_alike else "2")


def has_line(desk: Desk, batch: int, attempt: str, amount_minor: int) -> bool:
    """Say whether a payment counts in a batch, with this amount."""
    lines = _lines(desk, batch, only=attempt)
    return any(line.amount_minor == amount_minor for line in lines)


def _note_closed(desk: Desk, batch: int, digest: str, *, accepted: bool) -> None:
    row = {
        "till": desk.caller,
        "batch": batch,
        "digest": digest,
        "accepted": accepted,
        "closed_ms": desk.now_ms,
    }
    desk.connection.execute(batches.insert(), row)


def _batch_of(desk: Desk, attempt: str) -> int | None:
    query = select(batch_members.c.batch).where(batch_members.c.attempt == attempt)
    return desk.connection.scalar(query)


def _closing(desk: Desk, till: str, batch: int) -> RRow | None:
    where = (batches.c.till == till) & (batches.c.batch == batch)
    return desk.connection.execute(select(batches).where(where)).first()


def _lines(
    desk: Desk, batch: int, after: str = "", end: str | None = None, only: str | None = None
) -> list[BatchLine]:
    """Return what counts of a batch, in order of attempt.

    after, end: the identities between which it lies, the second one included.
    only: the one identity that is asked for.
    """
    query = (
        select(payments)
        .join(batch_members, batch_members.c.attempt == payments.c.attempt)
        .where(
            batch_members.c.till == desk.caller,
            batch_members.c.batch == batch,
            batch_members.c.attempt > after,
            _COUNTED,
        )
    )
    if end is not None:
        query = query.where(batch_members.c.attempt <= end)
    if only is not None:
        query = query.where(batch_members.c.attempt == only)
    lines = [
        BatchLine(
            attempt=row.attempt,
            number=row.number,
            kind=row.kind,
            medium="card" if row.medium == "card" else "wallet",
            brand=row.brand or "",
            currency=row.currency,
            amount_minor=row.amount_minor,
        )
        for row in desk.connection.execute(query)
    ]
    return sorted(lines, key=lambda line: line.attempt)


def _sums(lines: Iterable[BatchLine]) -> list[BatchTotal]:
    sums: dict[tuple[str, str, str, str], list[int]] = {}
    for line in lines:
        key = (line.kind, line.medium, line.brand, line.currency)
        counted = sums.setdefault(key, [0, 0])
        counted[0] += 1
        counted[1] += line.amount_minor
    return _sorted(
        BatchTotal(
            kind=kind,  # type: ignore[arg-type]
            medium=medium,  # type: ignore[arg-type]
            brand=brand,
            currency=currency,
            count=count,
            amount_minor=amount_minor,
        )
        for (kind, medium, brand, currency), (count, amount_minor) in sums.items()
    )


def _sorted(sums: Iterable[BatchTotal]) -> list[BatchTotal]:
    return sorted(sums, key=lambda sum_: (sum_.kind, sum_.medium, sum_.brand, sum_.currency))


def _digest(lines: Sequence[BatchLine]) -> str:
    """Return what two batches share only if they have the same money in each line."""
    digest = hashlib.sha256()
    for line in lines:
        text = f"{line.attempt} {line.kind} {line.amount_minor} {line.currency}\n"
        digest.update(text.encode("ascii"))
    return digest.hexdigest()


def _tell(desk: Desk, batch: int, state: str) -> BatchAnswer:
    return BatchAnswer(
        at=moment(desk.now_ms),
        batch=batch,
        state=state,  # type: ignore[arg-type]
        totals=_sums(_lines(desk, batch)),
    )
