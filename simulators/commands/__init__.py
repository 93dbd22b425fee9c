"""till sim: each simulator by itself, for whoever tests a till of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import click


def _bank() -> click.Command:
    from simulators.commands.bank import command

    return command


def _camera() -> click.Command:
    from simulators.commands.camera import command

    return command


def _card() -> click.Command:
    from simulators.commands.card import command

    return command


def _display() -> click.Command:
    from simulators.commands.display import command

    return command


def _pcscd() -> click.Command:
    from simulators.commands.pcscd import command

    return command


def _phone() -> click.Command:
    from simulators.commands.phone import command

    return command


def _pinpad() -> click.Command:
    from simulators.commands.pinpad import command

    return command


def _printer() -> click.Command:
    from simulators.commands.printer import command

    return command


def _scanner() -> click.Command:
    from simulators.commands.scanner import command

    return command


def _wallet() -> click.Command:
    from simulators.commands.wallet import command

    return command


def _world() -> click.Command:
    from simulators.commands.world import command

    return command


# Loaded one at a time, when named: a bank brings a web server along.
COMMANDS: Mapping[str, tuple[str, Callable[[], click.Command]]] = {
    "bank": ("The acquirer and the issuers behind it.", _bank),
    "camera": ("A network camera and what is held before it.", _camera),
    "card": ("A contactless card.", _card),
    "display": ("A pole display on a serial line.", _display),
    "pcscd": ("A private pcscd with virtual readers.", _pcscd),
    "phone": ("A phone that pays like a card.", _phone),
    "pinpad": ("A PIN pad on a serial line.", _pinpad),
    "printer": ("A receipt printer on a serial line.", _printer),
    "scanner": ("A hand scanner on a serial line.", _scanner),
    "wallet": ("A wallet that shows payment codes and scans the shop's.", _wallet),
    "world": ("A whole shop in one process, from one seed.", _world),
}


class SimulatorGroup(click.Group):
    """A group that imports a simulator only when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the simulators."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one simulator's command, None if there is none."""
        return COMMANDS[cmd_name][1]() if cmd_name in COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the simulators without importing them."""
        with formatter.section("Simulators"):
            formatter.write_dl([(name, line) for name, (line, _) in COMMANDS.items()])


@click.group(
    "sim",
    cls=SimulatorGroup,
    epilog="\b\nExample:\n  till sim card --list\n  till sim bank --port 8443",
)
def command() -> None:
    """Run one far end of a till's wires by itself."""
