"""`till refund` and `till void`: money back for an earlier sale."""

from __future__ import annotations

from collections.abc import Callable

import click

from terminal.commands import output
from terminal.commands.place import Place, refusals
from terminal.commands.sale import UNKNOWN_S
from terminal.commands.watch import watching
from terminal.commands.who import acting, sign_in
from terminal.errors import AmountRefused
from terminal.money import parse_amount
from terminal.states import FINAL
from terminal.till import Till
from terminal.view import PaymentView, Readiness

READY_S = 30.0


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
    """Give back AMOUNT of the sale ID, or all that is left of it. A supervisor must allow it.

    Exit status: 0 approved, 10 declined, 20 unknown, 30 not done.

    \b
    Example:
      till refund 12 --as 00
      till refund 12 10.00 --as 01 --approve 00 --json
    """
    settings = place.settings()
    try:
        amount_minor = parse_amount(amount, settings.currency) if amount else None
    except AmountRefused as error:
        raise click.BadParameter(str(error), param_hint="AMOUNT") from error
    with refusals(), place.open_till(with_counter=False) as till:
        sign_in(till.staff, user, approvers, is_bench=till.shop.is_bench)
        payment = _finish(till, lambda: till.refund(payment_id, amount_minor))
    output.result(payment, settings.currencies, json_wanted=json_wanted)


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
    """Undo the whole sale ID, as if it had not been. A supervisor must allow it.

    Exit status: 0 approved, 10 declined, 20 unknown, 30 not done.

    \b
    Example:
      till void 12 --as 00
    """
    settings = place.settings()
    with refusals(), place.open_till(with_counter=False) as till:
        sign_in(till.staff, user, approvers, is_bench=till.shop.is_bench)
        payment = _finish(till, lambda: till.void(payment_id))
    output.result(payment, settings.currencies, json_wanted=json_wanted)


def _finish(till: Till, begin: Callable[[], str]) -> PaymentView:
    with watching(till) as watch:
        watch.until(lambda view: view.bank is not Readiness.STARTING, READY_S)
        attempt = begin()
        watch.until(
            lambda view: (
                view.payment is not None
                and view.payment.id == attempt
                and view.payment.state in FINAL
            ),
            UNKNOWN_S + READY_S,
        )
        return till.payment(attempt)
