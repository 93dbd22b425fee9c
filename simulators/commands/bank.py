"""till sim bank: the simulated bank by itself."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulators.commands.home import default_home

if TYPE_CHECKING:
    from simulators.bank.iso8583.door import Door
    from simulators.bank.place import BankPlace
    from simulators.bank.service import BankServer


@click.command(
    "bank",
    epilog="\b\nExample:\n  till sim bank --home /tmp/shop --port 8443\n"
    "  till sim bank --home /tmp/shop --ledger",
)
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="State directory. [default: $OPENTILL_HOME, else ~/.local/state/opentill]",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 takes any free port.")
@click.option(
    "--until-eof",
    is_flag=True,
    help="End when standard input closes. A line 'mute' there has the bank take requests and "
    "hang up without an answer; 'speak' ends that.",
)
@click.option(
    "--iso8583",
    "iso8583_port",
    type=click.IntRange(0, 65535),
    help="Also answer ISO 8583:1987 on this port; 0 takes any free one.",
)
@click.option(
    "--iso8583-code",
    type=click.Choice(("retail", "xor-block")),
    default="retail",
    show_default=True,
    help="The message code its tills use.",
)
@click.option("--verbose", is_flag=True, help="A line on standard error for each answer.")
@click.option("--accounts", is_flag=True, help="List the test accounts and end.")
@click.option("--ledger", is_flag=True, help="Print the balances, check their sum and end.")
@click.option(
    "--openapi",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the link's contract to a file and end.",
)
def command(
    home: Path | None,
    port: int,
    until_eof: bool,
    iso8583_port: int | None,
    iso8583_code: str,
    verbose: bool,
    accounts: bool,
    ledger: bool,
    openapi: Path | None,
) -> None:
    """Run a bank on this machine: TLS, signatures, cryptograms, a ledger.

    Prints one line of JSON with its address once it accepts connections.
    It binds to 127.0.0.1 only. Accounts and keys are for tests; no real
    money can be moved.
    """
    if accounts:
        _list_accounts()
    elif openapi is not None:
        _write_contract(openapi)
    elif ledger:
        _print_ledger(home or default_home())
    else:
        if verbose:
            logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(message)s")
            logging.getLogger("simulators.bank").setLevel(logging.INFO)
        _serve(home or default_home(), port, until_eof, iso8583_port, iso8583_code)


def _serve(
    home: Path, port: int, until_eof: bool, iso8583_port: int | None, iso8583_code: str
) -> None:
    from simulators.bank.bench import prepare
    from simulators.bank.errors import BankError
    from simulators.bank.service import BankServer

    doors = contextlib.ExitStack()
    try:
        place = prepare(home, int(time.time() * 1000))
        with _naming(port):
            server = BankServer(place, time.time, os.urandom, port=port)
        told = {"url": server.url}
        if iso8583_port is not None:
            with _naming(iso8583_port):
                door = doors.enter_context(_iso8583(place, server, iso8583_port, iso8583_code))
            told["iso8583"] = "{}:{}".format(*door.address)
    except BankError as error:
        raise click.ClickException(str(error)) from error
    if until_eof:
        threading.Thread(target=_obey, args=(server,), daemon=True).start()
    with doors:
        server.run(lambda: click.echo(json.dumps(told)))


@contextlib.contextmanager
def _naming(port: int) -> Iterator[None]:
    """Turn a port that cannot be had into a sentence."""
    from simulators.bank.service import HOST

    try:
        yield
    except OSError as error:
        raise click.ClickException(f"{HOST}:{port}: {error.strerror}") from error


def _iso8583(place: BankPlace, server: BankServer, port: int, code: str) -> Door:
    from simulators.bank.iso8583.core import Host
    from simulators.bank.iso8583.door import Door
    from simulators.bank.service import tls_of

    host = Host.open(server.bank, place, os.urandom, code)
    return Door(host, tls_of(place), time.time, os.urandom, port=port)


def _obey(server: BankServer) -> None:
    """Do what is written on standard input; end when whoever started us is gone."""
    for line in sys.stdin:
        match line.strip():
            case "mute":
                server.mute.is_on = True
            case "speak":
                server.mute.is_on = False
    server.stop()


def _list_accounts() -> None:
    from simulators.bank.accounts import load_accounts

    listed = load_accounts()
    for card in listed.cards:
        number = f"{card.pan[:6]}{'*' * (len(card.pan) - 10)}{card.pan[-4:]}"
        click.echo(f"{card.account:32} {card.brand:10} {number}")
    for wallet in listed.wallets:
        click.echo(f"{wallet.account:32} {wallet.brand:10} codes {wallet.prefix}…")


def _print_ledger(home: Path) -> None:
    from simulators.bank.ledger import faults, totals
    from simulators.bank.place import BankPlace
    from simulators.bank.store import reading

    place = BankPlace(home)
    if not place.ledger.exists():
        raise click.ClickException(f"{place.ledger} does not exist: no bank has run here yet")
    with reading(place.ledger) as connection:
        for (account, currency), amount in totals(connection).items():
            click.echo(f"{account:32} {currency} {amount:>20}")
        found = faults(connection)
    if found:
        raise click.ClickException("the ledger does not balance: " + "; ".join(found))
    click.echo("Every transfer, and the whole, sums to zero. Amounts are minor units.")


def _write_contract(path: Path) -> None:
    try:
        import yaml
    except ImportError as error:
        raise click.ClickException("writing the contract needs opentill[dev]") from error
    from simulators.bank.bench import prepare
    from simulators.bank.core import Bank
    from simulators.bank.service import create_app

    with tempfile.TemporaryDirectory() as home:
        bank = Bank.open(prepare(Path(home), int(time.time() * 1000)))
        contract = create_app(bank, time.time, os.urandom).openapi()
        bank.close()
    text = yaml.safe_dump(contract, sort_keys=False, allow_unicode=True, width=100)
    path.write_text(text, "utf-8")
