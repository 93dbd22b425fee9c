"""Bits: the tables of emv-utils, then properties, then lines to print."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv import bits
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


def test_a_rule_is_read_with_its_flag() -> None:
    parsed = parse_cvm_list(bytes(8) + bytes.fromhex("5E03 1F00"))

    assert parsed.rules == (CVMRule(0x1E, 3, applies_next=True), CVMRule(0x1F, 0, False))


def test_clearing_bits_keeps_those_without_a_name() -> None:
    """`& ~` of Python 3.11.2 would drop them, and half of the reader's abilities."""
    ttq = TTQ.decode(bytes.fromhex("22 00 40 80"))
    cleared = ttq.without(TTQ.ONLINE_CRYPTOGRAM_REQUIRED | TTQ.CVM_REQUIRED)
    assert cleared.encoded == bytes.fromhex("22 00 40 80")
    assert TTQ.decode(b"\xff" * 4).without(cleared).encoded == bytes.fromhex("DD FF BF 7F")
