"""`till refund` and `till void`: money back for an earlier sale."""

from __future__ import annotations

import click

from terminal.commands.follow_up import amount_of, follow_up
from terminal.commands.place import Place
from terminal.commands.who import acting


@click.command(name="refund")
@click.argument("payment_id", metavar="ID")
@click.argument("amount", required=False)
@click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object.")
@acting
@click.pass_obj
def refund(
    place: Place,
    payment_id: str,
    amount: str | None,
    json_wanted: bool,
    user: str | None,
    approvers: tuple[str, ...],
) -> None:
    """Give back AMOUNT of the payment ID, or all that is left of it. A supervisor must allow it.

    Exit status: 0 approved, 10 declined, 20 unknown, 30 not done.

    \b
    Example:
      till refund 12 --as 00
      till refund 12 10.00 --as 01 --approve 00 --json
    """
    amount_minor = amount_of(place, amount) if amount else None
    follow_up(
        place,
        lambda till: till.refund(payment_id, amount_minor),
        (user, approvers),
        json_wanted=json_wanted,
    )


@click.command(name="void")
@click.argument("payment_id", metavar="ID")
@click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object.")
@acting
@click.pass_obj
def void(
    place: Place,
    payment_id: str,
    json_wanted: bool,
    user: str | None,
    approvers: tuple[str, ...],
) -> None:
    """Undo the whole sale, completion or tip ID. A supervisor must allow it.

    Exit status: 0 approved, 10 declined, 20 unknown, 30 not done.

    \b
    Example:
      till void 12 --as 00
    """
    follow_up(place, lambda till: till.void(payment_id), (user, approvers), json_wanted=json_wanted)
