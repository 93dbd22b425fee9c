"""Amounts: whole minor units inside, digits and a point outside. Never a float.

How many digits a currency has, and how people write it, comes from the one
currency table in config.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from config.schema import Currency
from terminal.errors import AmountRefused

AMOUNT_DIGITS_MAX = 12
"""What tag 9F02 and ISO 8583 field 4 hold."""


def currency_of(letters: str, currencies: Mapping[str, Currency]) -> Currency:
    """Return the currency with these ISO 4217 letters, in either case.

    Raises AmountRefused if the table has none.
    """
    currency = currencies.get(letters.upper())
    if currency is None:
        known = letters if re.fullmatch("[A-Za-z]{1,8}", letters) else "this"
        raise AmountRefused(f"There is no currency {known}: use three ISO 4217 letters, as in CNY")
    return currency


def parse_amount(text: str, currency: Currency, maximum_minor: int | None = None) -> int:
    """Return the minor units in an amount as people write it: 34560 for '345.60'.

    text: digits, and a point if there are decimals; no sign, no grouping.
    maximum_minor: the largest amount allowed, in minor units.
    Raises AmountRefused, saying what is wrong with it. The text is not
    repeated there: it may be a card number swiped into the wrong field.
    """
    example = "345." + "6".ljust(currency.digits, "0") if currency.digits else "345"
    bare = text.strip()
    if bare.startswith(("-", "−")):
        raise AmountRefused("The amount is below zero: money goes back with a refund")
    # [0-9] and not \d, which takes the digits of every script.
    shape = re.fullmatch(r"([0-9]+)(?:\.([0-9]+))?", bare)
    if shape is None:
        raise AmountRefused(f"The amount is not a number: write it as in {example}")
    whole, decimals = shape[1].lstrip("0"), shape[2] or ""
    if len(decimals) > currency.digits:
        raise AmountRefused(
            f"The amount has {len(decimals)} digits after the point, "
            f"and {currency.letters} has {currency.digits or 'none'}: write it as in {example}"
        )
    if len(whole) + currency.digits > AMOUNT_DIGITS_MAX:
        raise AmountRefused(f"The amount has more than {AMOUNT_DIGITS_MAX} digits")
    amount_minor = int(whole + decimals.ljust(currency.digits, "0") or "0")
    check_amount(amount_minor, currency, maximum_minor)
    return amount_minor


def check_amount(amount_minor: int, currency: Currency, maximum_minor: int | None = None) -> None:
    """Raise AmountRefused unless the amount is above zero and within the limit."""
    if amount_minor < 0:
        raise AmountRefused("The amount is below zero: money goes back with a refund")
    if amount_minor == 0:
        raise AmountRefused("The amount is zero: enter one above zero")
    if maximum_minor is not None and amount_minor > maximum_minor:
        limit = amount_with_unit(maximum_minor, currency)
        raise AmountRefused(f"The amount is over this till's limit of {limit}")


def plain_amount(amount_minor: int, digits: int, *, grouped: bool = True) -> str:
    """Return '1,234.56' for 123456 with two digits; ungrouped, parse_amount() reads it back."""
    sign = "-" if amount_minor < 0 else ""
    whole, minor = divmod(abs(amount_minor), 10**digits)
    text = f"{whole:,}" if grouped else str(whole)
    return f"{sign}{text}.{minor:0{digits}d}" if digits else f"{sign}{text}"


def amount_with_unit(amount_minor: int, currency: Currency) -> str:
    """Return '¥1,234.56', or 'EUR 1,234.56' where the currency has no symbol of its own."""
    sign = "-" if amount_minor < 0 else ""
    unit = currency.symbol or f"{currency.letters} "
    return f"{sign}{unit}{plain_amount(abs(amount_minor), currency.digits)}"
