"""A recorded card's certificates, opened with its scheme's published test key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.cards import CAKey
from emv.dialogue import Exchange, objects_in
from terminal.decoding.certificates import NONE_FITS, describe


@pytest.fixture(scope="module")
def card(shared: Path) -> dict[int, bytes]:
    traces = json.loads((shared / "vectors/emv/traces_testcards.json").read_text())["traces"]
    trace: dict[str, Any] = next(each for each in traces if each["id"] == "contact-mastercard")
    said = [
        Exchange(bytes.fromhex(each["command"]), bytes.fromhex(each["response"]))
        for each in trace["apdus"]
    ]
    return objects_in(said)


@pytest.fixture(scope="module")
def keys(shared: Path) -> list[CAKey]:
    listed = json.loads((shared / "vectors/emv/capk_test_and_live.json").read_text())["keys"]
    return [
        msgspec.convert(
            {
                "rid": bytes.fromhex(each["rid"]),
                "index": int(each["index"], 16),
                "modulus": bytes.fromhex(each["modulus"]),
                "exponent": int(each["exponent"], 16),
                "sha1": bytes.fromhex(each["hash_sha1"]),
            },
            CAKey,
            dec_hook=lambda kind, value: kind(value),
        )
        for each in listed
        if each["index"] in ("EF", "FA")
    ]


def test_both_certificates_are_told(card: dict[int, bytes], keys: list[CAKey]) -> None:
    lines = describe(card, keys)

    assert lines[0] == "issuer certificate, by CA key A000000004 index EF"
    assert any(line.startswith("  of 541333") for line in lines)
    assert "ICC certificate" in lines
    assert any(line.startswith("  of 541333******0044") for line in lines)
    assert "5413330089600044" not in "".join(lines)
    assert sum(line.startswith("  valid to 20") for line in lines) == 2


def test_whole_shows_the_number(card: dict[int, bytes], keys: list[CAKey]) -> None:
    assert "5413330089600044" in "".join(describe(card, keys, whole=True))


def test_a_key_of_nobody_says_what_to_do(card: dict[int, bytes]) -> None:
    assert describe(card, []) == [f"issuer certificate: {NONE_FITS}"]


def test_a_card_without_certificates_has_nothing_to_open(keys: list[CAKey]) -> None:
    assert describe({0x82: b"\x00\x00"}, keys) == []
