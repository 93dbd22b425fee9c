"""Sums of any day's payments, held against sums made another way."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from terminal.batch.batch import Batch, BatchState
from terminal.batch.totals import (
    RowName,
    digest_of,
    lines_of,
    net_by,
    rows_of,
    totals_of,
    without_cashiers,
)
from terminal.states import State
from terminal.view import Kind, Medium, PaymentView

PAYMENTS = st.builds(
    PaymentView,
    id=st.uuids(version=4).map(str),
    number=st.integers(1, 10**6),
    kind=st.sampled_from(Kind),
    state=st.sampled_from(State),
    amount_minor=st.integers(1, 10**9),
    currency=st.sampled_from(["CNY", "EUR"]),
    created_ms=st.just(0),
    updated_ms=st.just(0),
    cashier=st.sampled_from(["", "Lin Mei", "Wang Fang"]),
    medium=st.sampled_from(Medium),
    brand=st.sampled_from(["Visa", "Alipay", ""]),
)
DAYS = st.lists(PAYMENTS, max_size=30, unique_by=lambda payment: payment.id)


def moved(payment: PaymentView) -> int:
    """What a payment brought the shop."""
    if payment.kind in (Kind.SALE, Kind.COMPLETION, Kind.TIP):
        return payment.amount_minor if payment.state in (State.APPROVED, State.VOIDED) else 0
    is_given_back = payment.kind in (Kind.REFUND, Kind.VOID) and payment.state is State.APPROVED
    return -payment.amount_minor if is_given_back else 0


def batch_of(day: list[PaymentView]) -> Batch:
    lines = lines_of(day)
    totals = totals_of(lines)
    return Batch(1, BatchState.OPEN, "2026-11-24", totals, digest_of(lines), bank=totals)


@given(DAYS)
def test_the_net_is_what_the_shop_got_to_the_cent(day: list[PaymentView]) -> None:
    for currency in ("CNY", "EUR"):
        rows = {row.name: row for row in rows_of(batch_of(day), currency)}
        wanted = sum(moved(payment) for payment in day if payment.currency == currency)
        parts = [row.till_minor for name, row in rows.items() if name is not RowName.NET]
        assert rows[RowName.NET].till_minor == wanted == sum(parts)
        assert all(row.difference_minor == 0 for row in rows.values())


@given(DAYS)
def test_every_grouping_has_the_same_sum(day: list[PaymentView]) -> None:
    totals = totals_of(lines_of(day))
    for names in (lambda total: total.brand, lambda total: total.cashier):
        sums = net_by(totals, names, "CNY").values()
        assert sum(minor for _, minor in sums) == sum(
            moved(payment) for payment in day if payment.currency == "CNY"
        )
    assert sum(total.count for total in without_cashiers(totals)) == len(lines_of(day))


@given(DAYS, st.randoms(use_true_random=False))
def test_the_order_of_payments_does_not_matter(day: list[PaymentView], chance: object) -> None:
    shuffled = list(day)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert batch_of(shuffled) == batch_of(day)


@given(DAYS.filter(bool))
def test_one_cent_more_is_another_digest(day: list[PaymentView]) -> None:
    first = replace(day[0], kind=Kind.SALE, state=State.APPROVED)
    other = replace(first, amount_minor=first.amount_minor + 1)
    assert digest_of(lines_of([first])) != digest_of(lines_of([other]))


def test_the_digest_is_the_one_that_the_link_describes() -> None:
    """Source: docs/bank-link.md, Batches."""
    payment = PaymentView(
        id="0192e4a0-0000-7000-8000-000000000001",
        number=1,
        kind=Kind.SALE,
        state=State.APPROVED,
        amount_minor=1250,
        currency="CNY",
        created_ms=0,
        updated_ms=0,
    )
    text = b"0192e4a0-0000-7000-8000-000000000001 sale 1250 CNY\n"
    assert digest_of(lines_of([payment])) == hashlib.sha256(text).hexdigest()
