"""One database under several workers: nothing lost, nothing doubled, nobody waits for ever."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select, text

from simulators.bank.core import Bank, answer
from simulators.bank.errors import StoreBusy, StoreUnusable
from simulators.bank.postgres import PrivatePostgres
from simulators.bank.schema import payments
from simulators.bank.store import Store

if TYPE_CHECKING:
    from tests.simulators.bank.conftest import Shop

pytestmark = pytest.mark.wire

on_server = pytest.mark.parametrize("shop", ["server"], indirect=True)

SALES = 40
CARDS = ("4761739001010119", "4242424242424242", "4111111111111111")


@pytest.fixture
def workers(shop: Shop) -> Iterator[list[Bank]]:
    """Two banks on one database, as two processes are."""
    other = Bank.open(shop.place, shop.database)
    yield [shop.bank, other]
    other.close()


def identity(unix_ms: int, number: int = 0) -> str:
    """A UUID of version 7."""
    return str(uuid.UUID(int=unix_ms << 80 | 0x7 << 76 | 0x2 << 62 | number))


def at_once(deeds: list[Callable[[], Any]]) -> list[Any]:
    with ThreadPoolExecutor(8) as pool:
        return [each.result() for each in [pool.submit(deed) for deed in deeds]]


@on_server
def test_sales_at_once_on_few_accounts_are_each_booked_once(
    shop: Shop, workers: list[Bank]
) -> None:
    """Few cards, so that all are in each other's way and have to try again."""
    tills = [shop.till(f"till-{number}") for number in range(4)]
    requests = []
    for number in range(SALES):
        till = tills[number % len(tills)]
        body = till.sale(100 + number, pan=CARDS[number % len(CARDS)])
        requests.append(till.request("/v1/payments", body, key=body["attempt"]))

    def send(number: int) -> int:
        bank = workers[number % len(workers)]
        chance = random.Random(number).randbytes
        return answer(bank, requests[number], shop.now_ms, chance).status

    done = at_once([partial(send, number) for number in range(SALES)])

    assert done == [200] * SALES
    assert shop.taken() == sum(100 + number for number in range(SALES))


@on_server
def test_one_sale_at_two_workers_at_once_is_one_sale(shop: Shop, workers: list[Bank]) -> None:
    till = shop.till()
    for _ in range(5):
        before = shop.taken()
        body = till.sale(250)
        asked = [till.request("/v1/payments", body, key=body["attempt"]) for _ in workers]

        def send(place: int, asked: Any = asked) -> bytes:
            chance = random.Random(place).randbytes
            return answer(workers[place], asked[place], shop.now_ms, chance).body

        told = at_once([partial(send, 0), partial(send, 1)])
        assert told[0] == told[1]
        assert shop.taken() == before + 250


@on_server
def test_each_day_has_its_own_place_and_everything_is_found_again(shop: Shop) -> None:
    shop.bank.store.prepare_days(shop.now_ms)
    shop.bank.store.prepare_days(shop.now_ms)
    till = shop.till()
    attempts = {
        "payments_20261124": identity(shop.now_ms),
        "payments_20261125": identity(shop.now_ms + days_ms(1), 1),
        "payments_rest": identity(shop.now_ms - days_ms(3), 2),
    }
    for attempt in attempts.values():
        till.pay(till.sale(100, attempt=attempt))
        assert till.status(attempt) == "approved"
    places = text("SELECT tableoid::regclass::text, attempt FROM payments")
    found = shop.read(lambda connection: dict(map(tuple, connection.execute(places))))
    assert found == attempts


def days_ms(count: int) -> int:
    return count * 86_400_000


@on_server
def test_a_payment_is_looked_for_in_its_own_day_alone(shop: Shop) -> None:
    shop.bank.store.prepare_days(shop.now_ms)
    wanted = payments.select().where(payments.c.attempt == identity(shop.now_ms))
    plan = text(f"EXPLAIN {wanted.compile(compile_kwargs={'literal_binds': True})}")
    lines = shop.read(lambda connection: list(connection.execute(plan).scalars()))
    assert "payments_20261124" in "".join(lines)
    assert "payments_20261125" not in "".join(lines)
    assert "payments_rest" not in "".join(lines)


@on_server
def test_a_day_that_came_unprepared_stays_in_the_rest(shop: Shop) -> None:
    till, attempt = shop.till(), identity(shop.now_ms)
    till.pay(till.sale(100, attempt=attempt))
    shop.bank.store.prepare_days(shop.now_ms)
    assert till.status(attempt) == "approved"
    count = select(func.count()).select_from(text("payments_rest"))
    assert shop.read(lambda connection: connection.scalar(count)) == 1


def test_workers_that_start_at_once_make_the_tables_once(postgres: PrivatePostgres) -> None:
    stores = at_once([lambda: Store.on_server(postgres.url)] * 6)
    for store in stores:
        store.close()


def test_a_server_that_goes_away_leaves_the_answer_open(
    tmp_path: Path, postgres: PrivatePostgres
) -> None:
    """Perhaps the money moved: 503 says nothing, and the till asks."""
    store = Store.on_server(postgres.url)

    def lose(connection: Any) -> None:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(StoreBusy, match="went away"):
        store.write(lose)
    assert store.write(lambda connection: connection.scalar(text("SELECT 1"))) == 1
    store.close()


def test_a_server_that_is_down_leaves_the_answer_open_too() -> None:
    with PrivatePostgres() as server:
        store = Store.on_server(server.url)
    with pytest.raises(StoreBusy):
        store.write(lambda connection: connection.scalar(text("SELECT 1")))
    store.close()


@pytest.mark.parametrize(
    "address", ["postgresql://bank:secret@/nowhere?host=/nonexistent", "secret: no address"]
)
def test_a_database_that_cannot_be_opened_is_said_without_its_password(address: str) -> None:
    with pytest.raises(StoreUnusable) as refusal:
        Store.on_server(address)
    assert "secret" not in str(refusal.value)


def test_a_file_has_no_partitions(tmp_path: Path) -> None:
    store = Store.on_file(tmp_path / "ledger.db")
    store.prepare_days(0)
    count = text("SELECT count(*) FROM sqlite_master WHERE name LIKE 'payments_2%'")
    assert store.write(lambda connection: connection.scalar(count)) == 0
    store.close()
