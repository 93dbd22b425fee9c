"""Keys, journal and disk: each spoilt for real, then looked at."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import apsw
import pytest

from simulators.bank import bench
from terminal.doctor import memory
from terminal.doctor.lines import Line
from terminal.doctor.wording import Level, Matter
from terminal.events import Entry
from terminal.journal import Journal
from terminal.seams import SystemClock
from terminal.security import passphrase
from terminal.security.enrolment import enrol
from terminal.states import State
from terminal.view import Kind, PaymentView

NOW_MS = time.time_ns() // 1_000_000
DAY_MS = timedelta(days=1) // timedelta(milliseconds=1)


@pytest.fixture
def enrolled(tmp_path: Path) -> Path:
    place = bench.prepare(tmp_path / "bank", NOW_MS)
    code = bench.issue_enrolment_code(place, "till", "till-1", NOW_MS, os.urandom, merchant="m")
    folder = tmp_path / "keys"
    secret = passphrase.make_beside(folder, os.urandom(32))
    enrol(folder, code, lambda request: bench.enrol(place, request, NOW_MS), secret)
    return folder


def keys(folder: Path, *, now_ms: int = NOW_MS, is_bench: bool = False) -> list[Line]:
    return list(memory.keys(folder, now_ms, is_bench=is_bench))


def test_keys_that_are_good_are_named_with_their_end(enrolled: Path) -> None:
    found, certificate = keys(enrolled)
    assert (found.code, certificate.code) == (Matter.KEYS_GOOD, Matter.CERTIFICATE_GOOD)
    assert "till-1" in found.text


def test_keys_that_are_not_encrypted_are_said_with_the_command(tmp_path: Path) -> None:
    """As tills were enrolled before there were passphrases."""
    place = bench.prepare(tmp_path / "bank", NOW_MS)
    code = bench.issue_enrolment_code(place, "till", "till-1", NOW_MS, os.urandom, merchant="m")
    enrol(tmp_path / "keys", code, lambda request: bench.enrol(place, request, NOW_MS))

    line = keys(tmp_path / "keys")[1]
    assert (line.code, line.level) == (Matter.KEYS_UNPROTECTED, Level.WARNING)
    assert "till keys protect" in line.step


def test_a_live_till_without_keys_has_to_be_enrolled(tmp_path: Path) -> None:
    [line] = keys(tmp_path)
    assert (line.code, line.level) == (Matter.KEYS_MISSING, Level.FAULT)
    [line] = keys(tmp_path, is_bench=True)
    assert (line.code, line.level) == (Matter.KEYS_TO_BE_MADE, Level.OK)


def test_a_key_that_others_may_read_is_named_with_the_command(enrolled: Path) -> None:
    path = enrolled / "signing-key.pem"
    path.chmod(0o640)

    [line] = keys(enrolled)

    assert line.code == Matter.KEYS_OPEN
    assert f"chmod 600 {path}" in line.step


def test_a_key_file_that_is_none_is_named(enrolled: Path) -> None:
    (enrolled / "tls-key.pem").write_text("not a key")
    [line] = keys(enrolled)
    assert line.code == Matter.KEYS_UNUSABLE
    assert "tls-key.pem" in line.text


def test_the_end_of_the_certificate_is_told_before_it_comes(enrolled: Path) -> None:
    expires_ms = memory.load(enrolled).expires_ms
    assert keys(enrolled, now_ms=expires_ms - 29 * DAY_MS)[-1].code == Matter.CERTIFICATE_ENDS
    assert keys(enrolled, now_ms=expires_ms)[-1].code == Matter.CERTIFICATE_EXPIRED


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A journal with two payments in it."""
    journal = Journal(tmp_path / "till", SystemClock())
    for number in (1, 2):
        payment = PaymentView(
            id=f"01927f3a-0000-7000-8000-00000000000{number}",
            number=number,
            kind=Kind.SALE,
            state=State.APPROVED,
            amount_minor=100 * number,
            currency="CNY",
            created_ms=NOW_MS,
            updated_ms=NOW_MS,
        )
        journal.append([Entry(payment, None)])
    journal.close()
    return tmp_path / "till"


def journal(folder: Path) -> Line:
    database, line = memory.journal(folder)
    assert database.code == Matter.SQLITE
    return line


def test_a_journal_that_holds_is_read_in_whole(written: Path) -> None:
    line = journal(written)
    assert line.code == Matter.JOURNAL_HOLDS
    assert "2 moves" in line.text


def test_no_journal_yet_is_no_fault(tmp_path: Path) -> None:
    assert journal(tmp_path / "till").code == Matter.JOURNAL_TO_BE_MADE


def test_a_large_journal_is_checked_at_its_end(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "WHOLE_BYTES_MAX", 1)
    assert journal(written).code == Matter.JOURNAL_END_HOLDS
    spoil(written)
    assert journal(written).code == Matter.JOURNAL_DAMAGED


def spoil(folder: Path) -> None:
    database = apsw.Connection(str(folder / "journal.db"))
    database.execute("UPDATE moves SET body = replace(body, '200', '900') WHERE seq = 2")
    database.close()


def test_an_altered_move_is_found(written: Path) -> None:
    spoil(written)
    line = journal(written)
    assert line.code == Matter.JOURNAL_DAMAGED
    assert "Move 2" in line.text


def test_a_file_that_is_no_journal_is_damaged(written: Path) -> None:
    (written / "journal.db").write_bytes(b"not a database" * 100)
    for left in ("journal.db-wal", "journal.db-shm"):
        (written / left).unlink(missing_ok=True)
    assert journal(written).code == Matter.JOURNAL_DAMAGED


def test_a_journal_of_somebody_else_cannot_be_read(
    written: Path, as_nobody: Callable[[Callable[[], Any]], Any]
) -> None:
    written.chmod(0)
    try:
        code, level = as_nobody(lambda: (journal(written).code, journal(written).level))
    finally:
        written.chmod(0o700)
    assert (code, level) == (Matter.JOURNAL_UNREADABLE, Level.FAULT)


def test_a_folder_that_cannot_be_written_names_the_command(
    tmp_path: Path, as_nobody: Callable[[Callable[[], Any]], Any]
) -> None:
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)

    codes, step = as_nobody(
        lambda: ([line.code for line in memory.disk(locked)], next(memory.disk(locked)).step)
    )

    assert codes[0] == Matter.HOME_NOT_WRITABLE
    assert step.startswith("sudo chown -R ")


def test_the_room_that_is_left_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [line.code for line in memory.disk(tmp_path / "not/yet/there")][-1] in (
        Matter.DISK_ROOM,
        Matter.DISK_LOW,
    )
    monkeypatch.setattr(memory, "FULL_BYTES", 10**18)
    assert [line.code for line in memory.disk(tmp_path)] == [Matter.DISK_FULL]
