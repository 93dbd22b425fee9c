"""Money held for a shop: whose it is at every step, to the cent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.simulators.bank.conftest import Shop, Till

ACCOUNT = "card/visa-online"
HELD = f"held/{ACCOUNT}"
MONTH_MS = 30 * 86_400_000


def preauth(till: Till, amount_minor: int = 20_000) -> str:
    body = till.sale(amount_minor) | {"kind": "preauth"}
    status, told = till.pay(body)
    assert (status, told["state"]) == (200, "approved"), told
    assert told["expires_at"]
    return str(body["attempt"])


def follow(till: Till, kind: str, original: str, amount_minor: int) -> tuple[str, str]:
    """Return the attempt and the response code."""
    body = till.give_back(kind, original, amount_minor)
    status, told = till.pay(body)
    assert status == 200, told
    return str(body["attempt"]), str(told["code"])


def money(shop: Shop) -> tuple[int, int, int]:
    """What the customer, the hold and the shop have, the first below what it began with."""
    return shop.balance(ACCOUNT) - 100_000_000, shop.balance(HELD), shop.taken()


def test_a_hold_takes_nothing_and_a_completion_lets_the_rest_go(shop: Shop, till: Till) -> None:
    first = preauth(till)
    assert money(shop) == (-20_000, 20_000, 0)
    assert follow(till, "increment", first, 5_000)[1] == "00"
    assert money(shop) == (-25_000, 25_000, 0)
    assert follow(till, "completion", first, 18_000)[1] == "00"
    assert money(shop) == (-18_000, 0, 18_000)
    assert till.status(first) == "approved"


def test_a_completion_takes_up_to_115_percent_and_once(shop: Shop, till: Till) -> None:
    first = preauth(till)
    assert follow(till, "completion", first, 23_001)[1] == "13"
    assert follow(till, "completion", first, 23_000)[1] == "00"
    assert money(shop) == (-23_000, 0, 23_000)
    for kind in ("completion", "increment", "release"):
        assert follow(till, kind, first, 100)[1] == "C5"


def test_a_voided_completion_leaves_the_money_held_as_before(shop: Shop, till: Till) -> None:
    first = preauth(till)
    follow(till, "increment", first, 5_000)
    taken, _ = follow(till, "completion", first, 18_000)
    assert follow(till, "void", taken, 18_000)[1] == "00"
    assert money(shop) == (-25_000, 25_000, 0)
    assert follow(till, "completion", first, 25_000)[1] == "00"
    assert money(shop) == (-25_000, 0, 25_000)


def test_a_released_hold_is_the_customers_whole(shop: Shop, till: Till) -> None:
    first = preauth(till)
    more, _ = follow(till, "increment", first, 5_000)
    assert follow(till, "release", first, 20_000)[1] == "13", "all of it or none"
    assert follow(till, "release", more, 5_000)[1] == "00"
    assert money(shop) == (-20_000, 20_000, 0)
    assert follow(till, "release", first, 20_000)[1] == "00"
    assert money(shop) == (0, 0, 0)
    assert till.status(first) == "reversed"


STEPS = ["preauth", "increment", "completion", "void", "release", "tip"]


@pytest.mark.parametrize("step", STEPS)
def test_a_reversal_of_each_step_leaves_what_was_before(shop: Shop, till: Till, step: str) -> None:
    first = preauth(till)
    before = money(shop)
    if step == "preauth":
        last, before = first, (0, 0, 0)
    elif step in ("void", "tip"):
        taken, _ = follow(till, "completion", first, 18_000)
        before = money(shop)
        last, code = follow(till, step, taken, 18_000 if step == "void" else 1_000)
        assert code == "00"
    else:
        last, code = follow(till, step, first, 20_000)
        assert code == "00"
    assert till.reverse(last) == "reversed"
    assert money(shop) == before
    assert till.reverse(last) == "reversed"
    assert money(shop) == before, "asked twice, undone once"


def test_an_undone_step_can_be_done_again(shop: Shop, till: Till) -> None:
    first = preauth(till)
    for kind in ("completion", "release"):
        attempt, _ = follow(till, kind, first, 20_000)
        till.reverse(attempt)
    assert follow(till, "completion", first, 20_000)[1] == "00"
    assert money(shop) == (-20_000, 0, 20_000)


def test_a_hold_ends_by_itself_and_the_next_payment_sees_the_money(shop: Shop, till: Till) -> None:
    first = preauth(till, 90_000_000)
    assert follow(till, "increment", first, 10_000_001)[1] == "51"
    shop.now_ms += MONTH_MS
    status, told = till.pay(till.sale(50_000_000))
    assert (status, told["state"]) == (200, "approved"), "what was held is the customer's again"
    assert money(shop) == (-50_000_000, 0, 50_000_000)
    assert follow(till, "completion", first, 100)[1] == "C5"
    assert till.status(first) == "reversed"


def test_a_completion_voided_after_the_holds_time_is_the_customers(shop: Shop, till: Till) -> None:
    first = preauth(till)
    taken, _ = follow(till, "completion", first, 20_000)
    shop.now_ms += MONTH_MS
    assert follow(till, "void", taken, 20_000)[1] == "00"
    assert money(shop) == (0, 0, 0)


def test_no_wallet_and_no_other_merchant_has_a_hand_in_a_hold(shop: Shop, till: Till) -> None:
    code = shop.wallet("alipay").code()
    status, told = till.pay(till.code_sale(100, code) | {"kind": "preauth"})
    assert (status, told["error"]) == (422, "tender_unfit")
    first = preauth(till)
    stranger = shop.till("till-9", merchant="other-shop")
    assert follow(stranger, "completion", first, 100)[1] == "25"


def test_what_is_held_is_in_no_batch_and_what_is_taken_is(shop: Shop, till: Till) -> None:
    body = till.sale(20_000) | {"kind": "preauth", "batch": 5}
    till.pay(body)
    taken = till.give_back("completion", body["attempt"], 18_000) | {"batch": 5}
    tip = till.give_back("tip", taken["attempt"], 500) | {"batch": 5}
    for each in (taken, tip):
        assert till.pay(each)[1]["state"] == "approved"
    _, told = till.ask("/v1/batches/totals", {"batch": 5})
    sums = {total["kind"]: total["amount_minor"] for total in told["totals"]}
    assert sums == {"completion": 18_000, "tip": 500}


# --- tips -------------------------------------------------------------------


def test_a_tip_is_added_once_and_to_a_card_only(shop: Shop, till: Till) -> None:
    sale = till.sale(10_000)
    till.pay(sale)
    assert follow(till, "tip", sale["attempt"], 5_001)[1] == "13"
    given, code = follow(till, "tip", sale["attempt"], 500)
    assert code == "00"
    assert follow(till, "tip", sale["attempt"], 100)[1] == "12"
    assert follow(till, "void", sale["attempt"], 10_000)[1] == "12", "its tip first"
    assert follow(till, "void", given, 500)[1] == "00"
    assert follow(till, "void", sale["attempt"], 10_000)[1] == "00"
    assert money(shop) == (0, 0, 0)


def test_no_tip_on_a_closed_batch(till: Till) -> None:
    sale = till.sale(10_000) | {"batch": 3}
    till.pay(sale)
    close = {"batch": 3, "totals": [], "digest": "0" * 64, "accepted": True}
    assert till.ask("/v1/batches/close", close)[1]["state"] == "closed"
    assert follow(till, "tip", sale["attempt"], 500)[1] == "12"


# --- balance inquiries ------------------------------------------------------


def inquiry(till: Till, pan: str = "4761739001010119") -> dict[str, object]:
    """Ask by a card that was told the amount zero; return the answer."""
    body = till.sale(0, card=till.shop.card(0, pan=pan))
    asked = {name: body[name] for name in ("attempt", "currency", "at", "tender")}
    status, told = till.ask("/v1/balances", asked, key=body["attempt"])
    assert status == 200, told
    assert till.status(str(body["attempt"])) == "not_found", "nothing is booked"
    return told


def test_an_inquiry_tells_what_can_be_spent_and_books_nothing(shop: Shop, till: Till) -> None:
    assert inquiry(till)["balance_minor"] == 100_000_000
    preauth(till)
    assert inquiry(till)["balance_minor"] == 99_980_000, "what is held cannot be spent"
    unknown = inquiry(till, "30569309025904")
    assert (unknown["state"], unknown["code"]) == ("declined", "14")
    assert unknown.get("balance_minor") is None
    assert money(shop) == (-20_000, 20_000, 0)
