"""`till sim bank --workers`: processes that can die behind an address that stays."""

from __future__ import annotations

import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from simulators.commands.bank import command

if TYPE_CHECKING:
    from tests.simulators.bank.conftest import Shop, Till

pytestmark = pytest.mark.wire

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
