"""Amounts, times and card numbers as people read them."""

from __future__ import annotations

import time

from terminal.view import PaymentView, ShopFacts


def plain_amount(amount_minor: int, digits: int) -> str:
    """Return '1,234.56' for 123456 with two digits."""
    sign = "-" if amount_minor < 0 else ""
    whole, minor = divmod(abs(amount_minor), 10**digits)
    return f"{sign}{whole:,}.{minor:0{digits}d}" if digits else f"{sign}{whole:,}"


def amount_text(amount_minor: int, shop: ShopFacts) -> str:
    """Return '¥1,234.56', or 'EUR 1,234.56' where the currency has no safe sign."""
    sign = "-" if amount_minor < 0 else ""
    unit = shop.currency_symbol or f"{shop.currency} "
    return sign + unit + plain_amount(abs(amount_minor), shop.currency_digits)


def clock_text(unix_ms: int) -> str:
    """Return the local time of day, '14:32'."""
    return time.strftime("%H:%M", time.localtime(unix_ms / 1000))


def time_text(unix_ms: int) -> str:
    """Return the local time of day to the second, '14:32:07'."""
    return time.strftime("%H:%M:%S", time.localtime(unix_ms / 1000))


def day_text(unix_ms: int) -> str:
    """Return the local day, '11-23'."""
    return time.strftime("%m-%d", time.localtime(unix_ms / 1000))


def date_text(unix_ms: int) -> str:
    """Return the local day and time, '2026-11-23 14:32:07'."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(unix_ms / 1000))


def short_identity(payment: PaymentView) -> str:
    """Return eight characters of an attempt's identity, '0192-7F3A'."""
    letters = payment.id.replace("-", "").upper()
    return f"{letters[:4]}-{letters[-4:]}"


def last_four(masked_pan: str) -> str:
    """Return '**** 4242', or nothing for a payment without a card."""
    return f"**** {masked_pan[-4:]}" if masked_pan else ""


def amount_from_text(text: str, digits: int) -> int | None:
    """Return minor units for what a cashier typed, or None if it is no amount.

    Digits alone are minor units, as on the keys: '1099' is 10.99. With a
    decimal point they are what they look like: '10.99', '10.9', '10.'.
    """
    bare = text.replace(",", "").replace(" ", "")
    whole, point, fraction = bare.partition(".")
    if not whole.isascii() or not whole.isdigit() or len(whole) > 12:
        return None
    if not point:
        return int(whole)
    if len(fraction) > digits or (fraction and not (fraction.isascii() and fraction.isdigit())):
        return None
    return int(whole + fraction.ljust(digits, "0"))
