"""`till moto`: a sale to a card that is not here, its number typed."""

from __future__ import annotations

import sys

import click

from terminal.commands.follow_up import amount_of, follow_up
from terminal.commands.place import Place
from terminal.commands.who import acting


@click.command(name="moto")
@click.argument("amount")
@click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object.")
@acting
@click.pass_obj
def command(
    place: Place,
    amount: str,
    json_wanted: bool,
    user: str | None,
    approvers: tuple[str, ...],
) -> None:
    """Take AMOUNT of a card by its number: an order by mail or telephone.

    Number and expiry are asked for, unseen on a terminal, and never part of the
    command: others could read it there. A supervisor must allow it.

    Exit status: 0 approved, 10 declined, 20 unknown, 30 not done.

    \b
    Example:
      till moto 88.00 --as 01 --approve 00
    """
    amount_minor = amount_of(place, amount)
    is_seen = not sys.stdin.isatty()
    number = click.prompt("Card number", hide_input=not is_seen, err=True)
    expiry = click.prompt("Expiry, month and year", hide_input=not is_seen, err=True)
    follow_up(
        place,
        lambda till: till.moto(amount_minor, number, expiry),
        (user, approvers),
        json_wanted=json_wanted,
    )
