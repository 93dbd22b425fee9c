"""`till payments` and `till show`: what the journal holds, the till open or not."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from functools import partial

import click

from terminal.commands import output
from terminal.commands.place import Place, refusals
from terminal.journal import JournalReader
from terminal.receipts.receipt import Letterhead, receipt_lines


@click.command(name="payments")
@click.argument("search", default="")
@click.option("--limit", default=20, show_default=True, help="How many, newest first.")
@click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object a line.")
@click.pass_obj
def payments(place: Place, search: str, limit: int, json_wanted: bool) -> None:
    """List payments, newest first, that contain SEARCH.

    Searched are number, amount, brand, last four digits, state and reference.

    \b
    Example:
      till payments
      till payments 345.60 --json
    """
    currencies = place.settings().currencies
    with refusals():
        journal = JournalReader(place.till_folder)
        for payment in journal.payments(search, limit):
            line = output.as_json(payment) if json_wanted else output.as_line(payment, currencies)
            click.echo(line)
        journal.close()


@click.command(name="show")
@click.argument("payment_id", metavar="ID")
@click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object.")
@click.option("--receipt", is_flag=True, help="Show the receipt, marked as a copy.")
@click.option("--print", "is_printed", is_flag=True, help="Print it on the shop's printer.")
@click.pass_obj
def show(place: Place, payment_id: str, json_wanted: bool, receipt: bool, is_printed: bool) -> None:
    """Show one payment by its number or identity, and what happened to it.

    \b
    Example:
      till show 12
      till show 12 --receipt
      till show 12 --print
    """
    settings = place.settings()
    with refusals():
        journal = JournalReader(place.till_folder)
        payment = journal.payment(payment_id)
        trace = journal.trace(payment.id)
        original = journal.payment(payment.original) if payment.original else None
        journal.close()
    letterhead = Letterhead.of(settings.shop, settings.currencies, foot=settings.texts.receipt)
    write = partial(receipt_lines, payment, letterhead, copy=True, original=original)
    if is_printed:
        print_receipt(place, write, payment.id if settings.receipts.qr else "")
        click.echo(f"Payment {payment.number} is printed.")
    elif receipt:
        click.echo("\n".join(write()))
    elif json_wanted:
        lines = [{"offset_ms": line.offset_ms, "text": line.text} for line in trace]
        click.echo(json.dumps({**output.as_plain(payment), "trace": lines}, ensure_ascii=False))
    else:
        click.echo(output.as_line(payment, settings.currencies))
        click.echo(f"Attempt {payment.id}")
        for line in trace:
            click.echo(f"  {line.offset_ms / 1000:+.3f}  {line.text}")


def print_receipt(place: Place, write: Callable[..., list[str]], code: str) -> None:
    """Print a receipt and wait until it is out. Raises DriverError.

    write: makes its lines for so many columns.
    """
    with refusals(), closing(place.open_printer()) as printer:
        printer.print_lines(write(columns=printer.columns), code=code)
