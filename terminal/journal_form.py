"""How moves and payments stand in the journal: their text, their hashes, their row in the list."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from typing import Any

import apsw

from terminal.batch import records
from terminal.errors import JournalCorrupt
from terminal.messages import Message
from terminal.states import State
from terminal.view import Kind, Medium, PaymentView

GENESIS = hashlib.sha256(b"OpenTill journal").digest()
"""What the first move follows."""


def link(head: bytes, attempt: str, at_ms: int, body: str) -> bytes:
    """Return the hash of a move that follows the one with this hash."""
    return hashlib.sha256(b"%b%b%d%b" % (head, attempt.encode(), at_ms, body.encode())).digest()


def digest_of(sealed: str | None) -> str | None:
    """Return how the chain vouches for a sealed sale that will be erased from beside it."""
    return hashlib.sha256(sealed.encode()).hexdigest() if sealed else sealed


def dumped(values: dict[str, Any]) -> str:
    """Return values as text, the same each time."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


# What follows is a payment of its own; what it sums up to is not written twice.
_SUMMED_UP = ("refunded_minor", "held_minor", "tip_minor")
_UNKEPT = (*_SUMMED_UP, "balance_minor")
"""What a customer has is nothing for a shop to keep."""
_DEFAULTS: dict[str, object] = {
    field.name: {} if field.name == "durations_ms" else field.default
    for field in fields(PaymentView)
    if field.name not in _UNKEPT
}


def encoded(payment: PaymentView) -> str:
    """Return a payment as text: only what differs from the defaults, some 300 bytes."""
    values = {
        name: value
        for name, default in _DEFAULTS.items()
        if (value := getattr(payment, name)) != default
    }
    return dumped(values)


def view_of(values: dict[str, Any]) -> PaymentView:
    """Return the payment of these values; what an earlier release did not know has its default."""
    known = {name: value for name, value in values.items() if name in _FIELDS}
    for name, kind in (("kind", Kind), ("state", State), ("medium", Medium)):
        if known.get(name) is not None:
            known[name] = kind(known[name])
    for name in ("reason", "next_step"):
        if known.get(name) is not None:
            known[name] = Message(known[name])
    return PaymentView(**known)


_FIELDS = {field.name for field in fields(PaymentView)}


def decoded(body: str) -> PaymentView:
    """Return the payment in a text. Raises JournalCorrupt."""
    try:
        return view_of(json.loads(body))
    except (ValueError, TypeError) as error:
        raise JournalCorrupt(
            "A payment in the list is damaged: export the journal and call service"
        ) from error


def project(connection: apsw.Connection, payment: PaymentView, body: str) -> None:
    """Put a payment into the table that lists read, in place of what it was."""
    words = " ".join(
        (
            str(payment.number),
            f"{payment.number:04}",
            str(payment.amount_minor),
            f"{payment.amount_minor // 100}.{payment.amount_minor % 100:02}",
            payment.brand,
            payment.masked_pan[-4:],
            payment.kind,
            payment.state,
            payment.bank_reference,
            payment.id,
        )
    ).lower()
    connection.execute(
        """
        INSERT INTO payments VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (attempt) DO UPDATE SET
            state = excluded.state, words = excluded.words, body = excluded.body
        """,
        (
            payment.id,
            payment.number,
            payment.state,
            payment.original,
            payment.amount_minor,
            words,
            body,
            payment.batch,
        ),
    )


def called(key: str) -> str:
    """Return what people call something of the chain."""
    number = records.number_of(key)
    return f"Payment {key}" if number is None else f"Batch {number}"


def told(record: dict[str, Any]) -> str:
    """Return a move as a line for people."""
    payment = record["payment"]
    if record["move"] is None:
        return f"{payment['kind']} written down"
    line = f"{str(record['move']).replace('_', ' ')}: {str(payment['state']).replace('_', ' ')}"
    if payment.get("response_code"):
        line += f", code {payment['response_code']}"
    return line
