"""Money held and taken later: `till preauth`, `increment`, `complete`, `cancel`; and `tip`."""

from __future__ import annotations

import click

from terminal.commands import output
from terminal.commands.follow_up import amount_of, follow_up
from terminal.commands.place import Place
from terminal.commands.sale import Offered, offering, taken
from terminal.commands.who import acting
from terminal.till import Till
from terminal.view import Kind

_json = click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object.")


@click.command(name="preauth")
@click.argument("amount")
@offering
@_json
@acting
@click.pass_obj
def preauth(
    place: Place,
    amount: str,
    offered: Offered,
    json_wanted: bool,
    user: str | None,
    approvers: tuple[str, ...],
) -> None:
    """Have the bank hold AMOUNT on a card; 'till complete' takes it later.

    Exit status: 0 held, 10 declined, 20 unknown, 30 not done.

    \b
    Example:
      till preauth 200.00 --present card:visa-online --as 01
    """
    amount_minor = amount_of(place, amount)
    payment = taken(place, lambda till: till.preauth(amount_minor), offered, (user, approvers))
    output.result(payment, place.settings().currencies, json_wanted=json_wanted)


@click.command(name="increment")
@click.argument("payment_id", metavar="ID")
@click.argument("amount")
@_json
@acting
@click.pass_obj
def increment(
    place: Place,
    payment_id: str,
    amount: str,
    json_wanted: bool,
    user: str | None,
    approvers: tuple[str, ...],
) -> None:
    """Have AMOUNT more held under the pre-authorisation ID.

    Exit status: 0 held, 10 declined, 20 unknown, 30 not done.

    \b
    Example:
      till increment 12 50.00 --as 01
    """
    amount_minor = amount_of(place, amount)
    follow_up(
        place,
        lambda till: till.increment(payment_id, amount_minor),
        (user, approvers),
        json_wanted=json_wanted,
    )


@click.command(name="complete")
@click.argument("payment_id", metavar="ID")
@click.argument("amount", required=False)
@_json
@acting
@click.pass_obj
def complete(
    place: Place,
    payment_id: str,
    amount: str | None,
    json_wanted: bool,
    user: str | None,
    approvers: tuple[str, ...],
) -> None:
    """Take AMOUNT of what the pre-authorisation ID holds, or all of it; the rest is let go.

    Exit status: 0 approved, 10 declined, 20 unknown, 30 not done.

    \b
    Example:
      till complete 12 180.00 --as 01
    """
    amount_minor = amount_of(place, amount) if amount else None
    follow_up(
        place,
        lambda till: till.complete(payment_id, amount_minor),
        (user, approvers),
        json_wanted=json_wanted,
    )


@click.command(name="cancel")
@click.argument("payment_id", metavar="ID")
@_json
@acting
@click.pass_obj
def cancel(
    place: Place,
    payment_id: str,
    json_wanted: bool,
    user: str | None,
    approvers: tuple[str, ...],
) -> None:
    """Undo ID: a pre-authorisation or an increment is let go, all else is voided.

    A completion that is voided leaves the money held as before. A supervisor
    must allow it.

    Exit status: 0 approved, 10 declined, 20 unknown, 30 not done.

    \b
    Example:
      till cancel 12 --as 01 --approve 00
    """
    follow_up(
        place, lambda till: _undo(till, payment_id), (user, approvers), json_wanted=json_wanted
    )


def _undo(till: Till, payment_id: str) -> str:
    is_held = till.payment(payment_id).kind in (Kind.PREAUTH, Kind.INCREMENT)
    return till.release(payment_id) if is_held else till.void(payment_id)


@click.command(name="tip")
@click.argument("payment_id", metavar="ID")
@click.argument("amount")
@_json
@acting
@click.pass_obj
def tip(
    place: Place,
    payment_id: str,
    amount: str,
    json_wanted: bool,
    user: str | None,
    approvers: tuple[str, ...],
) -> None:
    """Add a tip of AMOUNT to the card payment ID, before the day is closed.

    Exit status: 0 approved, 10 declined, 20 unknown, 30 not done.

    \b
    Example:
      till tip 12 5.00 --as 01
    """
    amount_minor = amount_of(place, amount)
    follow_up(
        place,
        lambda till: till.tip(payment_id, amount_minor),
        (user, approvers),
        json_wanted=json_wanted,
    )
