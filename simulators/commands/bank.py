"""till sim bank: the simulated bank by itself."""

from __future__ import annotations

import functools
import json
import os
import signal
import socket
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
    from simulators.commands.bank_serving import Plan


MERCHANT = "merchant"
"""Whose money the tills take that are given a code here."""


@click.command(
    "bank",
    epilog="\b\nExamples:\n  till sim bank --home /tmp/shop --port 8443\n"
    "  till sim bank --home /tmp/shop --database postgresql:///bank --workers 4\n"
    "  till sim bank --home /tmp/shop --enrolment 8444\n"
    "  till sim bank --home /tmp/shop --code till-2\n"
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
    "--database",
    metavar="URL",
    help="A postgresql:// address to keep everything at, instead of a file below --home. "
    "A password is better in PGPASSWORD or ~/.pgpass than on a command line.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes behind the one address; more than one need --database, and do not "
    "listen to 'mute'.",
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
@click.option(
    "--enrolment",
    "enrolment_port",
    type=click.IntRange(0, 65535),
    help="Also take tills in on this port; 0 takes any free one.",
)
@click.option("--code", "till", metavar="TILL", help="Print a code that enrols this till and end.")
@click.option(
    "--revoke",
    "revoked",
    metavar="TILL",
    help="Revoke this till's certificates and end; a bank that runs refuses it at once.",
)
@click.option(
    "--parameters",
    "parameters",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Sign this TOML file as the newest of what tills are told to work by, and end.",
)
@click.option(
    "--message",
    "message",
    metavar="TILL TEXT",
    nargs=2,
    help="Have this till's cashier read a text, and end.",
)
@click.option(
    "--broker",
    metavar="URL",
    help="An MQTT broker, mqtt://HOST:PORT, through which tills are told to ask now.",
)
@click.option(
    "--exceptions",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="With --parameters: the cards in this TOML file are accepted no more.",
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
    database: str | None,
    workers: int,
    iso8583_port: int | None,
    iso8583_code: str,
    enrolment_port: int | None,
    till: str | None,
    revoked: str | None,
    parameters: Path | None,
    message: tuple[str, str] | None,
    broker: str | None,
    exceptions: Path | None,
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
        _print_ledger(home or default_home(), database)
    elif till is not None:
        _print_code(home or default_home(), database, till)
    elif revoked is not None:
        _revoke(home or default_home(), database, revoked)
    elif parameters is not None:
        _publish(home or default_home(), database, broker, parameters, exceptions)
    elif message is not None:
        _send_message(home or default_home(), database, broker, *message)
    else:
        if workers > 1 and database is None:
            raise click.UsageError("several workers share a server: --database is missing")
        _run(
            home or default_home(),
            database,
            workers,
            ports=(port, enrolment_port, iso8583_port),
            iso8583_code=iso8583_code,
            broker=broker,
            until_eof=until_eof,
            is_verbose=verbose,
        )


def _run(
    home: Path,
    database: str | None,
    workers: int,
    *,
    ports: tuple[int, int | None, int | None],
    iso8583_code: str,
    broker: str | None,
    until_eof: bool,
    is_verbose: bool,
) -> None:
    from simulators.bank.bench import prepare
    from simulators.bank.errors import BankError
    from simulators.commands.bank_serving import Plan

    web_port, enrolment_port, iso8583_port = ports
    try:
        plan = Plan(
            place=prepare(home, int(time.time() * 1000)),
            database=database,
            web=_listen(web_port),
            newcomers=None if enrolment_port is None else _listen(enrolment_port),
            iso8583=None if iso8583_port is None else _listen(iso8583_port),
            iso8583_code=iso8583_code,
            broker=broker,
            is_verbose=is_verbose,
        )
        if workers > 1:
            _serve_with_workers(plan, workers, until_eof)
        else:
            _serve(plan, until_eof)
    except BankError as error:
        raise click.ClickException(str(error)) from error


def _serve(plan: Plan, until_eof: bool) -> None:
    from simulators.commands.bank_serving import opened

    with opened(plan) as server:
        if until_eof:
            threading.Thread(target=_obey, args=(server,), daemon=True).start()
        server.run(lambda: click.echo(json.dumps(plan.addresses())))


def _serve_with_workers(plan: Plan, count: int, until_eof: bool) -> None:
    from simulators.bank.store import Store
    from simulators.bank.workers import Workers
    from simulators.commands.bank_serving import work

    # The tables are made once, and what is wrong is said once.
    Store.open(plan.place, plan.database).close()
    workers = Workers(count, functools.partial(work, plan))

    def tell() -> None:
        click.echo(json.dumps(plan.addresses() | {"workers": workers.numbers}))

    def stop_at_end() -> None:
        sys.stdin.read()
        workers.stop()

    if until_eof:
        threading.Thread(target=stop_at_end, daemon=True).start()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: workers.stop())
    workers.run(tell)


def _listen(port: int) -> socket.socket:
    """Return a socket, or a sentence about the port that cannot be had."""
    from simulators.bank.service import HOST, listen

    try:
        return listen(port)
    except OSError as error:
        raise click.ClickException(f"{HOST}:{port}: {error.strerror}") from error


def _obey(server: BankServer) -> None:
    """Do what is written on standard input; end when whoever started us is gone."""
    for line in sys.stdin:
        match line.strip():
            case "mute":
                server.mute.is_on = True
            case "speak":
                server.mute.is_on = False
    server.stop()


def _print_code(home: Path, database: str | None, till: str) -> None:
    from simulators.bank import bench
    from simulators.bank.errors import BankError
    from simulators.bank.trust.enrolment import CERTIFICATE_DAYS

    now_ms = int(time.time() * 1000)
    try:
        place = bench.prepare(home, now_ms)
        code = bench.issue_enrolment_code(
            place,
            "till",
            till,
            now_ms,
            os.urandom,
            merchant=MERCHANT,
            certificate_days=CERTIFICATE_DAYS,
            database=database,
        )
        click.echo(bench.with_fingerprint(place, code))
    except BankError as error:
        raise click.ClickException(str(error)) from error


def _revoke(home: Path, database: str | None, till: str) -> None:
    from simulators.bank import bench
    from simulators.bank.errors import BankError

    try:
        place = bench.prepare(home, int(time.time() * 1000))
        count = bench.revoke(place, "till", till, database=database)
    except BankError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{count} certificates of {till} open nothing any more")


def _publish(
    home: Path, database: str | None, broker: str | None, path: Path, exceptions: Path | None
) -> None:
    from simulators.bank import bench
    from simulators.bank.errors import BankError
    from simulators.bank.parameters import ExceptionList

    now_ms = int(time.time() * 1000)
    try:
        place = bench.prepare(home, now_ms)
        listed = None
        if exceptions is not None:
            listed = ExceptionList.read(exceptions.read_text("utf-8"), os.urandom(32))
        version = bench.publish_parameters(
            place, path.read_text("utf-8"), now_ms, exceptions=listed, database=database
        )
    except (BankError, OSError, ValueError, KeyError) as error:
        raise click.ClickException(f"{path}: {error}") from error
    click.echo(f"Version {version} is what tills are told from now on")
    _nudge(broker, "all")


def _send_message(
    home: Path, database: str | None, broker: str | None, till: str, text: str
) -> None:
    from simulators.bank import bench
    from simulators.bank.errors import BankError

    now_ms = int(time.time() * 1000)
    try:
        place = bench.prepare(home, now_ms)
        number = bench.publish_bulletin(place, till, text, now_ms, database=database)
    except BankError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Message {number} waits for {till}")
    _nudge(broker, till)


def _nudge(broker: str | None, till: str) -> None:
    if broker is None:
        return
    try:
        from simulators.bank.push import Nudger
    except ImportError as error:
        raise click.ClickException("an MQTT broker needs opentill[push]") from error

    try:
        with Nudger(broker) as nudger:
            is_told = nudger.hand_over(till)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    if not is_told:
        click.echo(f"{broker} does not answer: tills find it by themselves", err=True)


def _list_accounts() -> None:
    from simulators.bank.accounts import load_accounts

    listed = load_accounts()
    for card in listed.cards:
        number = f"{card.pan[:6]}{'*' * (len(card.pan) - 10)}{card.pan[-4:]}"
        click.echo(f"{card.account:32} {card.brand:10} {number}")
    for wallet in listed.wallets:
        click.echo(f"{wallet.account:32} {wallet.brand:10} codes {wallet.prefix}…")


def _print_ledger(home: Path, database: str | None) -> None:
    from simulators.bank.errors import BankError

    try:
        booked, found = _read_ledger(home, database)
    except BankError as error:
        raise click.ClickException(str(error)) from error
    for (account, currency), amount in booked.items():
        click.echo(f"{account:32} {currency} {amount:>20}")
    if found:
        raise click.ClickException("the ledger does not balance: " + "; ".join(found))
    click.echo("Every transfer, and the whole, sums to zero. Amounts are minor units.")


def _read_ledger(home: Path, database: str | None) -> tuple[dict[tuple[str, str], int], list[str]]:
    """Return the balances, and what does not add up."""
    from simulators.bank.ledger import faults, totals
    from simulators.bank.place import BankPlace
    from simulators.bank.store import Store, reading

    if database is not None:
        store = Store.on_server(database)
        try:
            return store.write(lambda connection: (totals(connection), faults(connection)))
        finally:
            store.close()
    place = BankPlace(home)
    if not place.ledger.exists():
        raise click.ClickException(f"{place.ledger} does not exist: no bank has run here yet")
    with reading(place.ledger) as connection:
        return totals(connection), faults(connection)


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
