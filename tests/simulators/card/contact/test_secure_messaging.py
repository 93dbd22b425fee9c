"""Issuer's answers and scripts on both sides, against published values and pyemv."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyemv import kd, sm

from emv.apdu import CommandAPDU
from simulators.bank.issuer import cryptogram as bank
from simulators.bank.issuer import scripts
from simulators.bank.issuer.card import CardData
from simulators.card.contact.secure_messaging import (
    is_issuers_answer,
    is_issuers_script,
    new_pin,
    pin_of,
    script_key,
)
from simulators.card.cryptogram import derive_card_key

CASES = [("Visa CVN 10", 10), ("Visa CVN 18 (EMV common session key)", 18)]


@pytest.fixture(scope="module")
def vectors(shared: Path) -> Any:
    return json.loads((shared / "vectors/crypto/emv_cryptograms.json").read_text())


def case_of(vectors: Any, scheme: str) -> Any:
    return next(each for each in vectors["cases"] if each["scheme"] == scheme)


@pytest.mark.spec("Book 2, 8.2", source="outside")
@pytest.mark.parametrize(("scheme", "version"), CASES)
def test_a_published_answer_is_the_issuers_and_any_other_is_not(
    vectors: Any, scheme: str, version: int
) -> None:
    case = case_of(vectors, scheme)
    master_key = bytes.fromhex(vectors["issuer_master_keys"]["ac"])
    card_key = derive_card_key(master_key, vectors["pan"], int(vectors["psn"]))
    atc, arqc = int(case["tags"]["9F36"], 16), bytes.fromhex(case["arqc"])
    answer = bytes.fromhex(case["arpc"] + case.get("arc", case.get("csu", "")))

    assert is_issuers_answer(version, card_key, atc, arqc, answer)
    for at in range(len(answer)):
        changed = answer[:at] + bytes((answer[at] ^ 1,)) + answer[at + 1 :]
        assert not is_issuers_answer(version, card_key, atc, arqc, changed)
    assert not is_issuers_answer(version, card_key, atc, arqc, answer[:-1])
    assert not is_issuers_answer(version, card_key, atc, arqc, b"")


@pytest.mark.spec("Book 2, 9", source="outside")
@pytest.mark.parametrize(("scheme", "_version"), CASES)
def test_a_published_script_is_the_issuers_on_both_sides(
    vectors: Any, scheme: str, _version: int
) -> None:
    case = case_of(vectors, scheme)
    master_key = bytes.fromhex(vectors["issuer_master_keys"]["smi"])
    atc, arqc = bytes.fromhex(case["tags"]["9F36"]), bytes.fromhex(case["arqc"])
    header, proof = bytes.fromhex(case["unblock_command"]), bytes.fromhex(case["unblock_mac"])

    card_key = derive_card_key(master_key, vectors["pan"], int(vectors["psn"]))
    command = CommandAPDU.parse(header + proof)
    assert is_issuers_script(command, card_key, int.from_bytes(atc, "big"), arqc)

    issuers = bank.card_master_key(master_key, vectors["pan"], vectors["psn"])
    data = CardData("", "", "", 0x80, {0x9F36: atc, 0x9F26: arqc})
    assert scripts.mac(scripts.session_key(issuers, atc), header, data, b"") == proof


def test_a_script_that_was_touched_is_not_the_issuers(vectors: Any) -> None:
    case = case_of(vectors, CASES[0][0])
    master_key = bytes.fromhex(vectors["issuer_master_keys"]["smi"])
    card_key = derive_card_key(master_key, vectors["pan"], int(vectors["psn"]))
    atc, arqc = int(case["tags"]["9F36"], 16), bytes.fromhex(case["arqc"])
    whole = bytes.fromhex(case["unblock_command"] + case["unblock_mac"])

    for at in (0, 1, 2, 3, 5, 12):
        touched = whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :]
        assert not is_issuers_script(CommandAPDU.parse(touched), card_key, atc, arqc)
    assert not is_issuers_script(CommandAPDU.parse(whole), card_key, atc + 1, arqc)
    short = CommandAPDU(0x84, 0x18, data=bytes(7))
    assert not is_issuers_script(short, card_key, atc, arqc)


@pytest.mark.spec("Book 2, 9", source="two")
@settings(max_examples=40)
@given(st.binary(min_size=16, max_size=16), st.integers(0, 0xFFFF))
def test_script_keys_agree_with_pyemv(key: bytes, atc: int) -> None:
    counter = atc.to_bytes(2, "big")
    expected = kd.derive_visa_sm_sk(key, counter)

    assert script_key(key, atc) == expected
    assert scripts.session_key(key, counter) == expected


@pytest.mark.spec("Book 2, 9", source="two")
@settings(max_examples=30)
@given(
    st.binary(min_size=16, max_size=16),
    st.integers(0, 0xFFFF),
    st.text("0123456789", min_size=4, max_size=12),
)
def test_a_new_pin_travels_as_pyemv_has_it(key: bytes, atc: int, pin: str) -> None:
    session = scripts.session_key(key, atc.to_bytes(2, "big"))
    expected = sm.encrypt_command_data(
        session, sm.format_vis_pin_block(key, pin), sm.EncryptionType.VISA
    )

    assert scripts.enciphered_pin(session, key, pin) == expected
    assert new_pin(expected, key, atc) == pin
    assert new_pin(expected, key, atc ^ 0x80) is None


@pytest.mark.parametrize(
    ("block", "pin"),
    [
        ("241234FFFFFFFFFF", "1234"),
        ("2C123456789012FF", "123456789012"),
        ("231234FFFFFFFFFF", None),
        ("041234FFFFFFFFFF", None),
        ("2412A4FFFFFFFFFF", None),
        ("241234FFFFFFFFF0", None),
        ("241234FFFFFFFF", None),
        ("", None),
    ],
)
def test_a_pin_is_read_from_its_block(block: str, pin: str | None) -> None:
    assert pin_of(bytes.fromhex(block)) == pin
