"""TDES DUKPT against the published transactions, and that it is off."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv.errors import MalformedData
from emv.keys import dukpt_tdes, mac, tdes
from emv.keys.dukpt_tdes import LegacyRefused, Usage
from emv.keys.pin_block import encode_format_0

BASE_KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
KSN = bytes.fromhex("FFFF9876543210E00001")


@pytest.fixture(scope="module")
def published(shared: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (shared / "vectors" / "crypto" / "dukpt_tdes.json").read_text()
    )
    return found


def transaction_key(ksn: bytes) -> bytes:
    initial = dukpt_tdes.initial_key(BASE_KEY, ksn, is_legacy_allowed=True)
    return dukpt_tdes.transaction_key(initial, ksn, is_legacy_allowed=True)


def test_the_initial_key_is_the_published_one(published: dict[str, Any]) -> None:
    ksn = bytes.fromhex(published["initial_ksn"])
    made = dukpt_tdes.initial_key(bytes.fromhex(published["bdk"]), ksn, is_legacy_allowed=True)
    assert made.hex().upper() == published["initial_key"]


def test_every_published_transaction_gives_its_keys_blocks_and_codes(
    published: dict[str, Any],
) -> None:
    assert len(published["cases"]) >= 30
    block = encode_format_0(b"1234", published["pan"], is_legacy_allowed=True)
    assert block.hex().upper() == published["clear_pin_block_format0"]
    data = published["data_ascii"].encode()
    padded = mac.pad(data, mac.Padding.ZEROS)
    for case in published["cases"]:
        key = transaction_key(bytes.fromhex(case["ksn"]))
        assert key.hex().upper() == case["transaction_key"]
        pin_key = dukpt_tdes.working_key(key, Usage.PIN_ENCRYPTION)
        assert pin_key.hex().upper() == case["pin_key"]
        assert tdes.encrypt(pin_key, bytes(block)).hex().upper() == case["encrypted_pin_block"]
        for usage, name in (
            (Usage.MAC_OF_REQUEST, "mac_request"),
            (Usage.MAC_OF_ANSWER, "mac_response"),
        ):
            code = mac.retail_mac(dukpt_tdes.working_key(key, usage), data)
            assert code[:4].hex().upper() == case[name]
        data_key = dukpt_tdes.working_key(key, Usage.DATA_OF_REQUEST)
        assert chained(data_key, padded).hex().upper() == case["encrypted_request"]


def test_the_recorded_cmacs_are_ours_too(shared: Path) -> None:
    suites = json.loads((shared / "vectors" / "emv" / "dukpt.json").read_text())["suites"]
    data = next(suite["data"] for suite in suites if "cmac_request_verify" in suite["data"])
    text = data["txn_data"].encode()
    for end in ("", "2"):
        for place, ksn in enumerate(data[f"ksn_verify{end}"]):
            key = transaction_key(bytes.fromhex(ksn))
            for usage, name in (
                (Usage.MAC_OF_REQUEST, f"cmac_request_verify{end}"),
                (Usage.MAC_OF_ANSWER, f"cmac_response_verify{end}"),
            ):
                code = mac.tdes_cmac(dukpt_tdes.working_key(key, usage), text)
                assert code.hex().upper() == data[name][place]


def chained(key: bytes, data: bytes) -> bytes:
    """CBC, block by block."""
    before, out = bytes(8), b""
    for start in range(0, len(data), 8):
        block = bytes(a ^ b for a, b in zip(before, data[start : start + 8], strict=True))
        before = tdes.encrypt(key, block)
        out += before
    return out


def test_it_is_off_until_somebody_allows_it() -> None:
    with pytest.raises(LegacyRefused, match="off"):
        dukpt_tdes.initial_key(BASE_KEY, KSN)
    with pytest.raises(LegacyRefused, match="off"):
        dukpt_tdes.transaction_key(BASE_KEY, KSN)


@pytest.mark.parametrize(
    "ksn", ["", "FFFF9876543210E000", "FFFF9876543210E00000", "FFFF9876543210E007FF"]
)
def test_a_serial_number_that_no_device_sends_is_refused(ksn: str) -> None:
    """Too short, a counter of nothing, and one with eleven bits set."""
    with pytest.raises(MalformedData, match="key serial number"):
        dukpt_tdes.transaction_key(BASE_KEY, bytes.fromhex(ksn), is_legacy_allowed=True)


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(MalformedData, match="key of 24 bytes"):
        dukpt_tdes.initial_key(bytes(24), KSN, is_legacy_allowed=True)


@given(st.binary(min_size=10, max_size=10))
@settings(max_examples=50)
def test_any_serial_number_gives_a_key_of_its_own_or_is_refused(ksn: bytes) -> None:
    try:
        key = transaction_key(ksn)
    except MalformedData:
        return
    assert len({dukpt_tdes.working_key(key, usage) for usage in Usage} | {key}) == 6
