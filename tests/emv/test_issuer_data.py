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


@given(st.binary(max_size=32))
def test_any_value_is_described(data: bytes) -> None:
    assert describe(data)
