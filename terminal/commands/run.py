"""`till run` and `till customer`: the screens."""

from __future__ import annotations

import os
import sys

import click

from terminal.commands.place import Place, refusals
from terminal.customer import CustomerPublisher


def system_language() -> str:
    """Return the language of the person at the keyboard, as the environment says."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            return "zh" if value.startswith("zh") else "en"
    return "en"


_language = click.option(
    "--language",
    type=click.Choice(["en", "zh"]),
    help="The first language; F10 switches. The environment's if absent.",
)


@click.command(name="run")
@click.option("--plain", is_flag=True, help="Lines instead of a screen, for screen readers.")
@_language
@click.option("--theme", type=click.Choice(["dark", "light", "contrast"]), help="F11 switches.")
@click.pass_obj
def run(place: Place, plain: bool, language: str | None, theme: str | None) -> None:
    """Open the till.

    \b
    Example:
      till run
      till run --language zh --theme light
      till run --plain
    """
    chosen = language or system_language()
    face = "lines" if plain else "screen"
    with refusals(), place.open_till(at_once=plain, face=face) as till:
        publisher = CustomerPublisher(place.customer_socket, lambda: till.shop, till.now)
        unsubscribe = till.subscribe(publisher)
        try:
            if plain:
                place.show_lines(till, chosen, sys.stdin, sys.stdout)
            else:
                place.show_screen(till, chosen, theme)
        finally:
            unsubscribe()
            publisher.close()


@click.command(name="customer")
@_language
@click.pass_obj
def customer(place: Place, language: str | None) -> None:
    """Show the customer's side of the till that runs on this machine.

    \b
    Example:
      till customer --language zh
    """
    with refusals():
        place.show_customer(place.customer_socket, language or system_language())
