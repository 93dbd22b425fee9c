"""`till sim bank --workers`: processes that can die behind an address that stays."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from simulators.bank import bench
from simulators.commands.bank import command
from terminal.bank.iso8583 import transactions
from terminal.bank.iso8583.framing import Frames
from terminal.bank.iso8583.session import Dialect, Session
from terminal.bank.iso8583.transactions import Till as Terminal

if TYPE_CHECKING:
    from tests.simulators.bank.conftest import Shop, Till

pytestmark = pytest.mark.wire

ME = Terminal("OPENTL01", "898310154110001")

on_server = pytest.mark.parametrize("shop", ["server"], indirect=True)


FIELDS = (
    "host",
    "content-type",
    "content-digest",
    "idempotency-key",
    "signature-input",
    "signature",
)


class Running:
    """The command, and what it said of itself."""

    def __init__(self, shop: Shop, *arguments: str) -> None:
        program = [sys.executable, "-m", "terminal", "sim", "bank"]
        program += ["--database", shop.database or ""]
        self.process = subprocess.Popen(
            [*program, "--home", str(shop.home), "--until-eof", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        told = json.loads(self.process.stdout.readline())
        self.port = int(told["url"].rpartition(":")[2])
        self.iso8583_port = int(told.get("iso8583", "").rpartition(":")[2] or 0)
        self.workers: list[int] = told["workers"]

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate(timeout=60)
        assert self.process.returncode == 0


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """Its clock is the machine's: the workers have no other."""
    shop.now_ms = int(time.time() * 1000)
    return shop


def pay(running: Running, context: ssl.SSLContext, till: Till, body: dict[str, Any]) -> str:
    """Send one sale until it is answered, as a till whose line is cut asks again."""
    host = f"127.0.0.1:{running.port}"
    while True:
        request = till.request("/v1/payments", body, key=body["attempt"], host=host)
        fields = {name: request.headers.single(name) or "" for name in FIELDS}
        line = http.client.HTTPSConnection(host, context=context, timeout=60)
        try:
            line.request("POST", request.target, request.body, fields)
            answer = line.getresponse()
            told = json.loads(answer.read())
        except (OSError, http.client.HTTPException):
            continue
        finally:
            line.close()
        if answer.status != 503:
            return str(told.get("state", told))


@on_server
def test_a_worker_that_is_killed_loses_and_doubles_nothing(shop: Shop, tmp_path: Path) -> None:
    till = shop.till()
    context = till.tls(tmp_path)
    bodies = [till.sale(100 + number) for number in range(24)]
    with Running(shop, "--workers", "2") as running, ThreadPoolExecutor(4) as pool:
        done = [pool.submit(pay, running, context, till, body) for body in bodies]
        done[4].result()
        os.kill(running.workers[0], signal.SIGKILL)
        assert {each.result() for each in done} == {"approved"}
        # The address still answers, whoever has taken the place of the dead.
        assert pay(running, context, till, till.sale(50)) == "approved"
    assert shop.taken() == sum(100 + number for number in range(24)) + 50


@on_server
def test_workers_share_the_other_door_too(shop: Shop, tmp_path: Path) -> None:
    """Keys that one worker gave are known to the other: they are made again, not kept."""
    till = shop.till()
    protection = bench.transport_key(shop.place, till.id, os.urandom)
    session = Session(Dialect(), ME, protection)
    request, sent = session.sign_on("000001")
    with Running(shop, "--workers", "2", "--iso8583", "0") as running:
        session.take_keys(request, exchange(running, till.tls(tmp_path), sent))
        for number in range(2, 12):
            echo = transactions.echo(ME, f"{number:06}")
            answer = exchange(running, till.tls(tmp_path), session.ask(echo))
            assert session.hear(echo, answer).is_approved


def exchange(running: Running, context: ssl.SSLContext, sent: bytes) -> bytes:
    """Carry one message on a connection of its own; whichever worker is quicker answers."""
    with (
        socket.create_connection(("127.0.0.1", running.iso8583_port), timeout=60) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as line,
    ):
        line.sendall(sent)
        frames, whole = Frames(), list[bytes]()
        while not whole:
            whole = frames.feed(line.recv(4096))
    return whole[0]


@on_server
def test_the_ledger_is_printed_from_the_server(shop: Shop) -> None:
    till = shop.till()
    till.pay(till.sale(1250))
    assert shop.database is not None
    done = CliRunner().invoke(
        command, ["--home", str(shop.home), "--ledger", "--database", shop.database]
    )
    assert done.exit_code == 0, done.output
    assert "merchant/corner-shop" in done.output
    assert "1250" in done.output


def test_several_workers_without_a_server_are_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["--home", str(tmp_path), "--workers", "2"])
    assert done.exit_code == 2
    assert "--database is missing" in done.output
