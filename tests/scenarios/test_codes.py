"""A code on the customer's screen is a door for money: it is shut before another opens."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.wallet import Wallet, profile
from simulators.wallet_door import HTTPSDoor, enrol_wallet
from terminal.errors import BenchRefused, NotAllowed
from terminal.messages import Message
from terminal.states import FINAL, State
from terminal.view import Medium, Stage


def paths(city: Any) -> list[str]:
    """Return what the bank was asked about payments since the list was cleared."""
    return [seen.path for seen in city.doorman.seen if seen.path.startswith("/v1/p")]


def wallet_of(counter: Any, city: Any, name: str) -> Wallet:
    """Return a customer's phone that reaches the bank by itself."""
    chosen = profile(name)
    folder = counter.home / "wallets" / chosen.account
    shop = counter.shop
    enrol_wallet(folder, lambda: shop.issue_code("wallet", chosen.account), shop.enrol)
    return Wallet(chosen, HTTPSDoor(city.url, folder))


def test_a_card_tapped_while_the_code_is_open_closes_it_first(counter: Any, city: Any) -> None:
    attempt = counter.begin(3100)
    counter.show_code()
    city.doorman.seen.clear()
    counter.do("card:visa-online")
    end = counter.until_state(attempt, *FINAL)

    assert (end.state, end.medium) == (State.APPROVED, Medium.CARD)
    asked = [path for path in paths(city) if not path.endswith("/status")]
    assert asked == ["/v1/payments/close", "/v1/payments"]
    assert counter.booked.transfers_of(attempt) == ["sale"]


def test_the_closed_code_pays_nobody(counter: Any, city: Any) -> None:
    wallet = wallet_of(counter, city, "alipay-qr")
    attempt = counter.begin(3200)
    code = counter.show_code()
    counter.do("card:visa-online")
    counter.until_state(attempt, *FINAL)

    verdict = wallet.pay(code)

    assert (verdict.state, verdict.code) == ("declined", "C1")
    assert counter.booked.transfers_of(attempt) == ["sale"]


def test_a_code_that_was_paid_meanwhile_is_the_result_and_the_card_is_not_charged(
    counter: Any, city: Any
) -> None:
    attempt = counter.begin(3300)
    counter.show_code()
    city.doorman.seen.clear()
    assert "approved" in counter.do("show-code:alipay-qr")
    counter.do("card:visa-online")
    end = counter.until_state(attempt, *FINAL)

    assert (end.state, end.medium, end.masked_pan) == (State.APPROVED, Medium.SHOWN_CODE, "")
    assert "/v1/payments" not in paths(city)
    assert counter.booked.transfers_of(attempt) == ["sale"]


def test_no_card_request_leaves_while_the_bank_cannot_close_the_code(
    counter: Any, city: Any
) -> None:
    attempt = counter.begin(3400)
    counter.show_code()
    counter.shop.network.refuse()
    city.doorman.seen.clear()
    counter.do("card:visa-online")
    counter.until_state(attempt, State.CLOSING)
    counter.until(lambda view: view.next_ask_at is not None)
    assert counter.till.view().stage is Stage.CLOSING
    assert paths(city) == []
    with pytest.raises(NotAllowed):
        counter.till.cancel()

    counter.shop.network.heal()
    end = counter.until_final(attempt)

    # The card that waited goes on where its customer still stands there.
    assert (end.state, end.medium) == (State.APPROVED, Medium.CARD)
    assert paths(city)[-1] == "/v1/payments"
    assert counter.booked.transfers_of(attempt) == ["sale"]


def test_an_offline_card_is_not_stored_while_the_code_may_be_paid(counter: Any, city: Any) -> None:
    """The card has approved by itself, and the code is paid while the bank is out of reach."""
    wallet = wallet_of(counter, city, "alipay-qr")
    attempt = counter.begin(3500)
    code = counter.show_code()
    counter.shop.network.refuse()
    counter.do("card:visa-offline")
    counter.until_state(attempt, State.CLOSING)
    counter.until(lambda view: view.next_ask_at is not None)
    # The customer's phone has a network of its own.
    assert wallet.pay(code).state == "approved"
    counter.shop.network.heal()
    end = counter.until_final(attempt)

    assert (end.state, end.medium) == (State.APPROVED, Medium.SHOWN_CODE)
    assert counter.booked.transfers_of(attempt) == ["sale"]


def test_a_cancelled_code_pays_nobody(counter: Any, city: Any) -> None:
    wallet = wallet_of(counter, city, "alipay-qr")
    attempt = counter.begin(3600)
    code = counter.show_code()
    counter.till.cancel()
    assert counter.until_state(attempt, *FINAL).state is State.CANCELLED

    assert wallet.pay(code).state == "declined"
    assert counter.booked.transfers_of(attempt) == []


def test_a_code_paid_before_the_cancelling_arrives_is_paid(counter: Any) -> None:
    attempt = counter.begin(3700)
    counter.show_code()
    counter.do("show-code:wechat-barcode")
    counter.till.cancel()
    end = counter.until_state(attempt, *FINAL)

    assert (end.state, end.brand) == (State.APPROVED, "WeChat Pay")
    assert counter.booked.transfers_of(attempt) == ["sale"]


def test_who_has_no_money_leaves_the_code_open_for_who_has(counter: Any) -> None:
    attempt = counter.begin(3800)
    counter.show_code()
    assert "declined" in counter.do("show-code:alipay-poor")
    assert counter.till.payment(attempt).state is State.CODE_OPEN
    counter.do("show-code:alipay-qr")

    assert counter.until_state(attempt, *FINAL).state is State.APPROVED


def test_a_code_is_paid_once(counter: Any, city: Any) -> None:
    wallet = wallet_of(counter, city, "unionpay-cpm")
    attempt = counter.begin(3900)
    code = counter.show_code()
    counter.do("show-code:alipay-qr")
    verdict = wallet.pay(code)
    counter.until_state(attempt, *FINAL)

    assert (verdict.state, verdict.code) == ("declined", "C2")
    assert counter.booked.transfers_of(attempt) == ["sale"]


def test_the_code_and_the_tap_race_and_one_of_them_pays(counter: Any) -> None:
    """Whoever is first at the bank; thrice, so that both orders have their chance."""
    for _ in range(3):
        attempt = counter.begin(4000)
        counter.show_code()
        counter.do("card:visa-online")
        try:
            counter.do("show-code:alipay-qr")
        except BenchRefused:
            # The tap was so fast that the code was off the screen.
            assert counter.till.view().code is None
        end = counter.until_state(attempt, *FINAL)
        assert end.state is State.APPROVED
        assert counter.booked.transfers_of(attempt) == ["sale"]


def test_without_a_bank_there_is_no_code_and_the_sale_goes_on(counter: Any) -> None:
    attempt = counter.begin(4100)
    counter.shop.network.refuse()
    counter.till.show_code()
    counter.until(lambda view: view.hint is Message.CODE_UNAVAILABLE)
    counter.shop.network.heal()
    counter.do("card:visa-online")

    assert counter.until_state(attempt, *FINAL).state is State.APPROVED


def test_an_order_without_an_answer_is_closed_before_the_sale_goes_on(
    counter: Any, city: Any
) -> None:
    attempt = counter.begin(4200)
    city.doorman.alter = lambda letter: (
        letter.with_headers(b"signature") if letter.path == "/v1/orders" else letter
    )
    city.doorman.seen.clear()
    counter.till.show_code()
    counter.until(lambda view: view.stage is Stage.PRESENT and view.hint is not None)
    assert "/v1/payments/close" in paths(city)
    counter.do("card:visa-online")

    assert counter.until_state(attempt, *FINAL).state is State.APPROVED
    assert counter.booked.transfers_of(attempt) == ["sale"]


@pytest.mark.slow
def test_a_code_that_runs_out_gives_way_to_a_new_one(open_counter: Any) -> None:
    counter = open_counter(code_valid_s=10).until_ready()
    attempt = counter.begin(4300)
    first = counter.show_code()
    counter.until(lambda view: view.hint is Message.OUR_CODE_EXPIRED)
    second = counter.show_code()

    assert second != first
    counter.do("show-code:alipay-qr")
    assert counter.until_state(attempt, *FINAL).state is State.APPROVED


# --- a payer who must confirm -------------------------------------------------------


def test_a_payment_that_awaits_its_payer_can_be_cancelled(counter: Any, city: Any) -> None:
    attempt = counter.begin(4400)
    counter.do("wallet:wechat-waits")
    counter.until_state(attempt, State.AWAITING_PAYER)
    counter.till.cancel()
    assert counter.until_state(attempt, *FINAL).state is State.CANCELLED

    # The payer finds nothing to confirm any more, and is told that it is over.
    payer = wallet_of(counter, city, "wechat-waits")
    assert [waiting.attempt for waiting in payer.pending()] == []
    assert payer.confirm(attempt).state == "closed"
    assert counter.booked.transfers_of(attempt) == []


def test_a_payer_who_was_faster_than_the_cancelling_has_paid(counter: Any, city: Any) -> None:
    attempt = counter.begin(4500)
    counter.do("wallet:wechat-waits")
    counter.until_state(attempt, State.AWAITING_PAYER)
    payer = wallet_of(counter, city, "wechat-waits")
    assert payer.confirm(attempt).state == "approved"
    counter.till.cancel()

    assert counter.until_state(attempt, *FINAL).state is State.APPROVED
    assert counter.booked.transfers_of(attempt) == ["sale"]


def test_a_payer_confirms_while_the_bank_cannot_be_asked(counter: Any, city: Any) -> None:
    attempt = counter.begin(4600)
    counter.do("wallet:wechat-waits")
    counter.until_state(attempt, State.AWAITING_PAYER)
    counter.shop.network.refuse()
    counter.till.cancel()
    counter.until(lambda view: view.next_ask_at is not None)
    wallet_of(counter, city, "wechat-waits").confirm(attempt)
    counter.till.leave()
    counter.shop.network.heal()

    assert counter.until_state(attempt, *FINAL).state is State.APPROVED


def test_a_payer_who_takes_too_long_is_closed(open_counter: Any) -> None:
    counter = open_counter(payer_timeout_s=2).until_ready()
    attempt = counter.begin(4700)
    counter.do("wallet:wechat-waits")
    assert counter.until_state(attempt, *FINAL).state is State.CANCELLED
    assert counter.booked.transfers_of(attempt) == []


def test_one_code_pays_one_sale(counter: Any, city: Any) -> None:
    """The same picture is held up again: the bank is not even asked; a refreshed one pays."""
    _, shown = counter.shop.customers.show_wallet("alipay-qr")
    first = counter.begin(4800)
    counter.shop.camera.show(shown.image)
    assert counter.until_state(first, *FINAL).state is State.APPROVED
    city.doorman.seen.clear()
    second = counter.begin(4900)
    counter.shop.camera.show(shown.image)
    counter.until(lambda view: view.hint is Message.CODE_ALREADY_SEEN)
    assert paths(city) == []
    counter.do("wallet:alipay-qr")

    assert counter.until_state(second, *FINAL).state is State.APPROVED


def test_a_phone_is_put_away_when_its_sale_is_over(counter: Any) -> None:
    """Else the next sale in a bench shop would begin with the code that paid the last."""
    first = counter.begin(4810)
    counter.do("wallet:alipay-qr")
    assert counter.until_state(first, *FINAL).state is State.APPROVED
    second = counter.begin(4820)
    counter.do("wallet:wechat-barcode")

    assert counter.until_state(second, *FINAL).state is State.APPROVED


def test_two_codes_then_one_pays(counter: Any) -> None:
    attempt = counter.begin(5000)
    counter.do("wallet:two-codes")
    counter.until(lambda view: view.hint is Message.TWO_CODES)
    counter.do("wallet:alipay-dark")

    assert counter.until_state(attempt, *FINAL).state is State.APPROVED


def test_a_foreign_code_leaves_the_card_free_to_pay(counter: Any) -> None:
    attempt = counter.begin(5100)
    counter.do("wallet:foreign-code")
    counter.until(lambda view: view.hint is Message.NOT_A_PAYMENT_CODE)
    counter.do("card:visa-online")
    end = counter.until_state(attempt, *FINAL)

    assert (end.state, end.medium) == (State.APPROVED, Medium.CARD)
