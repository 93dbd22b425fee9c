"""Message authentication codes against published cases and a second program."""

import json
from pathlib import Path
from typing import Any

import psec.mac
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv.errors import MalformedData
from emv.keys import check_value, mac
from emv.keys.mac import Padding

SP_800_38B = bytes.fromhex(
    "6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E51"
    "30C81C46A35CE411E5FBC1191A0A52EFF69F2445DF4F9B17AD2B417BE66C3710"
)
# Name of a key: how much of the text, and its code. Source: NIST SP 800-38B, examples.
CMACS = {
    "cmac_aes128_key": {
        0: "BB1D6929E95937287FA37D129B756746",
        16: "070A16B46B4D4144F79BDD9DD04A287C",
        40: "DFA66747DE9AE63030CA32611497C827",
        64: "51F0BEBF7E3B9D92FC49741779363CFE",
    },
    "cmac_aes192_key": {
        0: "D17DDF46ADAACDE531CAC483DE7A9367",
        16: "9E99A7BF31E710900662F65E617C5184",
        40: "8A1DE5BE2EB31AAD089A82E6EE908B0E",
        64: "A1D5DF0EED790F794D77589659F39A11",
    },
    "cmac_aes256_key": {
        0: "028962F61B7BF89EFC6B551F4667D983",
        16: "28A7023F452E8F82BD4BF28D8C37C35C",
        40: "AAF3D8F1DE5640C232F5B169B9C911E6",
        64: "E1992190549F6ED5696A2C056C315410",
    },
    "cmac_tdes3_key": {
        0: "7DB0D37DF936C550",
        16: "30239CF1F52E6609",
        20: "6C9F3EE4923F6BE2",
        32: "99429BD0BF7904E5",
    },
    "cmac_tdes2_key": {
        0: "79CE52A7F786A960",
        16: "CC18A0B79AF2413B",
        20: "C06D377ECD101969",
        32: "9CD33580F9B64DFB",
    },
}
RETAIL_KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")


@pytest.fixture(scope="module")
def keys(shared: Path) -> dict[str, bytes]:
    suites = json.loads((shared / "vectors" / "emv" / "mac_primitives.json").read_text())["suites"]
    return {name: bytes.fromhex(key) for suite in suites for name, key in suite["data"].items()}


def test_cmac_gives_the_published_codes(keys: dict[str, bytes]) -> None:
    for name, cases in CMACS.items():
        make = mac.aes_cmac if "aes" in name else mac.tdes_cmac
        for length, code in cases.items():
            assert make(keys[name], SP_800_38B[:length]).hex().upper() == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Now is the time for all ", "A1C72E74EA3FA9B6"),
        ("Now is the time for it", "2E2B1428CC78254F"),
    ],
)
def test_retail_mac_gives_the_published_codes(keys: dict[str, bytes], text: str, code: str) -> None:
    """ISO/IEC 9797-1:2011, annex B.4, padding method 1."""
    assert mac.retail_mac(keys["retail_mac_key"], text.encode()).hex().upper() == code


def test_xor_block_mac_gives_the_code_of_a_terminal() -> None:
    """A sale as a terminal sent it, printed with its key by somebody who could not verify it.

    Source: q.cnblogs.com, question 128930; from the message type to field 62.
    """
    key = bytes.fromhex("0723C80DB5F4CD3D")
    message = bytes.fromhex(
        "0200 3020048000C08015 000000 000000001234 000002 0300 99"
        "3030303030303031 393532373138313832323137383735 313536"
        "0019 26000001000600000000 0043 5F0112323834343132333435363738393031323334"
        "5F0306313630303336 5F0406323030383236 5C023031"
    )
    assert mac.xor_block_mac(key, message) == b"B3A092AE"
    assert mac.xor_block_mac(key * 2, message) == b"B3A092AE"


def test_cmac_gives_the_codes_of_rfc_4493(shared: Path) -> None:
    cases = json.loads((shared / "vectors/crypto/signatures_and_kdf.json").read_text())["aes_cmac"]
    for case in cases:
        key, message = bytes.fromhex(case["key"]), bytes.fromhex(case["message"])
        assert mac.aes_cmac(key, message).hex() == case["mac"]
    assert len(cases) == 3


@pytest.mark.parametrize("padding", Padding)
def test_padding_is_as_recorded(shared: Path, padding: Padding) -> None:
    calls = json.loads((shared / "vectors" / "emv" / "psec_pin_mac.json").read_text())["calls"]
    recorded: list[dict[str, Any]] = calls[f"psec.mac.pad_iso_{padding.value}"]
    blocks_of_8 = [call for call in recorded if call["args"].get("block_size") in (8, None)]
    assert blocks_of_8
    for call in blocks_of_8:
        padded = mac.pad(bytes.fromhex(call["args"]["data"]["hex"]), padding)
        assert padded.hex().upper() == call["result"]["hex"]


@given(st.binary(max_size=80), st.binary(min_size=16, max_size=16), st.sampled_from(Padding))
def test_another_program_makes_the_same_retail_mac(
    data: bytes, key: bytes, padding: Padding
) -> None:
    left, right = key[:8] * 2, key[8:] * 2
    other = psec.mac.generate_retail_mac(left, right, data, padding.value)
    assert mac.retail_mac(key, data, padding) == other


def test_two_swapped_blocks_are_what_the_xor_block_mac_does_not_see() -> None:
    key, one, other = bytes(range(8)), b"payee is", b" number1"
    assert mac.xor_block_mac(key, one + other) == mac.xor_block_mac(key, other + one)
    assert mac.retail_mac(RETAIL_KEY, one + other) != mac.retail_mac(RETAIL_KEY, other + one)


def test_check_values_are_the_published_ones(shared: Path) -> None:
    cases = json.loads((shared / "vectors" / "crypto" / "tr31_key_blocks.json").read_text())[
        "cases"
    ]
    for case in cases:
        is_aes = case["block"][7] == "A"
        make = check_value.aes_check_value if is_aes else check_value.tdes_check_value
        assert make(bytes.fromhex(case["key"])).hex().upper().startswith(case["kcv"])


@pytest.mark.parametrize(
    ("make", "length"), [(mac.retail_mac, 24), (mac.aes_cmac, 8), (mac.xor_block_mac, 5)]
)
def test_a_key_of_a_wrong_length_is_named(make: Any, length: int) -> None:
    with pytest.raises(MalformedData, match=f"key of {length} bytes"):
        make(bytes(length), b"data")
