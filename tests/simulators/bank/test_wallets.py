"""Wallet money, both ways, at most once."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.simulators.bank.conftest import Shop, Till

FUNDS = 100_000_000


@pytest.mark.parametrize(
    ("id", "form", "brand"),
    [
        ("alipay", "digits", "Alipay"),
        ("wechat", "digits", "WeChat Pay"),
        ("unionpay", "digits", "UnionPay"),
        ("unionpay", "cpm", "UnionPay"),
    ],
)
def test_a_payment_code_pays_once(shop: Shop, till: Till, id: str, form: str, brand: str) -> None:
    code = shop.wallet(id).code(form)

    _, told = till.pay(till.code_sale(880, code))
    _, again = till.pay(till.code_sale(880, code))

    assert (told["state"], told["brand"]) == ("approved", brand)
    assert (again["state"], again["code"]) == ("declined", "C2")
    assert shop.taken() == 880
    assert shop.balance(f"wallet/{id}") == FUNDS - 880


@pytest.mark.parametrize(
    ("id", "prefix", "length"), [("alipay", "28", 18), ("wechat", "13", 18), ("unionpay", "62", 19)]
)
def test_codes_have_their_wallets_form(shop: Shop, id: str, prefix: str, length: int) -> None:
    code = shop.wallet(id).code()

    assert code.isdecimal()
    assert code.startswith(prefix)
    assert len(code) == length


def test_a_consumer_presented_code_is_one(shop: Shop) -> None:
    import base64

    payload = base64.b64decode(shop.wallet("unionpay").code("cpm"))

    assert payload.startswith(bytes.fromhex("8505") + b"CPV01" + b"\x61")


def test_a_code_grows_old_by_the_banks_clock(shop: Shop, till: Till) -> None:
    code = shop.wallet("alipay").code()
    shop.pass_s(60)

    assert till.pay(till.code_sale(100, code))[1]["code"] == "C1"
    assert shop.taken() == 0


@pytest.mark.parametrize(
    ("id", "code"), [("alipay-expired", "C1"), ("alipay-used", "C2"), ("alipay-poor", "51")]
)
def test_special_wallets_get_their_decision(shop: Shop, till: Till, id: str, code: str) -> None:
    assert till.pay(till.code_sale(100, shop.wallet(id).code()))[1]["code"] == code


def test_a_code_of_no_wallet_is_declined(shop: Shop, till: Till) -> None:
    assert till.pay(till.code_sale(100, "281234567890123456"))[1]["code"] == "C3"


def test_a_payer_who_confirms_pays(shop: Shop, till: Till) -> None:
    wallet = shop.wallet("alipay-confirms")
    sale = till.code_sale(500, wallet.code())

    _, told = till.pay(sale)
    assert (told["state"], told["code"]) == ("pending", "P0")
    assert till.status(sale["attempt"]) == "pending"
    (waiting,) = wallet.ask("pending")[1]["payments"]
    assert (waiting["attempt"], waiting["amount_minor"]) == (sale["attempt"], 500)
    assert shop.taken() == 0

    assert wallet.ask("confirm", attempt=sale["attempt"])[1]["state"] == "approved"
    assert wallet.ask("confirm", attempt=sale["attempt"])[1]["state"] == "approved"
    assert till.status(sale["attempt"]) == "approved"
    assert wallet.ask("pending")[1]["payments"] == []
    assert shop.taken() == 500


def test_a_payer_who_refuses_does_not_pay(shop: Shop, till: Till) -> None:
    wallet = shop.wallet("alipay-confirms")
    sale = till.code_sale(500, wallet.code())
    till.pay(sale)

    wallet.ask("refuse", attempt=sale["attempt"])

    _, told = till.ask("/v1/payments/status", {"attempt": sale["attempt"]})
    assert (told["state"], told["code"]) == ("declined", "C4")
    assert wallet.ask("confirm", attempt=sale["attempt"])[1]["state"] == "declined"
    assert shop.taken() == 0


def test_a_payer_who_does_nothing_does_not_pay(shop: Shop, till: Till) -> None:
    wallet = shop.wallet("alipay-confirms")
    sale = till.code_sale(500, wallet.code())
    till.pay(sale)
    shop.pass_s(120)

    assert wallet.ask("pending")[1]["payments"] == []
    assert wallet.ask("confirm", attempt=sale["attempt"])[1]["state"] == "declined"
    assert till.status(sale["attempt"]) == "declined"
    assert shop.taken() == 0


def test_a_pending_payment_that_was_closed_cannot_be_confirmed(shop: Shop, till: Till) -> None:
    wallet = shop.wallet("alipay-confirms")
    sale = till.code_sale(500, wallet.code())
    till.pay(sale)

    assert till.close(sale["attempt"]) == "closed"
    assert wallet.ask("confirm", attempt=sale["attempt"])[1]["state"] == "closed"
    assert till.status(sale["attempt"]) == "closed"
    assert shop.taken() == 0


def test_a_confirmed_payment_cannot_be_closed(shop: Shop, till: Till) -> None:
    wallet = shop.wallet("alipay-confirms")
    sale = till.code_sale(500, wallet.code())
    till.pay(sale)
    wallet.ask("confirm", attempt=sale["attempt"])

    assert till.close(sale["attempt"]) == "approved"
    assert shop.taken() == 500


def test_anothers_payment_cannot_be_confirmed(shop: Shop, till: Till) -> None:
    sale = till.code_sale(500, shop.wallet("alipay-confirms").code())
    till.pay(sale)
    stranger = shop.wallet("wechat-confirms")

    assert stranger.ask("confirm", attempt=sale["attempt"])[0] == 422
    assert stranger.ask("codes", wallet="alipay")[0] == 401
    assert till.status(sale["attempt"]) == "pending"


def test_a_wallet_sale_is_refunded_to_the_wallet(shop: Shop, till: Till) -> None:
    sale = till.code_sale(880, shop.wallet("alipay").code())
    till.pay(sale)

    till.pay(till.give_back("refund", sale["attempt"], 880))

    assert shop.balance("wallet/alipay") == FUNDS
    assert shop.taken() == 0


def test_a_till_is_nudged_when_its_payment_ended_behind_its_back(shop: Shop, till: Till) -> None:
    """By the payer's word and by nothing else; no till is, of what it asked itself."""
    wallet = shop.wallet("alipay-confirms")
    confirmed, refused = (till.code_sale(500, wallet.code()) for _ in range(2))
    till.pay(confirmed)
    till.pay(refused)
    order = till.order(640)
    assert shop.nudged == []

    wallet.ask("confirm", attempt=confirmed["attempt"])
    assert shop.nudged == [till.id]
    wallet.ask("refuse", attempt=refused["attempt"])
    assert shop.nudged == [till.id] * 2
    shop.wallet("wechat").ask("pay", shown_code=order["shown_code"])
    assert shop.nudged == [till.id] * 3
    shop.wallet("wechat").ask("pay", shown_code="no code")
    assert shop.nudged == [till.id] * 3


# ---- the till's code ---------------------------------------------------------


def test_a_shown_code_is_paid_once(shop: Shop, till: Till) -> None:
    order = till.order(640)
    wallet, other = shop.wallet("alipay"), shop.wallet("wechat")

    assert order["state"] == "open"
    assert till.status(order["attempt"]) == "open"
    assert wallet.ask("pay", shown_code=order["shown_code"])[1]["state"] == "approved"
    assert other.ask("pay", shown_code=order["shown_code"])[1]["code"] == "C2"
    _, told = till.ask("/v1/payments/status", {"attempt": order["attempt"]})
    assert (told["state"], told["brand"]) == ("approved", "Alipay")
    assert shop.taken() == 640


def test_a_shown_code_fits_a_small_screen(shop: Shop, till: Till) -> None:
    """53 bytes are QR version 3, level L."""
    shown = till.order(640)["shown_code"]

    assert len(shown.encode()) <= 53
    assert shown == shown.upper()


def test_a_closed_code_cannot_be_paid(shop: Shop, till: Till) -> None:
    order = till.order(640)

    assert till.close(order["attempt"]) == "closed"
    assert shop.wallet("alipay").ask("pay", shown_code=order["shown_code"])[1]["code"] == "C1"
    assert till.status(order["attempt"]) == "closed"
    assert shop.taken() == 0


def test_a_paid_code_cannot_be_closed(shop: Shop, till: Till) -> None:
    order = till.order(640)
    shop.wallet("alipay").ask("pay", shown_code=order["shown_code"])

    assert till.close(order["attempt"]) == "approved"


def test_a_code_ends_by_the_banks_clock(shop: Shop, till: Till) -> None:
    order = till.order(640)
    shop.pass_s(60)

    assert shop.wallet("alipay").ask("pay", shown_code=order["shown_code"])[1]["code"] == "C1"
    assert till.status(order["attempt"]) == "closed"


def test_a_wallet_without_money_leaves_the_code_open(shop: Shop, till: Till) -> None:
    order = till.order(640)

    assert shop.wallet("alipay-poor").ask("pay", shown_code=order["shown_code"])[1]["code"] == "51"
    assert shop.wallet("alipay").ask("pay", shown_code=order["shown_code"])[1]["code"] == "00"


def test_a_card_cannot_be_charged_while_a_code_is_open(shop: Shop, till: Till) -> None:
    order = till.order(640)
    sale = till.sale(640, attempt=order["attempt"])

    assert till.pay(sale)[1]["error"] == "order_open"
    till.close(order["attempt"])
    assert till.pay(sale)[1]["state"] == "approved"
    assert shop.wallet("alipay").ask("pay", shown_code=order["shown_code"])[1]["code"] == "C1"
    assert shop.taken() == 640


def test_an_attempt_paid_by_code_takes_no_card(shop: Shop, till: Till) -> None:
    order = till.order(640)
    shop.wallet("alipay").ask("pay", shown_code=order["shown_code"])

    assert till.pay(till.sale(640, attempt=order["attempt"]))[1]["error"] == "attempt_settled"
    assert shop.taken() == 640


def test_two_codes_of_one_attempt_are_paid_once(shop: Shop, till: Till) -> None:
    first = till.order(640)
    second = till.order(640, first["attempt"])
    wallet = shop.wallet("alipay")

    assert wallet.ask("pay", shown_code=second["shown_code"])[1]["code"] == "00"
    assert wallet.ask("pay", shown_code=first["shown_code"])[1]["code"] == "C1"
    assert shop.taken() == 640


def test_an_order_sent_again_opens_no_second_code(shop: Shop, till: Till) -> None:
    order_id, attempt = shop.uuid(), shop.uuid()

    first = till.order(640, attempt, order=order_id)
    second = till.order(640, attempt, order=order_id)
    body = {"order": order_id, "attempt": attempt, "number": 9, "amount_minor": 1}
    other = body | {"currency": "CNY", "at": shop.at(), "valid_s": 60}

    assert first["shown_code"] == second["shown_code"]
    assert till.ask("/v1/orders", other)[1]["error"] == "order_differs"


def test_an_order_overtaken_by_its_closing_opens_nothing(shop: Shop, till: Till) -> None:
    """The till gave the order up, closed, and only then did it arrive."""
    attempt = shop.uuid()
    body = {"order": shop.uuid(), "attempt": attempt, "number": 9, "amount_minor": 640}
    late = till.request("/v1/orders", body | {"currency": "CNY", "at": shop.at(), "valid_s": 60})
    shop.pass_s(5)
    assert till.close(attempt) == "closed"

    _, told = till.check(late, shop.send(late))

    assert told["state"] == "declined"
    assert till.order(640, attempt)["state"] == "open"


@pytest.mark.parametrize("sequence", list(permutations(["order", "close", "pay", "reverse"])))
def test_an_attempt_is_paid_at_most_once_in_any_order(
    shop: Shop, till: Till, sequence: tuple[str, ...]
) -> None:
    """Whatever overtakes what, a reversed attempt has no money under it."""
    attempt, shown, wallet = shop.uuid(), "", shop.wallet("alipay")
    for step in sequence:
        if step == "order":
            body = {"order": shop.uuid(), "attempt": attempt, "number": 9, "amount_minor": 640}
            more = {"currency": "CNY", "at": shop.at(), "valid_s": 60}
            shown = till.ask("/v1/orders", body | more)[1].get("shown_code") or ""
        elif step == "close":
            till.close(attempt)
        elif step == "pay" and shown:
            wallet.ask("pay", shown_code=shown)
        elif step == "pay":
            till.pay(till.sale(640, attempt=attempt))
        else:
            assert till.reverse(attempt) == "reversed"
            assert shop.taken() == 0
    if shown:
        wallet.ask("pay", shown_code=shown)

    assert till.status(attempt) == "reversed"
    assert shop.taken() == 0
