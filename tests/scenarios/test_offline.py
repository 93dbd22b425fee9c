"""What the card approves by itself is kept, sent on, and never counted twice."""

from __future__ import annotations

from typing import Any

import pytest

from terminal.errors import NotAllowed
from terminal.messages import Message
from terminal.states import FINAL, State


def notices(counter: Any) -> list[tuple[Message, int, int | None]]:
    return [(n.message, n.count, n.amount_minor) for n in counter.till.view().notices if n.count]


def store(counter: Any, amount_minor: int, card: str = "card:visa-offline") -> str:
    """Take a sale that the card approves while the bank is out of reach."""
    attempt: str = counter.begin(amount_minor)
    counter.do(card)
    stored = counter.until_state(attempt, State.STORED)
    assert (stored.reason, stored.next_step) == (Message.STORED, Message.SENT_LATER)
    return attempt


def test_offline_sales_are_stored_shown_and_sent_when_the_bank_returns(counter: Any) -> None:
    counter.do("fault:bank-cut")
    attempts = [store(counter, amount) for amount in (1000, 2000, 3000)]
    counter.till.leave()
    assert notices(counter) == [(Message.TO_BE_SENT, 3, 6000)]
    assert all(counter.booked.state(attempt) == "" for attempt in attempts)

    counter.do("fault:bank-cut")
    for attempt in attempts:
        sent = counter.until_state(attempt, *FINAL)
        assert sent.state is State.APPROVED
        assert sent.bank_reference
        assert counter.booked.transfers_of(attempt) == ["sale"]
    counter.until(lambda view: not any(notice.count for notice in view.notices))


def test_a_stored_sale_outlives_the_till(open_counter: Any, city: Any) -> None:
    home = city.new_home()
    first = open_counter(home).until_ready()
    first.do("fault:bank-cut")
    attempt = store(first, 1100)
    first.till.close()

    second = open_counter(home)
    assert second.until_state(attempt, *FINAL).state is State.APPROVED
    assert city.booked.transfers_of(attempt) == ["sale"]


def test_a_stored_sale_whose_answer_is_lost_is_sent_again_and_booked_once(
    counter: Any, city: Any
) -> None:
    city.doorman.alter = lambda letter: letter.with_headers(b"signature")
    attempt = counter.begin(1200)
    counter.do("card:visa-offline")
    counter.until_state(attempt, State.STORED)
    counter.until(lambda view: view.next_ask_at is not None)
    assert counter.booked.state(attempt) == "approved"
    assert counter.till.payment(attempt).state is State.STORED
    city.doorman.alter = None

    assert counter.until_final(attempt).state is State.APPROVED
    assert counter.booked.transfers_of(attempt) == ["sale"]


def test_a_copied_cards_sale_is_refused_by_the_bank_and_a_person_is_told(counter: Any) -> None:
    """Two cards with one counter, as a copy would be: the bank pays for one of them."""
    counter.pay("card:visa-long-key", 500)
    file = counter.home / "cards" / "counters" / "visa-long-key"
    before = file.read_bytes()
    counter.do("fault:bank-cut")
    first = store(counter, 1300, "card:visa-long-key")
    file.write_bytes(before)
    second = store(counter, 1400, "card:visa-long-key")
    file.write_bytes(b"%d\n" % (int(before) + 1))
    counter.till.leave()
    counter.do("fault:bank-cut")

    ends = [counter.until_state(one, *FINAL, State.STORED_REFUSED) for one in (first, second)]
    assert sorted(end.state for end in ends) == [State.APPROVED, State.STORED_REFUSED]
    refused = next(end for end in ends if end.state is State.STORED_REFUSED)
    assert (refused.reason, refused.next_step) == (
        Message.STORED_REFUSED,
        Message.TELL_SUPERVISOR,
    )
    assert counter.booked.transfers_of(refused.id) == []


def test_what_the_card_sends_online_is_never_stored(counter: Any) -> None:
    """A wallet's code, a card that asks the bank, an amount above the floor limit."""
    counter.do("fault:bank-cut")
    for offer, amount in (
        ("wallet:alipay-qr", 1500),
        ("card:visa-online", 1500),
        ("card:visa-offline", 20_001),
    ):
        assert counter.pay(offer, amount).state is State.NOT_SENT


def test_a_stored_sale_is_not_given_back_before_the_bank_has_it(counter: Any) -> None:
    counter.do("fault:bank-cut")
    attempt = store(counter, 1600)
    for give in (counter.till.refund, counter.till.void):
        with pytest.raises(NotAllowed, match="stored"):
            give(attempt)
    counter.do("fault:bank-cut")
    assert counter.until_final(attempt).state is State.APPROVED
    back = counter.till.refund(attempt)
    assert counter.until_state(back, *FINAL).state is State.APPROVED
