"""Transactions happen whole, one after the other, and again if need be."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError, OperationalError

from simulators.bank.errors import StoreBusy, StoreUnusable
from simulators.bank.schema import facts
from simulators.bank.store import TRIES_MAX, Store


def value(connection: Connection) -> int:
    query = select(facts.c.value).where(facts.c.name == "count")
    return int(connection.scalar(query) or 0)


def count_up(connection: Connection) -> None:
    now = value(connection)
    connection.execute(facts.delete().where(facts.c.name == "count"))
    connection.execute(facts.insert(), {"name": "count", "value": str(now + 1)})


def test_two_banks_on_one_file_lose_no_update(tmp_path: Path) -> None:
    """Each has its own connection, as two processes would."""
    stores = [Store.on_file(tmp_path / "ledger.db") for _ in range(2)]

    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(stores[number % 2].write, count_up) for number in range(80)]
        for each in done:
            each.result()

    assert stores[0].write(value) == 80
    for store in stores:
        store.close()


def test_work_that_fails_leaves_nothing(tmp_path: Path) -> None:
    store = Store.on_file(tmp_path / "ledger.db")

    def fail(connection: Connection) -> None:
        count_up(connection)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.write(fail)
    assert store.write(value) == 0
    store.close()


def test_work_that_others_got_in_the_way_of_runs_again(tmp_path: Path) -> None:
    """A key that was taken meanwhile: the second try finds what the winner wrote."""
    store = Store.on_file(tmp_path / "ledger.db")
    tries = []

    def work(connection: Connection) -> int:
        count_up(connection)
        tries.append(1)
        if len(tries) < 3:
            connection.execute(facts.insert(), {"name": "count", "value": "taken"})
        return value(connection)

    assert store.write(work) == 1
    assert len(tries) == 3
    store.close()


def test_tries_end(tmp_path: Path) -> None:
    store = Store.on_file(tmp_path / "ledger.db")
    tries = []

    def work(connection: Connection) -> None:
        tries.append(1)
        connection.execute(facts.insert(), {"name": "version", "value": "taken"})

    with pytest.raises(StoreBusy) as busy:
        store.write(work)
    assert len(tries) == TRIES_MAX
    assert isinstance(busy.value.__cause__, IntegrityError)
    store.close()


def test_a_serialisation_failure_of_a_server_is_worth_another_try(tmp_path: Path) -> None:
    """As PostgreSQL reports it; only its driver's error class is ours."""
    store = Store.on_file(tmp_path / "ledger.db")

    class Failure(Exception):
        sqlstate = "40001"

    tries = []

    def work(_: Connection) -> str:
        tries.append(1)
        if len(tries) == 1:
            raise OperationalError("UPDATE", {}, Failure())
        return "done"

    assert store.write(work) == "done"
    store.close()


def test_a_broken_statement_is_not_tried_again(tmp_path: Path) -> None:
    store = Store.on_file(tmp_path / "ledger.db")
    tries = []

    def work(connection: Connection) -> None:
        tries.append(1)
        connection.exec_driver_sql("SELECT nonsense")

    with pytest.raises(OperationalError):
        store.write(work)
    assert len(tries) == 1
    store.close()


def test_the_database_survives_a_power_cut_by_its_settings(tmp_path: Path) -> None:
    store = Store.on_file(tmp_path / "ledger.db")

    journal, level = store.write(
        lambda c: [
            c.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        ]
    )

    assert (journal, level) == ("wal", 2)
    store.close()


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"this is not a database, however long it is" * 100)

    with pytest.raises(StoreUnusable):
        Store.on_file(tmp_path / "ledger.db")


def test_another_releases_database_is_refused(tmp_path: Path) -> None:
    Store.on_file(tmp_path / "ledger.db").close()
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.execute("UPDATE facts SET value = '99' WHERE name = 'version'")
    connection.close()

    with pytest.raises(StoreUnusable, match="99"):
        Store.on_file(tmp_path / "ledger.db")
