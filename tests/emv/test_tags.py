"""The dictionary: complete, consistent, and clear where kernels differ."""

import json
from pathlib import Path

import pytest

from emv import tags, tlv
from emv.dol import is_template
from emv.tags import Format, meaning, meanings, name_of

pytestmark = pytest.mark.spec("Book 3, 4.3", "Book 3, Annex A", "Book 1, Annex B", source="ours")

CONSTANTS = {name: number for name, number in vars(tags).items() if name.startswith("TAG_")}


def test_a_constant_holds_its_number_and_its_name() -> None:
    assert len(CONSTANTS) >= 280
    for name, number in CONSTANTS.items():
        assert name.split("_")[1] == f"{number:02X}"
        assert meanings(number), name


def test_every_line_is_a_tag_that_can_travel() -> None:
    for number in CONSTANTS.values():
        assert tlv.tag_bytes(number)
        for reading in meanings(number):
            assert reading.length_min <= reading.length_max
            assert reading.fits(reading.length_max)
            assert (reading.format is Format.TEMPLATE) == is_template(number), reading


def test_no_reading_is_entered_twice() -> None:
    for number in set(CONSTANTS.values()):
        readings = [(m.name, m.kernels, m.templates) for m in meanings(number)]
        assert len(readings) == len(set(readings)), hex(number)
        kernels = [kernel for m in meanings(number) for kernel in m.kernels]
        assert len(kernels) == len(set(kernels)), hex(number)


# EMV 4.4 Book 3, Annex A1, and Book 1, Annex B: the tags of the tables.
BOOKS_1_AND_3 = """
42 4F 50 57 5A 5F20 5F24 5F25 5F28 5F2A 5F2D 5F30 5F34 5F36 5F50 5F53 5F54 5F55 5F56 5F57 61 6F
70 71 72 73 77 7F60 80 81 82 83 84 86 87 88 89 8A 8C 8D 8E 8F 90 91 92 93 94 95 97 98 99 9A 9B 9C
9D 9F01 9F02 9F03 9F04 9F05 9F06 9F07 9F08 9F09 9F0A 9F0B 9F0C 9F0D 9F0E 9F0F 9F10 9F11 9F12 9F13
9F14 9F15 9F16 9F17 9F18 9F19 9F1A 9F1B 9F1C 9F1D 9F1E 9F1F 9F20 9F21 9F22 9F23 9F24 9F25 9F26
9F27 9F2D 9F2E 9F2F 9F30 9F31 9F32 9F33 9F34 9F35 9F36 9F37 9F38 9F39 9F3A 9F3B 9F3C 9F3D 9F40
9F41 9F42 9F43 9F44 9F45 9F46 9F47 9F48 9F49 9F4A 9F4B 9F4C 9F4D 9F4E 9F4F A1 A5 BF0C BF4A BF4B
BF4C BF4D BF4E DF50 DF51 DF52 DF53 DF54
"""
BOOK_B = "9F29 9F2A"
KERNEL_2 = """
56 9F51 9F5D 9F60 9F61 9F62 9F63 9F64 9F65 9F66 9F67 9F69 9F6A 9F6B 9F6E DF4B DF8106 DF8107 DF810C
DF8110 DF8111 DF8112 DF8113 DF8114 DF8115 DF8116 DF8117 DF8118 DF8119 DF811A DF811B DF811C DF811D
DF811E DF811F DF8120 DF8121 DF8122 DF8123 DF8124 DF8125 DF8126 DF8127 DF8129 DF812C DF812D DF8130
DF8131 DF8132 DF8133 DF8134 DF8135 DF8136 DF8137 DF8301 DF8302 DF8303 DF8304 DF8305 DF8306 DF8307
FF8101 FF8102 FF8103 FF8104 FF8105 FF8106
"""
KERNEL_8 = """
9E 9F2B 9F2C 9F8102 9F8103 9F8104 9F8105 9F8106 9F8107 9F8108 9F8109 9F810A 9F810B 9F810C 9F810D
9F8111 9F8112 9F8113 9F8114 9F8115 9F8116 9F8117 9F8118 9F8119 9F811A 9F8201 9F8202 9F8203 9F8204
9F8205 9F8206 9F8207 9F8208 9F8209 9F820A 9F820B 9F820C 9F820D 9F820E 9F820F 9F8210 9F8211 9F8212
9F8213 9F8214 9F8215 9F8216 9F8217 9F8218 9F8219 9F821A 9F821B 9F821C 9F821D 9F821E 9F821F 9F8220
9F8221 BF8101 BF8102 BF8103 BF8104
"""


@pytest.mark.parametrize(
    ("kernel", "listed"),
    [
        (None, BOOKS_1_AND_3 + BOOK_B),
        (2, KERNEL_2),
        (3, "9F5A 9F5D 9F66 9F69 9F6C 9F6E 9F7C"),
        (4, "9F6D 9F6E 9F70 9F71"),
        (5, "9F52 9F53"),
        (6, "9F66 9F71"),
        (7, "9F5D 9F66 9F69 9F6C 9F6D 9F79 9F7A DF60 DF61 DF69"),
        (8, KERNEL_8),
    ],
)
def test_every_tag_of_the_books_is_known(kernel: int | None, listed: str) -> None:
    for tag in listed.split():
        # DF50 and its like always belong to one of several templates.
        reading = meaning(int(tag, 16), kernel=kernel)
        assert reading is not None, tag


@pytest.mark.spec("Book 3, Annex A", source="outside")
def test_the_tags_of_real_cards_are_known(shared: Path) -> None:
    """What stays unknown is a scheme's or an issuer's own."""
    traces = json.loads((shared / "vectors/emv/traces_testcards.json").read_text())["traces"]
    unknown = set()
    for exchange in (exchange for trace in traces for exchange in trace["apdus"]):
        reply = bytes.fromhex(exchange["response"])
        for node in tlv.walk(tlv.decode(reply[:-2])):
            if not meanings(node.tag):
                unknown.add(node.tag)
    assert all(f"{tag:02X}"[:2] in ("9F", "DF", "C1", "C2", "C3") for tag in unknown), unknown


@pytest.mark.parametrize(
    ("tag", "kernel", "name"),
    [
        (0x9F6E, 2, "Third Party Data"),
        (0x9F6E, 3, "Form Factor Indicator (FFI)"),
        (0x9F6E, 4, "Enhanced Contactless Reader Capabilities"),
        (0x9F6D, 2, "Mag-stripe Application Version Number (Reader)"),
        (0x9F6D, 4, "Contactless Reader Capabilities"),
        (0x9F6D, 7, "Electronic Cash Reset Threshold"),
        (0x9F5D, 2, "Application Capabilities Information"),
        (0x9F5D, 3, "Available Offline Spending Amount (AOSA)"),
        (0x9F5D, 7, "Available Offline Spending Amount (AOSA)"),
        (0x9F66, 2, "PUNATC (Track2)"),
        (0x9F66, 3, "Terminal Transaction Qualifiers (TTQ)"),
        (0x9F66, None, "Terminal Transaction Qualifiers (TTQ)"),
        (0x9F69, 2, "UDOL"),
        (0x9F69, 3, "Card Authentication Related Data"),
        (0x9F71, 6, "Card Processing Requirements"),
        (0x9F53, 5, "Terminal Interchange Profile"),
        (0x9F02, 3, "Amount, Authorised (Numeric)"),
        (0x9F6E, 5, None),
        (0x9F6E, None, None),
        (0xDF7F, None, None),
    ],
)
def test_a_kernel_gets_its_own_reading(tag: int, kernel: int | None, name: str | None) -> None:
    reading = meaning(tag, kernel=kernel)

    assert (reading.name if reading else None) == name


@pytest.mark.parametrize(
    ("tag", "template", "name"),
    [
        (0x82, 0x77, "Application Interchange Profile (AIP)"),
        (0x82, 0xA1, "Biometric Subtype"),
        (0x90, 0xBF4E, "Biometric Solution ID"),
        (0xDF50, 0xBF4C, "Facial Try Counter"),
        (0xDF50, 0xBF4D, "Preferred Facial Attempts"),
        (0x9A, 0x99, "Transaction Date"),
    ],
)
def test_a_template_decides_between_readings(tag: int, template: int, name: str) -> None:
    assert name_of(tag, template=template) == name


def test_a_tag_of_one_kernel_needs_no_kernel_to_be_read() -> None:
    assert meaning(0xDF8117) == meaning(0xDF8117, kernel=2)
    assert meaning(0xDF8117) is not None
    assert name_of(0x9F6E).count(" / ") == 2


def test_an_unknown_tag_is_called_so() -> None:
    assert name_of(0xDF7F) == "unknown"


@pytest.mark.parametrize(
    ("tag", "format", "length_min", "length_max"),
    [
        (0x5A, Format.CN, 1, 10),
        (0x9F02, Format.N, 6, 6),
        (0x95, Format.B, 5, 5),
        (0x84, Format.B, 5, 16),
        (0x5F2D, Format.AN, 2, 8),
        (0x8C, Format.DOL, 0, 252),
        (0x9F10, Format.B, 0, 32),
    ],
)
def test_formats_and_lengths_are_those_of_the_books(
    tag: int, format: Format, length_min: int, length_max: int
) -> None:
    [reading] = meanings(tag)

    assert (reading.format, reading.length_min, reading.length_max) == (
        format,
        length_min,
        length_max,
    )
