"""The command line: names the commands; each is imported when it is used."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import click

from config.errors import ConfigError
from drivers.errors import DriverError
from emv.errors import EmvError
from terminal.assembly.parts import Assembly
from terminal.errors import TillError

COMMANDS = {
    "run": "terminal.commands.run:run",
    "customer": "terminal.commands.run:customer",
    "sale": "terminal.commands.sale:command",
    "payments": "terminal.commands.payments:payments",
    "show": "terminal.commands.payments:show",
    "refund": "terminal.commands.give_back:refund",
    "void": "terminal.commands.give_back:void",
    "preauth": "terminal.commands.hold:preauth",
    "increment": "terminal.commands.hold:increment",
    "complete": "terminal.commands.hold:complete",
    "cancel": "terminal.commands.hold:cancel",
    "balance": "terminal.commands.balance:command",
    "moto": "terminal.commands.moto:command",
    "tip": "terminal.commands.hold:tip",
    "totals": "terminal.commands.settle:totals",
    "settle": "terminal.commands.settle:settle",
    "recover": "terminal.commands.recover:command",
    "sync": "terminal.commands.store:sync",
    "inbox": "terminal.commands.store:inbox",
    "export": "terminal.commands.store:export",
    "journal": "terminal.commands.journal:journal",
    "enrol": "terminal.commands.enrol:command",
    "keys": "terminal.commands.keys:keys",
    "config": "terminal.commands.config:config",
    "people": "terminal.commands.people:people",
    "audit": "terminal.commands.people:audit",
    "trace": "terminal.commands.trace:trace",
    "emv": "terminal.commands.emv:emv",
    "decode": "terminal.commands.decode:command",
    "qr": "terminal.commands.qr:command",
    "scan": "terminal.commands.scan:command",
    "doctor": "terminal.commands.doctor:command",
    "sim": "simulators.commands:command",
}

SUMMARIES = {
    "run": "Open the till.",
    "customer": "Show the customer's side of the till.",
    "sale": "Take a payment without a screen.",
    "payments": "List payments.",
    "show": "Show one payment, or its receipt.",
    "refund": "Give money back.",
    "void": "Undo a whole sale.",
    "people": "See and change who works here.",
    "audit": "Show who did what, and check that nothing was altered.",
    "totals": "Show what is to be closed, beside the bank's.",
    "settle": "Close the day at the bank.",
    "recover": "Bring what is open to its end.",
    "sync": "Send the card sales that were kept.",
    "inbox": "See and settle what the bank refused for good.",
    "export": "Write the kept card sales to a file for the bank.",
    "enrol": "Have a bank take this till in.",
    "keys": "See, renew and protect the keys of this till.",
    "config": "See what this till works by, and from where it has it.",
    "trace": "Tell what a card and the till said to each other, and why.",
    "emv": "Explain the settings that cards are paid by.",
    "decode": "Show card data objects, and logs of cards, in words.",
    "qr": "Read and make payment codes.",
    "scan": "Show what a camera sees, and read codes.",
    "doctor": "Say what works here, what does not, and what mends it.",
    "sim": "Run the simulators by themselves.",
}


class Commands(click.Group):
    """The commands by name; a command's module is imported when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands, in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command. Help alone imports none."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list for --help from the table."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="OPENTILL_HOME",
    help="State directory. [default: $OPENTILL_HOME, else ~/.local/state/opentill]",
)
@click.option(
    "--shop",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="OPENTILL_SHOP",
    help="The shop's TOML file; a simulated shop if absent.",
)
@click.option(
    "--bank",
    metavar="URL",
    envvar="OPENTILL_BANK",
    help="A simulated bank that runs already ('till sim bank'), instead of one of the till's own.",
)
@click.option(
    "--pin-pad",
    metavar="PATH",
    envvar="OPENTILL_PIN_PAD",
    help="Ask for PINs on the pad at this serial line ('till sim pinpad' makes one).",
)
@click.version_option(package_name="opentill", prog_name="OpenTill")
@click.pass_context
def main(
    context: click.Context,
    home: Path | None,
    shop: Path | None,
    bank: str | None,
    pin_pad: str | None,
) -> None:
    """OpenTill: a merchant's payment terminal. Uncertified; test keys only.

    \b
    Example:
      till run
      till sale 12.50 --present card:visa-online
    """
    context.obj = Assembly(home or default_home(), shop, bank, pin_pad).place()


def default_home() -> Path:
    """Return the state directory. Source: XDG Base Directory Specification."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "opentill"


def cli() -> None:
    """Run the command line; what no command foresaw is one line, never a traceback."""
    try:
        main(prog_name="till")
    except (TillError, DriverError, EmvError, ConfigError) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    cli()
