"""The double-entry ledger. Every transfer sums to zero in every currency.

An account's name says whose it is: card/…, wallet/…, merchant/…, bank/….
A positive amount is money the bank owes to that account's holder.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from simulators.bank.errors import LedgerBroken
from simulators.bank.schema import balances, entries, transfers

OPENING_ACCOUNT = "bank/opening"
"""Where the money that customers start with comes from."""

CUSTOMERS = ("card/", "wallet/")


@dataclass(frozen=True, slots=True)
class Entry:
    """One side of a transfer."""

    account: str
    currency: str
    amount_minor: int
    """Above zero is paid in, below zero is taken out."""


def open_account(
    connection: Connection, account: str, currency: str, funds_minor: int, id: str, at_ms: int
) -> None:
    """Give a customer's account its first money in a currency; later calls do nothing.

    id: for the transfer, should there be one.
    """
    where = (balances.c.account == account) & (balances.c.currency == currency)
    if connection.scalar(select(balances.c.amount_minor).where(where)) is not None:
        return
    row = {"account": account, "currency": currency, "amount_minor": 0}
    connection.execute(balances.insert(), row)
    sides = [Entry(OPENING_ACCOUNT, currency, -funds_minor), Entry(account, currency, funds_minor)]
    post(connection, id, "", "opening", at_ms, sides)


def balance_minor(connection: Connection, account: str, currency: str) -> int:
    """Return what a customer's account has; nothing if it is not open."""
    where = (balances.c.account == account) & (balances.c.currency == currency)
    return connection.scalar(select(balances.c.amount_minor).where(where)) or 0


def post(
    connection: Connection, id: str, attempt: str, what: str, at_ms: int, sides: Iterable[Entry]
) -> None:
    """Book one transfer.

    id: a new UUID. attempt: the payment it belongs to, or ''.
    Raises LedgerBroken if the sides do not sum to zero.
    """
    lines = list(sides)
    sums: dict[str, int] = defaultdict(int)
    for side in lines:
        sums[side.currency] += side.amount_minor
    if not lines or any(sums.values()):
        raise LedgerBroken(f"a transfer of kind {what} does not sum to zero")
    connection.execute(
        transfers.insert(), {"id": id, "attempt": attempt, "what": what, "at_ms": at_ms}
    )
    connection.execute(
        entries.insert(),
        [
            {
                "transfer": id,
                "line": number,
                "account": side.account,
                "currency": side.currency,
                "amount_minor": side.amount_minor,
            }
            for number, side in enumerate(lines)
        ],
    )
    for side in lines:
        if not side.account.startswith(CUSTOMERS):
            continue
        where = (balances.c.account == side.account) & (balances.c.currency == side.currency)
        change = {"amount_minor": balances.c.amount_minor + side.amount_minor}
        if connection.execute(balances.update().where(where).values(change)).rowcount != 1:
            raise LedgerBroken(f"{side.account} is not open in {side.currency}")


def totals(connection: Connection) -> dict[tuple[str, str], int]:
    """Return (account, currency) to minor units, summed from the entries."""
    query = (
        select(entries.c.account, entries.c.currency, func.sum(entries.c.amount_minor))
        .group_by(entries.c.account, entries.c.currency)
        .order_by(entries.c.account, entries.c.currency)
    )
    return {
        (account, currency): int(amount)
        for account, currency, amount in connection.execute(query)
        if account is not None
    }


def faults(connection: Connection) -> list[str]:
    """Return one line for each thing that does not add up; none is as it must be."""
    found = []
    query = (
        select(entries.c.transfer, entries.c.currency, func.sum(entries.c.amount_minor))
        .group_by(entries.c.transfer, entries.c.currency)
        .having(func.sum(entries.c.amount_minor) != 0)
    )
    for transfer, currency, amount in connection.execute(query):
        found.append(f"transfer {transfer} is off by {amount} {currency}")
    booked = totals(connection)
    by_currency: dict[str, int] = defaultdict(int)
    for (_, currency), amount in booked.items():
        by_currency[currency] += amount
    found += [
        f"all of {currency} is off by {sum_}" for currency, sum_ in by_currency.items() if sum_
    ]
    for row in connection.execute(select(balances)):
        entered = booked.get((row.account, row.currency), 0)
        if entered != row.amount_minor:
            found.append(
                f"{row.account} says {row.amount_minor} {row.currency}, its entries {entered}"
            )
    return found
