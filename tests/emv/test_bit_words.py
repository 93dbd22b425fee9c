"""Bits in lines for people: each kind of value, and any value at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv import bit_words, bits, tags

pytestmark = pytest.mark.spec(
    "Book 3, Annex C3", "Book 4, Annex A1", "Book 4, Annex A4", source="ours"
)


def test_a_list_is_told_with_its_amounts_and_what_follows_a_failure() -> None:
    told = bit_words.describe(0x8E, bytes.fromhex("80000001 40000002 4203 1F00"))

    assert told == [
        "X 2147483649, Y 1073741826 (minor units)",
        "enciphered PIN verified online, if terminal supports the CVM, else next rule",
        "no CVM required, always, else fail",
    ]


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (bits.CVM_RESULTS_NOT_PERFORMED, "no CVM performed, always: unknown"),
        (bits.CVM_RESULTS_NONE_SUCCEEDED, "no CVM performed, always: failed"),
        (bits.CVM_RESULTS_NO_CVM, "no CVM required, always: successful"),
        (bits.CVM_RESULTS_ONLINE_PIN, "enciphered PIN verified online, always: unknown"),
        (bits.CVM_RESULTS_SIGNATURE, "signature, always: unknown"),
        (bits.CVM_RESULTS_ON_DEVICE, "plaintext PIN verified by card, always: successful"),
        (bytes.fromhex("3A8803"), "CVM 3A, condition 88: result 03"),
        (b"\x1f", "CVM results of 1 bytes, 3 expected"),
    ],
)
def test_cvm_results_are_told_in_words(value: bytes, line: str) -> None:
    assert bit_words.describe(tags.TAG_9F34_CVM_RESULTS, value) == [line]


@pytest.mark.parametrize(
    ("cid", "lines"),
    [
        ("00", ["AAC: declined"]),
        ("40", ["TC: approved offline"]),
        ("89", ["ARQC: go online", "advice required", "service not allowed"]),
        ("07", ["AAC: declined", "reason RFU"]),
        ("", ["CID of 0 bytes, 1 expected"]),
    ],
)
def test_the_kind_of_cryptogram_is_told_in_words(cid: str, lines: list[str]) -> None:
    assert bit_words.describe(0x9F27, bytes.fromhex(cid)) == lines


@given(st.integers(0, 0xFFFFFF), st.binary(max_size=12), st.none() | st.integers(1, 8))
def test_any_value_of_any_tag_can_be_told(tag: int, value: bytes, kernel: int | None) -> None:
    assert all(bit_words.describe(tag, value, kernel=kernel))


def test_a_biometric_subtype_is_no_aip() -> None:
    """Tag 82 means something else inside a biometric header template."""
    assert bit_words.describe(0x82, b"\x20\x00") == ["byte 1 bit 6: DDA supported"]
    assert bit_words.describe(0x82, b"\x20", template=0xA1) == []


@pytest.mark.parametrize(
    ("tag", "kernel", "value", "lines"),
    [
        (
            0x9F35,
            None,
            "22",
            ["a merchant's terminal, attended, offline with online capability"],
        ),
        (0x9F35, None, "EA", ["terminal type unknown"]),
        (
            0x9F6E,
            3,
            "20700000",
            ["version 1", "card", "signature panel", "hologram", "CVV2 printed"],
        ),
        (0x9F6E, 3, "21800000", ["version 1", "mobile phone", "passcode capable"]),
        (
            0x9F6E,
            4,
            "08004001",
            [
                "byte 1 bit 4: mobile supported",
                "byte 3 bit 7: CVM required",
                "byte 4 bit 1: kernel version, bit 1",
            ],
        ),
        (0x9F6E, 2, "0840000000", []),
        (0x9F71, 4, "010302", ["mobile CVM performed: successful"]),
        (0x9F71, 4, "3F0003", ["no mobile CVM performed: blocked"]),
        (
            0x9F71,
            6,
            "8080",
            [
                "byte 1 bit 8: online PIN required",
                "byte 2 bit 8: consumer device CVM performed",
            ],
        ),
        (0x9F35, None, "2200", ["terminal type of 2 bytes, 1 expected"]),
        (0x9F6E, 3, "20", ["form factor indicator of 1 bytes, 4 expected"]),
        (0x9F71, 4, "01", ["mobile CVM results of 1 bytes, 3 expected"]),
    ],
)
def test_a_kernels_own_reading_is_told_in_words(
    tag: int, kernel: int | None, value: str, lines: list[str]
) -> None:
    assert bit_words.describe(tag, bytes.fromhex(value), kernel=kernel) == lines
