"""What a scanned code is and holds, for people and for scripts; card data masked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from config.schema import CodeRule, Currency
from emv.qr import consumer, merchant
from emv.qr.payment_code import Kind, PaymentCode, classify

# fmt: off
SHOWN_TAGS = frozenset((
    0x4F, 0x5F2D, 0x5F34, 0x82, 0x9F08, 0x9F10, 0x9F19,
    0x9F25, 0x9F26, 0x9F27, 0x9F36, 0x9F37,
))
# fmt: on
"""Objects of a customer's code that tell nothing of the card; all others are hidden."""


def code_report(
    data: bytes,
    symbology: str | None,
    rules: Sequence[CodeRule],
    currencies: Mapping[str, Currency],
    *,
    whole: bool = False,
) -> dict[str, Any]:
    """Return what a code is, ready for JSON.

    symbology: 'qr', 'code128', or None for text that was typed.
    whole: give the text of a customer's code too, card data included.
    Keys: symbology, kind, can_pay, wallet, name, reason, detail, text, and
    'merchant' or 'consumer' with what such a code holds.
    """
    code = classify(data, symbology or "qr", rules)
    report: dict[str, Any] = {
        "symbology": symbology,
        "kind": code.kind.name.lower(),
        "can_pay": code.can_pay,
        "wallet": code.wallet,
        "name": next((rule.name for rule in rules if rule.wallet == code.wallet), ""),
        "reason": str(code.reason),
        "detail": code.detail,
        "text": _text_to_show(code, data, whole=whole),
    }
    if code.kind is Kind.MERCHANT:
        report["merchant"] = _merchant_report(merchant.parse(code.text), currencies)
    if code.kind is Kind.CONSUMER:
        report["consumer"] = _consumer_report(consumer.parse(code.text))
    return report


def report_line(report: Mapping[str, Any]) -> str:
    """Return a code's report as one printable line."""
    parts = [report["symbology"] or "text"]
    if report["kind"] == "wallet":
        parts.append(f"wallet code, {report['name']}, {len(report['text'])} digits")
        parts.append(report["text"])
    elif report["kind"] == "consumer":
        parts.append("customer's code (EMV)")
        parts += [_application_line(one) for one in report["consumer"]["applications"]]
        if report["consumer"]["common"]:
            parts.append(f"common: {_application_line(report['consumer']['common'])}")
    elif report["kind"] == "merchant":
        parts += _merchant_parts(report["merchant"])
    else:
        parts.append(f"not a payment code: {report['reason']}")
        if report["detail"]:
            parts.append(report["detail"])
        if report["text"]:
            parts.append(report["text"])
    return printable("; ".join(parts))


def printable(text: str) -> str:
    """Return text with everything that could move a cursor written as an escape."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def mask_pan(pan: str) -> str:
    """Return a card number's first six and last four digits, its length hidden too.

    What is too short to be a number is hidden whole; nothing stays nothing.
    """
    if len(pan) < 12:
        return "******" if pan else ""
    return f"{pan[:6]}******{pan[-4:]}"


def mask_card_numbers(text: str) -> str:
    """Return text with every run of digits that is a card number masked.

    13 to 19 digits with a right check digit count as one. Source: ISO/IEC 7812-1.
    """
    return re.sub(
        "[0-9]{13,}",
        lambda run: mask_pan(run[0]) if len(run[0]) <= 19 and _is_luhn(run[0]) else run[0],
        text,
    )


def _is_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _text_to_show(code: PaymentCode, data: bytes, *, whole: bool) -> str | None:
    """Return the code's text, without card data unless that is asked for.

    A consumer code is withheld when damaged too: half of one still holds a number.
    """
    text = code.text or data.decode("utf-8", "backslashreplace")
    if whole:
        return text
    if text.startswith(consumer.HEAD):
        return None
    return mask_card_numbers(text) if code.kind is Kind.OTHER else text


def _merchant_report(
    code: merchant.MerchantCode, currencies: Mapping[str, Currency]
) -> dict[str, Any]:
    number = code.value_of(merchant.CURRENCY)
    letters = next(
        (one.letters for one in currencies.values() if f"{one.numeric:03d}" == number), number
    )
    return {
        "dynamic": code.is_dynamic,
        "name": code.value_of(merchant.NAME),
        "city": code.value_of(merchant.CITY),
        "country": code.value_of(merchant.COUNTRY),
        "category": code.value_of(merchant.CATEGORY),
        "currency": letters,
        "amount": code.value_of(merchant.AMOUNT),
        "fields": [_field_report(field) for field in code.fields],
        "faults": list(code.faults()),
    }


def _field_report(field: merchant.Field) -> dict[str, Any]:
    report: dict[str, Any] = {"id": field.id, "value": field.value}
    if field.fields:
        report["fields"] = [_field_report(inner) for inner in field.fields]
    return report


def _merchant_parts(report: Mapping[str, Any]) -> list[str]:
    parts = ["shop's code (EMV), " + ("for one payment" if report["dynamic"] else "static")]
    place = ", ".join(report[key] for key in ("name", "city", "country") if report[key])
    if place:
        parts.append(place)
    if report["amount"] is not None:
        parts.append(f"{report['currency'] or ''} {report['amount']}".strip())
    elif report["currency"]:
        parts.append(report["currency"])
    for field in report["fields"]:
        if 2 <= int(field["id"]) <= 51:
            inner = " ".join(f"{one['id']}={one['value']}" for one in field.get("fields", ()))
            parts.append(f"account {field['id']} {inner or field['value']}")
    if report["faults"]:
        parts.append(f"departs from the specification: {', '.join(report['faults'])}")
    return parts


def _consumer_report(code: consumer.ConsumerCode) -> dict[str, Any]:
    return {
        "applications": [_template_report(one) for one in code.applications],
        "common": None if code.common is None else _template_report(code.common),
        "others": [f"{tag:02X}" for tag, _ in code.others],
    }


def _template_report(template: consumer.Template) -> dict[str, Any]:
    objects = {**template.data, **(template.transparent or {})}
    return {
        "aid": template.aid.hex().upper(),
        "label": mask_card_numbers(printable(template.label)),
        "pan": _masked_pan_of(template),
        "tags": {
            f"{tag:02X}": value.hex().upper() if tag in SHOWN_TAGS else f"{len(value)} bytes"
            for tag, value in objects.items()
        },
    }


def _masked_pan_of(template: consumer.Template) -> str:
    """Return the masked number of 5A or track 2, digits up to the first filler."""
    value = template.data.get(consumer.TAG_5A_PAN) or template.data.get(consumer.TAG_57_TRACK_2)
    digits = re.match("[0-9]*", (value or b"").hex())
    return mask_pan(digits[0] if digits else "")


def _application_line(report: Mapping[str, Any]) -> str:
    words = [word for word in (report["label"], report["aid"], report["pan"]) if word]
    return " ".join([*words, f"({' '.join(report['tags'])})"])
