"""The issuer's arithmetic against cases checked by a hardware module, and pyemv."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyemv import kd

from simulators.bank.issuer import cryptogram


@pytest.fixture(scope="module")
def calls(shared: Path) -> dict[str, list[dict[str, Any]]]:
    recorded = json.loads((shared / "vectors/emv/pyemv_cryptograms.json").read_text())
    calls: dict[str, list[dict[str, Any]]] = recorded["calls"]
    return calls


@pytest.fixture(scope="module")
def checked(shared: Path) -> dict[str, Any]:
    cases: dict[str, Any] = json.loads((shared / "vectors/crypto/emv_cryptograms.json").read_text())
    return cases


def raw(field: Any) -> bytes:
    return bytes.fromhex(field["hex"])


def test_card_keys_are_those_of_the_recorded_cases(calls: dict[str, Any]) -> None:
    for option in ("a", "b"):
        cases = [
            case
            for case in calls[f"pyemv.kd.derive_icc_mk_{option}"]
            # Option B is for the longer numbers only.
            if option == ("b" if len(case["args"]["pan"]) > 16 else "a")
        ]
        assert cases
        for case in cases:
            given_ = case["args"]
            key = cryptogram.card_master_key(
                raw(given_["iss_mk"]), given_["pan"], given_.get("psn") or "00"
            )
            assert key == raw(case["result"])


def test_session_keys_are_those_of_the_recorded_cases(calls: dict[str, Any]) -> None:
    for case in calls["pyemv.kd.derive_common_sk"]:
        key = cryptogram.session_key(raw(case["args"]["icc_mk"]), raw(case["args"]["r"]))
        assert key == raw(case["result"])


def test_cryptograms_are_those_of_the_recorded_cases(calls: dict[str, Any]) -> None:
    for case in calls["pyemv.ac.generate_ac"]:
        padding = case["args"].get("padding_type", {"enum": "PaddingType.EMV"})["enum"]
        made = cryptogram.application_cryptogram(
            raw(case["args"]["sk_ac"]),
            raw(case["args"]["data"]),
            is_marked=padding == "PaddingType.EMV",
        )
        assert made == raw(case["result"])


def test_issuer_answers_are_those_of_the_recorded_cases(calls: dict[str, Any]) -> None:
    for case in calls["pyemv.ac.generate_arpc_1"]:
        key, arqc, code = (raw(case["args"][name]) for name in ("sk_ac", "arqc", "arpc_rc"))
        made = cryptogram.response_cryptogram_method_1(key, arqc, code)
        assert made == raw(case["result"])
    for case in calls["pyemv.ac.generate_arpc_2"]:
        key, arqc, update = (raw(case["args"][name]) for name in ("sk_ac", "arqc", "csu"))
        if "prop_auth_data" in case["args"]:
            update += raw(case["args"]["prop_auth_data"])
        assert cryptogram.response_cryptogram_method_2(key, arqc, update) == raw(case["result"])


def test_whole_transactions_are_those_of_a_hardware_module(checked: dict[str, Any]) -> None:
    issuer_key = bytes.fromhex(checked["issuer_master_keys"]["ac"])
    card_key = cryptogram.card_master_key(issuer_key, checked["pan"], checked["psn"])
    for case in checked["cases"]:
        data = b"".join(bytes.fromhex(value) for value in case["tags"].values())
        arqc = bytes.fromhex(case["arqc"])
        if "cvr" in case:
            data += bytes.fromhex(case["cvr"])
            made = cryptogram.application_cryptogram(card_key, data, is_marked=False)
            code = bytes.fromhex(case["arc"])
            answered = cryptogram.response_cryptogram_method_1(card_key, arqc, code)
        else:
            key = cryptogram.session_key(card_key, bytes.fromhex(case["tags"]["9F36"]) + bytes(6))
            data += bytes.fromhex(case["9F10"])
            made = cryptogram.application_cryptogram(key, data, is_marked=True)
            update = bytes.fromhex(case["csu"])
            answered = cryptogram.response_cryptogram_method_2(key, arqc, update)
        assert made == arqc
        assert answered == bytes.fromhex(case["arpc"])


@given(st.binary(min_size=16, max_size=16), st.text("0123456789", min_size=12, max_size=19))
def test_any_card_key_is_what_pyemv_derives(issuer_key: bytes, pan: str) -> None:
    theirs = kd.derive_icc_mk_b if len(pan) > 16 else kd.derive_icc_mk_a

    assert cryptogram.card_master_key(issuer_key, pan, "03") == theirs(issuer_key, pan, "03")
