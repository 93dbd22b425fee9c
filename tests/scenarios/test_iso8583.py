"""The core set of payments at a bank that speaks ISO 8583: same till, same core, other words."""

from __future__ import annotations

from collections import Counter as Tally
from typing import Any

import pytest

from simulators.card.contact import load_profiles, make_contact_card
from terminal.batch.batch import BatchState
from terminal.messages import Message
from terminal.states import FINAL, State
from terminal.view import Stage


def refund(counter: Any, sale: Any, amount_minor: int | None = None) -> Any:
    return counter.until_state(counter.till.refund(sale.id, amount_minor), *FINAL)


def test_sales_refunds_and_voids(iso8583_counter: Any) -> None:
    counter = iso8583_counter
    first, second = counter.pay(amount_minor=5000), counter.pay("phone:phone-approved", 800)
    assert (first.state, second.state) == (State.APPROVED, State.APPROVED)
    assert refund(counter, first, 1200).reason is Message.REFUNDED
    assert counter.until_state(counter.till.void(second.id), *FINAL).state is State.APPROVED
    assert counter.till.payment(second.id).state is State.VOIDED
    assert counter.pay("card:visa-insufficient-funds").state is State.DECLINED


def held(counter: Any, amount_minor: int) -> str:
    """Hold money on a card; return the attempt."""
    hold: str = counter.till.preauth(amount_minor)
    counter.until(lambda view: view.stage is Stage.PRESENT)
    counter.do("card:visa-online")
    assert counter.until_state(hold, State.APPROVED).state is State.APPROVED
    counter.until(lambda view: view.stage is Stage.RESULT)
    return hold


def test_money_is_held_taken_and_let_go(iso8583_counter: Any) -> None:
    counter, till = iso8583_counter, iso8583_counter.till
    taken, let_go = held(counter, 5000), held(counter, 700)
    completion = till.complete(taken, 4200)
    assert counter.until_state(completion, *FINAL).state is State.APPROVED
    assert counter.until_state(till.void(completion), *FINAL).state is State.APPROVED
    assert counter.until_state(till.release(let_go), *FINAL).state is State.APPROVED
    more = till.increment(held(counter, 300), 100)
    assert counter.until_state(more, *FINAL).reason is Message.BANK_REFUSED_REQUEST


def test_a_sale_that_the_card_approves_is_told_to_the_bank(iso8583_counter: Any) -> None:
    sale = iso8583_counter.pay("card:visa-offline")
    assert iso8583_counter.until_state(sale.id, State.APPROVED).state is State.APPROVED


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("contact-cda-online", State.APPROVED),
        ("contact-script-sets-limits", State.APPROVED),
        ("contact-refuses-approval", State.REVERSED),
    ],
)
def test_what_the_issuer_says_reaches_the_chip(
    iso8583_counter: Any, name: str, state: State
) -> None:
    """Field 55 both ways: the issuer's cryptogram, scripts, and a card that says no after all."""
    attempt = iso8583_counter.begin(6_000)
    chip = make_contact_card(load_profiles()[name], iso8583_counter.home)
    iso8583_counter.shop.slot.present(chip)
    assert iso8583_counter.until_state(attempt, *FINAL).state is state


@pytest.mark.parametrize(
    ("way", "cuts"),
    [
        ("request", (0, 900, 1500, 1900, 2100, 2300, 5000)),
        ("answer", (0, 900, 1500, 1800, 2100, 2400, 2700, 5000)),
    ],
)
def test_a_wire_cut_at_any_byte_is_paid_once_or_not_at_all(
    iso8583_counter: Any, way: str, cuts: tuple[int, ...]
) -> None:
    """The ledger and the journal are compared when it is over."""
    counter, ends = iso8583_counter, Tally[State]()
    # It signs the till on, so that what is cut is a payment.
    assert counter.pay().state is State.APPROVED
    for bytes_max in cuts:
        attempt = counter.begin()
        counter.shop.network.cut_after(way, bytes_max)
        counter.do("card:visa-online")
        counter.until_state(attempt, State.UNKNOWN, State.REVERSING, *FINAL)
        counter.shop.network.heal()
        ends[counter.until_final(attempt).state] += 1
        counter.until(lambda view: view.stage is Stage.RESULT)
    assert {State.NOT_SENT, State.REVERSED, State.APPROVED} == set(ends)


def test_what_the_dialect_does_not_have_is_said(iso8583_counter: Any) -> None:
    """A customer's code reaches the bank in no message: nothing is taken, and it is said why."""
    end = iso8583_counter.pay("wallet:alipay-qr")
    assert (end.state, end.reason) == (State.DECLINED, Message.BANK_REFUSED_REQUEST)
    attempt = iso8583_counter.begin()
    iso8583_counter.till.show_code()
    view = iso8583_counter.until(lambda view: view.hint is Message.CODE_UNAVAILABLE)
    assert view.code is None
    iso8583_counter.till.cancel()
    assert iso8583_counter.until_final(attempt).state is State.CANCELLED


def test_the_day_is_closed_and_the_next_one_goes_on(iso8583_counter: Any) -> None:
    counter = iso8583_counter
    sale = counter.pay(amount_minor=5000)
    assert refund(counter, sale, 1200).reason is Message.REFUNDED

    number = counter.till.day.close()

    def is_closed(view: Any) -> bool:
        return any(
            (each.number, each.state) == (number, BatchState.CLOSED) for each in view.batches
        )

    counter.until(is_closed)
    assert counter.pay().state is State.APPROVED
