"""Money held for a shop on a customer's account, until the shop takes it or lets it go.

Held money has left the customer's account in the ledger and stands on an account
beside it. A row of the table is a hold that is open; the payments say what became
of the others.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from simulators.bank.desk import Desk, RRow, merchant_account
from simulators.bank.schema import holds, payments

HOLD_MS = int(timedelta(days=30).total_seconds() * 1000)
"""So long a shop may wait with its completion; then the money is the customer's again."""
COMPLETION_PERCENT_MAX = 115
"""The most a completion may take, of what is held."""


def held_account(account: str) -> str:
    """Return the ledger's name of what is held of a customer's money."""
    return f"held/{account}"


def open_hold(desk: Desk, attempt: str, account: str, amount_minor: int, currency: str) -> None:
    """Set a customer's money aside under a pre-authorisation that was just approved."""
    expires_ms = desk.now_ms + HOLD_MS
    _insert(desk, attempt, account, currency, amount_minor, expires_ms)
    desk.change(attempt, expires_ms=expires_ms)
    desk.move(attempt, "hold", account, held_account(account), amount_minor, currency)


def find_hold(desk: Desk, attempt: str) -> RRow | None:
    """Return the hold of a pre-authorisation, if it is still open."""
    query = select(holds).where(holds.c.attempt == attempt)
    found = desk.connection.execute(query).first()
    if found is None or found.expires_ms > desk.now_ms:
        return found
    end_late(desk, found.account)
    return None


def end_late(desk: Desk, account: str) -> None:
    """Give a customer back what shops have held for too long."""
    query = select(holds).where(holds.c.account == account, holds.c.expires_ms <= desk.now_ms)
    for late in desk.connection.execute(query).all():
        let_go(desk, late.attempt, "expiry", late)
        desk.change(late.attempt, state="expired", why="not completed in time")


def grow(desk: Desk, attempt: str, hold: RRow, amount_minor: int) -> None:
    """Hold more.

    attempt: whose doing it is. amount_minor: below zero, so much less is held.
    """
    where = holds.c.attempt == hold.attempt
    held_minor = holds.c.amount_minor + amount_minor
    desk.connection.execute(holds.update().where(where).values(amount_minor=held_minor))
    sides = {hold.account: -amount_minor, held_account(hold.account): amount_minor}
    desk.post(attempt, "hold" if amount_minor > 0 else "release", sides, hold.currency)


def let_go(desk: Desk, attempt: str, what: str, hold: RRow) -> None:
    """End a hold, and give all of it back to the customer."""
    _end(desk, hold)
    desk.move(
        attempt,
        what,
        held_account(hold.account),
        hold.account,
        hold.amount_minor,
        hold.currency,
    )


def take(desk: Desk, attempt: str, what: str, hold: RRow, amount_minor: int) -> None:
    """End a hold: so much of it is the shop's, the rest the customer's.

    What is more than was held comes from the customer's account, whatever that
    has: a hold is the issuer's word.
    """
    _end(desk, hold)
    sides = {
        held_account(hold.account): -hold.amount_minor,
        merchant_account(desk.merchant): amount_minor,
        hold.account: hold.amount_minor - amount_minor,
    }
    desk.post(attempt, what, sides, hold.currency)


def reopen(desk: Desk, attempt: str, what: str, preauth: RRow, returned_minor: int) -> None:
    """Hold again what was held when a hold was taken or let go.

    returned_minor: what the shop gives back of it. If the hold's time is over, the
    customer has that. What the customer has spent since may overdraw the account:
    the shop was promised all of it.
    """
    is_late = preauth.expires_ms <= desk.now_ms
    held_minor = 0 if is_late else _sum_held(desk, preauth)
    sides = {
        merchant_account(preauth.merchant): -returned_minor,
        held_account(preauth.account): held_minor,
        preauth.account: returned_minor - held_minor,
    }
    desk.post(attempt, what, sides, preauth.currency)
    if is_late:
        desk.change(preauth.attempt, state="expired", why="not completed in time")
        return
    desk.change(preauth.attempt, state="approved")
    _insert(
        desk, preauth.attempt, preauth.account, preauth.currency, held_minor, preauth.expires_ms
    )


def _sum_held(desk: Desk, preauth: RRow) -> int:
    """Return what a pre-authorisation and the increments that stand come to."""
    query = select(func.sum(payments.c.amount_minor)).where(
        payments.c.original == preauth.attempt,
        payments.c.kind == "increment",
        payments.c.state == "approved",
    )
    return int(preauth.amount_minor + (desk.connection.scalar(query) or 0))


def _insert(
    desk: Desk, attempt: str, account: str, currency: str, amount_minor: int, expires_ms: int
) -> None:
    row = {
        "attempt": attempt,
        "account": account,
        "currency": currency,
        "amount_minor": amount_minor,
        "expires_ms": expires_ms,
    }
    desk.connection.execute(holds.insert(), row)


def _end(desk: Desk, hold: RRow) -> None:
    desk.connection.execute(holds.delete().where(holds.c.attempt == hold.attempt))
