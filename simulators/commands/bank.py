"""till sim bank: the simulated bank by itself."""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulators.commands.home import default_home

if TYPE_CHECKING:
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
        _serve(home or default_home(), port, until_eof, verbose)


def _serve(home: Path, port: int, until_eof: bool, verbose: bool) -> None:
    from simulators.bank.bench import prepare
    from simulators.bank.errors import BankError
    from simulators.bank.service import HOST, BankServer

    if verbose:
        logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(message)s")
        logging.getLogger("simulators.bank").setLevel(logging.INFO)
    try:
        place = prepare(home, int(time.time() * 1000))
        server = BankServer(place, time.time, os.urandom, port=port)
    except BankError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{HOST}:{port}: {error.strerror}") from error
    if until_eof:
        threading.Thread(target=_obey, args=(server,), daemon=True).start()
    server.run(lambda: click.echo(json.dumps({"url": server.url})))


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
