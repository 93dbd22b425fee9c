"""Both chains held against the ends that a real bank has kept, over TLS."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import pytest

from simulators.bank import bench
from simulators.bank.service import BankServer
from terminal.bank.chain_ends import compare
from terminal.bank.client import BankClient
from terminal.chains import Chains
from terminal.errors import AnswerLost, JournalCorrupt, RegisterUnusable
from terminal.events import Entry
from terminal.journal import Journal
from terminal.people.audit import AuditLine, AuditLog
from terminal.people.store import PeopleStore
from terminal.seams import SystemClock, uuid7
from terminal.security.enrolment import enrol
from terminal.states import State
from terminal.view import Kind, PaymentView

if TYPE_CHECKING:
    from tests.terminal.bank.conftest import Answering, ConnectTill, Enrolled, StartBank

CLOCK = SystemClock()


@pytest.fixture(scope="module")
def server(enrolled: Enrolled) -> Iterator[BankServer]:
    with BankServer(enrolled.place, time.time, os.urandom) as running:
        yield running


@pytest.fixture
def client(server: BankServer, enrolled: Enrolled, tmp_path: Path) -> Iterator[BankClient]:
    """One of a till whose chains nobody has heard of yet."""
    now_ms = CLOCK.wall_ms()
    name = f"till-{tmp_path.name}"[:60]
    code = bench.issue_enrolment_code(enrolled.place, "till", name, now_ms, os.urandom)
    keys = enrol(tmp_path / "keys", code, lambda asked: bench.enrol(enrolled.place, asked, now_ms))
    with closing(BankClient(server.url, keys, CLOCK, os.urandom)) as client:
        yield client


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Journal, AuditLog, Chains]]:
    with closing(Journal(folder, CLOCK)) as journal, closing(PeopleStore(folder)) as store:
        log = AuditLog(store, CLOCK)
        yield journal, log, Chains(journal, lambda: log)


def live(folder: Path, client: BankClient, days: int) -> int:
    """Sell and sign, three times a day; each day ends with a look at the bank."""
    kept = 0
    with opened(folder) as (journal, log, chains):
        for _ in range(days):
            for _ in range(3):
                number = journal.next_number()
                now_ms = CLOCK.wall_ms()
                state = State.AWAITING_TENDER
                attempt = uuid7(CLOCK, os.urandom)
                sale = PaymentView(attempt, number, Kind.SALE, state, 100, "CNY", now_ms, now_ms)
                journal.append([Entry(sale, None)])
                log.append(AuditLine("sell", True, "01"))
            kept = compare(client, chains)
    return kept


def cut(path: Path, *statements: str) -> None:
    with closing(apsw.Connection(str(path))) as connection:
        for statement in statements:
            connection.execute(statement)


def test_chains_that_only_grow_go_through_all_that_was_kept(
    client: BankClient, tmp_path: Path
) -> None:
    assert live(tmp_path, client, days=3) == 6


def test_an_empty_till_has_nothing_to_keep(client: BankClient, tmp_path: Path) -> None:
    with opened(tmp_path) as (_, _, chains):
        assert compare(client, chains) == 0


def test_an_audit_log_whose_tail_was_cut_off_is_noticed(client: BankClient, tmp_path: Path) -> None:
    """By itself it holds: only the bank knows that there was more."""
    live(tmp_path, client, days=2)
    cut(tmp_path / "people.db", "DELETE FROM audit WHERE seq > 4")
    with opened(tmp_path) as (_, log, chains):
        assert log.verify() == 4
        with pytest.raises(RegisterUnusable, match="does not go through line 6"):
            compare(client, chains)


def test_one_that_was_cut_off_and_has_grown_since_is_noticed(
    client: BankClient, tmp_path: Path
) -> None:
    """It forked before the last end that was kept, and is longer than it now."""
    live(tmp_path, client, days=2)
    cut(tmp_path / "people.db", "DELETE FROM audit WHERE seq > 4")
    with opened(tmp_path) as (_, log, chains):
        for _ in range(9):
            log.append(AuditLine("sell", True, "01"))
        assert log.verify() == 13
        for _ in range(2):
            # The longer end, kept since, hides nothing.
            with pytest.raises(RegisterUnusable, match="does not go through line 6"):
                compare(client, chains)


def test_a_whole_folder_put_back_is_noticed(client: BankClient, tmp_path: Path) -> None:
    """Journal, mark and register are of one day, and hold."""
    folder, older = tmp_path / "till", tmp_path / "older"
    live(folder, client, days=1)
    shutil.copytree(folder, older)
    live(folder, client, days=1)
    shutil.rmtree(folder)
    shutil.copytree(older, folder)

    with opened(folder) as (journal, _, chains):
        assert journal.verify() == 3
        with pytest.raises(JournalCorrupt, match="does not go through move 6"):
            compare(client, chains)


def test_an_answer_that_is_none_says_nothing_of_the_chains(
    start_bank: StartBank, connect: ConnectTill, answering: Answering, tmp_path: Path
) -> None:
    wrong = b'{"at": "2026-11-24T08:00:00.000Z", "journal": [{"length": 1}], "audit": []}'
    bank = start_bank(answering.send(wrong), answering.send(answering.fault("busy"), 422))
    with opened(tmp_path) as (_, _, chains), closing(connect(bank.url)) as client:
        for why in ("digest", "keeps no ends"):
            with pytest.raises(AnswerLost, match=why):
                compare(client, chains)
