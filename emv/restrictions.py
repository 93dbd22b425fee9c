"""May this card do this, here, today: version, usage control, dates.

Source: EMV 4.4 Book 3, 10.4.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from emv import tags
from emv.bits import AUC, TVR, AdditionalTerminalCapabilities
from emv.errors import MalformedData

TYPE_GOODS = 0x00
TYPES_CASH = frozenset({0x01, 0x17})  # Cash advance, cash disbursement.
TYPE_CASHBACK = 0x09

TYPES_ATM = frozenset({0x14, 0x15, 0x16})
"""Values of tag 9F35 that, if they give out cash, are ATMs. Source: Book 4, Annex A1."""


def read_date(value: bytes, *, is_end: bool = False) -> datetime.date:
    """Return a YYMMDD date; years from 50 on are the last century's.

    is_end: day 00 stands for the last day of the month, as some cards
    write an expiry.
    Raises MalformedData if it is no date.

    Source: EMV 4.4 Book 4, 6.7.3 (century).
    """
    text = value.hex()
    if len(text) != 6 or not text.isdecimal():
        raise MalformedData("a date is not six digits")
    year, month, day = (int(text[at : at + 2]) for at in (0, 2, 4))
    year += 1900 if year >= 50 else 2000
    if not 1 <= month <= 12:
        raise MalformedData("a date has no such month")
    next_month = datetime.date(year + month // 12, month % 12 + 1, 1)
    last = (next_month - datetime.timedelta(days=1)).day
    if is_end and day == 0:
        day = last
    if not 1 <= day <= last:
        raise MalformedData("a date has no such day")
    return datetime.date(year, month, day)


def is_expired(expiration: bytes, today: datetime.date) -> bool:
    """True after the application's last day.

    expiration: value of tag 5F24.
    Raises MalformedData if it is no date.
    """
    return today > read_date(expiration, is_end=True)


def allows_cash(usage: AUC, *, is_domestic: bool) -> bool:
    """True if the card may take out cash here. Source: Book 3, Table 36."""
    return (AUC.DOMESTIC_CASH if is_domestic else AUC.INTERNATIONAL_CASH) in usage


def allows_cashback(usage: AUC, *, is_domestic: bool) -> bool:
    """True if the card may have cash with a purchase here. Source: Book 3, Table 36."""
    return (AUC.DOMESTIC_CASHBACK if is_domestic else AUC.INTERNATIONAL_CASHBACK) in usage


def allows_goods(usage: AUC, *, is_domestic: bool) -> bool:
    """True if the card may pay for goods or services here. Source: Book 3, Table 36."""
    if is_domestic:
        return bool(usage & (AUC.DOMESTIC_GOODS | AUC.DOMESTIC_SERVICES))
    return bool(usage & (AUC.INTERNATIONAL_GOODS | AUC.INTERNATIONAL_SERVICES))


def is_service_allowed(card: Mapping[int, bytes], terminal: Mapping[int, bytes]) -> bool:
    """Hold the Application Usage Control against terminal and transaction.

    card: may lack 9F07, which allows all, or 5F28, which leaves the
    country out of it.
    Raises MalformedData if tag 9F07 has a wrong length.

    Source: Book 3, 10.4.2.
    """
    if tags.TAG_9F07_APPLICATION_USAGE_CONTROL not in card:
        return True
    usage = AUC.decode(card[tags.TAG_9F07_APPLICATION_USAGE_CONTROL])
    capabilities = AdditionalTerminalCapabilities.decode(
        terminal[tags.TAG_9F40_ADDITIONAL_TERMINAL_CAPABILITIES]
    )
    is_atm = (
        terminal[tags.TAG_9F35_TERMINAL_TYPE][0] in TYPES_ATM
        and AdditionalTerminalCapabilities.CASH in capabilities
    )
    if (AUC.ATM if is_atm else AUC.OTHER_THAN_ATM) not in usage:
        return False
    country = card.get(tags.TAG_5F28_ISSUER_COUNTRY_CODE)
    if country is None:
        return True
    is_domestic = country == terminal[tags.TAG_9F1A_TERMINAL_COUNTRY_CODE]
    kind = terminal[tags.TAG_9C_TRANSACTION_TYPE][0]
    has_cashback = kind == TYPE_CASHBACK or (
        kind == TYPE_GOODS and any(terminal.get(tags.TAG_9F03_AMOUNT_OTHER, b""))
    )
    if kind in TYPES_CASH and not allows_cash(usage, is_domestic=is_domestic):
        return False
    if kind in (TYPE_GOODS, TYPE_CASHBACK) and not allows_goods(usage, is_domestic=is_domestic):
        return False
    return not has_cashback or allows_cashback(usage, is_domestic=is_domestic)


def check_restrictions(
    card: Mapping[int, bytes], terminal: Mapping[int, bytes], today: datetime.date
) -> TVR:
    """Return the TVR bits that processing restrictions set.

    card, terminal: data objects, tag to value; the terminal's also hold
    the transaction's.
    Raises MalformedData if a date or tag 9F07 cannot be read, or the card
    has no expiration date, which is mandatory.

    Source: Book 3, 10.4.
    """
    found = TVR(0)
    version = card.get(tags.TAG_9F08_APPLICATION_VERSION_CARD)
    if version is not None and version != terminal.get(tags.TAG_9F09_APPLICATION_VERSION_TERMINAL):
        found |= TVR.VERSIONS_DIFFER
    if not is_service_allowed(card, terminal):
        found |= TVR.SERVICE_NOT_ALLOWED
    effective = card.get(tags.TAG_5F25_EFFECTIVE_DATE)
    if effective is not None and today < read_date(effective):
        found |= TVR.NOT_YET_EFFECTIVE
    if tags.TAG_5F24_EXPIRATION_DATE not in card:
        raise MalformedData("tag 5F24 is missing")
    if is_expired(card[tags.TAG_5F24_EXPIRATION_DATE], today):
        found |= TVR.EXPIRED
    return found
