"""`till trace` over files: told, and played again, without a journal."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from terminal.__main__ import main
from terminal.traces.trace import Decided, Drawn, Exchanged, Sale, Trace, encode

Run = Callable[..., Result]

NO_DIRECTORY = Trace(
    "01a20e6a-eebe-7fdd-8ef5-8caa47bda1aa",
    "Counter reader",
    "contactless",
    1_795_530_720_000,
    True,
    False,
    Sale(1_250, 156, 2, datetime.date(2026, 11, 24)),
    (
        Exchanged("00A404000E325041592E5359532E444446303100", "6A82", 4_000),
        Decided("no PPSE: status {status}", "Book B, 3.3.2.3", {"status": "6A82"}),
    ),
    "end application",
    "no application",
    "n/a",
)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def command(trace: Trace, *words: str) -> Result:
        path = tmp_path / "trace.json"
        path.write_bytes(encode(trace) + b"\n")
        arguments = ["--home", str(tmp_path / "home"), "trace", words[0], str(path), *words[1:]]
        return CliRunner().invoke(main, arguments)

    return command


def test_a_file_is_told(run: Run) -> None:
    assert run(NO_DIRECTORY, "show").stdout.splitlines() == [
        "    +0.000 ms  A card on Counter reader",
        "    +4.000 ms  SELECT 2PAY.SYS.DDF01: 6A82 file or application not found",
        "    +4.000 ms  no PPSE: status 6A82  [Book B, 3.3.2.3]",
        "    +4.000 ms  Outcome: end application",
        "    +4.000 ms  Reason: no application",
    ]


def test_a_file_is_played_again(run: Run) -> None:
    same = run(NO_DIRECTORY, "replay")
    assert same.exit_code == 0, same.output
    assert same.stdout == "1. the same: 2 steps, end application\n"


def test_a_difference_is_shown_and_is_an_exit_status(run: Run) -> None:
    other = msgspec.structs.replace(NO_DIRECTORY, status="approved", reason="")

    differs = run(other, "replay")
    plain = json.loads(run(other, "replay", "--json").stdout)

    assert differs.exit_code == 1
    assert differs.stdout.splitlines() == [
        "1. differs at step 3 of 2",
        "   then: outcome approved, n/a",
        "   now:  outcome end application, n/a: no application",
    ]
    assert plain["differences"][0]["now"] == "outcome end application, n/a: no application"


def test_a_masked_file_and_a_foreign_one_are_refused(run: Run, tmp_path: Path) -> None:
    masked = msgspec.structs.replace(NO_DIRECTORY, whole=False, steps=(Drawn(4, "*" * 8),))

    refused = run(masked, "replay")

    assert refused.exit_code == 30
    assert "This trace is masked" in refused.stderr
    (tmp_path / "foreign.json").write_text('{"commands": []}')
    foreign = CliRunner().invoke(main, ["trace", "show", str(tmp_path / "foreign.json")])
    assert foreign.exit_code == 30
    assert "This is no trace of this till" in foreign.stderr
