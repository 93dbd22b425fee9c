"""`till balance`: what a card's account has; no money moves."""

from __future__ import annotations

import click

from terminal.commands import output
from terminal.commands.place import Place
from terminal.commands.sale import Offered, offering, taken
from terminal.commands.who import acting
from terminal.money import amount_with_unit
from terminal.till import Till
from terminal.view import View


@click.command(name="balance")
@offering
@acting
@click.pass_obj
def command(place: Place, offered: Offered, user: str | None, approvers: tuple[str, ...]) -> None:
    """Ask the bank what a card's account has, and print it. The journal keeps no balance.

    Exit status: 0 told, 10 declined, 20 unknown, 30 not done.

    \b
    Example:
      till balance --present card:visa-online --as 01
    """
    settings = place.settings()

    def tell(view: View) -> None:
        if view.payment is not None and view.payment.balance_minor is not None:
            told = amount_with_unit(view.payment.balance_minor, settings.currency)
            click.echo(f"Balance: {told}")

    payment = taken(place, Till.balance, offered, (user, approvers), look=tell)
    output.result(payment, settings.currencies, json_wanted=False)
