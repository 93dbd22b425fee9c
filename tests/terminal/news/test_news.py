"""What the bank has for its tills: asked for and taken up between sales, and never in one."""

from __future__ import annotations

import pytest

import config
from config.schema import Offline, Parameters
from terminal.errors import AmountRefused
from terminal.events import (
    Answered,
    BankAnswer,
    CancelWanted,
    CodeWanted,
    Purpose,
    SaleWanted,
    Started,
    Wish,
)
from terminal.messages import Message
from terminal.news.bulletins import Bulletin
from terminal.news.events import (
    AdoptTerms,
    BulletinsCame,
    BulletinsRead,
    FetchBulletins,
    FetchTerms,
    Nudged,
    TermsNotHad,
    TermsReady,
)
from terminal.news.news import NUDGE_S
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


def written(*numbers: int) -> tuple[Bulletin, ...]:
    return tuple(Bulletin(number, f"text {number}") for number in numbers)


def writes(counter: Counter, newest: int) -> list[Wish]:
    """The bank's answer to an echo names its newest message."""
    return counter.take(Answered(Purpose.ECHO, "", BankAnswer("", bulletin=newest)))


def test_a_message_is_fetched_shown_until_it_is_read_and_shown_once(counter: Counter) -> None:
    assert writes(counter, 2) == [FetchBulletins(0)]
    assert writes(counter, 2) == []
    counter.take(BulletinsCame(written(1, 2)))
    assert counter.view.bulletins == written(1, 2)
    assert [(n.message, n.count) for n in counter.view.notices] == [(Message.BULLETIN, 2)]

    assert writes(counter, 3) == [FetchBulletins(2)]
    counter.take(BulletinsCame(written(2, 3)))
    assert counter.view.bulletins == written(1, 2, 3)
    counter.take(BulletinsRead(2))
    assert counter.view.bulletins == written(3)
    counter.take(BulletinsRead(3))
    assert writes(counter, 3) == []
    assert counter.view.notices == ()


def test_what_was_read_before_the_start_is_not_shown_again(counter: Counter) -> None:
    counter.take(Started((), (), 1, bulletins_read=2))
    assert writes(counter, 2) == []
    assert writes(counter, 3) == [FetchBulletins(2)]


def test_messages_that_did_not_come_are_asked_for_again(counter: Counter) -> None:
    writes(counter, 1)
    assert counter.take(BulletinsCame(())) == []
    assert writes(counter, 1) == [FetchBulletins(0)]


def test_a_nudge_has_the_bank_asked_at_once_and_no_more_than_once_a_second(
    counter: Counter,
) -> None:
    counter.take(Answered(Purpose.ECHO, "", BankAnswer("")))
    for _ in range(3):
        counter.take(Nudged())
    asked = len(counter.sent(Purpose.ECHO))
    counter.ring("nudge")
    assert len(counter.sent(Purpose.ECHO)) == asked + 1

    counter.take(Answered(Purpose.ECHO, "", BankAnswer("")))
    began = counter.clock.monotonic()
    counter.take(Nudged())
    counter.ring("nudge")
    assert counter.clock.monotonic() - began >= NUDGE_S


def test_a_nudge_has_the_bank_asked_about_a_code_that_is_shown(counter: Counter) -> None:
    sale(counter, "a1")
    counter.take(CodeWanted("o1"))
    shown = BankAnswer("open", shown_code="code", expires_at_ms=counter.clock.wall_ms() + 60_000)
    counter.take(Answered(Purpose.ORDER, "a1", shown))

    counter.take(Nudged())
    assert counter.sent(Purpose.ASK) == []
    counter.ring("nudge")
    assert [wish.payment.id for wish in counter.sent(Purpose.ASK)] == ["a1"]
