"""How an issuer decides: one rule after the other, the first that speaks wins."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass

from simulators.bank.accounts import CardAccount
from simulators.bank.issuer import aes, cryptogram
from simulators.bank.issuer.card import CardData
from simulators.bank.issuer.formats import IssuerData, read_issuer_data

APPROVED = "00"
DO_NOT_HONOUR = "05"
INVALID_CARD = "14"
INSUFFICIENT_FUNDS = "51"
EXPIRED = "54"
WRONG_PIN = "55"
OVER_LIMIT = "61"
TOO_OFTEN = "65"
PIN_BLOCKED = "75"
PIN_NOT_CHECKED = "86"
ISSUER_DOWN = "91"

# Tags under the cryptogram, in this order. Source: VIS 1.6, D.2 and D.3.
SIGNED_TAGS = (0x9F02, 0x9F03, 0x9F1A, 0x95, 0x5F2A, 0x9A, 0x9C, 0x9F37, 0x82, 0x9F36)

# Relay resistance: threshold or time limits exceeded, byte 5 bits 4 and 3.
ANSWERED_TOO_LATE = 0x0C

# Card status update: issuer approves online, byte 2 bit 8.
# Source: EMV 4.4 Book 3, annex C10.
CSU_APPROVED = bytes.fromhex("00800000")
CSU_DECLINED = bytes(4)


@dataclass(frozen=True, slots=True)
class Decision:
    """A response code, and why, for the bank's own people."""

    code: str
    why: str


@dataclass(frozen=True, slots=True)
class History:
    """What the issuer knows of an account beyond its rules."""

    balance_minor: int
    approved_today: int
    """Approvals within the last 24 hours; not counted where no rule asks."""
    is_replay: bool
    """Its counter was used before."""


def is_genuine(card: CardData, issuer_key: bytes) -> bool:
    """Return whether the card's own key made this cryptogram, over this data."""
    issuer_data = read_issuer_data(card.values)
    if not issuer_data.is_known:
        return False
    data = b"".join(card.values[tag] for tag in SIGNED_TAGS) + issuer_data.covered
    key = _key(card, issuer_key, issuer_data)
    if issuer_data.is_aes:
        expected = aes.application_cryptogram(key, data)
    else:
        expected = cryptogram.application_cryptogram(key, data, is_marked=issuer_data.is_marked)
    return cryptogram.is_same(expected, card.values[0x9F26])


def issuer_answer(card: CardData, issuer_key: bytes, code: str) -> bytes:
    """Return tag 91's value: the issuer's cryptogram, and what the card shall do.

    card: whose cryptogram is genuine. code: the response code.
    """
    issuer_data = read_issuer_data(card.values)
    key, request_cryptogram = _key(card, issuer_key, issuer_data), card.values[0x9F26]
    if issuer_data.is_aes:
        answer = code.encode("ascii")
        return aes.response_cryptogram(key, request_cryptogram, answer) + answer
    if issuer_data.answers_code:
        answer = code.encode("ascii")
        return cryptogram.response_cryptogram_method_1(key, request_cryptogram, answer) + answer
    update = CSU_APPROVED if code == APPROVED else CSU_DECLINED
    return cryptogram.response_cryptogram_method_2(key, request_cryptogram, update) + update


def decide(
    account: CardAccount,
    card: CardData,
    amount_minor: int,
    history: History,
    today: datetime.date,
    check_pin: Callable[[], Decision | None],
) -> Decision:
    """Decide on a sale whose cryptogram is genuine.

    today: by the bank's calendar. check_pin: called once at most, and only
    where it matters, for it uses up a try; None if nothing is wrong.
    """
    if history.is_replay:
        return Decision(DO_NOT_HONOUR, "the card's counter was used before")
    if card.values[0x95][4] & ANSWERED_TOO_LATE:
        return Decision(DO_NOT_HONOUR, "the card answered as if from far away")
    if account.always is not None:
        return Decision(account.always, "the account's own rule")
    if _is_expired(account, card, today):
        return Decision(EXPIRED, "the card is expired")
    # Before anything that would tell a thief about the account.
    wrong_pin = check_pin()
    if wrong_pin is not None:
        return wrong_pin
    return _decide_by_money(account, amount_minor, history)


def decide_keyed(
    account: CardAccount, expires: str, amount_minor: int, history: History, today: datetime.date
) -> Decision:
    """Decide on a sale to a card that is not there: no cryptogram, no PIN, only its date.

    expires: year and month as typed, two digits each.
    """
    if account.always is not None:
        return Decision(account.always, "the account's own rule")
    this_month = f"{today:%Y-%m}"
    is_past = account.expires is not None and account.expires < this_month
    if is_past or expires < f"{today:%y%m}":
        return Decision(EXPIRED, "the card is expired")
    return _decide_by_money(account, amount_minor, history)


def _decide_by_money(account: CardAccount, amount_minor: int, history: History) -> Decision:
    """Apply the rules about how much and how often."""
    if account.limit_minor is not None and amount_minor > account.limit_minor:
        return Decision(OVER_LIMIT, "above the account's limit")
    most = account.payments_per_day_max
    if most is not None and history.approved_today >= most:
        return Decision(TOO_OFTEN, "too many payments within 24 hours")
    if amount_minor > history.balance_minor:
        return Decision(INSUFFICIENT_FUNDS, "not enough money")
    return Decision(APPROVED, "")


def decide_advice(history: History) -> Decision:
    """Decide on a sale that the card has approved already.

    The issuer's card gave its word, so the shop is paid, from an empty
    account too; but only once.
    """
    if history.is_replay:
        return Decision(DO_NOT_HONOUR, "the card's counter was used before")
    return Decision(APPROVED, "")


def _key(card: CardData, issuer_key: bytes, issuer_data: IssuerData) -> bytes:
    """Return the key of this transaction."""
    derive = aes.card_master_key if issuer_data.is_aes else cryptogram.card_master_key
    card_key = derive(issuer_key, card.pan, card.sequence_number)
    return issuer_data.derive(card_key)


def _is_expired(account: CardAccount, card: CardData, today: datetime.date) -> bool:
    this_month = f"{today:%Y-%m}"
    if account.expires is not None and account.expires < this_month:
        return True
    # The card's own date has two digits for the year.
    return bool(card.expires) and card.expires[:4] < f"{today:%y%m}"
