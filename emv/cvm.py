"""The card's list of ways to verify the cardholder: which rules apply here.

What is done about a rule is the kernel's; this only reads conditions and
codes.
Source: EMV 4.4 Book 3, 10.5 and Annex C3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from emv import tags
from emv.bits import CVMList, CVMRule, TerminalCapabilities
from emv.restrictions import TYPE_CASHBACK, TYPES_CASH

FAIL = 0x00
PLAINTEXT_PIN = 0x01
ONLINE_PIN = 0x02
PLAINTEXT_PIN_AND_SIGNATURE = 0x03
ENCIPHERED_PIN = 0x04
ENCIPHERED_PIN_AND_SIGNATURE = 0x05
SIGNATURE = 0x1E
NO_CVM = 0x1F

ALWAYS = 0x00
UNATTENDED_CASH = 0x01
NOT_CASH_NOR_CASHBACK = 0x02
IF_SUPPORTED = 0x03
MANUAL_CASH = 0x04
CASHBACK = 0x05
UNDER_X = 0x06
OVER_X = 0x07
UNDER_Y = 0x08
OVER_Y = 0x09

PLAINTEXT_METHODS = frozenset({PLAINTEXT_PIN, PLAINTEXT_PIN_AND_SIGNATURE})
ENCIPHERED_METHODS = frozenset({ENCIPHERED_PIN, ENCIPHERED_PIN_AND_SIGNATURE})
OFFLINE_PIN_METHODS = PLAINTEXT_METHODS | ENCIPHERED_METHODS
PIN_METHODS = OFFLINE_PIN_METHODS | {ONLINE_PIN}
SIGNATURE_METHODS = frozenset(
    {SIGNATURE, PLAINTEXT_PIN_AND_SIGNATURE, ENCIPHERED_PIN_AND_SIGNATURE}
)

_CAPABILITIES: Mapping[int, TerminalCapabilities] = {
    PLAINTEXT_PIN: TerminalCapabilities.PLAINTEXT_PIN,
    ONLINE_PIN: TerminalCapabilities.ONLINE_PIN,
    PLAINTEXT_PIN_AND_SIGNATURE: (
        TerminalCapabilities.PLAINTEXT_PIN | TerminalCapabilities.SIGNATURE
    ),
    ENCIPHERED_PIN: TerminalCapabilities.ENCIPHERED_PIN,
    ENCIPHERED_PIN_AND_SIGNATURE: (
        TerminalCapabilities.ENCIPHERED_PIN | TerminalCapabilities.SIGNATURE
    ),
    SIGNATURE: TerminalCapabilities.SIGNATURE,
    NO_CVM: TerminalCapabilities.NO_CVM,
}
"""What tag 9F33 must say for a method to be possible. Source: Book 4, Annex A2."""

OFFLINE_PIN_CAPABILITIES = TerminalCapabilities.PLAINTEXT_PIN | TerminalCapabilities.ENCIPHERED_PIN


def is_recognised(method: int) -> bool:
    """True if the method is one that this edition of the books gives a meaning to here.

    Biometric methods count as unknown: nothing here can take one.
    """
    return method == FAIL or method in _CAPABILITIES


def is_supported(method: int, capabilities: TerminalCapabilities) -> bool:
    """True if this terminal can do the method."""
    needed = _CAPABILITIES.get(method)
    return needed is not None and needed in capabilities


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the conditions of a list ask about one payment."""

    amount_minor: int
    is_application_currency: bool
    """The payment's currency is the card's own, tag 9F42; X and Y are in that."""
    is_unattended_cash: bool
    is_manual_cash: bool
    has_cashback: bool
    capabilities: TerminalCapabilities

    @classmethod
    def of(cls, card: Mapping[int, bytes], terminal: Mapping[int, bytes]) -> Circumstances:
        """Read them out of the card's and the terminal's data objects."""
        kind = terminal[tags.TAG_9C_TRANSACTION_TYPE][0]
        is_attended = terminal[tags.TAG_9F35_TERMINAL_TYPE][0] & 0x0F in (1, 2, 3)
        currency = terminal[tags.TAG_5F2A_TRANSACTION_CURRENCY_CODE]
        is_cash = kind in TYPES_CASH
        return cls(
            amount_minor=int(terminal[tags.TAG_9F02_AMOUNT_AUTHORISED].hex()),
            is_application_currency=card.get(tags.TAG_9F42_APPLICATION_CURRENCY_CODE) == currency,
            is_unattended_cash=is_cash and not is_attended,
            is_manual_cash=is_cash and is_attended,
            has_cashback=kind == TYPE_CASHBACK
            or (not is_cash and any(terminal.get(tags.TAG_9F03_AMOUNT_OTHER, b""))),
            capabilities=TerminalCapabilities.decode(terminal[tags.TAG_9F33_TERMINAL_CAPABILITIES]),
        )


def is_met(rule: CVMRule, cvm_list: CVMList, here: Circumstances) -> bool:
    """True if a rule's condition holds; a condition nobody knows never does.

    Under and over are strict: an amount of exactly X meets neither.

    Source: Book 3, 10.5 and Table 44.
    """
    condition = rule.condition
    if condition == ALWAYS:
        return True
    if condition == IF_SUPPORTED:
        return is_supported(rule.method, here.capabilities)
    if condition in _AMOUNT_CONDITIONS:
        return here.is_application_currency and _AMOUNT_CONDITIONS[condition](
            here.amount_minor, cvm_list
        )
    is_cash = here.is_unattended_cash or here.is_manual_cash
    return {
        UNATTENDED_CASH: here.is_unattended_cash,
        NOT_CASH_NOR_CASHBACK: not (is_cash or here.has_cashback),
        MANUAL_CASH: here.is_manual_cash,
        CASHBACK: here.has_cashback,
    }.get(condition, False)


_AMOUNT_CONDITIONS: Mapping[int, Callable[[int, CVMList], bool]] = {
    UNDER_X: lambda amount, limits: amount < limits.amount_x_minor,
    OVER_X: lambda amount, limits: amount > limits.amount_x_minor,
    UNDER_Y: lambda amount, limits: amount < limits.amount_y_minor,
    OVER_Y: lambda amount, limits: amount > limits.amount_y_minor,
}
