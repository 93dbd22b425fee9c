"""Money is never made or lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from simulators.bank import ledger
from simulators.bank.errors import LedgerBroken
from simulators.bank.ledger import Entry
from simulators.bank.store import Store, reading


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.on_file(tmp_path / "ledger.db")
    yield store
    store.close()


def open_two(store: Store) -> None:
    def work(connection: Connection) -> None:
        for account in ("card/a", "wallet/b"):
            ledger.open_account(connection, account, "CNY", 1000, f"open {account}", 0)

    store.write(work)


def test_an_account_is_opened_once(store: Store) -> None:
    open_two(store)
    open_two(store)

    assert store.write(ledger.totals) == {
        ("bank/opening", "CNY"): -2000,
        ("card/a", "CNY"): 1000,
        ("wallet/b", "CNY"): 1000,
    }


@pytest.mark.parametrize(
    "sides",
    [
        [],
        [Entry("card/a", "CNY", -1)],
        [Entry("card/a", "CNY", -1), Entry("merchant/m", "CNY", 2)],
        [Entry("card/a", "CNY", -1), Entry("merchant/m", "USD", 1)],
        [Entry("card/a", "EUR", -1), Entry("merchant/m", "EUR", 1)],
    ],
)
def test_what_does_not_balance_is_not_booked(store: Store, sides: list[Entry]) -> None:
    """The last pair balances, from an account that is not open in euros."""
    open_two(store)
    before = store.write(ledger.totals)

    with pytest.raises(LedgerBroken):
        store.write(lambda c: ledger.post(c, "t", "a", "sale", 0, sides))

    assert store.write(ledger.totals) == before
    assert store.write(ledger.faults) == []


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["card/a", "wallet/b", "merchant/m", "merchant/n"]),
            st.sampled_from(["card/a", "wallet/b", "merchant/m", "merchant/n"]),
            st.integers(-500, 500),
        ),
        max_size=8,
    )
)
def test_any_transfers_leave_a_ledger_that_balances(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[str, str, int]]
) -> None:
    store = Store.on_file(tmp_path_factory.mktemp("ledger") / "ledger.db")
    open_two(store)

    def work(connection: Connection) -> None:
        for number, (source, target, amount) in enumerate(moves):
            sides = [Entry(source, "CNY", -amount), Entry(target, "CNY", amount)]
            ledger.post(connection, f"t{number}", "a", "sale", 0, sides)

    store.write(work)

    assert store.write(ledger.faults) == []
    assert sum(store.write(ledger.totals).values()) == 0
    store.close()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("UPDATE entries SET amount_minor = 999 WHERE line = 1", "is off by"),
        ("DELETE FROM entries WHERE line = 0 AND transfer = 'open card/a'", "all of CNY"),
        ("UPDATE balances SET amount_minor = 7 WHERE account = 'card/a'", "card/a says 7"),
    ],
)
def test_a_ledger_that_does_not_balance_is_found_out(store: Store, damage: str, words: str) -> None:
    open_two(store)
    store.write(lambda c: c.execute(text(damage)))

    assert any(words in line for line in store.write(ledger.faults))


def test_a_running_banks_ledger_can_be_looked_at(store: Store, tmp_path: Path) -> None:
    open_two(store)

    with reading(tmp_path / "ledger.db") as connection:
        assert ledger.totals(connection)["card/a", "CNY"] == 1000
