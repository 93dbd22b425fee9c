"""A sale's commits beside bare SQLite commits, and a million payments beside none."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from benchmarks.harness import Bar, Row, in_turns, row
from terminal import journal_form as form
from terminal.core.book import RECENT_MAX
from terminal.core.limits import Limits
from terminal.core.step import Core
from terminal.events import (
    Answered,
    Arm,
    BankAnswer,
    CardEnd,
    CardFacts,
    CardPresented,
    CardRead,
    Entry,
    InboxEvent,
    LeaveWanted,
    Purpose,
    Record,
    SaleWanted,
    Sending,
    Started,
    Wish,
)
from terminal.journal import Journal
from terminal.seams import SystemClock, system_randomness, uuid7
from terminal.view import Medium, PaymentView

MANY = 1_000_000
SEALED = "x" * 863
"""As long as a card sale sealed as JWE."""
LISTED = 200
DAILY = 1_000
"""How many payments are closed together."""

Commits = Sequence[Sequence[Entry]]


def measure() -> list[Row]:
    """Measure on one file system, the one of temporary files."""
    with tempfile.TemporaryDirectory(prefix="opentill-bench-") as name:
        folder = Path(name)
        return [_beside_bare_commits(folder), *_beside_an_empty_journal(folder)]


def _beside_bare_commits(folder: Path) -> Row:
    sales = Sales(1)
    with _journal(folder / "sale") as journal, _bare(folder / "bare.db") as bare:

        def commit_bare() -> None:
            for commit in written:
                bare.execute("BEGIN IMMEDIATE")
                for data in commit:
                    bare.execute("INSERT INTO rows (data) VALUES (?)", (data,))
                bare.execute("COMMIT")

        written = [[_bytes_of(entry) for entry in commit] for commit in sales.next()]
        samples = in_turns(
            _sell(journal, sales), commit_bare, rounds=41, batch=5, clock=time.perf_counter
        )
    return row(
        f"one sale's {len(written)} commits to the journal",
        samples.scaled(1e3),
        "ms",
        "bare SQLite commits",
        Bar(1.25, is_ratio=True),
    )


def _beside_an_empty_journal(folder: Path) -> list[Row]:
    bar = Bar(1.1, is_ratio=True)
    peer = "the same, empty journal"
    fill(folder / "many", MANY)
    with _journal(folder / "many") as many, _journal(folder / "few") as few:
        sales = Sales(MANY + 1, MANY // DAILY + 1), Sales(1)
        # Both lists are to be full.
        for _ in range(LISTED):
            for journal, source in zip((many, few), sales, strict=True):
                for commit in source.next():
                    journal.append(commit)
        selling = in_turns(
            _sell(many, sales[0]),
            _sell(few, sales[1]),
            rounds=41,
            batch=5,
            clock=time.perf_counter,
        )
        listing = in_turns(
            lambda: many.payments(limit=LISTED), lambda: few.payments(limit=LISTED), rounds=21
        )
    opening = in_turns(
        lambda: _open(folder / "many"), lambda: _open(folder / "few"), rounds=41, batch=5
    )
    return [
        row(f"{what} with {MANY:,} payments", samples.scaled(1e3), "ms", peer, bar)
        for what, samples in (
            ("one sale's commits", selling),
            (f"listing the last {LISTED}", listing),
            ("a till opening its journal", opening),
        )
    ]


class Sales:
    """Approved card sales, as the core itself has them recorded."""

    def __init__(self, first: int, batch: int = 1) -> None:
        """first: the number of the first sale. batch: that of all of them."""
        self._clock = SystemClock()
        self._core = Core(
            self._clock,
            Limits(amount_max_minor=1_000_000),
            no_earlier,
            system_randomness,
            lambda _: (),
        )
        self._core.step(Started((), (), first, batch=batch))

    def next(self) -> Commits:
        """Return the moves of one more sale, commit by commit."""
        attempt = uuid7(self._clock, system_randomness)
        wishes = self._take(SaleWanted(attempt, 1250, "CNY"))
        arming = next(wish.arming for wish in wishes if isinstance(wish, Arm))
        facts = CardFacts(
            Medium.CARD,
            "Visa",
            "476173******0119",
            application_label="VISA DEBIT",
            aid="A0000000031010",
            tvr="0000000000",
            ctq="0000",
        )
        answer = BankAnswer("approved", "00", "012345678901", "123456", "Visa")
        for event in (
            CardPresented(arming),
            CardRead(arming, CardEnd.ONLINE, facts=facts, sealed=SEALED),
            Sending(Purpose.PAY, attempt),
            Answered(Purpose.PAY, attempt, answer),
            LeaveWanted(),
        ):
            wishes += self._take(event)
        return [wish.entries for wish in wishes if isinstance(wish, Record)]

    def _take(self, event: InboxEvent) -> list[Wish]:
        return list(self._core.step(event))


def no_earlier(attempt: str) -> PaymentView:
    """Find no payment, for a core that has never had one."""
    raise LookupError(f"no earlier payment is asked for here, yet {attempt} was")


def fill(folder: Path, payments: int) -> None:
    """Make a journal of this many approved sales, its chain whole.

    The moves are those of one real sale, with identities and numbers of
    their own, and are written past the journal: it would commit each.
    """
    clock = SystemClock()
    template = [entry for commit in Sales(1).next() for entry in commit]
    attempt = template[0].payment.id
    Journal(folder, clock).close()
    database = apsw.Connection(str(folder / "journal.db"))
    # A fill that fails is thrown away; the journal itself goes back to WAL.
    database.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
    with tempfile.TemporaryDirectory(dir=folder) as name, _journal(Path(name)) as journal:
        journal.append(template)
        source = apsw.Connection(str(Path(name) / "journal.db"))
        bodies = [str(body) for (body,) in source.execute("SELECT body FROM moves ORDER BY seq")]
        listed: Any = source.execute(
            "SELECT state, amount_minor, words, body FROM payments"
        ).fetchall()
        ((state, amount, words, last),) = listed
        source.close()
    began = clock.wall_ms() - payments * 1000

    def identity(number: int) -> str:
        milliseconds = f"{began + number * 1000:012x}"
        return f"{milliseconds[:8]}-{milliseconds[8:]}-7000-8000-{number:012x}"

    def numbered(body: str) -> str:
        """Return a body with places for what differs from sale to sale, in this order."""
        for name, place in (("batch", '"batch":%d,'), ("number", '"number":%d,')):
            body = body.replace(f'"{name}":1,', place)
        return body.replace(attempt, "%s")

    def batch_of(number: int) -> int:
        return (number - 1) // DAILY + 1

    def moves() -> Iterator[tuple[str, int, str, bytes]]:
        head = form.GENESIS
        for number in range(1, payments + 1):
            own, at_ms = identity(number), began + number * 1000
            for shape in shapes:
                text = shape % (batch_of(number), own, number)
                head = form.link(head, own, at_ms, text)
                yield own, at_ms, text, head

    shapes, listed_shape = [numbered(body) for body in bodies], numbered(last)
    tail = words.removeprefix("1 0001 ")

    def list_rows() -> Iterator[tuple[str, int, str, str, int, str, str, int]]:
        for number in range(1, payments + 1):
            own, batch = identity(number), batch_of(number)
            text = listed_shape % (batch, own, number)
            found = f"{number} {number:04} {tail}".replace(attempt, own)
            yield own, number, state, "", amount, found, text, batch

    database.execute("BEGIN")
    database.executemany(
        "INSERT INTO moves (attempt, at_ms, body, hash) VALUES (?, ?, ?, ?)", moves()
    )
    database.executemany("INSERT INTO payments VALUES (?, ?, ?, ?, ?, ?, ?, ?)", list_rows())
    database.execute("COMMIT")
    database.close()
    # An old journal has long been on disk; the kernel is not to write it out meanwhile.
    with (folder / "journal.db").open("rb") as file:
        os.fsync(file.fileno())


def _sell(journal: Journal, sales: Sales) -> Callable[[], None]:
    """Return a deed that commits one sale."""
    # A deed is to be commits alone; more are ready than any row here takes.
    ready = [sales.next() for _ in range(300)][::-1]

    def deed() -> None:
        for commit in ready.pop():
            journal.append(commit)

    return deed


def _bytes_of(entry: Entry) -> bytes:
    """Return as many bytes as the journal writes for this move."""
    body = form.encoded(entry.payment)
    # The move and the payment's row each hold the payment; the seal is kept once.
    return (body * 2 + (entry.sealed or "")).encode() + bytes(32)


@contextmanager
def _journal(folder: Path) -> Iterator[Journal]:
    journal = Journal(folder, SystemClock())
    try:
        yield journal
    finally:
        journal.close()


@contextmanager
def _bare(path: Path) -> Iterator[apsw.Connection]:
    """A database with one table and the journal's own promises to the disk."""
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE rows (seq INTEGER PRIMARY KEY, data BLOB NOT NULL)")
    try:
        yield connection
    finally:
        connection.close()


def _open(folder: Path) -> None:
    """Read of the journal what a till reads when it opens."""
    with _journal(folder) as journal:
        journal.unfinished()
        journal.payments(limit=RECENT_MAX)
        journal.next_number()
        journal.batch_payments(journal.open_batch(1))
        journal.unsettled_batches()
