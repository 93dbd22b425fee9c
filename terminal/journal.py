"""The till's memory: an append-only, hash-chained table of moves.

The payments table that lists read is written in the same transaction and
can be rebuilt from the moves. One writer, on the core's thread; readers
have connections of their own.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any

import apsw

from terminal import journal_form as form
from terminal import journal_schema as schema
from terminal.batch import records
from terminal.batch.batch import Batch
from terminal.batch.events import RecordBatch
from terminal.chains import End
from terminal.database import connect, transaction, translated
from terminal.errors import JournalCorrupt, JournalUnavailable, UnknownPayment
from terminal.events import Entry
from terminal.journal_mark import Mark, read_mark
from terminal.salvage import readable_moves
from terminal.seams import Clock
from terminal.summing import with_follow_ups
from terminal.view import PaymentView, TraceLine

# A whole chain of a million payments takes a minute; its end is where a
# power cut or a restored copy shows.
CHECKED_AT_START = 64
MARK = "journal.mark"
NUMBER_DIGITS_MAX = 9
"""A payment's number never gets longer."""

# The index holds only rows that have an original: SQLite uses it where the
# question says so too, and walks every payment where it does not.
_FOLLOWING = "SELECT body FROM payments WHERE original = ? AND original <> ''"


class JournalReader:
    """What one till has done, to be looked at; the till may be at work meanwhile."""

    def __init__(self, folder: Path) -> None:
        """Open the journal in this folder for reading.

        Raises JournalUnavailable if there is none, JournalCorrupt if it is none.
        """
        self._path = folder / "journal.db"
        self._reader_lock = threading.Lock()
        if not self._path.exists():
            raise JournalUnavailable(f"No journal in {folder} yet: no till has worked there")
        with _translated(self._path):
            self._reader = connect(self._path, apsw.SQLITE_OPEN_READONLY)
            ((version,),) = self._reader.execute("PRAGMA user_version").fetchall()
        self._version = int(str(version))
        if version == 0:
            # A till is making it at this moment, or was stopped while it did.
            self._reader.close()
            raise JournalUnavailable(f"No journal in {folder} yet: no till has worked there")

    def payment(self, key: str) -> PaymentView:
        """Return the payment with this identity or number.

        Raises UnknownPayment if there is none.
        """
        column = "number" if key.isdecimal() else "attempt"
        value: str | int = int(key) if key.isdecimal() else key
        rows = self._read(f"SELECT body FROM payments WHERE {column} = ?", (value,))  # noqa: S608
        if not rows:
            # Digits this long may be a card number, typed into the wrong field.
            named = key if len(key) <= NUMBER_DIGITS_MAX or "-" in key else f"{key[:4]}…"
            raise UnknownPayment(f"No payment {named} in this journal")
        return self._whole(form.decoded(rows[0][0]))

    def payments(self, search: str = "", limit: int = 200) -> list[PaymentView]:
        """Return payments, newest first, whose words contain the search text.

        Searched are number, amount, brand, last four digits, state, reference.
        """
        pattern = "%" + search.lower().replace("%", "").replace("_", "") + "%"
        condition = "WHERE words LIKE ?" if search else ""
        rows = self._read(
            f"SELECT body FROM payments {condition} ORDER BY number DESC LIMIT ?",  # noqa: S608
            (pattern, limit) if search else (limit,),
        )
        return [self._whole(form.decoded(body)) for (body,) in rows]

    def unfinished(self) -> list[PaymentView]:
        """Return the payments that are not at their end, oldest first."""
        final = schema.final_list()
        # The plus keeps SQLite from walking all payments in order of number.
        rows = self._read(
            f"SELECT body FROM payments WHERE state NOT IN ({final}) ORDER BY +number",  # noqa: S608
            (),
        )
        return [form.decoded(body) for (body,) in rows]

    def next_number(self) -> int:
        """Return the number the next payment will carry."""
        return int(self._read("SELECT coalesce(max(number), 0) + 1 FROM payments", ())[0][0])

    def batch_payments(self, number: int) -> list[PaymentView]:
        """Return every payment of a batch, whatever became of it, oldest first."""
        rows = self._read(
            "SELECT body FROM payments WHERE batch = ? AND batch > 0 ORDER BY +number", (number,)
        )
        return [form.decoded(body) for (body,) in rows]

    def batch(self, number: int) -> Batch | None:
        """Return a batch whose close was asked for; None if there is none of that number."""
        rows = self._read("SELECT body FROM batches WHERE number = ?", (number,))
        return records.decoded(rows[0][0]) if rows else None

    def unsettled_batches(self) -> list[Batch]:
        """Return the batches whose close has not come to its end, oldest first."""
        rows = self._read(records.UNSETTLED, ())
        return [records.decoded(body) for (body,) in rows]

    def open_batch(self, fresh: int) -> int:
        """Return the number of the batch that payments are in now.

        fresh: what a journal begins with that has no batch yet.
        """
        ((closing,), (begun,)) = self._read(
            "SELECT max(number) FROM batches"
            " UNION ALL SELECT max(batch) FROM payments WHERE batch > 0",
            (),
        )
        return int(closing) + 1 if closing else int(begun or fresh)

    def sealed(self, attempt: str) -> str:
        """Return the sealed sale kept for this attempt; '' if there is none."""
        rows = self._read("SELECT data FROM sealed WHERE attempt = ?", (attempt,))
        return str(rows[0][0]) if rows else ""

    def trace(self, attempt: str) -> list[TraceLine]:
        """Return the moves of one payment as lines for people."""
        rows = self._read(
            "SELECT at_ms, body FROM moves WHERE attempt = ? ORDER BY seq", (attempt,)
        )
        if not rows:
            raise UnknownPayment(f"No payment {attempt} in this journal")
        return [TraceLine(at_ms - rows[0][0], form.told(json.loads(body))) for at_ms, body in rows]

    def verify(self) -> int:
        """Check the whole chain and the payments against it; return its length.

        Raises JournalCorrupt naming the first move that does not hold.
        """
        self.check_mark()
        with self._one_moment():
            self._check_pages()
            return self._check_chain()

    @contextmanager
    def _one_moment(self) -> Iterator[None]:
        """See the journal as it stands now, whatever a till writes meanwhile."""
        self._read("BEGIN", ())
        try:
            yield
        finally:
            self._read("ROLLBACK", ())

    def _check_chain(self) -> int:
        head = form.GENESIS
        latest: dict[str, str] = {}
        sealed: dict[str, str] = {}
        count = 0
        for seq, attempt, at_ms, body, digest in self._read(
            "SELECT seq, attempt, at_ms, body, hash FROM moves ORDER BY seq", ()
        ):
            head = form.link(head, attempt, at_ms, body)
            count += 1
            if seq != count or digest != head:
                raise JournalCorrupt(f"Move {seq} does not follow from the one before it")
            move = json.loads(body)
            latest[attempt] = form.dumped(move.get("payment") or move["batch"])
            if move["sealed"] is not None:
                sealed[attempt] = move["sealed"]
        kept = self._read("SELECT attempt, data FROM sealed", ())
        if {each: form.digest_of(data) for each, data in kept} != {
            k: v for k, v in sealed.items() if v
        }:
            raise JournalCorrupt("The sealed sales are not those that the moves tell of")
        for key, body in self._listed():
            if latest.pop(key, None) != body:
                raise JournalCorrupt(f"{form.called(key)} is not what its moves say")
        if latest:
            raise JournalCorrupt(f"{form.called(next(iter(latest)))} is missing from the list")
        return count

    def _listed(self) -> Iterator[tuple[str, str]]:
        """Give what each payment and batch is called in the chain, and its body."""
        yield from self._read("SELECT attempt, body FROM payments", ())
        if self._version >= schema.WITH_BATCHES:
            for number, body in self._read("SELECT number, body FROM batches", ()):
                yield records.key(number), body

    def check_mark(self) -> None:
        """Check that the journal still goes as far as it was marked.

        Raises JournalCorrupt if its end is gone, JournalUnavailable.
        """
        mark = _read_mark(self._path)
        if not self._goes_through(mark):
            raise _end_is_gone(self._path, mark)

    def end(self) -> End:
        """Return the last move as it stands on disk."""
        rows = self._read("SELECT seq, hash FROM moves ORDER BY seq DESC LIMIT 1", ())
        return End(*rows[0]) if rows else End(0, form.GENESIS)

    def check_through(self, end: End) -> None:
        """Check that the journal still goes through a move that the bank was told of.

        Raises JournalCorrupt.
        """
        if not self._goes_through(end):
            raise JournalCorrupt(
                f"{self._path} does not go through move {end.length} as the bank was told of it: "
                "its end was cut off or written again, or an older copy put in its place. "
                "Export it and call service"
            )

    def _goes_through(self, end: End) -> bool:
        rows = self._read("SELECT hash FROM moves WHERE seq = ?", (end.length,))
        return end.length == 0 or rows == [(end.digest,)]

    def _check_pages(self) -> None:
        """Raise JournalCorrupt if SQLite finds tables and indexes at odds."""
        rows = self._read("PRAGMA integrity_check(1)", ())
        if rows != [("ok",)]:
            raise JournalCorrupt(f"{self._path} is damaged: {rows[0][0]}; export what is readable")

    def check_end(self) -> bytes:
        """Check the last moves of the chain; return the hash of the last.

        Raises JournalCorrupt naming the first of them that does not hold.
        """
        rows = self._read(
            "SELECT seq, attempt, at_ms, body, hash FROM moves ORDER BY seq DESC LIMIT ?",
            (CHECKED_AT_START + 1,),
        )[::-1]
        if not rows:
            return form.GENESIS
        head = rows[0][4]
        if rows[0][0] == 1:
            head = form.link(form.GENESIS, *rows[0][1:4])
            if head != rows[0][4]:
                raise JournalCorrupt("Move 1 does not hold")
        for seq, attempt, at_ms, body, digest in rows[1:]:
            head = form.link(head, attempt, at_ms, body)
            if head != digest:
                raise JournalCorrupt(
                    f"Move {seq} of {self._path} does not follow from the one before it: "
                    "the journal was altered or damaged; export it and call service"
                )
        return bytes(head)

    def export(self, out: IO[str]) -> int:
        """Write every readable move as a line of JSON; return how many.

        Raises JournalCorrupt if none can be read.
        """
        count = 0
        with self._reader_lock, _translated(self._path):
            for move in readable_moves(self._reader):
                out.write(json.dumps(move, ensure_ascii=False) + "\n")
                count += 1
        return count

    def close(self) -> None:
        """Let the journal go. Safe to call twice."""
        self._reader.close()

    def _read(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        with self._reader_lock, _translated(self._path):
            return self._reader.execute(statement, values).fetchall()

    def _whole(self, payment: PaymentView) -> PaymentView:
        """Return a payment with what those that follow it come to."""
        rows = self._read(_FOLLOWING, (payment.id,))
        return with_follow_ups(payment, [form.decoded(body) for (body,) in rows])


class Journal(JournalReader):
    """The journal in the hands of the one till that writes it."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        """Open or make the journal in this folder, for this process alone.

        Raises JournalUnavailable if it is in use, full or unreadable, and
        JournalCorrupt if what it holds does not fit together.
        """
        self._clock = clock
        path = folder / "journal.db"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = _lock(folder / "journal.lock")
        except OSError as error:
            raise JournalUnavailable(
                f"Cannot open the journal in {folder}: {error.strerror}"
            ) from error
        try:
            if not path.exists() and (mark := _read_mark(path)).length > 0:
                # Before a new one is made in its place.
                raise _end_is_gone(path, mark)
            with _translated(path):
                self._writer = connect(path, apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE)
                self._prepare(path)
            super().__init__(folder)
            self._head = self.check_end()
            self.check_mark()
            self._mark = _open_mark(folder / MARK)
            self._end(self._read("SELECT coalesce(max(seq), 0) FROM moves", ())[0][0])
        except BaseException:
            self._lock.close()
            raise

    def append(self, entries: Sequence[Entry]) -> None:
        """Put these moves on disk, all or none; returns once they are safe.

        Raises JournalUnavailable if the disk will not take them.
        """
        head = self._head
        with _translated(self._path), transaction(self._writer) as connection:
            for entry in entries:
                head = self._write(connection, entry, head)
        self._head = head
        self._end(self._length + len(entries))

    def _end(self, length: int) -> None:
        """Remember how far the journal goes, and mark it."""
        self._length = length
        self._mark.set(End(length, self._head))

    def append_batch(self, wish: RecordBatch) -> None:
        """Put a batch's move on disk; returns once it is safe.

        Raises JournalUnavailable if the disk will not take it.
        """
        body = records.encoded(wish.batch)
        record = f'{{"batch":{body},"move":"{wish.move}","sealed":null}}'
        with _translated(self._path), transaction(self._writer) as connection:
            head = self._link_move(connection, records.key(wish.batch.number), record, self._head)
            records.project(connection, wish.batch, body)
        self._head = head
        self._end(self._length + 1)

    def _write(self, connection: apsw.Connection, entry: Entry, head: bytes) -> bytes:
        payment = entry.payment
        body = form.encoded(payment)
        # As form.dumped would write it, without reading the payment again.
        move, sealed = json.dumps(entry.move), json.dumps(form.digest_of(entry.sealed))
        record = f'{{"move":{move},"payment":{body},"sealed":{sealed}}}'
        head = self._link_move(connection, payment.id, record, head)
        form.project(connection, payment, body)
        if entry.sealed == "":
            connection.execute("DELETE FROM sealed WHERE attempt = ?", (payment.id,))
        elif entry.sealed is not None:
            connection.execute(
                "INSERT INTO sealed VALUES (?, ?) ON CONFLICT DO UPDATE SET data = excluded.data",
                (payment.id, entry.sealed),
            )
        return head

    def _link_move(self, connection: apsw.Connection, key: str, record: str, head: bytes) -> bytes:
        """Add a move to the chain; return the hash it ends with now."""
        at_ms = self._clock.wall_ms()
        head = form.link(head, key, at_ms, record)
        connection.execute(
            "INSERT INTO moves (attempt, at_ms, body, hash) VALUES (?, ?, ?, ?)",
            (key, at_ms, record, head),
        )
        return head

    def rebuild(self) -> None:
        """Make the tables of payments and batches again from the moves."""
        with _translated(self._path), transaction(self._writer) as connection:
            connection.execute("DELETE FROM payments; DELETE FROM batches")
            rows = connection.execute("SELECT body FROM moves ORDER BY seq").fetchall()
            for (body,) in rows:
                record = json.loads(str(body))
                if "batch" in record:
                    text = form.dumped(record["batch"])
                    records.project(connection, records.decoded(text), text)
                else:
                    values = record["payment"]
                    form.project(connection, form.view_of(values), form.dumped(values))

    def close(self) -> None:
        """Let the journal go, whole in its one file. Safe to call twice."""
        # The last connection brings the write-ahead log into the database; one
        # that only reads cannot, and the next start would have to read the log.
        super().close()
        self._writer.close()
        self._mark.close()
        self._lock.close()

    def _prepare(self, path: Path) -> None:
        path.chmod(0o600)
        # FULL: NORMAL loses acknowledged commits when the power goes.
        # One by one: behind a statement that answers, apsw waits to be asked for more.
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.execute("PRAGMA synchronous = FULL")
        schema.bring_up_to_date(self._writer, path)


def _lock(path: Path) -> IO[str]:
    """Hold the journal for this process alone, until the file is closed."""
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+")
    os.chmod(path, 0o600)  # noqa: PTH101
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise JournalUnavailable(
            f"Another till (process {holder}) has this journal open: {path.parent}. "
            "Close it, or set OPENTILL_HOME to another folder"
        ) from None
    # Written over, not emptied first: some file systems wait for the disk on that.
    file.write(str(os.getpid()))
    file.truncate()
    file.flush()
    return file


def _read_mark(journal: Path) -> End:
    """Return how far a journal was marked to go. Raises JournalUnavailable."""
    path = journal.with_name(MARK)
    try:
        return read_mark(path) or End(0, form.GENESIS)
    except OSError as error:
        raise JournalUnavailable(f"Cannot read {path}: {error.strerror}") from error


def _end_is_gone(journal: Path, mark: End) -> JournalCorrupt:
    return JournalCorrupt(
        f"{journal} has lost its end: move {mark.length} was written and is not there. "
        f"Its write-ahead log was removed, or an older copy put in its place: put back "
        f"what belongs together; else export it, move it and {MARK} aside, and call service"
    )


def _open_mark(path: Path) -> Mark:
    try:
        return Mark(path)
    except OSError as error:
        raise JournalUnavailable(f"Cannot write {path}: {error.strerror}") from error


def _translated(path: Path) -> AbstractContextManager[None]:
    return translated(path, JournalUnavailable, JournalCorrupt)
