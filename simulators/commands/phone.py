"""till sim phone: a phone that pays like a card, spoken to from the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from simulators.commands.apdus import converse, list_profiles
from simulators.commands.home import default_home


@click.command(
    "phone",
    epilog="\b\nExample:\n"
    "  till sim phone --list\n"
    "  till sim phone phone-see-phone --unlock \\\n"
    "      --apdu 00A404000E325041592E5359532E444446303100",
)
@click.argument("profile", required=False)
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
@click.option("--list", "is_list", is_flag=True, help="List the phones and end.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
def command(
    profile: str | None,
    apdus: Sequence[str],
    faults: Sequence[str],
    unlock: bool,
    home: Path | None,
    is_list: bool,
    as_json: bool,
) -> None:
    """Send commands (C-APDUs) to a simulated phone and print its answers.

    The word 'reset' in the place of a command takes the phone out of the
    field and back, 'unlock' has its owner verified; what follows a # on a
    line is left out.
    """
    from simulators.card import CardSimulatorError
    from simulators.card.faults import with_faults
    from simulators.phone import find_phone, load_profiles, make_phone

    try:
        if is_list:
            list_profiles(load_profiles().values(), as_json)
            return
        if profile is None:
            raise click.UsageError("Name a phone, or --list them.")
        phone = make_phone(find_phone(profile), home or default_home())
        if unlock:
            phone.unlock()
        converse(with_faults(phone, faults), apdus, as_json, {"unlock": phone.unlock})
    except CardSimulatorError as error:
        raise click.ClickException(str(error)) from error
