"""Whole payments over each real reader stack, down to pcscd and nfcpy."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.phone import load_profiles as load_phones
from simulators.phone import make_phone
from terminal.messages import Message
from terminal.states import FINAL, State

pytestmark = pytest.mark.wire

ALL = ["pcsc", "udp", "pn532"]
on = pytest.mark.parametrize


# The core set, over each.


@on("stack", ALL, indirect=True)
def test_a_card_is_approved_online(counter: Any, stack: Any, card: Any) -> None:
    attempt = counter.begin()
    stack.front.present(card(counter))

    paid = counter.until_state(attempt, *FINAL)
    assert paid.state is State.APPROVED
    assert counter.booked.net_minor()[attempt] == 1250


@on("stack", ALL, indirect=True)
@on("profile", ["visa-offline", "mastercard-rrp"])
def test_a_card_is_approved_by_itself_and_its_signature_verified(
    counter: Any, stack: Any, card: Any, profile: str
) -> None:
    """The longest conversations: records, a distance measured, a signature over all."""
    attempt = counter.begin(500)
    stack.front.present(card(counter, profile))

    # It is stored first, and forwarded to the bank at once.
    assert counter.until_final(attempt).state is State.APPROVED


@on("stack", ALL, indirect=True)
def test_a_card_torn_away_and_tapped_again_pays_once(counter: Any, stack: Any, card: Any) -> None:
    attempt = counter.begin()
    torn = card(counter, "visa-online", "tear-after:3")
    stack.front.present(torn)
    torn.wait_until_torn()
    stack.front.present(card(counter))

    assert counter.until_state(attempt, *FINAL).state is State.APPROVED
    assert counter.booked.net_minor()[attempt] == 1250


@on("stack", ALL, indirect=True)
def test_sale_after_sale(counter: Any, stack: Any, card: Any) -> None:
    for amount in (100, 200, 300):
        attempt = counter.begin(amount)
        stack.front.present(card(counter))
        assert counter.until_state(attempt, *FINAL).state is State.APPROVED


# The rest, spread over the stacks.


@on("stack", ["pn532"], indirect=True)
def test_two_cards_are_told_apart_by_the_customer(counter: Any, stack: Any, card: Any) -> None:
    attempt = counter.begin()
    stack.front.present(card(counter), card(counter, "visa-offline"))
    counter.until(lambda view: view.hint is Message.ONE_CARD_ONLY)
    stack.front.remove()
    stack.front.present(card(counter))

    assert counter.until_state(attempt, *FINAL).state is State.APPROVED


@on("stack", ["udp", "pcsc"], indirect=True)
def test_a_phone_is_looked_at_and_tapped_again(counter: Any, stack: Any) -> None:
    attempt = counter.begin(50_000)
    stack.front.present(make_phone(load_phones()["phone-see-phone"], counter.home))

    assert counter.until_state(attempt, *FINAL).state is State.APPROVED


@on("stack", ["udp"], indirect=True)
def test_nothing_is_read_after_the_sale_is_cancelled(counter: Any, stack: Any, card: Any) -> None:
    attempt = counter.begin()
    counter.till.cancel()
    counter.until_state(attempt, State.CANCELLED)
    late = card(counter)
    stack.front.present(late)
    attempt = counter.begin(300)

    assert counter.until_state(attempt, *FINAL).state is State.APPROVED
