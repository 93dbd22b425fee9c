"""What the commands share that follow an earlier payment."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click

from terminal.commands import output
from terminal.commands.place import Place, refusals
from terminal.commands.sale import READY_S, UNKNOWN_S
from terminal.commands.watch import watching
from terminal.commands.who import sign_in
from terminal.errors import AmountRefused
from terminal.money import parse_amount
from terminal.states import FINAL
from terminal.till import Till
from terminal.view import Readiness


def amount_of(place: Place, text: str) -> int:
    """Return an AMOUNT of the command line in minor units. Raises click.BadParameter."""
    try:
        return parse_amount(text, place.settings().currency)
    except AmountRefused as error:
        raise click.BadParameter(str(error), param_hint="AMOUNT") from error


def follow_up(
    place: Place,
    begin: Callable[[Till], str],
    people: tuple[str | None, Sequence[str]],
    *,
    json_wanted: bool,
) -> None:
    """Have a payment made that follows an earlier one; print it, leave with its status.

    begin: begins it, and returns its identity. people: what --as and --approve say.
    """
    user, approvers = people
    with (
        refusals(),
        place.open_till(with_counter=False) as till,
        watching(till) as watch,
    ):
        sign_in(till.staff, user, approvers, is_bench=till.shop.is_bench)
        watch.until(lambda view: view.bank is not Readiness.STARTING, READY_S)
        attempt = begin(till)
        watch.until(
            lambda view: (
                view.payment is not None
                and view.payment.id == attempt
                and view.payment.state in FINAL
            ),
            UNKNOWN_S + READY_S,
        )
        payment = till.payment(attempt)
    output.result(payment, place.settings().currencies, json_wanted=json_wanted)
