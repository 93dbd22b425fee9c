"""till sim bank, as a person or the till starts it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from simulators.bank import bench, ledger
from simulators.bank.accounts import load_accounts
from simulators.bank.store import Store
from simulators.commands.bank import command

PROGRAM = "from simulators.commands.bank import command; command()"


def start(home: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "--home", str(home), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_the_bank_says_where_it_is_and_ends_with_its_starter(tmp_path: Path) -> None:
    process = start(tmp_path, "--until-eof")
    assert process.stdout is not None
    assert process.stdin is not None

    told = json.loads(process.stdout.readline())
    process.stdin.close()

    assert told["url"].startswith("https://127.0.0.1:")
    assert process.wait(timeout=30) == 0


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    process = start(tmp_path, "--until-eof")
    assert process.stdout is not None
    port = json.loads(process.stdout.readline())["url"].rpartition(":")[2]

    done = CliRunner().invoke(command, ["--home", str(tmp_path), "--port", port])
    process.communicate()

    assert done.exit_code == 1
    assert f"127.0.0.1:{port}" in done.output


def test_the_ledger_is_printed_and_checked(tmp_path: Path) -> None:
    place = bench.prepare(tmp_path, 0)
    store = Store.on_file(place.ledger)
    store.write(lambda c: ledger.open_account(c, "card/a", "CNY", 5, "t", 0))

    done = CliRunner().invoke(command, ["--home", str(tmp_path), "--ledger"])
    assert done.exit_code == 0
    assert "sums to zero" in done.output

    store.write(lambda c: c.exec_driver_sql("UPDATE entries SET amount_minor = 1"))
    done = CliRunner().invoke(command, ["--home", str(tmp_path), "--ledger"])
    assert done.exit_code == 1
    assert "does not balance" in done.output
    store.close()


def test_a_ledger_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["--home", str(tmp_path), "--ledger"])

    assert done.exit_code == 1
    assert "ledger.db" in done.output
    assert list(tmp_path.iterdir()) == []


def test_the_accounts_are_listed_without_whole_numbers() -> None:
    done = CliRunner().invoke(command, ["--accounts"])

    assert "card/visa-online" in done.output
    assert "wallet/alipay" in done.output
    assert not any(card.pan in done.output for card in load_accounts().cards)


def test_the_contract_can_be_written(tmp_path: Path) -> None:
    CliRunner().invoke(command, ["--openapi", str(tmp_path / "link.yaml")])

    assert "/v1/orders" in yaml.safe_load((tmp_path / "link.yaml").read_text("utf-8"))["paths"]


def test_help_shows_an_example() -> None:
    done = CliRunner().invoke(command, ["--help"])

    assert "till sim bank --home" in done.output


@pytest.mark.parametrize("variable", ["OPENTILL_HOME", "XDG_STATE_HOME"])
def test_the_state_directory_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.delenv("OPENTILL_HOME", raising=False)
    monkeypatch.setenv(variable, str(tmp_path))
    home = tmp_path if variable == "OPENTILL_HOME" else tmp_path / "opentill"

    done = CliRunner().invoke(command, ["--ledger"])

    assert str(home / "bank" / "ledger.db") in done.output
