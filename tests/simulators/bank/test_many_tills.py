"""Many tills at once on a server whose connections are killed: what each believes is booked.

OPENTILL_SOAK=1 makes it two hundred tills.
"""

from __future__ import annotations

import queue
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from simulators.bank import ledger
from simulators.bank.core import Bank, answer
from tests.soak import size

if TYPE_CHECKING:
    from tests.simulators.bank.conftest import Shop, Till

pytestmark = [pytest.mark.wire, pytest.mark.slow]

TILLS, STEPS = size(10, 200), size(8, 60)
CARDS = ("4761739001010119", "4242424242424242", "4111111111111111")
TRIES_MAX = 200
KILL_EVERY = 10
"""Requests: however slow the machine is, most of them come to their end."""


class Teller:
    """One till with its own merchant, and what it believes it has taken."""

    def __init__(
        self,
        bank: Bank,
        shop: Shop,
        till: Till,
        seed: int,
        cards: threading.Lock,
        asked: Callable[[], None],
    ) -> None:
        """asked: called after each request."""
        self.bank, self.shop, self.till, self.cards = bank, shop, till, cards
        self.asked = asked
        self.chance = random.Random(seed)
        self.taken_minor = 0
        self.standing: list[tuple[str, int]] = []

    def work(self) -> None:
        for _ in range(STEPS):
            self.chance.choice((self.sell, self.sell, self.sell, self.reverse, self.give_back))()

    def sell(self) -> None:
        amount_minor = self.chance.randrange(1, 1000)
        with self.cards:
            # The card's counter is one for all tills.
            body = self.till.sale(amount_minor, pan=self.chance.choice(CARDS))
        told = self.ask("/v1/payments", body, body["attempt"])
        assert told["state"] == "approved", told
        self.taken_minor += amount_minor
        self.standing.append((body["attempt"], amount_minor))

    def reverse(self) -> None:
        if self.standing:
            attempt, amount_minor = self.standing.pop()
            told = self.ask("/v1/payments/reverse", {"attempt": attempt, "reason": "no_answer"})
            assert told["state"] == "reversed"
            self.taken_minor -= amount_minor

    def give_back(self) -> None:
        if self.standing:
            attempt, amount_minor = self.standing.pop(0)
            body = self.till.give_back("refund", attempt, amount_minor)
            assert self.ask("/v1/payments", body, body["attempt"])["state"] == "approved"
            self.taken_minor -= amount_minor

    def ask(self, path: str, body: dict[str, Any], key: str | None = None) -> dict[str, Any]:
        """Ask until the bank says something; every try is signed anew."""
        with self.cards:
            key = key or self.shop.uuid()
        for _ in range(TRIES_MAX):
            nonce = self.chance.randbytes(16).hex()
            request = self.till.request(path, body, key=key, nonce=nonce)
            told = answer(self.bank, request, self.shop.now_ms, self.chance.randbytes)
            self.asked()
            if told.status != 503:
                return self.till.check(request, told)[1]
        raise AssertionError("the bank never answered")


class Killer:
    """Ends one connection after the other, in the middle of whatever it does."""

    OTHERS = (
        "SELECT pid FROM pg_stat_activity "
        "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )

    def __init__(self, address: str, seed: int) -> None:
        self.killed: list[int] = []
        self._address, self._chance = address, random.Random(seed)
        self._requests: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run)

    def asked(self) -> None:
        self._requests.put(True)

    def _run(self) -> None:
        count = 0
        with psycopg.connect(self._address, autocommit=True) as server:
            while self._requests.get():
                count += 1
                if count % KILL_EVERY:
                    continue
                if busy := [pid for (pid,) in server.execute(self.OTHERS)]:
                    self.killed.append(self._chance.choice(busy))
                    server.execute("SELECT pg_terminate_backend(%s)", [self.killed[-1]])

    def __enter__(self) -> Killer:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._requests.put(False)
        self._thread.join()


@pytest.mark.parametrize("shop", ["server"], indirect=True)
def test_what_every_till_believes_is_what_is_booked(
    shop: Shop, record_property: Callable[[str, object], None]
) -> None:
    other, cards = Bank.open(shop.place, shop.database), threading.Lock()
    killer = Killer(shop.database or "", 1)
    tellers = [
        Teller(
            (shop.bank, other)[number % 2],
            shop,
            shop.till(f"till-{number}", f"shop-{number}"),
            number,
            cards,
            killer.asked,
        )
        for number in range(TILLS)
    ]
    with killer, ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(teller.work) for teller in tellers]:
            done.result()

    assert killer.killed
    totals = shop.read(ledger.totals)
    booked = {number: totals.get((f"merchant/shop-{number}", "CNY"), 0) for number in range(TILLS)}
    assert booked == {number: teller.taken_minor for number, teller in enumerate(tellers)}
    assert shop.read(ledger.faults) == []
    other.close()
    record_property("tills", TILLS)
    record_property("requests", TILLS * STEPS)
    record_property("killed", len(killer.killed))
