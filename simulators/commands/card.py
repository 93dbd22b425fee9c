"""till sim card: a card to tap or to insert, spoken to from the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from simulators.commands.apdus import converse, list_profiles
from simulators.commands.home import default_home
from simulators.commands.on_wire import (
    check_wires,
    choose_names,
    hold,
    opened_wire,
    wire_options,
)


@click.command(
    "card",
    epilog="\b\nExample:\n"
    "  till sim card --list\n"
    "  till sim card visa-online --pcsc\n"
    "  till sim card visa-online --apdu 00A404000E325041592E5359532E444446303100\n"
    "  till sim card visa-online --fault tear-before:2 < apdus.txt",
)
@click.argument("profile", required=False)
@click.option("--profile", "named", metavar="PROFILE", help="The same as PROFILE.")
@click.option(
    "--apdu",
    "apdus",
    metavar="HEX",
    multiple=True,
    help="A command for the card; may be given several times. [default: standard input, "
    "one a line]",
)
@click.option(
    "--fault",
    "faults",
    metavar="FAULT",
    multiple=True,
    help="tear-before:N, tear-after:N, silence:N, garbage:N at command N, delay:MS or delay:MS@N.",
)
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="State directory. [default: $OPENTILL_HOME, else ~/.local/state/opentill]",
)
@click.option(
    "--as-new",
    "is_as_new",
    is_flag=True,
    help="A chip card forgets wrong PINs, blocks and limits first.",
)
@wire_options
@click.option("--list", "is_list", is_flag=True, help="List the cards and end.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
def command(
    profile: str | None,
    named: str | None,
    apdus: Sequence[str],
    faults: Sequence[str],
    home: Path | None,
    is_pcsc: bool,
    udp_port: int | None,
    pn532: Path | None,
    stay: bool,
    is_as_new: bool,
    is_list: bool,
    as_json: bool,
) -> None:
    """Send commands (C-APDUs) to a simulated card and print its answers.

    On a wire (--pcsc, --nfc-udp, --pn532) it is held to a reader that any
    program of that stack finds; keys tear it away, remove, put back and swap it.
    Chip cards (contact-…) belong into a slot: 'till sim pcscd --reader contact' has one.

    The word 'reset' in the place of a command takes the card out of the
    field and back; what follows a # on a line is left out.

    The card has real keys, made at its first use below the state directory;
    'cards/ca-public.toml' there holds what a terminal needs to trust it.
    """
    from simulators.card import CardSimulatorError, contact, find_card, load_cards, make_card
    from simulators.card.faults import with_faults
    from simulators.readers.errors import ReaderSimulatorError

    try:
        if is_list:
            list_profiles(load_cards().values(), as_json)
            return
        profile = profile or named
        if profile is None:
            raise click.UsageError("Name a card, or --list them.")
        if is_as_new:
            contact.make_new(profile, home or default_home())
        if check_wires(is_pcsc, udp_port, pn532):
            state = home or default_home()
            names = choose_names(profile, list(load_cards()))
            with opened_wire(state, is_pcsc, udp_port, pn532) as wire:
                hold(
                    wire,
                    names,
                    lambda name: with_faults(make_card(find_card(name), state), faults),
                    stay=stay,
                    as_json=as_json,
                )
            return
        card = make_card(find_card(profile), home or default_home())
        converse(with_faults(card, faults), apdus, as_json)
    except (CardSimulatorError, ReaderSimulatorError) as error:
        raise click.ClickException(str(error)) from error
