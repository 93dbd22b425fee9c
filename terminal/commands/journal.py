"""`till journal`: whether the journal holds, and what of it can be read."""

from __future__ import annotations

from contextlib import closing
from typing import TextIO

import click

from terminal.commands.place import Place, refusals
from terminal.journal import JournalReader


@click.group()
def journal() -> None:
    """Check or export the till's journal."""


@journal.command(name="check")
@click.pass_obj
def check(place: Place) -> None:
    """Check every page, the whole chain, and what lists and queues are made from.

    Nothing is changed. Exit status: 0 it holds, 30 it does not; the message says where.

    \b
    Example:
      till journal check
    """
    with refusals(), closing(JournalReader(place.till_folder)) as reader:
        count = reader.verify()
    click.echo(f"The journal holds: {count} moves, from the first to the last.")


@journal.command(name="export")
@click.argument("file", type=click.File("w", encoding="utf-8"), default="-")
@click.pass_obj
def export(place: Place, file: TextIO) -> None:
    """Write every move that can be read to FILE, a line of JSON each.

    Damaged pages are stepped over. No card number is in it.

    \b
    Example:
      till journal export moves.jsonl
    """
    with refusals(), closing(JournalReader(place.till_folder)) as reader:
        count = reader.export(file)
    click.echo(f"{count} moves written.", err=True)
