"""Is what was scanned a payment code, and whose?

The grammar of digits is a table that the acquirer may change; length and
printed form count as much as the beginning. A code with a damaged or foreign
shape is refused here, before anything is sent.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from emv.errors import MalformedData
from emv.qr import consumer, merchant

QR = "qr"
CODE_128 = "code128"

DIGITS_MAX = 64


class DigitsRule(Protocol):
    """One row of the table: which digits are a wallet's code."""

    @property
    def wallet(self) -> str:
        """A stable word for the wallet."""

    @property
    def prefixes(self) -> Sequence[str]:
        """Beginnings, in digits; none means any."""

    @property
    def lengths(self) -> tuple[int, int]:
        """Fewest and most digits."""

    @property
    def symbologies(self) -> Sequence[str]:
        """Printed forms: 'qr', 'code128'."""


class Kind(enum.Enum):
    """What was scanned."""

    WALLET = "wallet digits"
    CONSUMER = "consumer-presented code"
    MERCHANT = "merchant-presented code"
    """A shop's code: a customer pays it, a till cannot be paid with it."""
    OTHER = "not a payment code"


class Reason(enum.StrEnum):
    """Why it is not a payment code; stable words for scripts."""

    NONE = ""
    TEXT = "text"
    UNKNOWN_DIGITS = "digits of no wallet here"
    WRONG_FORM = "digits of a wallet in the wrong printed form"
    DAMAGED_CONSUMER_CODE = "damaged consumer code"
    NO_APPLICATION = "consumer code without an application"
    DAMAGED_MERCHANT_CODE = "damaged merchant code"


@dataclass(frozen=True, slots=True)
class PaymentCode:
    """What was scanned, and how it goes to the bank."""

    kind: Kind
    text: str = field(default="", repr=False)
    """As scanned, without white space around it; it is as good as money."""
    wallet: str = ""
    """The rule's word, for digits."""
    reason: Reason = Reason.NONE
    detail: str = ""
    """For people who look into it: what is damaged, where. No card data."""

    @property
    def can_pay(self) -> bool:
        """A till can be paid with it."""
        return self.kind in (Kind.WALLET, Kind.CONSUMER)


def classify(data: bytes, symbology: str, rules: Sequence[DigitsRule]) -> PaymentCode:
    """Say what a scanned symbol is.

    data: the symbol's payload. symbology: 'qr' or 'code128'.
    rules: the acquirer's table; where several fit, the longest beginning wins.
    Never raises: what fits nothing is OTHER, with the reason.
    """
    try:
        # Hand scanners end a code with a line feed; some wallets add blanks.
        text = data.decode("utf-8").strip(" \t\r\n")
    except UnicodeDecodeError:
        return PaymentCode(Kind.OTHER, reason=Reason.TEXT)
    if text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX:
        return _classify_digits(text, symbology, rules)
    if symbology == QR and text.startswith(consumer.HEAD):
        return _classify_consumer(text)
    if symbology == QR and text.startswith("0002"):
        return _classify_merchant(text)
    return PaymentCode(Kind.OTHER, text, reason=Reason.TEXT)


def _classify_digits(text: str, symbology: str, rules: Sequence[DigitsRule]) -> PaymentCode:
    best: DigitsRule | None = None
    best_length = -1
    wrong_form = False
    for rule in rules:
        least, most = rule.lengths
        if not least <= len(text) <= most:
            continue
        fitting = [len(prefix) for prefix in rule.prefixes if text.startswith(prefix)]
        if rule.prefixes and not fitting:
            continue
        if symbology not in rule.symbologies:
            wrong_form = True
            continue
        length = max(fitting, default=0)
        if length > best_length:
            best, best_length = rule, length
    if best is not None:
        return PaymentCode(Kind.WALLET, text, wallet=best.wallet)
    reason = Reason.WRONG_FORM if wrong_form else Reason.UNKNOWN_DIGITS
    return PaymentCode(Kind.OTHER, text, reason=reason)


def _classify_consumer(text: str) -> PaymentCode:
    try:
        code = consumer.parse(text)
    except MalformedData as error:
        return PaymentCode(Kind.OTHER, text, reason=Reason.DAMAGED_CONSUMER_CODE, detail=str(error))
    if not code.applications:
        return PaymentCode(Kind.OTHER, text, reason=Reason.NO_APPLICATION)
    return PaymentCode(Kind.CONSUMER, text)


def _classify_merchant(text: str) -> PaymentCode:
    try:
        merchant.parse(text)
    except MalformedData as error:
        return PaymentCode(Kind.OTHER, text, reason=Reason.DAMAGED_MERCHANT_CODE, detail=str(error))
    return PaymentCode(Kind.MERCHANT, text)
