"""Payments explained afterwards, by the command line, from what the till itself wrote down."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner, Result

from terminal.__main__ import main
from terminal.traces.folder import TraceFolder


def command(counter: Any, *words: str) -> Result:
    return CliRunner().invoke(main, ["--home", str(counter.home), "trace", *words])


def test_a_tap_and_a_chip_are_told_and_go_alike_again(counter: Any) -> None:
    for offer in ("card:visa-offline", "chip:contact-online"):
        counter.pay(offer)
    # What was written is whole once the till is closed.
    counter.till.close()
    tap, chip = reversed(TraceFolder(counter.home / "till").attempts())

    listed = command(counter, "list").stdout.splitlines()
    shown = {key: command(counter, "show", key) for key in (tap, chip)}
    replayed = [command(counter, "replay", key) for key in (tap, chip)]

    assert ["1: online request" in line or "1: approved" in line for line in listed] == [True] * 2
    assert "kernel 3 chosen  [Book B, 3.4.1.1]" in shown[tap].stdout
    assert "A chip in Chip slot" in shown[chip].stdout
    assert "the issuer answered 00" in shown[chip].stdout
    assert [result.stdout[:11] for result in replayed] == ["1. the same"] * 2
    assert [result.exit_code for result in replayed] == [0, 0]
    bytes_too = command(counter, "show", chip, "--bytes").stdout
    assert "> 80AE" in bytes_too
    kept = json.loads(command(counter, "show", chip, "--json").stdout)
    assert (kept["interface"], kept["whole"]) == ("contact-with-keys", True)
    # The listing, and bytes in words, mask what the trace itself has.
    pan = next(
        step["response"][step["response"].index("5A08") + 4 :][:16]
        for step in kept["steps"]
        if "5A08" in step.get("response", "")
    )
    assert pan not in bytes_too


def test_a_payment_without_a_card_says_that_it_has_no_trace(counter: Any) -> None:
    counter.pay("wallet:alipay-qr")

    refused = command(counter, "show", "1")

    assert refused.exit_code == 30
    assert "There is no trace of payment 1: no card was presented" in refused.stderr
