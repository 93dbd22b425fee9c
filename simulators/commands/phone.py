"""till sim phone: a phone that pays like a card, spoken to from the command line."""

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
    "phone",
    epilog="\b\nExample:\n"
    "  till sim phone --list\n"
    "  till sim phone phone-approved --pcsc\n"
    "  till sim phone phone-see-phone --unlock \\\n"
    "      --apdu 00A404000E325041592E5359532E444446303100",
)
@click.argument("profile", required=False)
@click.option("--profile", "named", metavar="PROFILE", help="The same as PROFILE.")
@click.option(
    "--apdu",
    "apdus",
    metavar="HEX",
    multiple=True,
    help="A command for the phone; may be given several times. [default: standard input, "
    "one a line]",
)
@click.option(
    "--fault",
    "faults",
    metavar="FAULT",
    multiple=True,
    help="tear-before:N, tear-after:N, silence:N, garbage:N at command N, delay:MS or delay:MS@N.",
)
@click.option("--unlock", is_flag=True, help="The owner unlocks it before the first command.")
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="State directory. [default: $OPENTILL_HOME, else ~/.local/state/opentill]",
)
@wire_options
@click.option("--list", "is_list", is_flag=True, help="List the phones and end.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
def command(
    profile: str | None,
    named: str | None,
    apdus: Sequence[str],
    faults: Sequence[str],
    unlock: bool,
    home: Path | None,
    is_pcsc: bool,
    udp_port: int | None,
    pn532: Path | None,
    stay: bool,
    is_list: bool,
    as_json: bool,
) -> None:
    """Send commands (C-APDUs) to a simulated phone and print its answers.

    On a wire (--pcsc, --nfc-udp, --pn532) it is held to a reader that any
    program of that stack finds; keys tear it away, remove, put back and swap it.

    The word 'reset' in the place of a command takes the phone out of the
    field and back, 'unlock' has its owner verified; what follows a # on a
    line is left out.
    """
    from simulators.card import CardSimulatorError
    from simulators.card.faults import with_faults
    from simulators.phone import find_phone, load_profiles, make_phone
    from simulators.readers.errors import ReaderSimulatorError

    try:
        if is_list:
            list_profiles(load_profiles().values(), as_json)
            return
        profile = profile or named
        if profile is None:
            raise click.UsageError("Name a phone, or --list them.")
        if check_wires(is_pcsc, udp_port, pn532):
            state = home or default_home()
            names = choose_names(profile, list(load_profiles()))
            with opened_wire(state, is_pcsc, udp_port, pn532) as wire:
                hold(
                    wire,
                    names,
                    lambda name: with_faults(make_phone(find_phone(name), state), faults),
                    stay=stay,
                    as_json=as_json,
                )
            return
        phone = make_phone(find_phone(profile), home or default_home())
        if unlock:
            phone.unlock()
        converse(with_faults(phone, faults), apdus, as_json, {"unlock": phone.unlock})
    except (CardSimulatorError, ReaderSimulatorError) as error:
        raise click.ClickException(str(error)) from error
