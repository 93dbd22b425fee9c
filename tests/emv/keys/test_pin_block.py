"""PIN blocks: the published cases, a second implementation, and what is refused."""

import json
from pathlib import Path
from typing import Any

import psec.pinblock
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv.errors import MalformedData
from emv.keys import dukpt
from emv.keys.pin_block import (
    FormatRefused,
    decipher_format_4,
    decode_format_0,
    encipher_format_4,
    encode_format_0,
    wipe,
)

PAN = "4111111111111111"
KEY = bytes(range(16))
PINS = st.text("0123456789", min_size=4, max_size=12)
PANS = st.text("0123456789", min_size=1, max_size=19)
KEYS = st.sampled_from((16, 24, 32)).flatmap(lambda size: st.binary(min_size=size, max_size=size))


@pytest.fixture(scope="module")
def published(shared: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (shared / "vectors" / "crypto" / "pin_blocks.json").read_text()
    )
    return found


@pytest.fixture(scope="module")
def recorded(shared: Path) -> dict[str, Any]:
    calls: dict[str, Any] = json.loads(
        (shared / "vectors" / "emv" / "psec_pin_mac.json").read_text()
    )["calls"]
    return calls


def test_format_4_gives_the_published_blocks(published: dict[str, Any]) -> None:
    for case in published["format4"]:
        key, pan = bytes.fromhex(case["key"]), case["pan"]
        fill = bytes.fromhex(case["pin_field"])[8:]
        block = encipher_format_4(case["pin"].encode(), pan, key, fill)
        assert block.hex().upper() == case["enciphered"]
        assert decipher_format_4(block, pan, key) == case["pin"].encode()


def test_format_4_refuses_the_published_wrong_blocks(published: dict[str, Any]) -> None:
    for case in published["format4_invalid"]:
        with pytest.raises(MalformedData):
            decipher_format_4(bytes.fromhex(case["block"]), case["pan"], bytes.fromhex(case["key"]))


def test_format_0_gives_the_published_blocks(published: dict[str, Any]) -> None:
    for case in published["format0"]:
        block = encode_format_0(case["pin"].encode(), case["pan"], is_legacy_allowed=True)
        assert block.hex().upper() == case["clear_block"]
        assert decode_format_0(block, case["pan"], is_legacy_allowed=True).decode() == case["pin"]


def test_format_0_refuses_the_published_wrong_blocks(published: dict[str, Any]) -> None:
    for case in published["format0_invalid"]:
        with pytest.raises(MalformedData):
            decode_format_0(bytes.fromhex(case["block"]), case["pan"], is_legacy_allowed=True)


@pytest.mark.parametrize("format", ["0", "4"])
def test_every_recorded_decoding_ends_as_it_did(recorded: dict[str, Any], format: str) -> None:
    name = {"0": "decode_pinblock_iso_0", "4": "decipher_pinblock_iso_4"}[format]
    for call in recorded[f"psec.pinblock.{name}"]:
        given_ = call["args"]

        def decode(given_: Any = given_) -> bytearray:
            if format == "0":
                block = bytes.fromhex(given_["pinblock"]["hex"])
                return decode_format_0(block, given_["pan"], is_legacy_allowed=True)
            block = bytes.fromhex(given_["pin_block"]["hex"])
            return decipher_format_4(block, given_["pan"], bytes.fromhex(given_["key"]["hex"]))

        if "error" in call:
            with pytest.raises(MalformedData):
                decode()
        else:
            assert decode().decode() == call["result"]


@pytest.mark.parametrize("format", ["0", "4"])
def test_every_recorded_refusal_to_encode_is_ours_too(
    recorded: dict[str, Any], format: str
) -> None:
    name = {"0": "encode_pinblock_iso_0", "4": "encipher_pinblock_iso_4"}[format]
    refused = [call["args"] for call in recorded[f"psec.pinblock.{name}"] if "error" in call]
    assert refused
    for given_ in refused:
        pin, pan = given_["pin"].encode(), given_["pan"]
        if format == "0":
            with pytest.raises(MalformedData):
                encode_format_0(pin, pan, is_legacy_allowed=True)
            continue
        with pytest.raises(MalformedData):
            encipher_format_4(pin, pan, bytes.fromhex(given_["key"]["hex"]), bytes(8))


def test_the_published_transactions_give_their_pin_blocks(shared: Path) -> None:
    """DUKPT and format 4 together, as X9.24-3 prints them."""
    sets = json.loads((shared / "vectors" / "crypto" / "dukpt_aes.json").read_text())["sets"]
    published = sets["AES128"]
    initial = bytes.fromhex(published["initial_key"])
    fill = bytes.fromhex(published["pin_field_plain"])[8:]
    cases = [case for case in published["cases"] if "encrypted_pin_block_format4" in case]
    assert len(cases) == 8
    for case in cases:
        ksn = bytes.fromhex(case["ksn"])
        key = dukpt.working_key(
            dukpt.transaction_key(initial, ksn), ksn, dukpt.Usage.PIN_ENCRYPTION
        )
        block = encipher_format_4(published["pin"].encode(), published["pan"], key, fill)
        assert block.hex().upper() == case["encrypted_pin_block_format4"]


@given(PINS, PANS, KEYS, st.binary(min_size=8, max_size=8))
@settings(max_examples=50, deadline=None)
def test_another_program_reads_our_blocks(pin: str, pan: str, key: bytes, fill: bytes) -> None:
    block = encipher_format_4(pin.encode(), pan, key, fill)
    assert psec.pinblock.decipher_pinblock_iso_4(key, block, pan) == pin


@given(PINS, PANS, KEYS)
@settings(max_examples=50, deadline=None)
def test_we_read_the_blocks_of_another_program(pin: str, pan: str, key: bytes) -> None:
    block = psec.pinblock.encipher_pinblock_iso_4(key, pin, pan)
    assert decipher_format_4(block, pan, key).decode() == pin


@given(PINS, st.text("0123456789", min_size=13, max_size=19))
@settings(max_examples=50, deadline=None)
def test_format_0_agrees_with_another_program(pin: str, pan: str) -> None:
    block = encode_format_0(pin.encode(), pan, is_legacy_allowed=True)
    assert block == psec.pinblock.encode_pinblock_iso_0(pin, pan)


@given(st.binary(max_size=20), st.text(max_size=20), st.binary(max_size=33))
@settings(max_examples=100)
def test_any_block_is_a_pin_or_malformed(block: bytes, pan: str, key: bytes) -> None:
    for decode in (
        lambda: decipher_format_4(block, pan, key),
        lambda: decode_format_0(block, pan, is_legacy_allowed=True),
    ):
        try:
            pin = decode()  # type: ignore[no-untyped-call]
        except MalformedData:
            continue
        assert 4 <= len(pin) <= 12
        assert pin.isdigit()


def test_the_same_pin_never_looks_the_same() -> None:
    one = encipher_format_4(b"1234", PAN, KEY, bytes(8))
    assert one != encipher_format_4(b"1234", PAN, KEY, bytes(7) + b"\1")


def test_a_block_belongs_to_its_card() -> None:
    block = encipher_format_4(b"1234", PAN, KEY, bytes(8))
    with pytest.raises(MalformedData):
        decipher_format_4(block, "4012888888881881", KEY)


def test_format_0_is_off_until_somebody_allows_it() -> None:
    with pytest.raises(FormatRefused, match="off"):
        encode_format_0(b"1234", PAN)
    with pytest.raises(FormatRefused, match="off"):
        decode_format_0(bytes(8), PAN)


@pytest.mark.parametrize("pin", ["123", "1234567890123", "12a4", "１２３４"])
def test_no_refusal_repeats_what_was_typed(pin: str) -> None:
    with pytest.raises(MalformedData) as refusal:
        encipher_format_4(pin.encode(), PAN, KEY, bytes(8))
    assert pin not in str(refusal.value)
    assert PAN not in str(refusal.value)


def test_a_wiped_buffer_holds_nothing() -> None:
    pin = bytearray(b"1234")
    wipe(pin)
    assert pin == bytes(4)


@pytest.mark.parametrize("pin", [b"12:4", b"12/4", b"123", b"1234567890123"])
def test_a_pin_has_digits_only_and_not_too_many(pin: bytes) -> None:
    with pytest.raises(MalformedData):
        encode_format_0(pin, PAN, is_legacy_allowed=True)


@pytest.mark.parametrize("length", [0, 15, 17, 33])
def test_the_key_of_format_4_is_an_aes_key(length: int) -> None:
    with pytest.raises(MalformedData, match=f"AES key of {length} bytes"):
        encipher_format_4(b"1234", PAN, bytes(length), bytes(8))


@pytest.mark.parametrize("length", [7, 9])
def test_the_fill_of_format_4_has_eight_bytes(length: int) -> None:
    with pytest.raises(MalformedData, match=f"fill of {length} bytes"):
        encipher_format_4(b"1234", PAN, bytes(16), bytes(length))
