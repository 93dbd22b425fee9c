"""`till totals` and `till settle`: what the till has, what the bank has, and the close."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click
import msgspec

from config.schema import Currency, Settings
from terminal.batch.batch import Batch, BatchState, Difference, Line, Total
from terminal.batch.totals import Row, currencies_of, net_by, rows_of
from terminal.commands import output
from terminal.commands.place import Place, refusals
from terminal.commands.watch import watching
from terminal.commands.who import acting, sign_in
from terminal.money import amount_with_unit
from terminal.till import Till
from terminal.view import Readiness

READY_S = 30.0
ANSWER_S = 60.0

_EXIT = {BatchState.CLOSED: output.APPROVED, BatchState.DIFFERS: output.DECLINED}


@click.command(name="totals")
@click.option("--batch", "number", type=int, help="One that was closed; else the open one.")
@click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object.")
@acting
@click.pass_obj
def totals(
    place: Place,
    number: int | None,
    json_wanted: bool,
    user: str | None,
    approvers: tuple[str, ...],
) -> None:
    """Show what the till has to close, and beside it what the bank has.

    \b
    Example:
      till totals --as 00
      till totals --batch 12 --as 00 --json
    """
    settings = place.settings()
    with refusals(), place.open_till(with_counter=False) as till:
        sign_in(till.staff, user, approvers, is_bench=till.shop.is_bench)
        batch = _asked(till) if number is None else till.day.batch(number)
    show(batch, settings, json_wanted=json_wanted)


@click.command(name="settle")
@click.option("--check", "checked", type=int, metavar="BATCH", help="Ask again about this one.")
@click.option(
    "--accept",
    "accepted",
    type=int,
    metavar="BATCH",
    help="Take this one as the bank has it; --note says why.",
)
@click.option("--note", default="", help="Why a difference is accepted.")
@click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object.")
@acting
@click.pass_obj
def settle(
    place: Place,
    checked: int | None,
    accepted: int | None,
    note: str,
    json_wanted: bool,
    user: str | None,
    approvers: tuple[str, ...],
) -> None:
    """Close the batch at the bank; the next payment begins another one.

    Where the bank has something else, the differing lines are listed. A
    batch without an answer is asked about again whenever the till runs.

    Exit status: 0 closed, 10 the bank has something else, 20 no answer yet,
    30 refused.

    \b
    Example:
      till settle --as 00
      till settle --accept 12 --note "paid at the bank's counter" --as 00
    """
    settings = place.settings()
    if checked is not None and accepted is not None:
        raise click.UsageError("--check and --accept are one or the other")

    def begin(till: Till) -> int:
        if accepted is not None:
            till.day.accept(accepted, note)
            return accepted
        if checked is not None:
            till.day.check(checked)
            return checked
        return till.day.close()

    with refusals(), place.open_till(with_counter=False) as till:
        sign_in(till.staff, user, approvers, is_bench=till.shop.is_bench)
        batch = _settled(till, begin)
    show(batch, settings, json_wanted=json_wanted)
    raise click.exceptions.Exit(_EXIT.get(batch.state, output.UNKNOWN))


def _asked(till: Till) -> Batch:
    """Return the open batch, with the bank's totals if it answered."""
    with watching(till) as watch:
        watch.until(lambda view: view.bank is not Readiness.STARTING, READY_S)
        till.day.ask_totals()
        watch.until(
            lambda view: view.inquiry is not None and view.inquiry.bank is not None, ANSWER_S
        )
        inquiry = till.view().inquiry
    if inquiry is None:
        raise LookupError("the totals were asked for and are not there")
    return inquiry


def _settled(till: Till, begin: Callable[[Till], int]) -> Batch:
    """Return the batch once it is closed or differs, or as it is when the time is up."""
    with watching(till) as watch:
        watch.until(lambda view: view.bank is not Readiness.STARTING, READY_S)
        number = begin(till)

        def now() -> Batch:
            # Not the view at hand: it may be of before the till was asked.
            return next(batch for batch in till.view().batches if batch.number == number)

        watch.until(lambda _view: now().state in (BatchState.CLOSED, BatchState.DIFFERS), ANSWER_S)
        return now()


def show(batch: Batch, settings: Settings, *, json_wanted: bool) -> None:
    """Print a batch, for a program or for people."""
    if json_wanted:
        click.echo(json.dumps(as_plain(batch), ensure_ascii=False))
        return
    click.echo(f"Batch {batch.number} of {batch.day}: {batch.state}")
    for letters in currencies_of(batch) or (settings.currency.letters,):
        currency = settings.currencies[letters]
        click.echo(f"{letters:10}{'till':>16}{'bank':>16}{'difference':>16}")
        for row in rows_of(batch, letters):
            click.echo(_row_line(row, currency))
        _show_parts(batch, "brand", lambda total: total.brand, currency)
        _show_parts(batch, "cashier", lambda total: total.cashier, currency)
    for difference in batch.differences or ():
        click.echo(_difference_line(difference, settings))
    if batch.accepted_by:
        click.echo(f"Accepted by {batch.accepted_by}: {batch.note}")


def _show_parts(batch: Batch, title: str, name: Callable[[Total], str], currency: Currency) -> None:
    for called, (count, minor) in net_by(batch.totals, name, currency.letters).items():
        click.echo(f"{title} {called or '-'}: {count}, {amount_with_unit(minor, currency)}")


def as_plain(batch: Batch) -> dict[str, Any]:
    """Return what scripts may rely on: stable names, whole numbers, no card data."""
    plain: dict[str, Any] = msgspec.to_builtins(batch)
    plain["rows"] = {
        currency: {
            row.name.value: {
                "till_minor": row.till_minor,
                "bank_minor": row.bank_minor,
                "difference_minor": row.difference_minor,
            }
            for row in rows_of(batch, currency)
        }
        for currency in currencies_of(batch)
    }
    return plain


def _row_line(row: Row, currency: Currency) -> str:
    bank = "-" if row.bank_minor is None else amount_with_unit(row.bank_minor, currency)
    by = row.difference_minor
    difference = "-" if by is None else amount_with_unit(by, currency)
    word = "" if by is None else "  agrees" if by == 0 else "  DIFFERS"
    till = amount_with_unit(row.till_minor, currency)
    return f"{row.name:10}{till:>16}{bank:>16}{difference:>16}{word}"


def _difference_line(difference: Difference, settings: Settings) -> str:
    line = difference.till or difference.bank
    called = f"{line.number:04} {line.kind}" if line else difference.attempt
    till, bank = (_line_amount(side, settings) for side in (difference.till, difference.bank))
    who = f", cashier {difference.till.cashier}" if difference.till else ""
    return f"Differs: {called}{who}: till {till}, bank {bank}"


def _line_amount(line: Line | None, settings: Settings) -> str:
    if line is None:
        return "nothing"
    amount = amount_with_unit(line.amount_minor, settings.currencies[line.currency])
    return f"{amount} {line.brand}".rstrip()
