"""What a script is told when the bank is away, or lies, or is back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from terminal.__main__ import main
from terminal.commands import sale

NOWHERE = "https://127.0.0.1:1"
APPROVED, UNKNOWN, NOT_DONE = 0, 20, 30


def till(home: Path, bank: str, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """Run a command as a script does; return exit status and its lines of JSON."""
    done = CliRunner().invoke(main, ["--home", str(home), "--bank", bank, *arguments, "--json"])
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()]


def test_without_a_bank_an_online_card_is_not_done(city: Any) -> None:
    status, (sold,) = till(
        city.new_home(), NOWHERE, "sale", "15.00", "--present", "card:visa-online"
    )
    assert (status, sold["state"], sold["next_step"]) == (NOT_DONE, "not_sent", "may_keep")


def test_without_a_bank_the_cards_own_approval_counts_and_is_sent_by_recover(city: Any) -> None:
    home = city.new_home()
    status, (sold,) = till(home, NOWHERE, "sale", "15.00", "--present", "card:visa-offline")
    assert (status, sold["state"], sold["next_step"]) == (APPROVED, "stored", "sent_later")
    assert city.booked.state(sold["attempt"]) == ""

    status, (still,) = till(home, NOWHERE, "recover", "--timeout", "1")
    assert (status, still["state"]) == (UNKNOWN, "stored")

    status, (sent,) = till(home, city.url, "recover")
    assert (status, sent["state"]) == (APPROVED, "approved")
    assert city.booked.transfers_of(sold["attempt"]) == ["sale"]


def test_a_script_that_says_so_keeps_an_online_cards_sale_and_sync_sends_it(city: Any) -> None:
    home = city.new_home()
    words = ("sale", "15.00", "--present", "card:visa-online", "--keep")
    status, (sold,) = till(home, NOWHERE, *words)
    assert (status, sold["state"], sold["deferred"]) == (APPROVED, "deferred", True)

    status, (still,) = till(home, NOWHERE, "sync", "--timeout", "1")
    assert (status, still["state"]) == (UNKNOWN, "deferred")
    status, (sent,) = till(home, city.url, "sync")
    assert (status, sent["state"]) == (APPROVED, "approved")
    assert till(home, city.url, "sync") == (APPROVED, [])
    assert city.booked.transfers_of(sold["attempt"]) == ["sale"]


def test_a_script_exports_what_is_kept_and_settles_what_the_bank_refused(
    city: Any, tmp_path: Path
) -> None:
    home, file = city.new_home(), tmp_path / "kept.jsonl"
    words = ("sale", "15.00", "--present", "card:visa-insufficient-funds", "--keep")
    till(home, NOWHERE, *words)
    plain = ["--home", str(home), "--bank", city.url]
    for expected in (0, 30):
        done = CliRunner().invoke(main, [*plain, "export", str(file), "--as", "00"])
        assert done.exit_code == expected, "a file that is there is not written over"
    assert len(file.read_text().splitlines()) == 1
    assert file.stat().st_mode & 0o777 == 0o600

    status, (refused,) = till(home, city.url, "sync")
    assert (status, refused["state"], refused["exported"]) == (APPROVED, "stored_refused", True)
    status, (waiting,) = till(home, city.url, "inbox")
    assert (status, waiting["attempt"]) == (0, refused["attempt"])
    settle = [*plain, "inbox", "settle", str(refused["number"]), "--note", "Paid cash"]
    assert CliRunner().invoke(main, [*settle, "--as", "01"]).exit_code == 30
    assert CliRunner().invoke(main, [*settle, "--as", "01", "--approve", "00"]).exit_code == 0
    assert till(home, city.url, "inbox") == (0, [])


def test_keys_are_not_wiped_before_what_is_kept_is_sent_or_exported(
    city: Any, tmp_path: Path
) -> None:
    home = city.new_home()
    till(home, NOWHERE, "sale", "15.00", "--present", "card:visa-online", "--keep")
    plain = ["--home", str(home), "--bank", NOWHERE]
    wipe = [*plain, "keys", "wipe", "--without-bank", "--as", "00", "--approve", "99"]
    assert CliRunner().invoke(main, wipe).exit_code == NOT_DONE
    export = [*plain, "export", str(tmp_path / "kept.jsonl"), "--as", "00"]
    assert CliRunner().invoke(main, export).exit_code == 0
    assert CliRunner().invoke(main, wipe).exit_code == 0


def test_a_sale_in_doubt_is_status_20_until_recover_ends_it(
    city: Any, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(lambda: setattr(city.doorman, "alter", None))
    monkeypatch.setattr(sale, "UNKNOWN_S", 0.5)
    home = city.new_home()
    city.doorman.alter = lambda letter: letter.with_headers(b"signature")
    status, (sold,) = till(home, city.url, "sale", "16.00", "--present", "card:visa-online")
    assert (status, sold["state"], sold["next_step"]) == (UNKNOWN, "unknown", "do_not_charge_again")
    city.doorman.alter = None

    # The next sale is not held up by it, and the till sees it through on the way.
    status, (following,) = till(home, city.url, "sale", "17.00", "--present", "card:visa-cvn10")
    assert (status, following["state"]) == (APPROVED, "approved")
    till(home, city.url, "recover")
    status, (shown,) = till(home, city.url, "show", sold["attempt"])
    assert (status, shown["state"]) == (APPROVED, "approved")
    assert city.booked.transfers_of(sold["attempt"]) == ["sale"]


def test_a_refund_and_a_void_by_number(city: Any) -> None:
    home = city.new_home()
    for _ in range(2):
        till(home, city.url, "sale", "18.00", "--present", "card:visa-online")
    status, (back,) = till(home, city.url, "refund", "1", "8.00", "--as", "00")
    assert (status, back["kind"], back["amount_minor"]) == (APPROVED, "refund", 800)
    status, (undone,) = till(home, city.url, "void", "2", "--approve", "00")
    assert (status, undone["kind"], undone["state"]) == (APPROVED, "void", "approved")

    for refused in (("refund", "1", "10.01"), ("void", "1"), ("void", "2"), ("refund", "9")):
        status, lines = till(home, city.url, *refused, "--as", "00")
        assert (status, lines) == (NOT_DONE, [])
    status, lines = till(home, city.url, "refund", "1", "1.00", "--as", "01")
    assert (status, lines) == (NOT_DONE, [])
    net = city.booked.net_minor()
    assert net[back["attempt"]] == -800
    assert net[undone["attempt"]] == -1800
