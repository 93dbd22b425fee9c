"""till sim pinpad: a PIN pad on a serial line, its keys typed here."""

from __future__ import annotations

from pathlib import Path

import click

from simulators.commands.home import default_home
from simulators.commands.lines import line_options, plugged, serve


@click.command(
    "pinpad",
    epilog="\b\nExample:\n  till sim pinpad --link /tmp/pinpad\n  press 1 2 3 4 enter",
)
@click.option("--no-keys", is_flag=True, help="A pad that nobody has injected keys into.")
@line_options("pinpad")
def command(
    no_keys: bool, link: Path | None, home: Path | None, until_eof: bool, as_json: bool
) -> None:
    """Run a PIN pad on a serial line of this machine.

    Prints the line's path, then its screen whenever it changes; a till opens
    it with driver "pinpad-serial". Its keys are injected at first use below
    the state directory, where the simulated bank finds the base key. Words:
    'press KEY…' with 0 to 9, enter, clear, cancel; plug, unplug, silence,
    stuck, garbage, mend. Test PINs only: what is typed here is in clear.
    """
    import secrets
    import time

    from simulators.card.errors import CardSimulatorError
    from simulators.pinpad import PinPadKeys, PinPadSimulator

    keys = None if no_keys else PinPadKeys(home or default_home())
    try:
        if keys is not None:
            keys.key_id()
    except CardSimulatorError as error:
        raise click.ClickException(str(error)) from error
    pad = PinPadSimulator(keys, secrets.token_bytes, time.monotonic)

    def press(names: str) -> None:
        for name in names.split():
            pad.press(name)

    with plugged(pad, "pinpad", link, home) as line:
        serve(
            line,
            {"press": press},
            lambda: {"screen": pad.screen},
            until_eof=until_eof,
            as_json=as_json,
        )
