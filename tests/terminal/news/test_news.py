"""The bank's newer parameters: asked for and taken up between sales, and never in one."""

from __future__ import annotations

import pytest

import config
from config.schema import Offline, Parameters
from terminal.errors import AmountRefused
from terminal.events import Answered, BankAnswer, CancelWanted, Purpose, SaleWanted, Wish
from terminal.news.events import AdoptTerms, FetchTerms, TermsNotHad, TermsReady
from terminal.news.terms import Terms
from terminal.opening import terms_of
from tests.terminal.conftest import Counter


def terms(version: int, amount_max_minor: int = 100, **given: object) -> Terms:
    parameters = Parameters(version=version, amount_max_minor=amount_max_minor, **given)  # type: ignore[arg-type]
    return terms_of(config.load_settings(parameters=parameters))


def names(counter: Counter, version: int) -> list[Wish]:
    """The bank's answer to an echo names its newest."""
    return counter.take(Answered(Purpose.ECHO, "", BankAnswer("", parameters=version)))


def sale(counter: Counter, attempt: str, amount_minor: int = 500) -> list[Wish]:
    return counter.take(SaleWanted(attempt, amount_minor, "CNY"))


def test_a_newer_version_is_fetched_once_and_taken_up(counter: Counter) -> None:
    assert names(counter, 3) == [FetchTerms(3)]
    assert names(counter, 3) == []

    new = terms(3)
    assert counter.take(TermsReady(new)) == [AdoptTerms(new)]
    assert counter.view.parameters == 3
    assert names(counter, 3) == []
    with pytest.raises(AmountRefused, match=r"1\.00"):
        sale(counter, "a1")


def test_nothing_is_asked_for_in_a_sale(counter: Counter) -> None:
    sale(counter, "a1")
    assert names(counter, 3) == []

    counter.take(CancelWanted())
    assert counter.ring("news") == [FetchTerms(3)]


def test_nothing_is_taken_up_in_a_sale(counter: Counter) -> None:
    """It comes while the customer looks for a card; the sale ends as it began."""
    names(counter, 3)
    sale(counter, "a1", 500)
    new = terms(3)
    assert counter.take(TermsReady(new)) == []
    counter.tap()
    assert counter.view.parameters == 0

    last = counter.answer(Purpose.PAY, "a1", "approved", "00")
    assert not any(isinstance(wish, AdoptTerms) for wish in last)
    assert counter.ring("news") == [AdoptTerms(new)]
    with pytest.raises(AmountRefused):
        sale(counter, "a2", 500)


def test_what_was_refused_is_not_asked_for_again_and_a_later_one_is(counter: Counter) -> None:
    names(counter, 3)
    counter.take(TermsNotHad(3, is_refused=True))
    assert names(counter, 3) == []
    assert names(counter, 4) == [FetchTerms(4)]


def test_what_was_not_answered_is_asked_for_again(counter: Counter) -> None:
    names(counter, 3)
    assert counter.take(TermsNotHad(3, is_refused=False)) == []
    assert names(counter, 3) == [FetchTerms(3)]


def test_an_older_version_is_not_wanted(counter: Counter) -> None:
    names(counter, 3)
    counter.take(TermsReady(terms(3)))
    assert names(counter, 2) == []


def test_the_limits_of_kept_sales_follow(counter: Counter) -> None:
    names(counter, 3)
    counter.take(TermsReady(terms(3, offline=Offline(enabled=True, count_max=7))))
    assert counter.core._store.limits.count_max == 7
