"""till sim pcscd: a private pcscd with virtual readers, for whatever speaks PC/SC."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulators.commands.home import default_home
from simulators.commands.on_wire import STATE_FILE

if TYPE_CHECKING:
    from simulators.readers.pcscd import Pcscd, Place


@click.command(
    "pcscd",
    epilog="\b\nExample:\n"
    "  till sim pcscd &            # prints the line to export\n"
    "  till sim card visa-online --pcsc",
)
@click.option(
    "--reader",
    "kinds",
    type=click.Choice(["contactless", "contact"]),
    multiple=True,
    help="A reader with an antenna or a slot; may be given several times. [default: contactless]",
)
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="State directory, where till sim card --pcsc finds it. "
    "[default: $OPENTILL_HOME, else ~/.local/state/opentill]",
)
@click.option("--until-eof", is_flag=True, help="End when standard input ends.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(kinds: Sequence[str], home: Path | None, until_eof: bool, as_json: bool) -> None:
    """Run a pcscd of one's own: unprivileged, on loopback, gone afterwards.

    Programs find it by the environment variable that is printed.
    """
    from drivers.protocols import Interface
    from simulators.readers import pcscd
    from simulators.readers.errors import ReaderSimulatorError
    from simulators.readers.vpcd import free_port

    home = home or default_home()
    places = []
    for number, kind in enumerate(kinds or ("contactless",)):
        interface = Interface(kind)
        word = "PICC" if interface is Interface.CONTACTLESS else "Slot"
        places.append(pcscd.Place(f"OpenTill Virtual {word} {number}", free_port()))
    try:
        with pcscd.Pcscd(places) as daemon:
            facts = {
                "pid": str(os.getpid()),
                "socket": str(daemon.socket),
                "name": places[0].name,
                "port": str(places[0].port),
                "interface": (kinds or ("contactless",))[0],
            }
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
            state = home / STATE_FILE
            state.write_text(json.dumps(facts), "utf-8")
            try:
                _tell(daemon, as_json)
                _wait(until_eof)
            finally:
                state.unlink(missing_ok=True)
    except ReaderSimulatorError as error:
        raise click.ClickException(str(error)) from error


def _tell(daemon: Pcscd[Place], as_json: bool) -> None:
    names = [reader.name for reader in daemon.readers]
    if as_json:
        click.echo(json.dumps({**daemon.environment, "readers": names}))
        return
    for key, value in daemon.environment.items():
        click.echo(f"export {key}={value}")
    for name in names:
        click.echo(f"reader: {name}")


def _wait(until_eof: bool) -> None:
    """Wait for the end of standard input, or for somebody to end us."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        if until_eof:
            while sys.stdin.buffer.read(4096):
                pass
        else:
            signal.pause()
    except KeyboardInterrupt:
        return
