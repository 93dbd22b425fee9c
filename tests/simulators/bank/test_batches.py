"""A till's batch: what counts in it, when it may be closed, and which lines differ."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.simulators.bank.conftest import Shop, Till

Body = dict[str, Any]


class Batch:
    """What a till keeps of its own batch, summed up by hand."""

    def __init__(self, till: Till, number: int = 3) -> None:
        self.till = till
        self.number = number
        self.lines: list[Body] = []

    def add(self, body: Body, brand: str, medium: str = "card") -> Body:
        """Pay something in this batch, and keep its line."""
        status, told = self.till.pay(body | {"batch": self.number})
        assert (status, told.get("state")) == (200, "approved")
        line = {name: body[name] for name in ("attempt", "number", "kind")}
        line |= {"medium": medium, "brand": brand}
        line |= {name: body[name] for name in ("currency", "amount_minor")}
        self.lines = sorted([*self.lines, line], key=lambda one: str(one["attempt"]))
        return body

    def sale(self, amount_minor: int) -> Body:
        return self.add(self.till.sale(amount_minor), "Visa")

    def totals(self) -> list[Body]:
        sums: dict[tuple[str, ...], list[int]] = {}
        for line in self.lines:
            key = tuple(line[name] for name in ("kind", "medium", "brand", "currency"))
            sums.setdefault(key, []).append(line["amount_minor"])
        return [
            {
                **dict(zip(("kind", "medium", "brand", "currency"), key, strict=True)),
                "count": len(amounts),
                "amount_minor": sum(amounts),
            }
            for key, amounts in sums.items()
        ]

    def digest(self) -> str:
        text = "".join(
            f"{line['attempt']} {line['kind']} {line['amount_minor']} {line['currency']}\n"
            for line in self.lines
        )
        return hashlib.sha256(text.encode()).hexdigest()

    def close(self, **changes: Any) -> tuple[int, Body]:
        body = {"batch": self.number, "totals": self.totals(), "digest": self.digest()}
        return self.till.ask("/v1/batches/close", body | changes)

    def compare(self, lines: list[Body], after: str = "", *, is_last: bool = True) -> Body:
        body = {"batch": self.number, "after": after, "lines": lines, "is_last": is_last}
        status, told = self.till.ask("/v1/batches/lines", body)
        assert status == 200, told
        return told


@pytest.fixture
def batch(till: Till) -> Batch:
    return Batch(till)


def test_a_batch_that_is_alike_is_closed(batch: Batch) -> None:
    sale = batch.sale(1250)
    batch.sale(99)
    batch.add(batch.till.give_back("refund", sale["attempt"], 250), "Visa")

    _, asked = batch.till.ask("/v1/batches/totals", {"batch": 3})
    status, told = batch.close()

    assert asked["state"] == "open"
    assert (status, told["state"], told["batch"]) == (200, "closed", 3)
    assert told["totals"] == asked["totals"]
    assert sorted(told["totals"], key=str) == sorted(batch.totals(), key=str)


def test_a_voided_sale_counts_beside_its_void(batch: Batch) -> None:
    sale = batch.sale(500)
    batch.add(batch.till.give_back("void", sale["attempt"], 500), "Visa")

    _, told = batch.close()

    assert told["state"] == "closed"
    assert [(sum_["kind"], sum_["amount_minor"]) for sum_ in told["totals"]] == [
        ("sale", 500),
        ("void", 500),
    ]


def test_wallets_are_summed_up_by_brand(shop: Shop, batch: Batch) -> None:
    code = shop.wallet("alipay").code()
    batch.add(batch.till.code_sale(700, code), "Alipay", "wallet")
    batch.sale(100)

    _, told = batch.close()

    assert told["state"] == "closed"
    assert [(sum_["medium"], sum_["brand"]) for sum_ in told["totals"]] == [
        ("card", "Visa"),
        ("wallet", "Alipay"),
    ]


def test_a_shown_code_counts_in_the_batch_of_its_order(shop: Shop, batch: Batch) -> None:
    opened = batch.till.order(300, batch=3)
    shop.wallet("alipay").ask("pay", shown_code=opened["shown_code"])

    _, told = batch.till.ask("/v1/batches/totals", {"batch": 3})

    assert [(sum_["medium"], sum_["amount_minor"]) for sum_ in told["totals"]] == [("wallet", 300)]


def test_what_was_declined_or_reversed_does_not_count(batch: Batch) -> None:
    batch.sale(100)
    batch.till.pay(batch.till.sale(100, pan="4000000000009995") | {"batch": 3})
    undone = batch.till.sale(4000) | {"batch": 3}
    batch.till.pay(undone)
    batch.till.reverse(undone["attempt"])

    assert batch.close()[1]["state"] == "closed"


@pytest.mark.parametrize("missing", ["till", "bank"])
def test_a_batch_with_a_line_more_or_less_stays_open(batch: Batch, missing: str) -> None:
    batch.sale(100)
    odd = batch.till.sale(77)
    if missing == "till":
        batch.till.pay(odd | {"batch": 3})
    else:
        batch.lines.append(batch.lines[0] | {"attempt": odd["attempt"]})

    _, told = batch.close()

    assert told["state"] == "differs"
    assert batch.till.ask("/v1/batches/totals", {"batch": 3})[1]["state"] == "open"
    assert batch.till.pay(batch.till.sale(10) | {"batch": 3})[1]["state"] == "approved"


def test_equal_sums_of_other_payments_are_not_alike(batch: Batch) -> None:
    """One more at the bank and one more at the till, of the same amount."""
    batch.sale(100)
    batch.lines[0]["attempt"] = batch.till.sale(100)["attempt"]

    assert batch.close()[1]["state"] == "differs"


def test_a_difference_that_is_accepted_closes_the_batch(batch: Batch) -> None:
    batch.sale(100)
    batch.lines.clear()

    _, told = batch.close(accepted=True)

    assert told["state"] == "closed"
    assert told["totals"][0]["amount_minor"] == 100, "the bank says what it has"


def test_a_closed_batch_takes_nothing_more(shop: Shop, batch: Batch) -> None:
    sale = batch.sale(100)
    batch.close()
    order = {"order": shop.uuid(), "attempt": shop.uuid(), "number": 9, "amount_minor": 5}
    order |= {"currency": "CNY", "at": shop.at(), "valid_s": 60, "batch": 3}

    for path, body in (
        ("/v1/payments", batch.till.sale(10) | {"batch": 3}),
        ("/v1/payments", batch.till.give_back("refund", sale["attempt"], 10) | {"batch": 3}),
        ("/v1/advices", batch.till.sale(10, kind=0x40) | {"batch": 3}),
        ("/v1/orders", order),
    ):
        key = None if path == "/v1/orders" else body["attempt"]
        status, told = batch.till.ask(path, body, key=key)
        assert (status, told["error"]) == (422, "batch_closed")
    assert shop.taken() == 100


def test_a_sale_of_a_closed_batch_is_refunded_not_voided(batch: Batch) -> None:
    sale = batch.sale(100)
    batch.close()

    for kind, code in (("void", "12"), ("refund", "00")):
        body = batch.till.give_back(kind, sale["attempt"], 100) | {"batch": 4}
        assert batch.till.pay(body)[1]["code"] == code


def test_a_close_that_is_asked_again_is_answered_again(batch: Batch) -> None:
    """Its first answer may have been lost; another batch under its number is refused."""
    batch.sale(100)
    first = batch.close()[1]

    assert batch.close()[1] == first
    batch.lines[0]["amount_minor"] = 99
    assert batch.close(accepted=True)[1]["error"] == "batch_closed"


def test_an_attempt_stays_in_its_batch(batch: Batch) -> None:
    attempt = batch.till.order(5, batch=3)["attempt"]
    batch.till.close(attempt)

    sale = batch.till.sale(5, attempt=attempt) | {"batch": 4}

    assert batch.till.pay(sale)[1]["error"] == "batch_differs"


def test_batches_of_two_tills_are_apart(shop: Shop, batch: Batch) -> None:
    other = Batch(shop.till("till-2"))
    batch.sale(100)
    other.sale(200)

    assert batch.close()[1]["state"] == "closed"
    assert other.till.pay(other.till.sale(1) | {"batch": 3})[1]["state"] == "approved"


# ---- line by line ------------------------------------------------------------


def test_exactly_the_differing_lines_are_told(batch: Batch) -> None:
    for amount in (100, 200, 300, 400):
        batch.sale(amount)
    told, theirs = [dict(line) for line in batch.lines], batch.lines
    gone, altered, added = told.pop(2), told[1], dict(theirs[0])
    altered["amount_minor"] += 1
    added["attempt"] = f"f{theirs[0]['attempt'][1:]}"
    told = sorted([*told, added], key=lambda line: str(line["attempt"]))

    differences = batch.compare(told)["differences"]

    by_attempt = {difference["attempt"]: difference for difference in differences}
    assert by_attempt.keys() == {gone["attempt"], altered["attempt"], added["attempt"]}
    assert (by_attempt[gone["attempt"]]["till"], by_attempt[gone["attempt"]]["bank"]) == (
        None,
        gone,
    )
    assert by_attempt[added["attempt"]]["bank"] is None
    assert by_attempt[altered["attempt"]]["till"] == altered
    assert by_attempt[altered["attempt"]]["bank"]["amount_minor"] == altered["amount_minor"] - 1


def test_parts_are_compared_within_their_own_range(batch: Batch) -> None:
    for amount in (100, 200, 300, 400):
        batch.sale(amount)
    lines = batch.lines

    first = batch.compare([lines[1]], is_last=False)
    second = batch.compare([lines[2]], after=lines[1]["attempt"])

    assert [one["attempt"] for one in first["differences"]] == [lines[0]["attempt"]]
    assert [one["attempt"] for one in second["differences"]] == [lines[3]["attempt"]]


def test_more_differences_than_an_answer_holds_are_told_in_parts(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulators.bank.batches.DIFFERENCES_MAX", 2)
    for amount in (100, 200, 300):
        batch.sale(amount)

    first = batch.compare([])
    second = batch.compare([], after=first["through"])

    assert first["through"] == batch.lines[1]["attempt"]
    assert [one["attempt"] for one in second["differences"]] == [batch.lines[2]["attempt"]]
    assert second["through"] is None


def test_lines_out_of_order_are_refused(batch: Batch) -> None:
    batch.sale(100)
    batch.sale(200)
    body = {"batch": 3, "after": "", "lines": batch.lines[::-1], "is_last": True}

    assert batch.till.ask("/v1/batches/lines", body)[1]["error"] == "lines_unsorted"
