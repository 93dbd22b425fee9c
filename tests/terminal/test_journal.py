"""The journal on a real disk: what was promised is there, and nothing else."""

import io
import itertools
import json
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal.batch.batch import Batch, BatchMove, BatchState
from terminal.batch.events import RecordBatch
from terminal.batch.records import fresh_number
from terminal.errors import JournalCorrupt, JournalUnavailable, UnknownPayment
from terminal.events import Entry
from terminal.journal import Journal, JournalReader
from terminal.messages import Message
from terminal.states import FINAL, Event, State
from terminal.view import Kind, Medium, PaymentView

PAYMENT = PaymentView(
    id="0192f000-0000-7000-8000-000000000001",
    number=1,
    kind=Kind.SALE,
    state=State.AWAITING_TENDER,
    amount_minor=34560,
    currency="CNY",
    created_ms=1_795_500_000_000,
    updated_ms=1_795_500_000_000,
)
APPROVED = replace(
    PAYMENT,
    state=State.APPROVED,
    medium=Medium.CARD,
    brand="Visa",
    masked_pan="411111******1111",
    reason=Message.APPROVED,
    next_step=Message.HAND_OVER,
    bank_reference="012345678901",
    durations_ms={"bank": 12.5},
)


def sale(journal: Journal) -> None:
    authorising = replace(PAYMENT, state=State.AUTHORISING)
    journal.append([Entry(PAYMENT, None)])
    journal.append([Entry(authorising, Event.ONLINE_REQUESTED)])
    journal.append([Entry(APPROVED, Event.BANK_APPROVED)])


def test_what_was_written_is_read_again_whole(journal: Journal) -> None:
    sale(journal)
    assert journal.payment(PAYMENT.id) == APPROVED
    assert journal.payment("1") == APPROVED
    assert journal.payment("0001") == APPROVED
    assert [line.text for line in journal.trace(PAYMENT.id)] == [
        "sale written down",
        "online requested: authorising",
        "bank approved: approved",
    ]
    assert journal.next_number() == 2
    assert journal.verify() == 3


def test_its_commits_are_synced_whatever_sqlite_was_built_with(tmp_path: Path, clock: Any) -> None:
    def prefer_speed(connection: apsw.Connection) -> None:
        connection.execute("PRAGMA synchronous = OFF")

    apsw.connection_hooks.append(prefer_speed)
    try:
        journal = Journal(tmp_path, clock)
    finally:
        apsw.connection_hooks.remove(prefer_speed)
    full = journal._writer.execute("PRAGMA synchronous").fetchall()
    journal.close()

    assert full == [(2,)]


def test_it_is_all_there_after_closing(tmp_path: Path, clock: Any) -> None:
    first = Journal(tmp_path, clock)
    sale(first)
    first.close()
    again = Journal(tmp_path, clock)
    assert again.payment("1") == APPROVED
    again.append([Entry(replace(PAYMENT, id="other", number=2), None)])
    assert again.verify() == 4
    again.close()


def test_a_closed_journal_is_one_file(tmp_path: Path, clock: Any) -> None:
    """Nothing is left in a log beside it, which a copy may miss and a start must read."""
    journal = Journal(tmp_path, clock)
    sale(journal)
    journal.close()
    assert not (tmp_path / "journal.db-wal").exists()


def test_open_payments_are_found_and_ended_ones_are_not(journal: Journal) -> None:
    sale(journal)
    left = replace(PAYMENT, id="other", number=2, state=State.UNKNOWN)
    journal.append([Entry(left, None)])
    assert journal.unfinished() == [left]


def test_a_long_journal_is_asked_no_more_than_a_short_one(journal: Journal) -> None:
    """What a till asks at its start, for its lists and for one payment, in SQLite's own steps."""

    def steps() -> int:
        counted = itertools.count()
        journal._reader.set_progress_handler(lambda: bool(next(counted) < 0), 1)
        assert len(journal.payments(limit=5)) == 5
        assert journal.unfinished() == []
        journal.next_number()
        journal.payment("7")
        journal._reader.set_progress_handler(None)
        return next(counted)

    taken = []
    for numbers in (range(1, 51), range(51, 1001)):
        sales = (replace(APPROVED, id=f"sale-{number}", number=number) for number in numbers)
        journal.append([Entry(each, None) for each in sales])
        taken.append(steps())
    assert taken[1] <= taken[0] * 1.01


def test_several_moves_are_written_all_or_none(journal: Journal) -> None:
    twin = replace(PAYMENT, id="twin")  # same number: the table refuses it
    with pytest.raises(apsw.ConstraintError):
        journal.append([Entry(PAYMENT, None), Entry(twin, None)])
    assert journal.payments() == []
    journal.append([Entry(PAYMENT, None)])
    assert journal.verify() == 1


def test_an_unknown_payment_is_named(journal: Journal) -> None:
    with pytest.raises(UnknownPayment, match="No payment 7 in this journal"):
        journal.payment("7")


def test_payments_are_searched_by_what_people_remember(journal: Journal) -> None:
    sale(journal)
    for text in ("345.60", "visa", "1111", "approved", "0001", "012345678901"):
        assert journal.payments(text) == [APPROVED], text
    assert journal.payments("alipay") == []
    assert journal.payments("%") != [], "a wildcard is not a search"


def test_refunds_that_stand_or_may_stand_count_against_the_sale(journal: Journal) -> None:
    sale(journal)
    states = [State.APPROVED, State.UNKNOWN, State.DECLINED, State.REVERSED, State.NOT_SENT]
    for number, state in enumerate(states, 2):
        refund = replace(
            PAYMENT,
            id=f"r{number}",
            number=number,
            kind=Kind.REFUND,
            state=state,
            original=PAYMENT.id,
            amount_minor=100,
        )
        journal.append([Entry(refund, None)])
    assert journal.payment("1").refunded_minor == 200


def test_a_sealed_sale_is_kept_until_it_is_erased(journal: Journal) -> None:
    stored = replace(PAYMENT, state=State.STORED)
    journal.append([Entry(stored, None, sealed="a.b.c")])
    assert journal.sealed(PAYMENT.id) == "a.b.c"
    journal.append([Entry(APPROVED, Event.BANK_APPROVED, sealed="")])
    assert journal.sealed(PAYMENT.id) == ""
    assert journal.verify() == 2


def test_the_list_can_be_made_again_from_the_moves(journal: Journal) -> None:
    sale(journal)
    journal._writer.execute("DELETE FROM payments")
    with pytest.raises(JournalCorrupt, match="missing from the list"):
        journal.verify()
    journal.rebuild()
    assert journal.payment("1") == APPROVED
    assert journal.verify() == 3


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE moves SET body = replace(body, '34560', '14560') WHERE seq = 2",
        "UPDATE moves SET at_ms = at_ms + 1 WHERE seq = 1",
        "UPDATE moves SET attempt = 'x' WHERE seq = 3",
        "DELETE FROM moves WHERE seq = 2",
        "UPDATE payments SET body = replace(body, 'approved', 'declined')",
    ],
)
def test_a_journal_that_was_altered_is_noticed(tmp_path: Path, clock: Any, damage: str) -> None:
    first = Journal(tmp_path, clock)
    sale(first)
    first.close()
    apsw.Connection(str(tmp_path / "journal.db")).execute(damage)
    with pytest.raises(JournalCorrupt):
        Journal(tmp_path, clock).verify()


def test_a_journal_that_is_being_written_holds_at_every_moment(
    journal: Journal, tmp_path: Path
) -> None:
    def write() -> None:
        for number in range(1, 150):
            payment = replace(PAYMENT, id=f"p{number}", number=number)
            stored = replace(payment, state=State.STORED)
            journal.append([Entry(payment, None)])
            journal.append([Entry(stored, Event.CARD_APPROVED, sealed="a.b.c")])

    writer = threading.Thread(target=write)
    reader = JournalReader(tmp_path)
    writer.start()
    counts = []
    while writer.is_alive():
        counts.append(reader.verify())
    reader.close()
    writer.join()
    assert counts == sorted(counts)
    assert journal.verify() == 298


def test_an_altered_end_is_noticed_at_start(tmp_path: Path, clock: Any) -> None:
    first = Journal(tmp_path, clock)
    for number in range(1, 100):
        first.append([Entry(replace(PAYMENT, id=f"p{number}", number=number), None)])
    first.close()
    apsw.Connection(str(tmp_path / "journal.db")).execute(
        "UPDATE moves SET body = replace(body, '34560', '14560') WHERE seq = 90"
    )
    with pytest.raises(JournalCorrupt, match="Move 90"):
        Journal(tmp_path, clock)


def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path, clock: Any) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"something else entirely" * 100)
    with pytest.raises(JournalCorrupt, match="nothing was changed"):
        Journal(tmp_path, clock)
    assert path.read_bytes() == b"something else entirely" * 100


def test_a_second_till_is_refused_by_name(tmp_path: Path, clock: Any) -> None:
    first = Journal(tmp_path, clock)
    other = (
        "import sys; from pathlib import Path; from terminal.journal import Journal;"
        "from terminal.seams import SystemClock; Journal(Path(sys.argv[1]), SystemClock())"
    )
    second = subprocess.run(
        [sys.executable, "-c", other, str(tmp_path)], capture_output=True, text=True, check=False
    )
    first.close()
    assert second.returncode != 0
    assert "Another till (process" in second.stderr
    Journal(tmp_path, clock).close()


def test_a_journal_of_a_newer_release_is_refused(tmp_path: Path, clock: Any) -> None:
    Journal(tmp_path, clock).close()
    apsw.Connection(str(tmp_path / "journal.db")).execute("PRAGMA user_version = 99")
    with pytest.raises(JournalUnavailable, match="newer OpenTill"):
        Journal(tmp_path, clock)


def test_a_journal_of_an_earlier_release_finds_its_open_payments_as_fast(
    tmp_path: Path, clock: Any
) -> None:
    """Version 1 knew fewer ways to end, and its index says so."""
    Journal(tmp_path, clock).close()
    before = apsw.Connection(str(tmp_path / "journal.db"))
    before.execute("DROP INDEX payments_open; PRAGMA user_version = 1")
    before.execute("DROP INDEX payments_by_batch; DROP TABLE batches")
    before.execute("ALTER TABLE payments DROP COLUMN batch")
    before.execute("CREATE INDEX payments_open ON payments (state) WHERE state NOT IN ('approved')")
    before.close()

    journal = Journal(tmp_path, clock)
    journal.append([Entry(replace(PAYMENT, state=State.DEFERRED), None)])
    assert [payment.state for payment in journal.unfinished()] == [State.DEFERRED]
    journal.close()
    after = apsw.Connection(str(tmp_path / "journal.db"))
    ended = ", ".join(f"'{state}'" for state in sorted(FINAL))
    plan = after.execute(
        f"EXPLAIN QUERY PLAN SELECT body FROM payments WHERE state NOT IN ({ended})"
    ).fetchall()
    after.close()
    assert any("payments_open" in str(step) for step in plan)


@settings(max_examples=20, deadline=None)
@given(jumps=st.lists(st.integers(-(10**12), 10**12), min_size=3, max_size=8))
def test_a_clock_that_jumps_never_orders_the_journal(jumps: list[int]) -> None:
    """Back, ahead, by an hour or by thirty years, between any two moves."""
    wall = Wall()
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder), wall)
        for number, jump in enumerate(jumps, start=1):
            wall.unix_ms = max(0, wall.unix_ms + jump)
            entered = replace(PAYMENT, id=f"a{number}", number=number, created_ms=wall.unix_ms)
            journal.append([Entry(entered, None)])
            wall.unix_ms = max(0, wall.unix_ms - jump)
            journal.append([Entry(replace(entered, state=State.STORED), Event.CARD_APPROVED)])
        count = len(jumps)
        assert [payment.number for payment in journal.payments()] == [*range(count, 0, -1)]
        assert [payment.number for payment in journal.unfinished()] == [*range(1, count + 1)]
        told = [line.text for line in journal.trace("a1")]
        assert told == ["sale written down", "card approved: stored"]
        assert journal.verify() == 2 * count
        journal.close()


class Wall:
    """A wall clock that anyone may set."""

    unix_ms = 1_795_500_000_000

    def monotonic(self) -> float:
        return 0.0

    def wall_ms(self) -> int:
        return self.unix_ms


def test_a_full_disk_refuses_the_move_and_keeps_the_rest(tmp_path: Path, clock: Any) -> None:
    journal = Journal(tmp_path, clock)
    sale(journal)
    pages = journal._writer.execute("PRAGMA page_count").fetchall()[0][0]
    journal._writer.execute(f"PRAGMA max_page_count = {pages}")
    number = 1

    def fill() -> None:
        nonlocal number
        while number < 10_000:
            extra = replace(PAYMENT, id=f"p{number + 1}", number=number + 1)
            journal.append([Entry(extra, None)])
            number += 1

    with pytest.raises(JournalUnavailable, match="No room on the disk"):
        fill()
    assert journal.payments(limit=1)[0].number == number
    journal._writer.execute("PRAGMA max_page_count = 1000000")
    journal.append([Entry(replace(PAYMENT, id="next", number=number + 1), None)])
    assert journal.verify() > 3
    journal.close()


def test_the_files_are_for_the_owner_alone(tmp_path: Path, clock: Any) -> None:
    Journal(tmp_path / "till", clock).close()
    assert (tmp_path / "till").stat().st_mode & 0o777 == 0o700
    for file in (tmp_path / "till").iterdir():
        assert file.stat().st_mode & 0o077 == 0, file


def test_every_move_can_be_exported(journal: Journal) -> None:
    sale(journal)
    out = io.StringIO()
    assert journal.export(out) == 3
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["move"] for line in lines] == [None, "online_requested", "bank_approved"]


@settings(max_examples=60, deadline=None)
@given(
    st.builds(
        PaymentView,
        id=st.uuids().map(str),
        number=st.integers(1, 10**9),
        kind=st.sampled_from(Kind),
        state=st.sampled_from(State),
        amount_minor=st.integers(1, 10**12),
        currency=st.sampled_from(["CNY", "JPY", "BHD"]),
        created_ms=st.integers(0, 10**14),
        updated_ms=st.integers(0, 10**14),
        medium=st.none() | st.sampled_from(Medium),
        brand=st.text(max_size=20),
        reason=st.none() | st.sampled_from(Message),
        signature=st.booleans(),
        pin=st.booleans(),
        asked=st.integers(0, 9),
        durations_ms=st.dictionaries(st.text(max_size=8), st.floats(0, 1e6)),
    )
)
def test_any_payment_comes_back_as_it_was(payment: PaymentView) -> None:
    from terminal.journal_form import decoded, encoded

    assert decoded(encoded(payment)) == payment


# --- batches --------------------------------------------------------------------


def batched(journal: Journal) -> Batch:
    """A sale whose batch is closed, with the one that is open after it."""
    sale(journal)
    journal.append([Entry(replace(APPROVED, id="b2", number=2, batch=1), None)])
    batch = Batch(1, BatchState.CLOSING, "2026-11-24", (), "0" * 64, closed_by="王芳")
    journal.append_batch(RecordBatch(batch, BatchMove.CLOSE_WANTED))
    return batch


def test_a_batch_is_found_again_with_its_payments(journal: Journal) -> None:
    batch = batched(journal)
    assert (journal.batch(1), journal.batch(2)) == (batch, None)
    assert journal.unsettled_batches() == [batch]
    assert journal.open_batch(700) == 2
    assert [payment.id for payment in journal.batch_payments(1)] == ["b2"]
    assert journal.batch_payments(0) == []

    closed = replace(batch, state=BatchState.CLOSED)
    journal.append_batch(RecordBatch(closed, BatchMove.BANK_CLOSED))
    assert (journal.batch(1), journal.unsettled_batches()) == (closed, [])
    assert journal.open_batch(700) == 2


def test_batches_stand_in_the_same_chain(journal: Journal, tmp_path: Path) -> None:
    batched(journal)
    assert journal.verify() == 5
    journal.rebuild()
    assert journal.verify() == 5
    assert journal.batch_payments(1)[0].number == 2
    with apsw.Connection(str(tmp_path / "journal.db")) as other:
        other.execute("UPDATE batches SET body = replace(body, 'closing', 'closed')")
    with pytest.raises(JournalCorrupt, match="Batch 1 is not what its moves say"):
        journal.verify()


def test_a_batch_outlives_the_till(tmp_path: Path, clock: Any) -> None:
    first = Journal(tmp_path, clock)
    batch = batched(first)
    first.close()
    second = Journal(tmp_path, clock)
    assert second.unsettled_batches() == [batch]
    second.close()


def test_a_payment_keeps_the_batch_it_began_in(journal: Journal) -> None:
    journal.append([Entry(replace(PAYMENT, batch=3), None)])
    journal.append([Entry(replace(APPROVED, batch=3), Event.BANK_APPROVED)])
    assert [payment.state for payment in journal.batch_payments(3)] == [State.APPROVED]


def test_a_new_journal_goes_on_counting_where_its_first_payment_began(journal: Journal) -> None:
    assert journal.open_batch(700) == 700
    journal.append([Entry(replace(PAYMENT, batch=700), None)])
    assert journal.open_batch(701) == 700


def test_a_later_journal_begins_ahead_of_an_earlier_one() -> None:
    """The bank has closed the batches of a journal that was lost."""
    first_ms = 1_795_500_000_000
    a_year_ms = 365 * 24 * 3_600_000
    closes_a_day = 20
    first = fresh_number(first_ms)
    assert fresh_number(first_ms + a_year_ms) > first + 365 * closes_a_day
    assert fresh_number(0) == 1
