"""`till recover`: brings what an earlier till left open to its end."""

from __future__ import annotations

import click

from terminal.commands import output
from terminal.commands.place import Place, refusals
from terminal.commands.watch import watching
from terminal.journal import JournalReader
from terminal.view import Stage, View


@click.command(name="recover")
@click.option("--timeout", default=60.0, show_default=True, help="How long to try, in seconds.")
@click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object a line.")
@click.pass_obj
def command(place: Place, timeout: float, json_wanted: bool) -> None:
    """Ask, reverse, close or send what is open, as every start of the till does.

    Prints each payment that was open, as it stands afterwards. Exit status:
    0 nothing is open any more, 20 something still is, 30 the till cannot open.

    \b
    Example:
      till recover --timeout 30
    """
    currencies = place.settings().currencies
    with refusals():
        journal = JournalReader(place.till_folder)
        before = [payment.id for payment in journal.unfinished()]
        with place.open_till(with_counter=False) as till, watching(till) as watch:
            watch.until(_is_quiet, timeout)
        after = [journal.payment(attempt) for attempt in before]
        is_done = not journal.unfinished()
        journal.close()
    for payment in after:
        click.echo(output.as_json(payment) if json_wanted else output.as_line(payment, currencies))
    raise click.exceptions.Exit(output.APPROVED if is_done else output.UNKNOWN)


def _is_quiet(view: View) -> bool:
    """The till has begun, and nothing is left that it follows."""
    return view.open_count == 0 and view.stage is Stage.IDLE
