"""`till config`: what this till works by, and who said so."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import click
import msgspec

from config.schema import Parameters, Settings
from terminal.bank.dialects import open_signed_client, speaks_iso8583
from terminal.commands.place import Place, Refusal, refusals
from terminal.news import parameters
from terminal.seams import system_randomness

SECTIONS = ("shop", "bank", "receipts", "texts", "offline", "traces")
TABLES = ("applications", "ca_keys", "currencies", "payment_codes")


@click.group(name="config")
def config() -> None:
    """See what this till works by, and from where it has it.

    \b
    Example:
      till config show
      till config update
    """


@config.command(name="show")
@click.pass_obj
def show(place: Place) -> None:
    """Print every setting with its source: the bank, the shop's file, or the till itself."""
    settings = place.settings()
    held = None
    if settings.parameters_version:
        with refusals():
            held = place.parameters().newest()
    for name, value, source in _lines(place, settings, held):
        click.echo(f"{name:28}  {value:32}  {source}")
    refused = parameters.refused(place.till_folder)
    if refused is not None:
        click.echo(f"Refused what the bank sent last: {refused.why}", err=True)


@config.command(name="update")
@click.pass_obj
def update(place: Place) -> None:
    """Fetch what the bank sets, if it is newer, and try it on this shop's settings.

    A till that runs does so by itself. It takes up what it finds between two
    sales; one that does not run, at its next start. What does not fit is
    refused, and what held before holds.
    Exit status: 0 done, 30 refused.
    """
    from terminal.security.keys import load_keys

    bank = place.settings().bank
    if speaks_iso8583(bank):
        raise Refusal("ISO 8583 has no words for it: change the shop's file")
    with refusals(), place.open_staff() as staff:
        keys = load_keys(place.key_folder)
        with closing(open_signed_client(bank, keys, place.clock, system_randomness)) as client:
            new = place.parameters().fetch(client, staff.log.append)
    if new is None:
        click.echo("The bank has nothing newer")
    else:
        click.echo(f"Version {new.version} holds from the next sale")


def _lines(
    place: Place, settings: Settings, held: Parameters | None
) -> Iterator[tuple[str, str, str]]:
    """Give name, value and source of each setting."""
    written: dict[str, Any] = tomllib.loads(place.shop_file.read_text("utf-8"))
    bank = f"the bank, version {held.version}" if held else ""
    for section in SECTIONS:
        own, part = written.get(section, {}), getattr(settings, section)
        is_whole = getattr(held, section, None) is not None
        for field in msgspec.structs.fields(part):
            is_given = section == "shop" and getattr(held, field.name, None) is not None
            source = place.shop_file.name if field.name in own else "the till's own"
            value = msgspec.json.encode(getattr(part, field.name), enc_hook=str).decode()
            yield f"{section}.{field.name}", value, bank if is_whole or is_given else source
    files = written.get("files", {})
    for table in TABLES:
        named = files.get(table, "the till's own")
        source = ", ".join(named) if isinstance(named, list) else named
        is_given = getattr(held, table, None) is not None
        yield table, str(len(getattr(settings, table))), bank if is_given else source
    if settings.listed_cards is not None:
        yield "listed_cards", str(len(settings.listed_cards.digests)), bank
