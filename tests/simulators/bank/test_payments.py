"""What the bank decides on cards, and that the money follows."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from joserfc import jws
from joserfc.jwk import OKPKey

from simulators.bank.schema import credentials
from simulators.bank.trust.authority import public_pem

if TYPE_CHECKING:
    from tests.simulators.bank.conftest import Body, Shop, Till

FUNDS = 100_000_000


def test_a_sale_moves_its_money_once(shop: Shop, till: Till) -> None:
    body = till.sale(1250)

    status, told = till.pay(body)

    assert status == 200
    assert told["state"] == "approved"
    assert told["code"] == "00"
    assert told["attempt"] == body["attempt"]
    assert told["brand"] == "Visa"
    assert len(told["reference"]) == 12
    assert len(told["authorisation"]) == 6
    assert shop.taken() == 1250
    assert shop.balance("card/visa-online") == FUNDS - 1250
    assert till.status(body["attempt"]) == "approved"


def test_the_issuers_answer_is_what_the_card_would_compute(shop: Shop, till: Till) -> None:
    """Tag 91 of an approval, both cryptogram versions, against pyemv."""
    from pyemv.cvn import VisaCVN10, VisaCVN18

    issuer_key = bytes.fromhex(shop.place.issuer_key.read_text())
    card = shop.card(100)
    arqc = bytes.fromhex(card.emv().split("9F2608")[1][:16])
    _, told = till.pay(till.sale(100, card=card))
    update = bytes.fromhex("00800000")
    maker = VisaCVN18(issuer_key, bytes(16), bytes(16), card.pan, "00")
    arpc = maker.generate_arpc(arqc, card.counter.to_bytes(2, "big"), update)
    assert told["emv"] == f"9108{(arpc + update).hex().upper()}"

    card = shop.card(100, pan="4242424242424242", version=10)
    arqc = bytes.fromhex(card.emv().split("9F2608")[1][:16])
    _, told = till.pay(till.sale(100, card=card))
    older = VisaCVN10(issuer_key, bytes(16), bytes(16), card.pan, "00")
    assert told["emv"] == f"910A{(older.generate_arpc(arqc, b'00') + b'00').hex().upper()}"


@pytest.mark.parametrize(
    ("pan", "code"),
    [
        ("4000000000009995", "51"),
        ("4000000000000002", "05"),
        ("4000000000009979", "43"),
        ("4000000000009987", "41"),
        ("4000000760000002", "54"),
        ("4000000000000069", "54"),
        ("4000000000006975", "65"),
        ("4000000000000119", "91"),
        ("4000001240000000", "61"),
        ("4000000000000127", "14"),
    ],
)
def test_each_account_gets_its_decision(shop: Shop, till: Till, pan: str, code: str) -> None:
    body = till.sale(1001, pan=pan)

    status, told = till.pay(body)

    assert (status, told["state"], told["code"]) == (200, "declined", code)
    assert till.status(body["attempt"]) == "declined"
    assert shop.taken() == 0


def test_a_limit_is_met_by_the_amount_that_equals_it(shop: Shop, till: Till) -> None:
    _, told = till.pay(till.sale(1000, pan="4000001240000000"))

    assert told["state"] == "approved"


def test_an_expired_card_is_declined_after_its_month(shop: Shop, till: Till) -> None:
    last_month = {0x5F24: bytes.fromhex("261031")}
    this_month = {0x5F24: bytes.fromhex("261130")}

    assert till.pay(till.sale(100, changes=last_month))[1]["code"] == "54"
    assert till.pay(till.sale(100, changes=this_month))[1]["code"] == "00"


def test_a_fourth_payment_within_a_day_is_too_many(shop: Shop, till: Till) -> None:
    from simulators.bank.accounts import Accounts, CardAccount
    from simulators.bank.core import Bank

    often = CardAccount("often", "4111111111111111", payments_per_day_max=3)
    accounts = Accounts([often], [], {"CNY": 156})
    bank = shop.bank
    shop.bank = Bank(bank.store, accounts, bank.keys, bank.secrets, bank.host_names)

    codes = [till.pay(till.sale(100, pan=often.pan))[1]["code"] for _ in range(4)]
    shop.pass_s(24 * 3600 + 1)
    codes.append(till.pay(till.sale(100, pan=often.pan))[1]["code"])

    assert codes == ["00", "00", "00", "65", "00"]


def test_money_that_is_spent_is_gone(shop: Shop, till: Till) -> None:
    assert till.pay(till.sale(FUNDS))[1]["code"] == "00"
    assert till.pay(till.sale(1))[1]["code"] == "51"


def test_accounts_hold_any_currency(shop: Shop, till: Till) -> None:
    card = shop.card(500, currency=978)

    assert till.pay(till.sale(500, card=card, currency="EUR"))[1]["state"] == "approved"
    assert shop.taken(currency="EUR") == 500


# ---- a till that lies --------------------------------------------------------


def test_a_wrong_cryptogram_is_declined(shop: Shop, till: Till) -> None:
    forged = shop.card(100, issuer_key=bytes(range(16)))

    _, told = till.pay(till.sale(100, card=forged))

    assert (told["state"], told["code"], told["emv"]) == ("declined", "05", None)


@pytest.mark.parametrize("tag", [0x9F02, 0x9F03, 0x95, 0x9A, 0x9C, 0x9F37, 0x82, 0x9F36, 0x9F1A])
def test_whatever_the_cryptogram_covers_cannot_be_changed(shop: Shop, till: Till, tag: int) -> None:
    card = shop.card(100)
    genuine = card.emv()
    header = f"{tag:02X}"
    start = genuine.index(header) + len(header) + 2
    length = int(genuine[start - 2 : start], 16)
    last = start + 2 * length - 1
    altered = genuine[:last] + ("1" if genuine[last] == "0" else "0") + genuine[last + 1 :]
    body = till.sale(100)
    content = {"attempt": body["attempt"], "entry": "contactless", "emv": altered}
    body["tender"]["sealed"] = till.seal(content)

    status, told = till.pay(body)

    assert (status, told.get("error")) == (422, "amount_differs") or told["code"] == "05"
    assert shop.taken() == 0


def test_a_cryptogram_pays_once(shop: Shop, till: Till) -> None:
    """The same tap, sealed for a second attempt."""
    card = shop.card(100)
    assert till.pay(till.sale(100, card=card))[1]["code"] == "00"

    assert till.pay(till.sale(100, card=card))[1]["code"] == "05"
    assert shop.taken() == 100


def test_a_wrong_cryptogram_does_not_use_the_cards_counter_up(shop: Shop, till: Till) -> None:
    card = shop.card(100)
    forged = shop.card(100, issuer_key=bytes(range(16)))
    forged.counter = card.counter
    till.pay(till.sale(100, card=forged))

    assert till.pay(till.sale(100, card=card))[1]["code"] == "00"


def test_an_amount_unlike_the_cryptograms_is_refused(shop: Shop, till: Till) -> None:
    status, told = till.pay(till.sale(9900, card=shop.card(100)))

    assert (status, told["error"]) == (422, "amount_differs")
    assert shop.taken() == 0


def test_a_currency_unlike_the_cryptograms_is_refused(shop: Shop, till: Till) -> None:
    status, told = till.pay(till.sale(100, currency="USD"))

    assert (status, told["error"]) == (422, "currency_differs")


def test_a_sealed_card_cannot_be_moved_to_another_attempt(shop: Shop, till: Till) -> None:
    body = till.sale(100)
    body["attempt"] = shop.uuid()

    status, told = till.pay(body)

    assert (status, told["error"]) == (422, "attempt_differs")


def test_a_seal_that_was_touched_is_refused(shop: Shop, till: Till) -> None:
    body = till.sale(100)
    parts = body["tender"]["sealed"].split(".")
    parts[3] = ("A" if parts[3][0] != "A" else "B") + parts[3][1:]
    body["tender"]["sealed"] = ".".join(parts)

    assert till.pay(body)[1]["error"] == "seal_broken"


@pytest.mark.parametrize("missing", [0x9F26, 0x9F36, 0x9F10, 0x9F02, 0x5F2A, 0x57])
def test_missing_card_data_is_named(shop: Shop, till: Till, missing: int) -> None:
    status, told = till.pay(till.sale(100, changes={missing: None}))

    assert (status, told["error"]) == (422, "card_data_missing")
    assert f"{missing:02X}" in told["detail"]


def test_two_card_numbers_that_differ_are_refused(shop: Shop, till: Till) -> None:
    other = {0x5A: bytes.fromhex("4242424242424242")}

    assert till.pay(till.sale(100, changes=other))[1]["error"] == "card_data_malformed"


def test_a_card_that_declined_is_not_charged(shop: Shop, till: Till) -> None:
    """An AAC, presented as if it asked for approval."""
    assert till.pay(till.sale(100, kind=0x00))[1]["error"] == "cryptogram_unfit"


@pytest.mark.parametrize("kind", [0x00, 0x40])
def test_a_card_that_did_not_ask_cannot_be_made_to(shop: Shop, till: Till, kind: int) -> None:
    """The record under the cryptogram says what it is; only 9F27 was changed."""
    told = till.pay(till.sale(100, kind=kind, changes={0x9F27: b"\x80"}))[1]

    assert told["error"] == "card_data_malformed"
    assert shop.taken() == 0


def test_a_card_that_leaves_9f27_out_is_understood(shop: Shop, till: Till) -> None:
    assert till.pay(till.sale(100, changes={0x9F27: None}))[1]["code"] == "00"
    offline = till.sale(100, kind=0x40, changes={0x9F27: None})
    assert till.advise(offline)[1]["code"] == "00"


# ---- offline ----------------------------------------------------------------


def test_an_offline_approval_is_honoured_once(shop: Shop, till: Till) -> None:
    card = shop.card(700, kind=0x40)

    assert till.advise(till.sale(700, card=card))[1]["state"] == "approved"
    assert till.advise(till.sale(700, card=card))[1]["code"] == "05"
    assert shop.taken() == 700


def test_an_offline_approval_is_honoured_from_an_empty_account(shop: Shop, till: Till) -> None:
    """The issuer's card has given its word."""
    card = shop.card(700, kind=0x40, pan="4000000000009995")

    assert till.advise(till.sale(700, card=card))[1]["state"] == "approved"
    assert shop.balance("card/visa-insufficient-funds") == -700


def test_a_forged_offline_approval_is_declined(shop: Shop, till: Till) -> None:
    card = shop.card(700, kind=0x40, issuer_key=bytes(range(16)))

    assert till.advise(till.sale(700, card=card))[1]["state"] == "declined"


def test_an_online_request_is_no_advice_and_the_other_way_round(shop: Shop, till: Till) -> None:
    assert till.advise(till.sale(100))[1]["error"] == "cryptogram_unfit"
    assert till.pay(till.sale(100, kind=0x40))[1]["error"] == "cryptogram_unfit"


# ---- deferred ---------------------------------------------------------------


def deferred(till: Till, amount_minor: int = 700, **changes: Any) -> Body:
    """Return the advice of a sale that asks for approval now, signed when it was made."""
    proof = changes.pop("proof", {})
    body = till.sale(amount_minor, **changes)
    claims = {name: body[name] for name in ("attempt", "amount_minor", "currency", "at")}
    digest = hashlib.sha256(body["tender"]["sealed"].encode()).digest()
    claims["sealed_sha256"] = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    header = {"alg": "Ed25519", "kid": till.id, "typ": "opentill-sale"}
    header |= proof.pop("header", {})
    key = proof.pop("key", till.signing_key)
    token = jws.serialize_compact(
        header, json.dumps(claims | proof), OKPKey.import_key(key), algorithms=["Ed25519"]
    )
    return body | {"deferred": True, "proof": token}


def test_a_deferred_sale_is_decided_like_one_that_came_in_time(shop: Shop, till: Till) -> None:
    assert till.advise(deferred(till))[1]["state"] == "approved"
    poor = till.advise(deferred(till, pan="4000000000009995"))[1]
    assert (poor["state"], poor["code"]) == ("declined", "51")
    assert shop.taken() == 700


def test_a_deferred_sale_that_comes_twice_is_booked_once(shop: Shop, till: Till) -> None:
    body = deferred(till)
    first, again = till.advise(body), till.advise(body)
    assert first == again
    assert till.advise(body | {"number": 8})[0] == 409
    assert shop.taken() == 700


@pytest.mark.parametrize(
    "proof",
    [
        {"amount_minor": 1},
        {"currency": "USD"},
        {"attempt": "019b0000-0000-7000-8000-000000000001"},
        {"sealed_sha256": "A" * 43},
        {"more": 1},
        {"header": {"kid": "till-2"}},
        {"header": {"typ": "JWT"}},
        {"key": ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))},
    ],
    ids=lambda proof: next(iter(proof)),
)
def test_a_proof_of_anything_else_is_refused(shop: Shop, till: Till, proof: Body) -> None:
    status, told = till.advise(deferred(till, proof=dict(proof)))
    assert (status, told["error"]) == (422, "proof_invalid")
    assert shop.taken() == 0


@pytest.mark.parametrize(("state", "status"), [("ended", 200), ("last", 200), ("revoked", 422)])
def test_a_sale_signed_before_a_renewal_is_still_the_tills(
    shop: Shop, till: Till, state: str, status: int
) -> None:
    earlier = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    row = {
        "fingerprint": "f" * 64,
        "serial": "1",
        "role": "till",
        "id": till.id,
        "algorithm": "ed25519",
        "signing_key": public_pem(earlier.public_key()),
        "state": state,
        "until_ms": 0,
    }
    shop.bank.store.write(lambda connection: connection.execute(credentials.insert(), row))
    assert till.advise(deferred(till, proof={"key": earlier}))[0] == status


@pytest.mark.parametrize("token", ["", "a.b.c", "…", "e30.e30.e30"])
def test_what_is_no_proof_is_refused(till: Till, token: str) -> None:
    status, told = till.advise(deferred(till) | {"proof": token})
    assert (status, told["error"]) == (422, "proof_invalid")


def test_a_deferred_sale_needs_its_proof_and_no_pin(till: Till) -> None:
    status, told = till.advise(deferred(till) | {"proof": None})
    assert (status, told["error"]) == (422, "proof_missing")
    pin = {"pin_block": "0" * 32, "pin_ksn": "0" * 24}
    status, told = till.advise(deferred(till, sealed=pin))
    assert (status, told["error"]) == (422, "pin_unfit")


def test_what_the_card_approved_is_not_called_deferred(till: Till) -> None:
    assert till.advise(deferred(till, kind=0x40))[1]["error"] == "cryptogram_unfit"


# ---- giving back -------------------------------------------------------------


def test_refunds_end_at_the_sum_of_the_sale(shop: Shop, till: Till) -> None:
    sale = till.sale(1000)
    till.pay(sale)

    codes = [
        till.pay(till.give_back("refund", sale["attempt"], amount))[1]["code"]
        for amount in (400, 601, 600, 1)
    ]

    assert codes == ["00", "13", "00", "13"]
    assert shop.taken() == 0
    assert shop.balance("card/visa-online") == FUNDS


def test_a_void_undoes_the_whole_sale_once(shop: Shop, till: Till) -> None:
    sale = till.sale(1000)
    till.pay(sale)

    partial = till.pay(till.give_back("void", sale["attempt"], 999))[1]["code"]
    whole = till.pay(till.give_back("void", sale["attempt"], 1000))[1]["code"]
    again = till.pay(till.give_back("void", sale["attempt"], 1000))[1]["code"]
    refund = till.pay(till.give_back("refund", sale["attempt"], 1))[1]["code"]

    assert (partial, whole, again, refund) == ("13", "00", "12", "12")
    assert shop.taken() == 0
    assert till.status(sale["attempt"]) == "reversed"


def test_a_sale_that_was_refunded_in_part_cannot_be_voided(shop: Shop, till: Till) -> None:
    sale = till.sale(1000)
    till.pay(sale)
    till.pay(till.give_back("refund", sale["attempt"], 1))

    assert till.pay(till.give_back("void", sale["attempt"], 1000))[1]["code"] == "12"


def test_another_merchants_sale_cannot_be_refunded(shop: Shop, till: Till) -> None:
    sale = till.sale(1000)
    till.pay(sale)
    neighbour = shop.till("till-9", merchant="next-door")

    assert neighbour.pay(neighbour.give_back("refund", sale["attempt"], 1000))[1]["code"] == "25"
    assert till.pay(till.give_back("refund", shop.uuid(), 1000))[1]["code"] == "25"


def test_another_till_of_the_shop_can_refund(shop: Shop, till: Till) -> None:
    sale = till.sale(1000)
    till.pay(sale)
    second = shop.till("till-2")

    assert second.pay(second.give_back("refund", sale["attempt"], 1000))[1]["code"] == "00"


def test_a_declined_sale_cannot_be_refunded(shop: Shop, till: Till) -> None:
    sale = till.sale(1000, pan="4000000000000002")
    till.pay(sale)

    assert till.pay(till.give_back("refund", sale["attempt"], 1000))[1]["code"] == "12"


# ---- reversals ----------------------------------------------------------------


def test_a_reversal_gives_the_money_back_once(shop: Shop, till: Till) -> None:
    sale = till.sale(1000)
    till.pay(sale)

    assert till.reverse(sale["attempt"]) == "reversed"
    assert till.reverse(sale["attempt"]) == "reversed"
    assert shop.taken() == 0
    assert till.status(sale["attempt"]) == "reversed"


def test_a_reversal_that_overtakes_its_payment_blocks_it(shop: Shop, till: Till) -> None:
    sale = till.sale(1000)

    assert till.reverse(sale["attempt"]) == "reversed"
    _, told = till.pay(sale)

    assert (told["state"], told["code"]) == ("declined", "R0")
    assert shop.taken() == 0
    assert till.status(sale["attempt"]) == "reversed"


def test_a_reversed_payment_sent_again_is_not_called_approved(shop: Shop, till: Till) -> None:
    """The stored answer said approved; the money has gone back since."""
    sale = till.sale(1000)
    till.pay(sale)
    till.reverse(sale["attempt"])

    assert till.pay(sale)[1]["state"] == "declined"
    assert shop.taken() == 0


def test_a_reversal_that_overtakes_an_order_blocks_it(shop: Shop, till: Till) -> None:
    attempt = shop.uuid()
    till.reverse(attempt)

    assert till.order(500, attempt)["state"] == "declined"


def test_a_reversed_decline_moves_nothing(shop: Shop, till: Till) -> None:
    sale = till.sale(1000, pan="4000000000000002")
    till.pay(sale)

    assert till.reverse(sale["attempt"]) == "reversed"
    assert shop.taken() == 0


def test_a_reversal_returns_only_what_refunds_have_left(shop: Shop, till: Till) -> None:
    sale = till.sale(1000)
    till.pay(sale)
    refund = till.give_back("refund", sale["attempt"], 300)
    till.pay(refund)

    till.reverse(sale["attempt"])
    assert shop.balance("card/visa-online") == FUNDS
    till.reverse(refund["attempt"])

    assert shop.balance("card/visa-online") == FUNDS
    assert shop.taken() == 0


def test_a_reversed_refund_leaves_the_sale_to_be_refunded(shop: Shop, till: Till) -> None:
    sale = till.sale(1000)
    till.pay(sale)
    refund = till.give_back("refund", sale["attempt"], 1000)
    till.pay(refund)
    till.reverse(refund["attempt"])

    assert shop.taken() == 1000
    assert till.pay(till.give_back("refund", sale["attempt"], 1000))[1]["code"] == "00"


def test_a_reversed_void_leaves_the_sale_standing(shop: Shop, till: Till) -> None:
    sale = till.sale(1000)
    till.pay(sale)
    void = till.give_back("void", sale["attempt"], 1000)
    till.pay(void)
    till.reverse(void["attempt"])

    assert shop.taken() == 1000
    assert till.status(sale["attempt"]) == "approved"


def test_another_tills_attempt_is_not_ones_own(shop: Shop, till: Till) -> None:
    sale = till.sale(1000)
    till.pay(sale)
    second = shop.till("till-2")

    for path in ("/v1/payments/status", "/v1/payments/close", "/v1/payments/reverse"):
        body = {"attempt": sale["attempt"]}
        if path.endswith("reverse"):
            body["reason"] = "late"
        status, told = second.ask(path, body)
        assert (status, told["error"]) == (422, "attempt_elsewhere")
    assert shop.taken() == 1000


def test_an_attempt_nobody_has_seen_is_not_found(shop: Shop, till: Till) -> None:
    assert till.status(shop.uuid()) == "not_found"


# --- numbers that were typed ------------------------------------------------


@pytest.mark.parametrize(
    ("pan", "expires", "amount_minor", "code"),
    [
        ("4761739001010119", "3112", 8_800, "00"),
        ("4761739001010119", "2610", 8_800, "54"),
        ("4761739001010119", "3112", FUNDS + 1, "51"),
        ("30569309025904", "3112", 8_800, "14"),
    ],
)
def test_a_typed_number_goes_by_its_date_and_the_money(
    shop: Shop, till: Till, pan: str, expires: str, amount_minor: int, code: str
) -> None:
    body = till.sale(amount_minor)
    sealed = till.seal({"attempt": body["attempt"], "pan": pan, "expires": expires})
    status, told = till.pay(body | {"tender": {"type": "keyed", "sealed": sealed}})
    assert (status, told["code"]) == (200, code)
    assert shop.taken() == (amount_minor if code == "00" else 0)
    if code == "00":
        assert till.reverse(body["attempt"]) == "reversed"
        assert shop.balance("card/visa-online") == FUNDS
