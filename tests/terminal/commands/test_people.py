"""Who works here, by command: at a live till, with secrets typed or in the environment."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pyotp
import pytest
from click.testing import CliRunner, Result

import config
from terminal.__main__ import main

SECRET = "Right-9-horse"


class Shop:
    """The people of one till, from the command line."""

    def __init__(self, home: Path, *, is_live: bool) -> None:
        self._options = ["--home", str(home)]
        if is_live:
            live = config.BENCH.with_name("live.example.toml")
            self._options += ["--shop", str(live)]

    def till(self, *words: str, typed: str = "", env: dict[str, str] | None = None) -> Result:
        return CliRunner().invoke(main, [*self._options, *words], input=typed, env=env or {})


@pytest.fixture
def bench(tmp_path: Path) -> Shop:
    return Shop(tmp_path, is_live=False)


@pytest.fixture
def live(tmp_path: Path) -> Shop:
    return Shop(tmp_path, is_live=True)


def first_supervisor(live: Shop) -> str:
    """Take the first supervisor in; return the key of her app."""
    told = live.till("people", "first", "--name", "00", typed=f"{SECRET}\n{SECRET}\n000000\n")
    found = re.search(r"secret=(\w+)", told.output)
    assert found
    assert "This is not the code" in told.output
    return found[1]


def test_a_live_till_begins_with_its_first_supervisor(live: Shop) -> None:
    """She sets the app up once her code is right; a wrong one leaves her to begin again."""
    first_supervisor(live)
    again = live.till("people", "first", "--name", "99", typed=f"{SECRET}\n{SECRET}\n")
    assert "first supervisor already" in again.output
    env = {"OPENTILL_SECRET": SECRET}
    refused = live.till("people", "list", "--as", "00", env=env)
    assert "must first choose a secret and set up the codes" in refused.output


def test_in_a_live_shop_everybody_proves_who_they_are(live: Shop) -> None:
    first_supervisor(live)
    for words in (("people", "list"), ("people", "list", "--as", "00")):
        refused = live.till(*words, typed="wrong\n\n")
        assert refused.exit_code == 30
        assert "Say who you are" in refused.output or "is wrong" in refused.output


def test_people_come_and_go(bench: Shop) -> None:
    added = bench.till("people", "add", "02", "--called", "Chen", "--as", "00")
    assert re.fullmatch(r"\d{6}\n", added.output)
    listed = bench.till("people", "list", "--json", "--as", "00").output.splitlines()
    chen = next(json.loads(line) for line in listed if '"02"' in line)
    assert (chen["called"], chen["role"], chen["must_change"]) == ("Chen", "cashier", True)
    given = {"OPENTILL_SECRET": added.output.strip()}
    chosen = bench.till("people", "secret", "--as", "02", typed="7391\n7391\n", env=given)
    assert chosen.exit_code == 0
    assert bench.till("people", "remove", "02", "--as", "00").exit_code == 0
    gone = bench.till("people", "secret", "--as", "02", env={"OPENTILL_SECRET": "7391"})
    assert "is wrong" in gone.output


@pytest.mark.parametrize(
    "words",
    [("list",), ("add", "02"), ("reset", "99"), ("remove", "99")],
)
def test_a_cashier_changes_nobody(bench: Shop, words: tuple[str, ...]) -> None:
    refused = bench.till("people", *words, "--as", "01")
    assert (refused.exit_code, refused.output) == (
        30,
        "Error: A cashier may not change who works here\n",
    )


def test_a_service_technician_needs_an_app_at_once(bench: Shop) -> None:
    given = bench.till("people", "add", "88", "--role", "service", "--as", "00").output.strip()
    code = re.compile(r"secret=(\w+)")
    typed = f"{SECRET}\n{SECRET}\n"
    told = bench.till("people", "secret", "--as", "88", typed=typed, env={"OPENTILL_SECRET": given})
    found = code.search(told.output)
    assert found
    assert len(pyotp.TOTP(found[1]).at(int(time.time()))) == 6


def test_the_audit_log_is_read_by_who_may(bench: Shop) -> None:
    bench.till("people", "list", "--as", "01")
    shown = bench.till("audit", "--as", "00")
    assert shown.exit_code == 0
    assert re.search(r"01 +manage people +refused: never", shown.output)
    assert "the chain holds" in shown.output
    exported = bench.till("audit", "--export", "--as", "00")
    assert "A supervisor may not export the audit log" in exported.output


def test_an_altered_audit_log_says_so(bench: Shop, tmp_path: Path) -> None:
    import apsw

    bench.till("people", "list", "--as", "01")
    connection = apsw.Connection(str(tmp_path / "till" / "people.db"))
    connection.execute("UPDATE audit SET body = replace(body, 'false', 'true') WHERE seq = 6")
    connection.close()
    shown = bench.till("audit", "--as", "00")
    assert shown.exit_code == 30
    assert "Line 6 of the audit log was altered" in shown.output
