"""Data objects in words: real traces, any bytes, then each kind of value."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv import tlv
from emv.describe import as_plain, as_text, describe
from emv.errors import MalformedData


def text_of(data: str, kernel: int | None = None) -> list[str]:
    described = describe(tlv.decode(bytes.fromhex(data)), kernel=kernel)
    return as_text(described).splitlines()


def test_every_recorded_reply_is_described(shared: Path) -> None:
    seen = 0
    for name in ("traces_testcards", "traces_anonymised_cards"):
        traces = json.loads((shared / f"vectors/emv/{name}.json").read_text())["traces"]
        for exchange in (exchange for trace in traces for exchange in trace["apdus"]):
            reply = bytes.fromhex(exchange["response"].partition("#")[0])
            # Others are not TLV: records of the transaction log, status words.
            if reply[:1] not in (b"\x6f", b"\x70", b"\x77", b"\x80", b"\x9f"):
                continue
            nodes = tlv.decode(reply[:-2])
            plain = as_plain(describe(nodes))
            assert len(plain) == len(nodes)
            assert json.loads(json.dumps(plain)) == plain
            seen += 1
    assert seen >= 80


@given(st.binary(max_size=80), st.none() | st.integers(1, 8))
def test_whatever_decodes_is_described(noise: bytes, kernel: int | None) -> None:
    try:
        nodes = tlv.decode(noise)
    except MalformedData:
        return
    described = describe(nodes, kernel=kernel)

    assert [entry.tag for entry in described] == [node.tag for node in nodes]
    lines = as_text(described).splitlines()
    assert len(lines) >= sum(1 for _ in tlv.walk(nodes))
    json.dumps(as_plain(described))


@given(
    st.sampled_from([0x82, 0x8E, 0x94, 0x95, 0x9B, 0x9F27, 0x9F33, 0x9F34, 0x9F38, 0x9F4A, 0x9F66])
)
def test_an_empty_value_is_described(tag: int) -> None:
    [entry] = describe(tlv.decode(tlv.encode(tag, b"")))

    assert entry.length == 0
    assert entry.value == ""


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ("5F2403251231", "5F24 [3] Application Expiration Date: 251231 = 2025-12-31"),
        ("9F2103142930", "9F21 [3] Transaction Time: 142930 = 14:29:30"),
        ("9F0206000000012345", "9F02 [6] Amount, Authorised (Numeric): 000000012345 = 12345"),
        ("9C0109", "9C [1] Transaction Type: 09 = purchase with cashback"),
        ("50045649 5341", "50 [4] Application Label: 56495341 = VISA"),
        ("5F2A020156", "5F2A [2] Transaction Currency Code: 0156"),
        ("DF7F0101", "DF7F [1] unknown: 01"),
    ],
)
def test_a_value_has_its_readable_form(data: str, line: str) -> None:
    assert text_of(data) == [line]


@pytest.mark.parametrize(
    ("data", "notes"),
    [
        ("9505 8040000000", ["not performed", "byte 2 bit 7: expired application"]),
        ("9F2701 80", ["ARQC: go online"]),
        ("9F3403 1F0302", ["no CVM required, if terminal supports the CVM: successful"]),
        ("9404 10010301", ["file 2, records 1 to 3, 1 for data authentication"]),
        ("9F3803 9F3704", ["9F37 [4] Unpredictable Number"]),
        ("9F4A01 82", ["82 Application Interchange Profile (AIP)"]),
    ],
)
def test_a_value_with_parts_has_a_line_for_each(data: str, notes: list[str]) -> None:
    lines = text_of(data)[1:]

    assert len(lines) == len(notes)
    for line, note in zip(lines, notes, strict=True):
        assert line.startswith("    ")
        assert note in line


@pytest.mark.parametrize(
    ("data", "note"),
    [
        ("9502 8000", "length should be 5"),
        ("9502 8000", "TVR of 2 bytes, 5 expected"),
        ("9403 100103", "AFL of 3 bytes, 4 for each file"),
        ("9F3802 9F37", "tag 9F37 at offset 0 has no length"),
        ("8E04 00000000", "CVM list of 4 bytes"),
        ("82021980 82021980", "occurs again at offset 4"),
        ("8202198090 00", "status word 9000"),
    ],
)
def test_what_is_odd_is_noted(data: str, note: str) -> None:
    assert any(note in line for line in text_of(data))


def test_directory_entries_may_repeat_a_tag() -> None:
    """Two applications in a directory each have a name; that is no duplicate."""
    lines = text_of("BF0C 12 6107 4F05A000000003 6107 4F05A000000004")

    assert not any("again" in line for line in lines)


def test_templates_indent_what_they_hold() -> None:
    assert text_of("6F09 84 07A0000000031010")[1].startswith("  84 [7]")


def test_without_a_kernel_every_reading_is_named() -> None:
    [line] = text_of("9F6E04 20700000")

    for name in ("Third Party Data (C-2)", "Form Factor Indicator (FFI) (C-3)", "(C-4)"):
        assert name in line


def test_with_a_kernel_only_its_reading_is_named() -> None:
    assert (
        text_of("9F6E04 20700000", kernel=3)[0] == "9F6E [4] Form Factor Indicator (FFI): 20700000"
    )
    assert text_of("9F6602 0E70", kernel=2) == ["9F66 [2] PUNATC (Track2): 0E70"]
    assert "local authentication failed" in text_of("9505 0400000000", kernel=8)[1]
    assert "CDA failed" in text_of("9505 0400000000")[1]


def test_a_masked_list_is_not_read_out() -> None:
    """What a hostile card sends as a list may be a card number, entry by entry."""
    assert text_of("9F3808 4111111111111111") == [
        "9F38 [8] Processing Options Data Object List (PDOL): 411111******1111"
    ]


def test_json_says_what_is_masked() -> None:
    record = tlv.decode(bytes.fromhex("700D 5A084111111111111111 9F2600"))

    [template] = as_plain(describe(record))
    children = template["children"]

    assert isinstance(children, list)
    assert template.keys() == {"tag", "name", "offset", "length", "children"}
    assert children[0] == {
        "tag": "5A",
        "name": "Application Primary Account Number (PAN)",
        "offset": 2,
        "length": 8,
        "value": "411111******1111",
        "masked": True,
    }
    assert children[1]["notes"] == ["length should be 8"]
    [amount] = as_plain(describe(tlv.decode(bytes.fromhex("9F0206000000012345"))))
    assert amount["text"] == "12345"
