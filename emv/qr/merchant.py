"""Merchant-presented codes: the shop shows, the customer scans.

A code is text: a two-digit id, a two-digit length in characters, a value,
over and over; some values are templates of the same kind. What a scheme
means by its own fields is not here.
Source: EMV QR Code Specification for Payment Systems, Merchant-Presented Mode.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emv.errors import MalformedData

FORMAT = "00"
INITIATION = "01"
CATEGORY = "52"
CURRENCY = "53"
AMOUNT = "54"
TIP = "55"
TIP_FIXED = "56"
TIP_PERCENT = "57"
COUNTRY = "58"
NAME = "59"
CITY = "60"
POSTAL_CODE = "61"
ADDITIONAL = "62"
CRC = "63"
LANGUAGE = "64"

STATIC, DYNAMIC = "11", "12"
TIP_PROMPT, TIP_IS_FIXED, TIP_IS_PERCENT = "01", "02", "03"

ADDITIONAL_IDS = {
    "01": "bill number",
    "02": "mobile number",
    "03": "store label",
    "04": "loyalty number",
    "05": "reference label",
    "06": "customer label",
    "07": "terminal label",
    "08": "purpose of transaction",
    "09": "additional consumer data request",
    "10": "merchant tax id",
    "11": "merchant channel",
}
"""Fields of template 62; '***' in one of 01 to 08 asks the customer for it."""

CHARACTERS_MAX = 4000
"""No QR code holds more: 4,296 letters and digits in version 40, level L."""
VALUE_MAX = 99
"""What two digits of length can say."""


@dataclass(frozen=True, slots=True)
class Field:
    """One id with its value, and what the value holds if it is a template."""

    id: str
    value: str
    fields: tuple[Field, ...] = ()

    def value_of(self, id: str) -> str | None:
        """Return the value of a field in this template, or None."""
        return _value_of(self.fields, id)


@dataclass(frozen=True, slots=True)
class Language:
    """The merchant's name in another language; template 64."""

    language: str
    """Two letters, ISO 639."""
    name: str
    """At most 25 characters."""
    city: str = ""
    """At most 15 characters."""


@dataclass(frozen=True, slots=True)
class Tip:
    """What is added to the amount; fields 55 to 57. Neither set: the customer is asked."""

    fixed: str | None = None
    """An amount, digits and a point."""
    percent: str | None = None
    """00.01 to 99.99."""


@dataclass(frozen=True, slots=True)
class MerchantCode:
    """A code that was read, its CRC and shape proved."""

    fields: tuple[Field, ...]
    """In the order of the code, the CRC last."""

    def value_of(self, id: str) -> str | None:
        """Return a field's value, or None."""
        return _value_of(self.fields, id)

    def field(self, id: str) -> Field | None:
        """Return a field with what it holds, or None."""
        return next((field for field in self.fields if field.id == id), None)

    @property
    def accounts(self) -> tuple[Field, ...]:
        """The merchant's accounts, ids 02 to 51."""
        return tuple(field for field in self.fields if 2 <= int(field.id) <= 51)

    @property
    def is_dynamic(self) -> bool:
        """Made for one payment, not printed on the counter."""
        return self.value_of(INITIATION) == DYNAMIC

    def faults(self) -> tuple[str, ...]:
        """Say where the code departs from the specification; empty if nowhere.

        Schemes do depart from it: domestic codes leave out what their
        wallets do not need. Such a code is read, and its faults shown.
        """
        return _faults(self)


def checksum(text: str) -> str:
    """Return the CRC of a code's text, its own '6304' included: four hex digits.

    CRC-16, polynomial 1021, from FFFF, over the bytes of UTF-8.
    Source: EMV QR MPM, 4.7.3; ISO/IEC 13239.
    """
    try:
        encoded = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise MalformedData(f"character {error.start} is no Unicode text") from error
    return f"{binascii.crc_hqx(encoded, 0xFFFF):04X}"


def parse(text: str) -> MerchantCode:
    """Read a merchant-presented code.

    Raises MalformedData, naming the field and the character it stands at, if
    a length does not fit, a field stands twice, format indicator or CRC are
    not in their places, the CRC is wrong, or a scheme's template has no name.
    Missing fields and overlong values are not refused: see faults().
    """
    if len(text) > CHARACTERS_MAX:
        raise MalformedData(f"merchant code of {len(text)} characters, more than any QR code holds")
    fields = _split(text, "", 0)
    if not fields or fields[0].id != FORMAT:
        raise MalformedData("merchant code does not begin with field 00")
    if fields[-1].id != CRC:
        raise MalformedData("merchant code does not end with field 63, its CRC")
    if not re.fullmatch("[0-9A-Fa-f]{4}", fields[-1].value):
        raise MalformedData("merchant code: field 63 is not four hexadecimal digits")
    if checksum(text[:-4]) != fields[-1].value.upper():
        raise MalformedData("merchant code: CRC does not match; the code is damaged or altered")
    opened, start = [], 0
    for field in fields:
        opened.append(_open(field, start + 4))
        start += 4 + len(field.value)
    return MerchantCode(tuple(opened))


def encode(fields: Sequence[Field]) -> str:
    """Return the text of a code with these fields, in this order, and its CRC.

    A field that holds others is written from them, its own value ignored.
    Raises MalformedData if an id is not two digits, stands twice, or a
    value has more than 99 characters.
    """
    text = _join(fields, "") + CRC + "04"
    return text + checksum(text)


def template(id: str, values: Mapping[str, str]) -> Field:
    """Return a template with these fields, in this order."""
    return Field(id, "", tuple(Field(inner, value) for inner, value in values.items()))


def build(
    *,
    accounts: Sequence[Field],
    category: str,
    currency: int,
    country: str,
    name: str,
    city: str,
    amount: str | None = None,
    dynamic: bool = False,
    tip: Tip | None = None,
    postal_code: str | None = None,
    additional: Mapping[str, str] | None = None,
    language: Language | None = None,
    unreserved: Sequence[Field] = (),
) -> str:
    """Return the text of a code that keeps the whole specification.

    accounts: ids 02 to 51; from 26 on, templates whose field 00 names the scheme.
    category: four digits, ISO 18245. currency: ISO 4217 number.
    country: two letters. amount: digits with a point, no sign.
    additional: fields of template 62. unreserved: templates 80 to 99.
    Raises MalformedData naming the field that breaks a rule.
    """
    fields = [Field(FORMAT, "01"), Field(INITIATION, DYNAMIC if dynamic else STATIC), *accounts]
    fields += [Field(CATEGORY, category), Field(CURRENCY, f"{currency:03d}")]
    if amount is not None:
        fields.append(Field(AMOUNT, amount))
    if tip is not None:
        fields += _tip_fields(tip)
    fields += [Field(COUNTRY, country), Field(NAME, name), Field(CITY, city)]
    if postal_code is not None:
        fields.append(Field(POSTAL_CODE, postal_code))
    if additional:
        fields.append(template(ADDITIONAL, additional))
    if language is not None:
        inner = {"00": language.language, "01": language.name}
        if language.city:
            inner["02"] = language.city
        fields.append(template(LANGUAGE, inner))
    fields += unreserved
    text = encode(fields)
    faults = parse(text).faults()
    if faults:
        raise MalformedData(f"merchant code: {faults[0]}")
    return text


def _tip_fields(tip: Tip) -> list[Field]:
    if tip.fixed is not None and tip.percent is not None:
        raise MalformedData("merchant code: a tip is fixed or a percentage, not both")
    if tip.fixed is not None:
        return [Field(TIP, TIP_IS_FIXED), Field(TIP_FIXED, tip.fixed)]
    if tip.percent is not None:
        return [Field(TIP, TIP_IS_PERCENT), Field(TIP_PERCENT, tip.percent)]
    return [Field(TIP, TIP_PROMPT)]


def _value_of(fields: Sequence[Field], id: str) -> str | None:
    return next((field.value for field in fields if field.id == id), None)


def _split(text: str, path: str, start: int) -> list[Field]:
    """Read fields one after another; path and start are for the errors."""
    fields: list[Field] = []
    seen: set[str] = set()
    position = 0
    while position < len(text):
        head = text[position : position + 4]
        # str.isdigit() alone would let other scripts' digits through.
        if len(head) < 4 or not (head.isascii() and head.isdigit()):
            raise MalformedData(
                f"merchant code{path} at character {start + position}: no id and length"
            )
        id, length = head[:2], int(head[2:])
        value = text[position + 4 : position + 4 + length]
        if len(value) < length:
            raise MalformedData(
                f"merchant code{path}/{id} at character {start + position}: "
                f"{length} characters announced, {len(value)} left"
            )
        if id in seen:
            raise MalformedData(
                f"merchant code{path}/{id} at character {start + position}: stands twice"
            )
        seen.add(id)
        fields.append(Field(id, value))
        position += 4 + length
    return fields


def _open(field: Field, start: int) -> Field:
    """Return a field with what it holds, if its id makes it a template.

    start: the character its value begins at.
    Raises MalformedData if a scheme's template does not say whose it is.
    """
    number = int(field.id)
    names_scheme = 26 <= number <= 51 or 80 <= number <= 99
    if not names_scheme and field.id not in (ADDITIONAL, LANGUAGE):
        return field
    inner = tuple(_split(field.value, f"/{field.id}", start))
    if names_scheme and not _value_of(inner, "00"):
        raise MalformedData(f"merchant code/{field.id}: no field 00 that names the scheme")
    return Field(field.id, field.value, inner)


def _join(fields: Sequence[Field], path: str) -> str:
    parts = []
    seen: set[str] = set()
    for field in fields:
        if not re.fullmatch("[0-9]{2}", field.id) or field.id in seen:
            raise MalformedData(f"merchant code{path}: id {field.id!r} is no id, or stands twice")
        seen.add(field.id)
        value = _join(field.fields, f"{path}/{field.id}") if field.fields else field.value
        if len(value) > VALUE_MAX:
            raise MalformedData(
                f"merchant code{path}/{field.id}: {len(value)} characters, at most {VALUE_MAX}"
            )
        parts.append(f"{field.id}{len(value):02d}{value}")
    return "".join(parts)


_MONEY = r"[0-9]+(\.[0-9]*)?"
_SHAPES = {
    FORMAT: ("01", "'01'"),
    INITIATION: ("1[12]", "11 or 12"),
    CATEGORY: ("[0-9]{4}", "four digits"),
    CURRENCY: ("[0-9]{3}", "three digits"),
    AMOUNT: (f"(?=.{{1,13}}$){_MONEY}", "digits and a point, at most 13"),
    TIP: ("0[123]", "01, 02 or 03"),
    TIP_FIXED: (f"(?=.{{1,13}}$){_MONEY}", "digits and a point, at most 13"),
    TIP_PERCENT: (r"(?=.{1,5}$)(?=.*[1-9])[0-9]{1,2}(\.[0-9]{1,2})?", "00.01 to 99.99"),
    COUNTRY: ("[A-Z]{2}", "two capital letters"),
    NAME: (".{1,25}", "1 to 25 characters"),
    CITY: (".{1,15}", "1 to 15 characters"),
    POSTAL_CODE: (".{1,10}", "1 to 10 characters"),
}
_INNER_SHAPES = {
    **{(ADDITIONAL, f"{id:02d}"): (".{1,25}", "1 to 25 characters") for id in range(1, 9)},
    (ADDITIONAL, "09"): ("(?!.*(.).*\\1)[AME]{1,3}", "A, M and E, each once"),
    (ADDITIONAL, "10"): (".{1,20}", "1 to 20 characters"),
    (ADDITIONAL, "11"): (".{3}", "3 characters"),
    (LANGUAGE, "00"): ("[A-Za-z]{2}", "two letters"),
    (LANGUAGE, "01"): (".{1,25}", "1 to 25 characters"),
    (LANGUAGE, "02"): (".{1,15}", "1 to 15 characters"),
}
_MANDATORY = (CATEGORY, CURRENCY, COUNTRY, NAME, CITY)


def _faults(code: MerchantCode) -> tuple[str, ...]:
    faults = [f"{id}: missing" for id in _MANDATORY if code.value_of(id) is None]
    if not code.accounts:
        faults.append("02 to 51: no account of the merchant")
    for field in code.fields:
        shape = _SHAPES.get(field.id)
        if shape and not re.fullmatch(shape[0], field.value, re.DOTALL):
            faults.append(f"{field.id}: must be {shape[1]}")
        for inner in field.fields:
            shape = _INNER_SHAPES.get((field.id, inner.id))
            if shape and not re.fullmatch(shape[0], inner.value, re.DOTALL):
                faults.append(f"{field.id}/{inner.id}: must be {shape[1]}")
            if inner.id == "00" and field.id != LANGUAGE and len(inner.value) > 32:
                faults.append(f"{field.id}/00: must be 1 to 32 characters")
    language = code.field(LANGUAGE)
    if language:
        faults += [f"64/{id}: missing" for id in ("00", "01") if language.value_of(id) is None]
    faults += _tip_faults(code)
    if code.fields[-1].value != code.fields[-1].value.upper():
        faults.append("63: must be in capital letters")
    return tuple(faults)


def _tip_faults(code: MerchantCode) -> list[str]:
    """Return what is wrong between 55, 56 and 57: each convenience needs its own field."""
    faults = []
    kind = code.value_of(TIP)
    for id, needed_by in ((TIP_FIXED, TIP_IS_FIXED), (TIP_PERCENT, TIP_IS_PERCENT)):
        present = code.value_of(id) is not None
        if present and kind != needed_by:
            faults.append(f"{id}: only where 55 is {needed_by}")
        if not present and kind == needed_by:
            faults.append(f"{id}: missing, 55 is {needed_by}")
    return faults
