"""Bits: the tables of emv-utils, then properties, then lines to print."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv import bits, tags
from emv.bits import AIP, AUC, CTQ, TSI, TTQ, TVR, TVR8, Bits, CVMRule, parse_cvm_list
from emv.errors import MalformedData

pytestmark = pytest.mark.spec(
    "Book 3, Annex C1",
    "Book 3, Annex C2",
    "Book 3, Annex C3",
    "Book 3, Annex C5",
    "Book 3, Annex C6",
    "Book 4, Annex A2",
    "Book 4, Annex A3",
    "Book 4, Annex A4",
    "Book A, 5.7",
    source="ours",
)

CLASSES = sorted(bits._SIZES, key=lambda each: each.__name__)


@pytest.mark.spec("Book 3, Annex C3", source="outside")
def test_cvm_lists_parse_as_emv_utils_parses_them(shared: Path) -> None:
    text = (shared / "vectors/emv/emvutils_dol_cvm.json").read_text()
    cases = json.loads(text)["cvm_list"]
    assert len(cases) == 6
    for case in cases:
        value, expected = bytes.fromhex(case["cvm_list"]), case["expect"]
        if isinstance(expected, str):
            with pytest.raises(MalformedData, match="CVM list"):
                parse_cvm_list(value)
            continue
        parsed = parse_cvm_list(value)
        rules = [
            f"{rule.method | 0x40 * rule.applies_next:02X}{rule.condition:02X}"
            for rule in parsed.rules
        ]
        assert parsed.amount_x_minor == expected["amount_x"], case["id"]
        assert parsed.amount_y_minor == expected["amount_y"], case["id"]
        assert rules == expected["rules"], case["id"]


# The names emv-utils gives its cases, and the bit each expects to be set.
RESTRICTIONS = {
    "Application version differs": TVR.VERSIONS_DIFFER,
    "ATM not allowed": TVR.SERVICE_NOT_ALLOWED,
}


@pytest.mark.spec("Book 3, Annex C5", source="outside")
def test_restrictions_set_the_bits_that_emv_utils_sets(shared: Path) -> None:
    text = (shared / "vectors/emv/emvutils_processing_restrictions.json").read_text()
    [suite] = [s for s in json.loads(text)["suites"] if s["name"] == "processing_restrictions"]
    expected = {case["name"]: case["expected_tvr"] for case in suite["cases"]}
    for name, bit in RESTRICTIONS.items():
        assert bit.encoded.hex() == expected[name]


@pytest.mark.parametrize("bits_class", CLASSES)
def test_every_member_is_one_bit_with_words(bits_class: type[Bits]) -> None:
    seen = set()
    for member in bits_class.__members__.values():
        assert int(member).bit_count() == 1
        assert len(member.encoded) == bits_class.size()
        assert member.describe()[0].endswith(f": {member.label}")
        seen.add(member.label)
    assert len(seen) == len(bits_class.__members__)


@given(st.sampled_from(CLASSES), st.binary(max_size=6))
def test_decode_undoes_encode_or_the_length_is_wrong(bits_class: type[Bits], value: bytes) -> None:
    """RFU bits stay as the card set them."""
    try:
        decoded = bits_class.decode(value)
    except MalformedData:
        assert len(value) != bits_class.size()
        return
    assert decoded.encoded == value
    assert len(decoded.describe()) == int.from_bytes(value, "big").bit_count()


# Book and table of each value are those of the class; one per byte.
@pytest.mark.parametrize(
    ("member", "encoded"),
    [
        (AIP.DDA, "2000"),
        (AIP.EMV_MODE, "0080"),
        (AIP.RELAY_RESISTANCE, "0001"),
        (AUC.OTHER_THAN_ATM, "0100"),
        (AUC.INTERNATIONAL_CASHBACK, "0040"),
        (TVR.CDA_FAILED, "0400000000"),
        (TVR.EXPIRED, "0040000000"),
        (TVR.ONLINE_CVM_CAPTURED, "0000040000"),
        (TVR.FLOOR_LIMIT_EXCEEDED, "0000008000"),
        (TVR.ISSUER_AUTHENTICATION_FAILED, "0000000040"),
        (TVR8.AID_MISMATCH, "0000000040"),
        (TSI.SCRIPT_PROCESSING_PERFORMED, "0400"),
        (TTQ.EMV_MODE, "20000000"),
        (TTQ.ODA_FOR_ONLINE, "01000000"),
        (TTQ.CVM_REQUIRED, "00400000"),
        (TTQ.CDCVM, "00004000"),
        (TTQ.FDDA_VERSION_01, "00000080"),
        (CTQ.SWITCH_IF_ODA_FAILS, "1000"),
        (CTQ.CDCVM_PERFORMED, "0080"),
    ],
)
def test_bits_stand_where_the_books_put_them(member: Bits, encoded: str) -> None:
    assert member.encoded.hex() == encoded


def test_bits_can_be_set_cleared_and_asked_for() -> None:
    ttq = TTQ.decode(bytes.fromhex("36C04080"))

    cleared = ttq.without(TTQ.ONLINE_CRYPTOGRAM_REQUIRED | TTQ.CVM_REQUIRED)

    assert cleared.encoded == bytes.fromhex("36004080")
    assert TTQ.CVM_REQUIRED in ttq
    assert TTQ.CVM_REQUIRED not in cleared
    assert isinstance(cleared, TTQ)


def test_an_rfu_bit_is_told_as_such() -> None:
    assert TSI.decode(b"\x00\x01").describe() == ["byte 2 bit 1: RFU"]


def test_a_list_is_told_with_its_amounts_and_what_follows_a_failure() -> None:
    told = bits.describe(0x8E, bytes.fromhex("80000001 40000002 4203 1F00"))

    assert told == [
        "X 2147483649, Y 1073741826 (minor units)",
        "enciphered PIN verified online, if terminal supports the CVM, else next rule",
        "no CVM required, always, else fail",
    ]


def test_a_rule_is_read_with_its_flag() -> None:
    parsed = parse_cvm_list(bytes(8) + bytes.fromhex("5E03 1F00"))

    assert parsed.rules == (CVMRule(0x1E, 3, applies_next=True), CVMRule(0x1F, 0, False))


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
    assert bits.describe(tags.TAG_9F34_CVM_RESULTS, value) == [line]


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
    assert bits.describe(0x9F27, bytes.fromhex(cid)) == lines


@given(st.integers(0, 0xFFFFFF), st.binary(max_size=12), st.none() | st.integers(1, 8))
def test_any_value_of_any_tag_can_be_told(tag: int, value: bytes, kernel: int | None) -> None:
    assert all(bits.describe(tag, value, kernel=kernel))


def test_a_biometric_subtype_is_no_aip() -> None:
    """Tag 82 means something else inside a biometric header template."""
    assert bits.describe(0x82, b"\x20\x00") == ["byte 1 bit 6: DDA supported"]
    assert bits.describe(0x82, b"\x20", template=0xA1) == []


def test_clearing_bits_keeps_those_without_a_name() -> None:
    """`& ~` of Python 3.11.2 would drop them, and half of the reader's abilities."""
    ttq = TTQ.decode(bytes.fromhex("22 00 40 80"))
    cleared = ttq.without(TTQ.ONLINE_CRYPTOGRAM_REQUIRED | TTQ.CVM_REQUIRED)
    assert cleared.encoded == bytes.fromhex("22 00 40 80")
    assert TTQ.decode(b"\xff" * 4).without(cleared).encoded == bytes.fromhex("DD FF BF 7F")
