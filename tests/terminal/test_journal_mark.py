"""The mark beside the journal: what it says, and when it is not believed."""

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from terminal.chains import End
from terminal.errors import JournalCorrupt
from terminal.events import Entry
from terminal.journal import MARK, Journal
from terminal.journal_mark import Mark, read_mark
from terminal.states import State
from terminal.view import Kind, PaymentView

DIGEST = hashlib.sha256(b"move").digest()
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


def test_the_last_mark_is_the_one_that_is_read(tmp_path: Path) -> None:
    mark = Mark(tmp_path / "mark")
    mark.set(End(12_345, DIGEST))
    mark.set(End(7, DIGEST))
    mark.close()
    mark.close()
    assert read_mark(tmp_path / "mark") == End(7, DIGEST)
    assert (tmp_path / "mark").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"7", bytes(86), b"x" * 86])
def test_a_torn_mark_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mark").write_bytes(content)
    assert read_mark(tmp_path / "mark") is None


def test_no_mark_is_none(tmp_path: Path) -> None:
    assert read_mark(tmp_path / "mark") is None


def test_a_disk_that_takes_no_mark_is_told_of_and_costs_no_move(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mark = Mark(tmp_path / "mark")
    os.close(mark._file)
    mark.set(End(1, DIGEST))
    assert "was not written" in caplog.text
    mark._file = -1
    mark.close()


def test_every_move_is_marked(journal: Journal, tmp_path: Path) -> None:
    journal.append([Entry(PAYMENT, None)])
    assert read_mark(tmp_path / MARK) == End(1, journal.check_end())


def test_a_mark_that_lags_is_no_fault(journal: Journal, tmp_path: Path) -> None:
    """As the power may leave it."""
    behind = (tmp_path / MARK).read_bytes()
    journal.append([Entry(PAYMENT, None)])
    (tmp_path / MARK).write_bytes(behind)
    assert journal.verify() == 1


def test_a_journal_begun_anew_beside_an_old_mark_is_refused(tmp_path: Path, clock: Any) -> None:
    journal = Journal(tmp_path, clock)
    journal.append([Entry(PAYMENT, None)])
    journal.close()
    (tmp_path / "journal.db").unlink()
    with pytest.raises(JournalCorrupt, match="move 1 was written and is not there"):
        Journal(tmp_path, clock)
    assert not (tmp_path / "journal.db").exists()
