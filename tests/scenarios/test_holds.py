"""Money held, added to, taken, given back and let go, between a real till and a real bank."""

from __future__ import annotations

from typing import Any

import pytest

from terminal.errors import AmountRefused, ApprovalNeeded, NotAllowed
from terminal.messages import Message
from terminal.states import FINAL, State
from terminal.view import Kind, Medium, Stage

NUMBER = "4761739001010119"
"""A published test number."""


def hold(counter: Any, amount_minor: int = 20_000, offer: str = "card:visa-online") -> Any:
    attempt = counter.till.preauth(amount_minor)
    counter.until(lambda view: view.stage is Stage.PRESENT and view.payment.id == attempt)
    counter.do(offer)
    return counter.until_state(attempt, *FINAL)


def follow(counter: Any, attempt: str) -> Any:
    return counter.until_state(attempt, *FINAL)


def test_from_a_tap_to_a_completion_and_back(counter: Any) -> None:
    till, booked = counter.till, counter.booked
    first = hold(counter)
    assert (first.state, first.reason, first.kind) == (State.APPROVED, Message.HELD, Kind.PREAUTH)
    assert first.expires_ms is not None
    follow(counter, till.increment(first.id, 5_000))
    assert (till.payment(first.id).held_minor, booked.held_minor()[first.id]) == (25_000, 25_000)
    with pytest.raises(AmountRefused, match="287"):
        till.complete(first.id, 28_751)

    taken = follow(counter, till.complete(first.id, 18_000))
    assert (taken.state, taken.reason) == (State.APPROVED, Message.COMPLETED)
    assert till.payment(first.id).state is State.CAPTURED
    assert booked.net_minor()[taken.id] == 18_000
    assert first.id not in booked.held_minor()

    follow(counter, till.void(taken.id))
    assert till.payment(first.id).state is State.APPROVED
    assert booked.held_minor()[first.id] == 25_000
    follow(counter, till.release(first.id))
    assert till.payment(first.id).state is State.VOIDED
    with pytest.raises(NotAllowed, match="voided"):
        till.complete(first.id)


def test_a_card_that_would_approve_by_itself_is_sent_to_its_bank(counter: Any) -> None:
    """A sale of this amount it approves offline."""
    held = hold(counter, 1250, "card:visa-offline")
    assert held.state is State.APPROVED
    assert counter.booked.held_minor()[held.id] == 1250


def test_a_chip_in_its_slot_has_the_last_word_on_a_hold(counter: Any) -> None:
    held = hold(counter, 6_000, "chip:contact-cda-online")
    assert (held.state, held.reason) == (State.APPROVED, Message.HELD)
    refused = hold(counter, 6_000, "chip:contact-refuses-approval")
    assert refused.state is State.REVERSED
    assert refused.id not in counter.booked.held_minor()


def test_a_tip_goes_before_its_sale_can(counter: Any) -> None:
    sale = counter.pay(amount_minor=10_000)
    tip = follow(counter, counter.till.tip(sale.id, 1_500))
    assert (tip.state, tip.reason) == (State.APPROVED, Message.TIP_ADDED)
    assert counter.till.payment(sale.id).tip_minor == 1_500
    assert counter.booked.net_minor()[tip.id] == 1_500
    assert follow(counter, counter.till.void(tip.id)).state is State.APPROVED
    assert follow(counter, counter.till.void(sale.id)).state is State.APPROVED


def test_a_lost_completion_is_taken_once(counter: Any, city: Any) -> None:
    first = hold(counter)
    city.doorman.alter = lambda letter: letter.with_headers(b"signature")
    attempt = counter.till.complete(first.id, 18_000)
    counter.until_state(attempt, State.UNKNOWN)
    city.doorman.alter = None
    assert counter.until_final(attempt).state is State.APPROVED
    assert counter.booked.net_minor()[attempt] == 18_000
    assert counter.till.payment(first.id).state is State.CAPTURED


def test_a_typed_number_is_charged_and_stands_nowhere(counter: Any) -> None:
    counter.till.staff.let_in("01")
    with pytest.raises(ApprovalNeeded, match="type a card number"):
        counter.till.moto(8_800, NUMBER, "12/31")
    counter.till.staff.vouch("00")
    sale = follow(counter, counter.till.moto(8_800, NUMBER, "12/31"))
    assert (sale.state, sale.medium, sale.brand) == (State.APPROVED, Medium.KEYED, "Visa")
    assert sale.masked_pan == "476173******0119"
    assert counter.booked.net_minor()[sale.id] == 8_800
    assert "KEYED" in " ".join(counter.till.receipt(sale.id))
    files = [path for path in (counter.home / "till").rglob("*") if path.is_file()]
    assert len(files) > 3
    assert not [path for path in files if NUMBER.encode() in path.read_bytes()]


@pytest.mark.parametrize("offer", ["card:mastercard-online", "chip:contact-cda-online"])
def test_a_balance_is_shown_and_nowhere_kept(counter: Any, offer: str) -> None:
    attempt = counter.till.balance()
    counter.until(lambda view: view.stage is Stage.PRESENT)
    counter.do(offer)
    view = counter.until(lambda view: view.stage is Stage.RESULT)
    told = view.payment.balance_minor
    assert told is not None
    assert told > 0
    assert counter.till.payment(attempt).balance_minor is None
    assert str(told).encode() not in (counter.home / "till" / "journal.db").read_bytes()
    assert counter.booked.transfers_of(attempt) == []
