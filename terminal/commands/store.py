"""`till sync`, `till inbox`, `till export`: what is kept here, and what somebody must settle."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from terminal.commands import output
from terminal.commands.place import Place, Refusal, refusals
from terminal.commands.watch import watching
from terminal.commands.who import acting, sign_in
from terminal.journal import JournalReader
from terminal.states import FOR_A_PERSON
from terminal.view import PaymentView


@click.command(name="sync")
@click.option("--timeout", default=60.0, show_default=True, help="How long to try, in seconds.")
@click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object a line.")
@click.pass_obj
def sync(place: Place, timeout: float, json_wanted: bool) -> None:
    """Send the card sales that were kept while the bank was not reached.

    Prints each as it stands afterwards. Exit status: 0 nothing is kept any
    more, 20 something still is, 30 the till cannot open.

    \b
    Example:
      till sync --timeout 30
    """
    with refusals(), place.open_till(with_counter=False) as till, watching(till) as watch:
        before = till.kept()
        watch.until(lambda view: view.open_count is not None and not till.kept(), timeout)
        is_done = not till.kept()
        after = [till.payment(payment.id) for payment in before]
    _print(place, after, json_wanted=json_wanted)
    raise click.exceptions.Exit(output.APPROVED if is_done else output.UNKNOWN)


@click.group(name="inbox", invoke_without_command=True)
@click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object a line.")
@click.pass_context
def inbox(context: click.Context, json_wanted: bool) -> None:
    """List what the bank has refused for good and a supervisor must settle.

    \b
    Example:
      till inbox
      till inbox settle 12 --note "Customer paid cash" --as 00
    """
    if context.invoked_subcommand is not None:
        return
    place: Place = context.obj
    with refusals():
        journal = JournalReader(place.till_folder)
        waiting = [payment for payment in journal.unfinished() if payment.state in FOR_A_PERSON]
        journal.close()
    _print(place, waiting, json_wanted=json_wanted)


@inbox.command(name="settle")
@click.argument("payment_id", metavar="ID")
@click.option("--note", required=True, help="How it was settled; no card number.")
@acting
@click.pass_obj
def settle(
    place: Place, payment_id: str, note: str, user: str | None, approvers: tuple[str, ...]
) -> None:
    """Note how the payment ID was settled. A supervisor must do or allow it."""
    with refusals(), place.open_till(with_counter=False, at_once=False) as till:
        sign_in(till.staff, user, approvers, is_bench=till.shop.is_bench)
        till.settle(payment_id, note)
        payment = till.payment(payment_id)
    _print(place, [payment], json_wanted=False)


@click.command(name="export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@acting
@click.pass_obj
def export(place: Place, file: Path, user: str | None, approvers: tuple[str, ...]) -> None:
    """Write the kept card sales to FILE, sealed to the bank, a line of JSON each.

    A till that cannot reach its bank any more can be given up after that: the
    bank can be given the file. A supervisor must do or allow it.

    \b
    Example:
      till export kept.jsonl --as 00
    """
    with (
        refusals(),
        place.open_till(with_counter=False, at_once=False) as till,
        _new_file(file) as out,
    ):
        sign_in(till.staff, user, approvers, is_bench=till.shop.is_bench)
        count = till.export(out)
        os.fsync(out.fileno())
    click.echo(f"{count} kept sales are in {file}.")


@contextmanager
def _new_file(path: Path) -> Iterator[IO[str]]:
    """Open a file that only its owner may read, and that was not there before."""
    try:
        out = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")
    except OSError as error:
        raise Refusal(f"Cannot write {path}: {error.strerror}") from error
    try:
        with out:
            yield out
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _print(place: Place, payments: Sequence[PaymentView], *, json_wanted: bool) -> None:
    currencies = place.settings().currencies
    for payment in payments:
        click.echo(output.as_json(payment) if json_wanted else output.as_line(payment, currencies))
