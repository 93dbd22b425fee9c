"""What every piece of the bank's work is done with, and the few steps all share."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from joserfc.jwk import ECKey
from sqlalchemy import Connection, Row, func, select

from simulators.bank import ledger
from simulators.bank.accounts import Accounts
from simulators.bank.messages import Answer, moment
from simulators.bank.schema import orders, payments
from simulators.bank.trust.authority import Authority

RRow = Row[Any]

REVERSED_BEFORE = "R0"
"""Declined: a reversal of this attempt came first."""

NOT_CONFIRMED = "C4"
"""Declined: the payer refused, or did not confirm in time."""

HOLD_ENDED = "C5"
"""Declined: nothing is held any more under the pre-authorisation."""

NO_ORIGINAL = "25"
NOT_POSSIBLE = "12"
WRONG_AMOUNT = "13"


# What was undone afterwards, or let go, is no longer there for whoever asks; a hold
# that a completion has taken was approved all the same.
_TOLD = {"voided": "reversed", "expired": "reversed", "captured": "approved"}


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """What opens a card's seal, proves its cryptogram and reads its PIN."""

    sealing: ECKey
    authority: Callable[[], Authority]
    """Reads it each time: few requests need it."""
    public: Mapping[str, Any]
    """What a till has to know of the bank's keys, see Keys.public()."""
    issuer_key: Callable[[], bytes]
    """Reads it each time: the cards may make it after the bank has started."""
    pin_base_key: Callable[[], bytes | None]
    """Reads it each time, for the same reason; None while there is no PIN pad."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One transaction of the database, at one moment, for one caller."""

    connection: Connection
    now_ms: int
    random: Callable[[int], bytes]
    accounts: Accounts
    secrets: Secrets
    caller: str
    """The till's or the wallet's id."""
    merchant: str = ""
    """Whose till it is; '' for a wallet."""
    signed_s: int = 0
    """When the request was signed, by the till's clock."""
    signing_key: str = ""
    """PEM of the key that it was signed with."""
    nudged: list[str] = field(default_factory=list)
    """Tills whose payments this has changed behind their back."""

    @property
    def today(self) -> datetime.date:
        """The bank's calendar day, UTC."""
        return datetime.datetime.fromtimestamp(self.now_ms // 1000, datetime.UTC).date()

    def new_id(self) -> str:
        """Return a new UUID, of version 7. Source: RFC 9562, 5.7."""
        value = self.now_ms << 80 | int.from_bytes(self.random(10), "big")
        value = value & ~(0xF << 76) | 0x7 << 76
        value = value & ~(0x3 << 62) | 0x2 << 62
        return str(uuid.UUID(int=value))

    def new_digits(self, count: int) -> str:
        """Return count random decimal digits."""
        return str(int.from_bytes(self.random(count), "big") % 10**count).zfill(count)

    def payment(self, attempt: str) -> RRow | None:
        """Return what is booked under an attempt.

        A payment that waited for its payer too long is declined here, and
        whoever looks first writes it down.
        """
        query = select(payments).where(payments.c.attempt == attempt)
        found = self.connection.execute(query).first()
        if found is None or found.state != "pending" or found.expires_ms > self.now_ms:
            return found
        self.change(attempt, state="declined", code=NOT_CONFIRMED, why="not confirmed in time")
        return self.connection.execute(query).first()

    def add(self, attempt: str, **columns: Any) -> None:
        """Write a new payment of this caller down."""
        row = {
            "attempt": attempt,
            "till": self.caller,
            "merchant": self.merchant,
            "number": 0,
            "kind": "",
            "medium": "",
            "amount_minor": 0,
            "currency": "",
            "at": "",
            "code": "",
            "why": "",
            "made_ms": self.now_ms,
        }
        self.connection.execute(payments.insert(), row | columns)

    def change(self, attempt: str, **columns: Any) -> None:
        """Change what is booked under an attempt."""
        where = payments.c.attempt == attempt
        self.connection.execute(payments.update().where(where).values(**columns))

    def open_order(self, attempt: str) -> RRow | None:
        """Return an order of the attempt that can still be paid."""
        query = select(orders).where(
            orders.c.attempt == attempt,
            orders.c.state == "open",
            orders.c.expires_ms > self.now_ms,
        )
        return self.connection.execute(query.order_by(orders.c.expires_ms.desc())).first()

    def close_orders(self, attempt: str) -> int:
        """Close every open order of the attempt; return how many there were."""
        where = (orders.c.attempt == attempt) & (orders.c.state == "open")
        return self.connection.execute(orders.update().where(where).values(state="closed")).rowcount

    def has_orders(self, attempt: str) -> bool:
        """Return whether the attempt ever had an order."""
        count = select(func.count()).select_from(orders).where(orders.c.attempt == attempt)
        return bool(self.connection.scalar(count))

    def balance_minor(self, account: str, currency: str) -> int:
        """Return what a customer has, after opening the account if need be."""
        funds = self.accounts.funds_minor(account)
        ledger.open_account(self.connection, account, currency, funds, self.new_id(), self.now_ms)
        return ledger.balance_minor(self.connection, account, currency)

    def move(
        self, attempt: str, what: str, source: str, target: str, amount_minor: int, currency: str
    ) -> None:
        """Book money from one account to the other."""
        self.post(attempt, what, {source: -amount_minor, target: amount_minor}, currency)

    def post(self, attempt: str, what: str, sides: Mapping[str, int], currency: str) -> None:
        """Book one transfer.

        sides: account to minor units; above zero is paid in, below is taken out.
        """
        entries = [
            ledger.Entry(account, currency, amount_minor)
            for account, amount_minor in sides.items()
            if amount_minor
        ]
        ledger.post(self.connection, self.new_id(), attempt, what, self.now_ms, entries)

    def approval(self) -> dict[str, str]:
        """Return the columns of something just approved."""
        return {
            "state": "approved",
            "code": "00",
            "reference": self.new_digits(12),
            "authorisation": self.new_digits(6),
        }

    def tell(self, attempt: str) -> Answer:
        """Return what is booked under an attempt, as an answer."""
        found = self.payment(attempt)
        if found is None:
            order = self.open_order(attempt)
            if order is not None:
                return Answer(
                    at=moment(self.now_ms),
                    attempt=attempt,
                    state="open",
                    shown_code=order.shown_code,
                    expires_at=moment(order.expires_ms),
                )
            return self.say(attempt, "closed" if self.has_orders(attempt) else "not_found")
        return Answer(
            at=moment(self.now_ms),
            attempt=attempt,
            state=_TOLD.get(found.state, found.state),
            code=found.code or None,
            reference=found.reference,
            authorisation=found.authorisation,
            emv=found.emv,
            brand=found.brand,
            expires_at=moment(found.expires_ms) if _says_its_end(found) else None,
        )

    def say(self, attempt: str, state: Any, code: str | None = None) -> Answer:
        """Return an answer of a state and a code alone."""
        return Answer(at=moment(self.now_ms), attempt=attempt, state=state, code=code)


def _says_its_end(found: RRow) -> bool:
    is_held = found.kind == "preauth" and found.state == "approved"
    return bool(is_held or found.state == "pending")


def merchant_account(merchant: str) -> str:
    """Return the ledger's name of a merchant."""
    return f"merchant/{merchant}"
