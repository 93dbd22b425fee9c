"""Amounts and times as people read them."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ui.money import (
    amount_from_text,
    amount_text,
    clock_text,
    last_four,
    plain_amount,
    short_identity,
)
from ui.still import NOON_MS, SHOP, payment


@pytest.mark.parametrize(
    ("minor", "digits", "text"),
    [
        (34560, 2, "345.60"),
        (5, 2, "0.05"),
        (123_456_789, 2, "1,234,567.89"),
        (-5, 2, "-0.05"),
        (500, 0, "500"),
        (1234, 3, "1.234"),
    ],
)
def test_minor_units_are_shown_in_major_ones(minor: int, digits: int, text: str) -> None:
    assert plain_amount(minor, digits) == text


def test_a_currency_without_a_safe_sign_is_written_in_letters() -> None:
    euro = replace(SHOP, currency="EUR", currency_symbol="")
    assert amount_text(34560, euro) == "EUR 345.60"
    assert amount_text(-34560, SHOP) == "-¥345.60"


@given(st.integers(0, 10**11), st.integers(0, 3))
@settings(max_examples=100)
def test_an_amount_with_its_point_is_read_back(minor: int, digits: int) -> None:
    text = plain_amount(minor, digits)
    if digits:
        assert amount_from_text(text, digits) == minor


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("1099", 1099),
        ("10.99", 1099),
        ("10.9", 1090),
        ("10.", 1000),
        ("1,000.00", 100_000),
        ("10.999", None),
        ("-5", None),
        ("ten", None),
        (".5", None),
        ("１２", None),
        ("1" * 13, None),
        ("", None),
    ],
)
def test_what_a_cashier_types_is_an_amount_or_nothing(text: str, minor: int | None) -> None:
    assert amount_from_text(text, 2) == minor


@given(st.text(max_size=20))
@settings(max_examples=150)
def test_any_text_is_an_amount_or_nothing(text: str) -> None:
    amount = amount_from_text(text, 2)
    assert amount is None or amount >= 0


def test_times_are_local() -> None:
    assert clock_text(NOON_MS) == "14:32"


def test_a_card_is_its_last_four() -> None:
    assert last_four("424242******4242") == "**** 4242"
    assert last_four("") == ""


def test_an_attempt_has_a_short_name() -> None:
    assert short_identity(payment(415)) == "0192-019F"
