"""How commands print a payment, and with which exit status they end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

from config.schema import Currency
from terminal.messages import TEXT, Message
from terminal.money import amount_with_unit
from terminal.states import State
from terminal.view import PaymentView

APPROVED, DECLINED, UNKNOWN, NOT_DONE = 0, 10, 20, 30

_EXIT = {
    State.APPROVED: APPROVED,
    State.STORED: APPROVED,
    State.DEFERRED: APPROVED,
    State.DECLINED: DECLINED,
    State.STORED_REFUSED: DECLINED,
    State.CANCELLED: NOT_DONE,
    State.NOT_SENT: NOT_DONE,
    State.REVERSED: NOT_DONE,
    State.VOIDED: NOT_DONE,
    State.CAPTURED: APPROVED,
    State.AWAITING_TENDER: NOT_DONE,
}


def exit_status(payment: PaymentView) -> int:
    """Return 0 approved, 10 declined, 20 unknown, 30 not done."""
    return _EXIT.get(payment.state, UNKNOWN)


def as_json(payment: PaymentView) -> str:
    """Return one payment as a JSON object on one line."""
    return json.dumps(as_plain(payment), ensure_ascii=False)


def as_plain(payment: PaymentView) -> dict[str, Any]:
    """Return what scripts may rely on: stable names, whole numbers, no card data."""
    return {
        "attempt": payment.id,
        "number": payment.number,
        "kind": payment.kind.value,
        "state": payment.state.value,
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "created": datetime.fromtimestamp(payment.created_ms / 1000, UTC).isoformat(
            timespec="milliseconds"
        ),
        "reason": _name(payment.reason),
        "reason_text": _text(payment.reason),
        "next_step": _name(payment.next_step),
        "next_step_text": _text(payment.next_step),
        "medium": payment.medium.value if payment.medium else None,
        "brand": payment.brand,
        "masked_pan": payment.masked_pan,
        "application": payment.application_label,
        "aid": payment.aid,
        "tvr": payment.tvr,
        "ctq": payment.ctq,
        "signature": payment.signature,
        "pin": payment.pin,
        "response_code": payment.response_code,
        "bank_reference": payment.bank_reference,
        "authorisation": payment.authorisation,
        "original": payment.original or None,
        "refunded_minor": payment.refunded_minor,
        "held_minor": payment.held_minor,
        "tip_minor": payment.tip_minor,
        "expires_ms": payment.expires_ms,
        "reversals_sent": payment.reversals_sent,
        "deferred": payment.is_deferred,
        "exported": payment.is_exported,
        "note": payment.note,
        "settled_by": payment.settled_by,
        "durations_ms": dict(payment.durations_ms),
    }


def as_line(payment: PaymentView, currencies: Mapping[str, Currency]) -> str:
    """Return one payment as a line for people."""
    when = datetime.fromtimestamp(payment.created_ms / 1000).astimezone()
    amount = amount_with_unit(payment.amount_minor, currencies[payment.currency])
    how = " ".join(part for part in (payment.brand, payment.masked_pan[-4:]) if part)
    words = payment.state.replace("_", " ")
    if payment.state in (State.DECLINED, State.CANCELLED, State.NOT_SENT) and payment.reason:
        words += f": {_text(payment.reason)}"
    return (
        f"{payment.number:04}  {when:%m-%d %H:%M:%S}  {payment.kind:10}"
        f"  {amount:>14}  {how:20}  {words}"
    )


def result(payment: PaymentView, currencies: Mapping[str, Currency], *, json_wanted: bool) -> None:
    """Print the end of a payment and leave with its exit status."""
    if json_wanted:
        click.echo(as_json(payment))
    else:
        click.echo(as_line(payment, currencies))
        # On a command line Enter does nothing.
        if payment.next_step and payment.next_step is not Message.PRESS_ENTER:
            click.echo(f"Next: {_text(payment.next_step)}")
    raise click.exceptions.Exit(exit_status(payment))


def _name(message: Message | None) -> str | None:
    return message.value if message else None


def _text(message: Message | None) -> str | None:
    return TEXT[message] if message else None
