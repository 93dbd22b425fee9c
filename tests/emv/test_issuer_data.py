"""Issuer application data in words: each format by its shape, each by its bits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv.issuer_data import describe

pytestmark = pytest.mark.spec("Book 3, Annex C7", source="ours")


def test_a_recorded_result_is_read_as_others_read_it() -> None:
    """Visa's 03A4B800 of emv-bertlv (MIT), VisaCardVerificationResultsDecoderTest."""
    assert describe(bytes.fromhex("06010A03A4B800")) == [
        "Visa, cryptogram version 10, key index 01",
        "first cryptogram: ARQC",
        "second cryptogram: none asked for",
        "CVR byte 2 bit 3: offline PIN verification performed",
        "CVR byte 3 bit 8: last online transaction not completed",
        "CVR byte 3 bit 6: velocity checking counters exceeded",
        "CVR byte 3 bit 5: new card",
        "CVR byte 3 bit 4: issuer authentication failed on last online transaction",
    ]


@pytest.mark.parametrize(
    ("data", "first", "lines"),
    [
        ("06011203900010", "Visa, cryptogram version 18", ["1 issuer script commands"]),
        ("1F2201" + "8000000000" + "00" * 24, "Visa, format 2, cryptogram version 22", []),
        ("07000103900000010A01", "UnionPay, cryptogram version 01", ["discretionary data: 3"]),
        (
            "0110A00009248400000000000000000029FF",
            "M/Chip, cryptogram version 10 (own session key, no counters)",
            ["CVR byte 4 bit 3: international transaction", "PIN try counter 9", "counters: 8"],
        ),
        (
            "0FA601A030000000" + "00" * 8 + "0F" + "00" * 15,
            "common core, AES (A6), key index 01",
            ["first cryptogram: ARQC", "PIN try counter 3"],
        ),
        ("01020304", "format unknown", []),
    ],
)
def test_a_format_shows_in_its_shape(data: str, first: str, lines: list[str]) -> None:
    described = describe(bytes.fromhex(data))

    assert described[0].startswith(first)
    for line in lines:
        assert any(line in each for each in described), described


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (
            "06FF01030000F6AA",
            [
                "Visa, cryptogram version 1, key index FF",
                "first cryptogram: AAC",
                "second cryptogram: AAC",
                "CVR byte 4 bit 3: DDA failed on last transaction, declined offline",
                "CVR byte 4 bit 2: DDA performed",
                "15 issuer script commands on last transaction",
                "issuer discretionary data: 1 bytes",
            ],
        ),
        (
            "02146191523344556677889900AABBCCDDEE00",
            ["format unknown: the issuer's own"],
        ),
        (
            "0214619152334455667788990011223344556677",
            [
                "M/Chip, cryptogram version 14 (common session key, no counters), key index 02",
                "first cryptogram: ARQC",
                "second cryptogram: TC",
                "CVR byte 1 bit 1: offline PIN verification successful",
                "CVR byte 2 bit 8: DDA returned",
                "CVR byte 2 bit 5: issuer authentication performed",
                "CVR byte 4 bit 6: offline PIN verification not performed",
                "CVR byte 4 bit 5: offline PIN verification failed",
                "CVR byte 4 bit 2: domestic transaction",
                "CVR byte 4 bit 1: terminal wrongly takes the offline PIN for verified",
                "CVR byte 5 bit 7: upper consecutive offline limit exceeded",
                "CVR byte 5 bit 3: issuer authentication failed",
                "CVR byte 6 bit 1: no match found in additional check table",
                "script counter 5, PIN try counter 2 (right nibbles)",
                "data authentication code or ICC dynamic number: 6677",
                "counters: 10 bytes",
            ],
        ),
        (
            "011F000000000000",
            [
                "M/Chip, cryptogram version 1F (key and counters not known here), key index 01",
                "first cryptogram: AAC",
                "second cryptogram: AAC",
                "script counter 0, PIN try counter 0 (right nibbles)",
            ],
        ),
        (
            "0FA5026130405060" + "00" * 8 + "0F" + "00" * 15,
            [
                "common core, triple DES (A5), key index 02",
                "first cryptogram: ARQC",
                "second cryptogram: TC",
                "CVR byte 1 bit 1: issuer authentication performed and failed",
                "CVR byte 3 bit 7: upper offline transaction count limit exceeded",
                "PIN try counter 3 (right nibble)",
                "5 issuer script commands on last transaction",
            ],
        ),
        (
            "0FA5022000001000" + "00" * 8 + "0F" + "00" * 15,
            [
                "common core, triple DES (A5), key index 02",
                "first cryptogram: ARQC",
                "second cryptogram: AAC",
                "PIN try counter 0 (right nibble)",
                "1 issuer script commands on last transaction",
            ],
        ),
        (
            "0FA50220000001F0" + "00" * 8 + "0F" + "00" * 15,
            [
                "common core, triple DES (A5), key index 02",
                "first cryptogram: ARQC",
                "second cryptogram: AAC",
                "CVR byte 4 bit 1: unable to go online",
                "PIN try counter 0 (right nibble)",
            ],
        ),
    ],
)
def test_a_value_is_told_line_by_line(data: str, lines: list[str]) -> None:
    assert describe(bytes.fromhex(data)) == lines


@pytest.mark.parametrize(
    "data",
    [
        *("011000" + "00" * rest for rest in (5, 15, 17, 23, 25)),
        "06010A03A4B800",
        "07010A03A4B800",
        "1F2201" + "00" * 29,
        "0FA501" + "00" * 13 + "0F" + "00" * 15,
    ],
)
def test_a_byte_more_or_less_is_another_format(data: str) -> None:
    value = bytes.fromhex(data)
    assert not describe(value)[0].startswith("format unknown")
    assert describe(value[:-1])[0].startswith("format unknown")
    if value[1] >> 4 == 1:
        assert describe(value + b"\0")[0].startswith("format unknown")


@given(st.binary(max_size=32))
def test_any_value_is_described(data: bytes) -> None:
    assert describe(data)
