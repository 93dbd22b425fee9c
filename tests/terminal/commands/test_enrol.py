"""`till enrol`, over the real door of a real bank."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import config
from simulators.bank import bench
from simulators.bank.newcomers import newcomers_server
from simulators.bank.place import BankPlace
from simulators.bank.service import BankServer, WebServer, listen
from terminal.__main__ import main
from terminal.events import Entry
from terminal.journal import Journal
from terminal.seams import SystemClock
from terminal.security.enrolment import enrol
from terminal.security.folder import is_enrolled
from terminal.security.keys import is_protected
from terminal.states import State
from terminal.view import Kind, PaymentView

NOW_MS = time.time_ns() // 1_000_000
LIVE = str(config.BENCH.with_name("live.example.toml"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> BankPlace:
    return bench.prepare(tmp_path_factory.mktemp("bank"), NOW_MS)


@pytest.fixture(scope="module")
def bank(place: BankPlace) -> Iterator[WebServer]:
    with newcomers_server(place, time.time, listen(0)) as server:
        yield server


@pytest.fixture
def secret(place: BankPlace) -> str:
    return bench.issue_enrolment_code(place, "till", "till-2", NOW_MS, os.urandom, merchant="m")


@pytest.fixture
def code(place: BankPlace, secret: str) -> str:
    return bench.with_fingerprint(place, secret)


@pytest.fixture(autouse=True)
def passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENTILL_KEY_PASSPHRASE", "a passphrase of a test")


def till(home: Path, *arguments: str, live: bool = True) -> Result:
    shop = ["--shop", LIVE] if live else []
    return CliRunner().invoke(main, ["--home", str(home), *shop, *arguments])


def test_an_empty_live_till_enrols_by_a_code(tmp_path: Path, bank: WebServer, code: str) -> None:
    done = till(tmp_path, "enrol", "--bank", bank.url, "--code", code)

    assert done.exit_code == 0, done.output
    assert "Enrolled as till-2, until " in done.stdout
    assert code[:16] not in done.output
    assert is_enrolled(tmp_path / "till/keys")

    again = till(tmp_path, "enrol", "--bank", bank.url, "--code", code)
    assert again.exit_code == 30
    assert "enrolled already" in again.stderr
    assert "--again" in again.stderr


def test_an_enrolled_till_is_given_new_keys_by_another_code(
    tmp_path: Path, bank: WebServer, place: BankPlace, code: str
) -> None:
    early = till(tmp_path, "enrol", "--again", "--bank", bank.url, "--code", code)
    assert "never enrolled" in early.stderr
    till(tmp_path, "enrol", "--bank", bank.url, "--code", code)
    before = (tmp_path / "till/keys/tls-key.pem").read_bytes()
    other = bench.issue_enrolment_code(place, "till", "till-2", NOW_MS, os.urandom, merchant="m")
    other = bench.with_fingerprint(place, other)

    done = till(tmp_path, "enrol", "--again", "--bank", bank.url, "--code", other)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "till/keys/tls-key.pem").read_bytes() != before


def test_keys_are_shown_and_renewed(tmp_path: Path, place: BankPlace, code: str) -> None:
    with (
        newcomers_server(place, time.time, listen(0)) as door,
        BankServer(place, time.time, os.urandom) as running,
    ):
        till(tmp_path, "enrol", "--bank", door.url, "--code", code)
        shop = tmp_path / "shop.toml"
        shop.write_text(
            re.sub(r'url = ".*"', f'url = "{running.url}"', Path(LIVE).read_text("utf-8"))
        )
        before = (tmp_path / "till/keys/tls-key.pem").read_bytes()
        done = CliRunner().invoke(
            main, ["--home", str(tmp_path), "--shop", str(shop), "keys", "renew"]
        )

    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("Renewed: till-2, until ")
    assert (tmp_path / "till/keys/tls-key.pem").read_bytes() != before
    shown = till(tmp_path, "keys", "show").stdout
    assert "till-2" in shown
    assert "ed25519" in shown


def test_without_a_fingerprint_the_ca_is_given_by_hand(
    tmp_path: Path, bank: WebServer, secret: str, place: BankPlace
) -> None:
    refused = till(tmp_path, "enrol", "--bank", bank.url, "--code", secret)
    assert refused.exit_code == 30
    assert "--ca FILE" in refused.stderr

    ca = str(place.ca_certificate)
    done = till(tmp_path, "enrol", "--bank", bank.url, "--code", secret, "--ca", ca)
    assert done.exit_code == 0, done.output


def test_a_ca_that_the_code_does_not_name_is_refused(
    tmp_path: Path, bank: WebServer, code: str
) -> None:
    other = bench.prepare(tmp_path / "other", NOW_MS).ca_certificate
    refused = till(tmp_path, "enrol", "--bank", bank.url, "--code", code, "--ca", str(other))

    assert refused.exit_code == 30
    assert "another CA's certificate" in refused.stderr


def test_a_live_till_keeps_no_keys_without_a_passphrase(
    tmp_path: Path, bank: WebServer, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENTILL_KEY_PASSPHRASE")
    refused = till(tmp_path, "enrol", "--bank", bank.url, "--code", code)

    assert refused.exit_code == 30
    assert "set OPENTILL_KEY_PASSPHRASE" in refused.stderr
    assert not (tmp_path / "till/keys").exists()


def test_bare_keys_are_encrypted_by_two(tmp_path: Path, place: BankPlace, secret: str) -> None:
    folder = tmp_path / "till/keys"
    enrol(folder, secret, lambda asked: bench.enrol(place, asked, NOW_MS))

    alone = till(tmp_path, "keys", "protect", "--as", "00", live=False)
    assert "two persons" in alone.stderr
    assert not is_protected(folder)
    both = till(tmp_path, "keys", "protect", "--as", "00", "--approve", "99", live=False)
    assert both.exit_code == 0, both.output
    assert is_protected(folder)


@pytest.fixture
def bench_till(tmp_path: Path, place: BankPlace, secret: str) -> Path:
    """The home of a bench till that is enrolled."""
    folder = tmp_path / "till/keys"
    enrol(folder, secret, lambda asked: bench.enrol(place, asked, NOW_MS))
    return tmp_path


BOTH = ("--as", "00", "--approve", "99")


def test_keys_are_wiped_by_two(bench_till: Path) -> None:
    wipe = ("keys", "wipe", "--without-bank")
    assert "two persons" in till(bench_till, *wipe, "--as", "00", live=False).stderr
    assert is_enrolled(bench_till / "till/keys")

    done = till(bench_till, *wipe, *BOTH, live=False)
    assert done.exit_code == 0, done.output
    assert not is_enrolled(bench_till / "till/keys")
    assert "no keys" in till(bench_till, *wipe, *BOTH, live=False).stderr


def test_keys_are_not_wiped_while_a_payment_is_open(bench_till: Path) -> None:
    """The till was killed while it authorised one."""
    payment = PaymentView(
        id="018f0000-0000-7000-8000-000000000001",
        number=7,
        kind=Kind.SALE,
        state=State.UNKNOWN,
        amount_minor=100,
        currency="CNY",
        created_ms=NOW_MS,
        updated_ms=NOW_MS,
    )
    with closing(Journal(bench_till / "till", SystemClock())) as journal:
        journal.append([Entry(payment, None)])
    refused = till(bench_till, "keys", "wipe", "--without-bank", *BOTH, live=False)

    assert refused.exit_code == 30
    assert "0007" in refused.stderr
    assert "till recover" in refused.stderr
    assert is_enrolled(bench_till / "till/keys")


def test_keys_are_not_wiped_under_a_till_that_runs(bench_till: Path) -> None:
    with closing(Journal(bench_till / "till", SystemClock())):
        refused = till(bench_till, "keys", "wipe", "--without-bank", *BOTH, live=False)

    assert refused.exit_code == 30
    assert is_enrolled(bench_till / "till/keys")


def test_where_people_work_it_takes_two(tmp_path: Path, bank: WebServer, code: str) -> None:
    asked = ("enrol", "--bank", bank.url, "--code", code)

    assert "may not change the till's keys" in till(tmp_path, *asked, live=False).stderr
    alone = till(tmp_path, *asked, "--as", "00", live=False)
    assert alone.exit_code == 30
    assert "two persons" in alone.stderr
    both = till(tmp_path, *asked, "--as", "00", "--approve", "99", live=False)
    assert both.exit_code == 0, both.output
