"""Amounts come in and go out to the cent, or are refused in plain words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import load_currencies
from config.schema import Currency
from terminal.errors import AmountRefused
from terminal.money import amount_with_unit, currency_of, parse_amount, plain_amount

TABLE = load_currencies()
CNY, JPY, KWD, EUR = TABLE["CNY"], TABLE["JPY"], TABLE["KWD"], TABLE["EUR"]


@pytest.mark.parametrize(
    ("text", "currency", "amount_minor"),
    [
        ("345.60", CNY, 34560),
        ("345.6", CNY, 34560),
        ("345", CNY, 34500),
        ("0.01", CNY, 1),
        ("000345.60", CNY, 34560),
        (" 345.60\n", CNY, 34560),
        ("9999999999.99", CNY, 999_999_999_999),
        ("500", JPY, 500),
        ("1.005", KWD, 1005),
    ],
)
def test_an_amount_is_read_to_the_minor_unit(
    text: str, currency: Currency, amount_minor: int
) -> None:
    assert parse_amount(text, currency) == amount_minor


@pytest.mark.parametrize(
    ("text", "currency", "says"),
    [
        ("0", CNY, "is zero"),
        ("0.00", CNY, "is zero"),
        ("-1", CNY, "below zero"),
        ("−1", CNY, "below zero"),
        ("1.005", CNY, "3 digits after the point, and CNY has 2: write it as in 345.60"),
        ("1.000", CNY, "3 digits after the point"),
        ("1.0", JPY, "JPY has none: write it as in 345"),
        ("10000000000.00", CNY, "more than 12 digits"),
        ("100000.01", CNY, "over this till's limit of ¥100,000.00"),
        ("", CNY, "not a number"),
        (".", CNY, "not a number"),
        (".5", CNY, "not a number"),
        ("5.", CNY, "not a number"),
        ("1,234.50", CNY, "not a number"),
        ("1,50", CNY, "not a number"),
        ("+5", CNY, "not a number"),
        ("1e3", CNY, "not a number"),
        ("0x10", CNY, "not a number"),
        ("1_000", CNY, "not a number"),
        ("NaN", CNY, "not a number"),
        ("٣٤٥", CNY, "not a number"),
        ("３４５", CNY, "not a number"),
        ("¥5", CNY, "not a number"),
    ],
)
def test_a_wrong_amount_is_refused_with_its_fault(text: str, currency: Currency, says: str) -> None:
    with pytest.raises(AmountRefused) as refusal:
        parse_amount(text, currency, 10_000_000)
    assert says in str(refusal.value)


def test_the_limit_itself_is_allowed() -> None:
    assert parse_amount("100000.00", CNY, 10_000_000) == 10_000_000


def test_a_card_number_in_the_amount_is_not_repeated() -> None:
    with pytest.raises(AmountRefused) as refusal:
        parse_amount("4111111111111111", CNY)
    assert "4111" not in str(refusal.value)
    with pytest.raises(AmountRefused) as refusal:
        currency_of("4111111111111111", TABLE)
    assert "4111" not in str(refusal.value)


@pytest.mark.parametrize(
    ("amount_minor", "currency", "text"),
    [
        (34560, CNY, "¥345.60"),
        (5, CNY, "¥0.05"),
        (123456789, CNY, "¥1,234,567.89"),
        (-34560, CNY, "-¥345.60"),
        (500, JPY, "JP¥500"),
        (1005, KWD, "KWD 1.005"),
        (34560, EUR, "EUR 345.60"),
    ],
)
def test_an_amount_is_written_with_its_unit(
    amount_minor: int, currency: Currency, text: str
) -> None:
    assert amount_with_unit(amount_minor, currency) == text


def test_an_unknown_currency_is_named() -> None:
    with pytest.raises(AmountRefused, match="no currency RMB"):
        currency_of("RMB", TABLE)
    assert currency_of("cny", TABLE) is CNY


@given(st.integers(1, 999_999_999_999), st.sampled_from(sorted(TABLE)))
def test_reading_undoes_writing_in_every_currency(amount_minor: int, letters: str) -> None:
    currency = TABLE[letters]
    text = plain_amount(amount_minor, currency.digits, grouped=False)

    assert parse_amount(text, currency) == amount_minor
    assert plain_amount(amount_minor, currency.digits).replace(",", "") == text


@given(st.text(max_size=20))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    try:
        amount_minor = parse_amount(text, CNY, 10_000_000)
    except AmountRefused:
        return
    assert 0 < amount_minor <= 10_000_000
