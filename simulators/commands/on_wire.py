"""A card or a phone held to a real reader stack by hand: keys to tear, remove and swap."""

from __future__ import annotations

import json
import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import click

from simulators.responses import AnyCard, Response, Torn

KEYS = "t tear at the next command, r remove, p put back, s swap for another, q quit"
STATE_FILE = "pcscd.json"


class FrontEnd(Protocol):
    """The card's side of a wire."""

    def present(self, *cards: AnyCard, stay: bool = False) -> None:
        """Hold cards there."""

    def remove(self) -> None:
        """Take them away."""

    def close(self) -> None:
        """Let the wire go."""


class Tearable:
    """A card that can be torn away at whatever command comes next."""

    def __init__(self, card: AnyCard) -> None:
        self._card = card
        self.is_to_be_torn = False

    def power_up(self) -> None:
        """Enter a field."""
        self._card.power_up()

    def respond(self, command: bytes) -> Response:
        """Answer one C-APDU, or leave."""
        if self.is_to_be_torn:
            self.is_to_be_torn = False
            return Torn()
        return self._card.respond(command)

    def returns_after_s(self) -> float | None:
        """Return how soon its owner taps it again by himself; None if he does not."""
        return self._card.returns_after_s()


@dataclass(frozen=True, slots=True)
class Wire:
    """Where a card is held, and what a reader opens to find it."""

    front: FrontEnd
    facts: Mapping[str, str]


@contextmanager
def opened_wire(
    home: Path, is_pcsc: bool, udp_port: int | None, pn532: Path | None
) -> Iterator[Wire]:
    """Open the one wire that was asked for; close it after.

    Raises ReaderSimulatorError.
    """
    with ExitStack() as stack:
        if is_pcsc:
            yield _pcsc(home, stack)
        elif pn532 is not None:
            from simulators.readers.pn532 import Pn532

            chip = Pn532(link=pn532)
            stack.callback(chip.close)
            yield Wire(chip, {"pn532": chip.path})
        else:
            from simulators.readers.nfc_udp import NfcUdpCard

            front = NfcUdpCard(port=udp_port or 0)
            stack.callback(front.close)
            yield Wire(front, {"nfc": front.path})


def _pcsc(home: Path, stack: ExitStack) -> Wire:
    """Take the first reader of the pcscd that runs here, or start one."""
    from drivers.protocols import Interface
    from simulators.readers.pcscd import Pcscd
    from simulators.readers.vpcd import VpcdReader

    running = running_pcscd(home)
    if running is not None:
        reader = VpcdReader(
            running["name"],
            interface=Interface(running["interface"]),
            port=int(running["port"]),
        )
        stack.callback(reader.close)
        return Wire(reader, {"reader": running["name"], "PCSCLITE_CSOCK_NAME": running["socket"]})
    reader = VpcdReader()
    stack.callback(reader.close)
    daemon = stack.enter_context(Pcscd([reader]))
    return Wire(reader, {"reader": reader.name, **daemon.environment})


def running_pcscd(home: Path) -> Mapping[str, str] | None:
    """Return the first reader of the pcscd that till sim pcscd runs here, if it does."""
    try:
        facts: dict[str, str] = json.loads((home / STATE_FILE).read_text("utf-8"))
        os.kill(int(facts["pid"]), 0)
    except (OSError, ValueError, KeyError):
        return None
    return facts


def hold(
    wire: Wire, names: Sequence[str], make: Callable[[str], AnyCard], *, stay: bool, as_json: bool
) -> None:
    """Hold cards there until standard input ends or says 'quit'.

    names: what can be held; the first one is, the next ones by swapping.
    stay: it is left lying there; otherwise it leaves when it has been read.
    """
    at = 0
    card = Tearable(make(names[at]))
    wire.front.present(card, stay=stay)
    _tell({**wire.facts, "held": names[at]}, as_json)
    with _keys() as keys:
        for key in keys:
            match key[:1].lower():
                case "q":
                    return
                case "t":
                    card.is_to_be_torn = True
                    _tell({"next": "torn"}, as_json)
                case "r":
                    wire.front.remove()
                    _tell({"held": ""}, as_json)
                case "p" | "s":
                    wire.front.remove()
                    at = (at + (key[:1].lower() == "s")) % len(names)
                    card = Tearable(make(names[at]))
                    wire.front.present(card, stay=stay)
                    _tell({"held": names[at]}, as_json)
                case _:
                    click.echo(KEYS, err=True)


def _tell(facts: Mapping[str, str], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(dict(facts)))
        return
    for key, value in facts.items():
        if key == "PCSCLITE_CSOCK_NAME":
            click.echo(f"export {key}={value}")
        else:
            click.echo(f"{key}: {value or 'nothing'}")


@contextmanager
def _keys() -> Iterator[Iterator[str]]:
    """Give single keys from a terminal, lines from anything else."""
    if not sys.stdin.isatty():
        yield (line.strip() for line in sys.stdin)
        return
    click.echo(KEYS, err=True)
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    try:
        yield iter(lambda: os.read(descriptor, 1).decode("ascii", "replace"), "")
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def wire_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add what till sim card and till sim phone take to go on a wire."""
    for option in (
        click.option(
            "--stay", is_flag=True, help="On a wire: leave it lying there after it was read."
        ),
        click.option(
            "--pn532",
            metavar="PATH",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Hold it to a PN532 on a serial line of this name.",
        ),
        click.option(
            "--nfc-udp",
            "udp_port",
            metavar="PORT",
            type=click.IntRange(0, 65535),
            is_flag=False,
            flag_value=0,
            help="Hold it to nfcpy's UDP link. [default: a free port]",
        ),
        click.option(
            "--pcsc",
            "is_pcsc",
            is_flag=True,
            help="Hold it to a virtual PC/SC reader, of till sim pcscd if that runs.",
        ),
    ):
        function = option(function)
    return function


def check_wires(is_pcsc: bool, udp_port: int | None, pn532: Path | None) -> bool:
    """Say whether a wire was asked for. Raises click.UsageError for two."""
    asked = (is_pcsc, udp_port is not None, pn532 is not None)
    if sum(asked) > 1:
        raise click.UsageError("one of --pcsc, --nfc-udp, --pn532")
    return any(asked)


def choose_names(name: str, known: Sequence[str]) -> list[str]:
    """Return the profiles from the one that is meant on; a beginning of its name is enough."""
    fitting = [each for each in known if each == name] or [
        each for each in known if each.startswith(name)
    ]
    if not fitting:
        return [name]
    at = list(known).index(fitting[0])
    return [*known[at:], *known[:at]]
