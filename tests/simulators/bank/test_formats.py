"""Issuer application data of each scheme: what is read, and what is believed."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from emv import tlv
from simulators.bank.accounts import CardAccount
from simulators.bank.issuer import rules
from simulators.bank.issuer.card import CardData, read_card
from simulators.bank.issuer.formats import read_issuer_data

MASTERCARD = bytes.fromhex("A0000000041010")
COUNTERS = bytes.fromhex("0000 00000000000000FF")
TODAY = datetime.date(2026, 11, 24)


def recorded(shared: Path, version: int) -> dict[str, Any]:
    """One call that pyemv's own tests have checked."""
    calls = json.loads((shared / "vectors/emv/pyemv_cryptograms.json").read_text())["calls"]
    (call,) = calls[f"pyemv.cvn.MasterCardCVN{version}.generate_ac"]
    return dict(call)


def card_of(call: dict[str, Any], version: int, **changes: bytes) -> CardData:
    """That card, as a till would send it."""
    given = {name: bytes.fromhex(value["hex"]) for name, value in call["args"].items()}
    values = {int(name[4:], 16): value for name, value in given.items() if name != "cvr"}
    values |= {
        0x84: MASTERCARD,
        0x5A: bytes.fromhex(call["self"]["pan"]),
        0x5F34: bytes.fromhex(call["self"]["psn"]),
        0x9F26: bytes.fromhex(call["result"]["hex"]),
        0x9F10: b"\x01" + bytes((version,)) + given["cvr"] + COUNTERS,
    }
    # The recorded date is no date; the cryptogram does not mind, nor does the bank.
    values |= {int(tag[1:], 16): value for tag, value in changes.items()}
    return read_card(b"".join(tlv.encode(*one) for one in values.items()).hex())


@pytest.mark.parametrize(("version", "on_card"), [(16, 0x10), (20, 0x14)])
def test_the_issuer_believes_recorded_mchip_cryptograms(
    shared: Path, version: int, on_card: int
) -> None:
    call = recorded(shared, version)
    key = bytes.fromhex(call["self"]["iss_mk_ac"]["hex"])

    assert rules.is_genuine(card_of(call, on_card), key)
    assert card_of(call, on_card).cryptogram_type == 0x80
    assert not rules.is_genuine(card_of(call, on_card, t9F02=bytes(6)), key)
    # Named as a Visa card it is read otherwise, and does not fit.
    assert not rules.is_genuine(card_of(call, on_card, t84=bytes.fromhex("A0000000031010")), key)


def test_a_version_that_was_never_given_out_is_not_believed(shared: Path) -> None:
    call = recorded(shared, 20)

    assert not rules.is_genuine(card_of(call, 0x15), bytes(16))


@pytest.mark.parametrize(("results", "kind"), [("80", 0x00), ("90", 0x40), ("A0", 0x80)])
def test_the_card_wrote_down_what_it_decided(results: str, kind: int) -> None:
    data = bytes.fromhex(f"0114 {results} 0000000000") + COUNTERS

    found = read_issuer_data({0x84: MASTERCARD, 0x9F10: data, 0x9F36: b"\0\1", 0x9F37: bytes(4)})

    assert found.recorded == kind


@pytest.mark.parametrize(
    ("tvr", "code"), [("0000000002", "00"), ("0000000006", "05"), ("000000000A", "05")]
)
def test_a_card_that_answered_too_late_is_not_honoured(shared: Path, tvr: str, code: str) -> None:
    card = card_of(recorded(shared, 20), 0x14, t95=bytes.fromhex(tvr))
    history = rules.History(balance_minor=10_000_000, approved_today=0, is_replay=False)
    account = CardAccount(id="one", pan="5555555555554444")

    assert rules.decide(account, card, 100, history, TODAY, lambda: None).code == code
