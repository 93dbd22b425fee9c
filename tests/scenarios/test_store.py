"""Sales kept while the bank is away, over the real link: each is booked once, or settled."""

from __future__ import annotations

import io
import json
from contextlib import closing
from typing import Any

import pytest

from simulators.bank.schema import payments
from simulators.faults import FaultProxy
from terminal.commands.watch import watching
from terminal.errors import ApprovalNeeded, NotAllowed
from terminal.journal import JournalReader
from terminal.messages import Message
from terminal.states import FINAL, KEPT, State
from terminal.view import Readiness

BOTH = ("card:visa-online", "card:visa-offline")


def sell(counter: Any, offer: str, amount_minor: int = 1000) -> str:
    """Take a sale while the bank is away; keep it if nobody approves it."""
    attempt: str = counter.begin(amount_minor)
    counter.do(offer)
    if counter.until_state(attempt, State.NOT_SENT, *KEPT).state is State.NOT_SENT:
        assert counter.till.view().keep is Readiness.READY
        counter.till.keep()
    assert counter.till.payment(attempt).state in KEPT
    return attempt


def settle_all(counter: Any) -> None:
    counter.till.staff.let_in("00")
    for payment in counter.till.inbox():
        counter.till.settle(payment.id, "Customer came back and paid cash")


def test_a_bank_that_is_away_for_many_sales_gets_each_once_and_in_order(
    counter: Any, city: Any
) -> None:
    counter.do("fault:bank-cut")
    attempts = [sell(counter, BOTH[number % 2], 100 + number) for number in range(20)]
    counter.till.leave()
    told = {n.message: (n.count, n.amount_minor) for n in counter.till.view().notices if n.count}
    assert told[Message.DEFERRED_TO_BE_SENT][0] == told[Message.TO_BE_SENT][0] == 10
    assert all(counter.booked.state(attempt) == "" for attempt in attempts)
    seen = len(city.doorman.seen)

    counter.do("fault:bank-cut")
    for attempt in attempts:
        assert counter.until_state(attempt, *FINAL).state is State.APPROVED
    sent = [json.loads(x.body) for x in city.doorman.seen[seen:] if x.path == "/v1/advices"]
    assert [answer["attempt"] for answer in sent] == attempts
    assert all(counter.booked.transfers_of(attempt) == ["sale"] for attempt in attempts)
    with closing(JournalReader(counter.home / "till")) as journal:
        assert {journal.sealed(attempt) for attempt in attempts} == {""}


def test_a_new_till_forwards_what_the_last_one_kept(open_counter: Any, city: Any) -> None:
    home = city.new_home()
    first = open_counter(home).until_ready()
    first.do("fault:bank-cut")
    attempts = [sell(first, offer) for offer in BOTH]
    first.till.close()

    second = open_counter(home)
    for attempt in attempts:
        second.until_state(attempt, *FINAL)
        assert city.booked.transfers_of(attempt) == ["sale"]


def test_an_advice_whose_answer_is_lost_is_booked_once(counter: Any, city: Any) -> None:
    counter.do("fault:bank-cut")
    attempts = [sell(counter, offer) for offer in BOTH]
    losses = iter([True, True, True])
    city.doorman.alter = lambda letter: (
        letter.with_headers(b"signature") if next(losses, False) else letter
    )
    counter.do("fault:bank-cut")
    for attempt in attempts:
        while counter.till.payment(attempt).state in KEPT:
            counter.till.sync()
            counter.until_next(lambda _view: True)
        assert counter.booked.transfers_of(attempt) == ["sale"]


def test_a_late_decline_waits_in_the_inbox_until_a_supervisor_has_settled_it(
    counter: Any,
) -> None:
    counter.do("fault:bank-cut")
    attempt = sell(counter, "card:visa-insufficient-funds")
    counter.till.leave()
    counter.do("fault:bank-cut")
    refused = counter.until_state(attempt, State.STORED_REFUSED)
    assert refused.response_code == "51"
    assert [payment.id for payment in counter.till.inbox()] == [attempt]
    counter.until(lambda view: any(n.message is Message.STORED_REFUSED for n in view.notices))

    counter.till.staff.let_in("01")
    with pytest.raises(ApprovalNeeded):
        counter.till.settle(attempt, "Customer paid cash")
    for note in ("", "  ", "card 4111 1111 1111 1111", "x" * 101):
        with pytest.raises(NotAllowed, match="note"):
            counter.till.settle(attempt, note)
    settle_all(counter)
    settled = counter.till.payment(attempt)
    assert (settled.state, settled.note) == (State.SETTLED, "Customer came back and paid cash")
    assert settled.settled_by
    assert counter.till.inbox() == []
    paper = "\n".join(counter.till.receipt(attempt))
    assert settled.note in " ".join(paper.split())
    assert counter.booked.transfers_of(attempt) == []


def test_a_reversal_that_the_bank_refuses_for_good_waits_for_a_person(
    counter: Any, city: Any
) -> None:
    """The bank says that the attempt is another till's."""
    city.doorman.alter = lambda letter: letter.with_headers(b"signature")
    attempt = counter.begin(1000)
    counter.do("card:visa-online")
    counter.until_state(attempt, State.UNKNOWN)
    elsewhere = payments.update().where(payments.c.attempt == attempt).values(till="till-9")
    city._bank.store.write(lambda connection: connection.execute(elsewhere))
    counter.ask_until(attempt, State.REVERSING)
    city.doorman.alter = None
    refused = counter.ask_until(attempt, State.REVERSAL_REFUSED)
    assert refused.reversals_sent >= 1

    counter.till.leave()
    assert counter.pay().state is State.APPROVED, "it holds up no sale"
    settle_all(counter)
    assert counter.till.payment(attempt).state is State.SETTLED


def test_nobody_signs_out_of_kept_sales_before_they_are_exported(counter: Any) -> None:
    counter.do("fault:bank-cut")
    attempts = [sell(counter, offer) for offer in BOTH]
    counter.till.leave()
    with pytest.raises(NotAllowed, match="not sent yet: 2"):
        counter.till.sign_out()

    out = io.StringIO()
    assert counter.till.export(out) == 2
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["attempt"] for line in lines] == attempts
    assert [line["deferred"] for line in lines] == [True, False]
    assert all(line["sealed"].count(".") == 4 and line["proof"].count(".") == 2 for line in lines)
    counter.till.sign_out()

    counter.do("fault:bank-cut")
    for attempt in attempts:
        assert counter.until_state(attempt, *FINAL).state is State.APPROVED


def test_a_standby_address_takes_the_sale_when_the_first_is_not_reached(
    open_counter: Any, city: Any
) -> None:
    with FaultProxy(int(city.url.rpartition(":")[2])) as first:
        home = city.new_home()
        file = city.shop_file(home)
        standby = f'standby_url = "{city.url}"'
        file.write_text(file.read_text().replace("connect_s = 5", f"{standby}\nconnect_s = 5"))
        counter = open_counter(home, f"https://localhost:{first.port}", file).until_ready()
        assert counter.pay().state is State.APPROVED
        first.refuse()
        sold = counter.pay()
        assert sold.state is State.APPROVED
        assert counter.booked.transfers_of(sold.id) == ["sale"]


def test_the_shops_limits_hold_over_the_real_link(counter: Any) -> None:
    """The bench shop keeps 200.00 at most of one sale that nobody approves."""
    counter.do("fault:bank-cut")
    at_the_limit = sell(counter, "card:visa-online", 20_000)
    over = counter.begin(20_001)
    counter.do("card:visa-online")
    refused = counter.until_state(over, State.NOT_SENT)
    assert refused.next_step is Message.OFFLINE_FULL
    with pytest.raises(NotAllowed):
        counter.till.keep()
    counter.do("fault:bank-cut")
    assert counter.until_state(at_the_limit, *FINAL).state is State.APPROVED


def test_two_persons_raise_the_limit(counter: Any) -> None:
    counter.do("fault:bank-cut")
    sell(counter, "card:visa-online")
    with pytest.raises(ApprovalNeeded):
        counter.till.raise_offline_limit()
    counter.do("fault:bank-cut")
    with watching(counter.till) as watch:
        assert watch.until(lambda _view: not counter.till.kept(), 45.0)
