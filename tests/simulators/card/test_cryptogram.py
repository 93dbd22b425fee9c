"""The card's cryptograms against those that others have made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyemv import ac, kd

from simulators.card.cryptogram import (
    application_cryptogram,
    derive_card_key,
    derive_session_key,
    mac,
    mchip_cryptogram,
    stripe_code,
)


def load(shared: Path, name: str) -> Any:
    return json.loads((shared / "vectors" / name).read_text())


def pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % 8)


def test_card_keys_are_those_of_pyemv_s_tests(shared: Path) -> None:
    calls = load(shared, "emv/pyemv_cryptograms.json")["calls"]["pyemv.kd.derive_icc_mk_a"]
    # Longer numbers are cut on the left in this option; our cards have none.
    calls = [call for call in calls if len(call["args"]["pan"]) <= 16]
    assert calls
    for call in calls:
        arguments = call["args"]
        key = bytes.fromhex(arguments["iss_mk"]["hex"])
        made = derive_card_key(key, arguments["pan"], int(arguments.get("psn", "00")))
        assert made.hex().upper() == call["result"]["hex"]


def test_session_keys_are_those_of_pyemv_s_tests(shared: Path) -> None:
    calls = load(shared, "emv/pyemv_cryptograms.json")["calls"]["pyemv.kd.derive_common_sk"]
    # The others are diversified by a cryptogram, as script keys are.
    calls = [call for call in calls if call["args"]["r"]["hex"].endswith("0" * 12)]
    assert calls
    for call in calls:
        counter = int(call["args"]["r"]["hex"][:4], 16)
        made = derive_session_key(bytes.fromhex(call["args"]["icc_mk"]["hex"]), counter)
        assert made.hex().upper() == call["result"]["hex"]


@pytest.mark.spec("Book 2, 8.1", source="outside")
def test_macs_are_those_of_pyemv_s_tests(shared: Path) -> None:
    calls = load(shared, "emv/pyemv_cryptograms.json")["calls"]["pyemv.ac.generate_ac"]
    assert calls
    for call in calls:
        data = bytes.fromhex(call["args"]["data"]["hex"])
        padding = call["args"].get("padding_type") or {"enum": "PaddingType.EMV"}
        if padding["enum"] == "PaddingType.EMV":
            data += b"\x80"
        made = mac(bytes.fromhex(call["args"]["sk_ac"]["hex"]), pad(data))
        length = call["args"].get("length", 8)
        assert made[:length].hex().upper() == call["result"]["hex"]


@pytest.mark.spec("Book 2, 8.1", source="outside")
@pytest.mark.parametrize("version", [10, 18])
def test_visa_cryptograms_are_those_a_security_module_has_made(shared: Path, version: int) -> None:
    vectors = load(shared, "crypto/emv_cryptograms.json")
    (case,) = [each for each in vectors["cases"] if f"CVN {version}" in each["scheme"]]
    key = derive_card_key(
        bytes.fromhex(vectors["issuer_master_keys"]["ac"]), vectors["pan"], int(vectors["psn"])
    )
    order = ("9F02", "9F03", "9F1A", "95", "5F2A", "9A", "9C", "9F37", "82", "9F36")
    covered = bytes.fromhex("".join(case["tags"][tag] for tag in order))
    issuer_data = bytes.fromhex(case.get("9F10") or f"06010A{case['cvr']}")

    made = application_cryptogram(version, key, int(case["tags"]["9F36"], 16), covered, issuer_data)

    assert made.hex().upper() == case["arqc"]


@pytest.mark.spec("Book 2, 8.1", source="two")
@settings(max_examples=60, deadline=None)
@given(
    key=st.binary(min_size=16, max_size=16),
    pan=st.from_regex(r"[0-9]{12,16}", fullmatch=True),
    sequence_number=st.integers(0, 99),
    atc=st.integers(1, 0xFFFF),
    data=st.binary(min_size=1, max_size=80),
)
def test_pyemv_comes_to_the_same(
    key: bytes, pan: str, sequence_number: int, atc: int, data: bytes
) -> None:
    card_key = derive_card_key(key, pan, sequence_number)
    assert card_key == kd.derive_icc_mk_a(key, pan, f"{sequence_number:02}")
    session = derive_session_key(card_key, atc)
    assert session == kd.derive_common_sk(card_key, atc.to_bytes(2, "big") + bytes(6))
    assert mac(session, pad(data + b"\x80")) == ac.generate_ac(session, data)


def test_mchip_cryptograms_are_those_of_pyemv_s_tests(shared: Path) -> None:
    calls = load(shared, "emv/pyemv_cryptograms.json")["calls"]
    assert calls["pyemv.cvn.MasterCardCVN20.generate_ac"]
    for call in calls["pyemv.cvn.MasterCardCVN20.generate_ac"]:
        given = {name: bytes.fromhex(value["hex"]) for name, value in call["args"].items()}
        key = derive_card_key(
            bytes.fromhex(call["self"]["iss_mk_ac"]["hex"]),
            call["self"]["pan"],
            int(call["self"]["psn"]),
        )
        names = ("9f02", "9f03", "9f1a", "95", "5f2a", "9a", "9c", "9f37", "82", "9f36")
        covered = b"".join(given[f"tag_{name}"] for name in names)
        made = mchip_cryptogram(
            key, int.from_bytes(given["tag_9f36"], "big"), covered, given["cvr"]
        )
        assert made.hex().upper() == call["result"]["hex"]


def test_stripe_codes_are_those_of_pyemv_s_tests(shared: Path) -> None:
    calls = load(shared, "emv/pyemv_cryptograms.json")["calls"]["pyemv.cvv.generate_cvc3"]
    assert calls
    for call in calls:
        given = {name: bytes.fromhex(value["hex"]) for name, value in call["args"].items()}
        made = stripe_code(
            given["icc_cvc3"],
            given["track_template"],
            given["un"],
            int.from_bytes(given["atc"], "big"),
        )
        assert f"{int.from_bytes(made, 'big'):05}" == call["result"]
