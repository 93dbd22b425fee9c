"""The worker asks the real bank, and tells the core exactly one thing."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager

from terminal.events import InboxEvent
from terminal.news.events import AdoptTerms, FetchTerms, TermsNotHad, TermsReady
from terminal.news.terms import InForce
from terminal.news.worker import NewsWorker
from terminal.opening import terms_of
from tests.terminal.news.conftest import LIMIT, Town, load

PATIENCE_S = 30.0


class Asked:
    """A worker of this town's till, and what it says."""

    def __init__(self, town: Town) -> None:
        self.in_force = InForce(terms_of(load(None)))
        self._told: queue.SimpleQueue[InboxEvent] = queue.SimpleQueue()
        self.worker = NewsWorker(
            self.in_force,
            lambda: town.store,
            town.client,
            terms_of,
            town.audit.append,
            self._told.put,
        )

    def fetch(self, version: int) -> InboxEvent:
        self.worker.do(FetchTerms(version))
        return self._told.get(timeout=PATIENCE_S)


@contextmanager
def asked(town: Town) -> Iterator[Asked]:
    asked = Asked(town)
    asked.worker.start()
    try:
        yield asked
    finally:
        asked.worker.close()


def test_what_fits_is_told_and_holds_once_it_is_adopted(town: Town) -> None:
    town.publish(LIMIT.format(111))
    with asked(town) as till:
        told = till.fetch(1)
        assert isinstance(told, TermsReady)
        assert told.terms.version == 1
        assert till.in_force.terms.shop.amount_max_minor != 111
        till.worker.do(AdoptTerms(told.terms))
        assert till.in_force.terms.shop.amount_max_minor == 111


def test_what_another_program_of_the_till_has_fetched_is_told_too(town: Town) -> None:
    town.publish(LIMIT.format(111))
    town.fetch()
    with asked(town) as till:
        told = till.fetch(1)
    assert isinstance(told, TermsReady)
    assert told.terms.version == 1


def test_what_cannot_be_had_is_told_apart(town: Town) -> None:
    """It does not fit; the bank does not give what it names; there is no bank."""
    town.publish("[currencies.USD]\nnumeric = 840\ndigits = 2\nname = 'US'\nname_zh = '美元'\n")
    with asked(town) as till:
        assert till.fetch(1) == TermsNotHad(1, is_refused=True)
        assert "shop.currency: CNY is not in" in town.audit[-1].why
        assert till.fetch(7) == TermsNotHad(7, is_refused=True)
        town.url = "https://localhost:1"
        assert till.fetch(2) == TermsNotHad(2, is_refused=False)
