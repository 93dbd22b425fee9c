"""Data object lists: cases of emv-utils, then properties, then our own."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv.dol import fill_dol, fit, parse_dol, parse_tag_list
from emv.errors import MalformedData

pytestmark = pytest.mark.spec("Book 3, 5.4", source="ours")


def dol_cases(shared: Path) -> dict[str, dict[str, object]]:
    """The DOL cases of openemv/emv-utils, by name."""
    text = (shared / "vectors/emv/emvutils_dol_cvm.json").read_text()
    return {case["id"]: case for case in json.loads(text)["dol"]}


@pytest.mark.spec("Book 3, 5.4", source="outside")
def test_lists_parse_as_emv_utils_parses_them(shared: Path) -> None:
    seen = 0
    for case in dol_cases(shared).values():
        dol = bytes.fromhex(str(case["dol"]))
        if "expect_entries" in case:
            entries = tuple((f"{tag:02X}", length) for tag, length in parse_dol(dol))
            assert [list(entry) for entry in entries] == case["expect_entries"], case["id"]
            seen += 1
        if "expect_data_length" in case:
            assert sum(length for _, length in parse_dol(dol)) == case["expect_data_length"]
            seen += 1
    assert seen == 2


@pytest.mark.spec("Book 3, 5.4", source="outside")
@pytest.mark.parametrize(
    ("name", "where"),
    [("test2", "95 at offset 9"), ("test3", "9F37 at offset 18"), ("test5", "9F37 at offset 18")],
)
def test_a_list_that_ends_inside_a_pair_is_malformed(shared: Path, name: str, where: str) -> None:
    """emv-utils gives the entries before the end, then the error; we give none."""
    with pytest.raises(MalformedData, match=f"tag {where} has no length"):
        parse_dol(bytes.fromhex(str(dol_cases(shared)[name]["dol"])))


@pytest.mark.spec("Book 3, 5.4", source="outside")
@pytest.mark.parametrize("name", ["test6", "test7"])
def test_values_are_cut_and_padded_as_emv_utils_does(shared: Path, name: str) -> None:
    case = dol_cases(shared)[name]
    values: dict[int, bytes] = {}
    for source in ("source2", "source1_first_priority"):
        entries = case[source]
        assert isinstance(entries, list)
        values |= {int(entry["tag"], 16): bytes.fromhex(entry["value"]) for entry in entries}

    filled = fill_dol(bytes.fromhex(str(case["dol"])), values)

    assert filled.hex().upper() == case["expect_data"]


@given(st.binary(max_size=40))
def test_any_bytes_parse_or_are_malformed(noise: bytes) -> None:
    try:
        pairs = parse_dol(noise)
    except MalformedData:
        return
    rebuilt = b""
    for tag, length in pairs:
        rebuilt += tag.to_bytes(max(1, (tag.bit_length() + 7) // 8), "big") + bytes((length,))
    # A tag that begins with a zero byte loses it in the number.
    assert rebuilt.replace(b"\x00", b"") == noise.replace(b"\x00", b"")
    assert len(fill_dol(noise, {})) == sum(length for _, length in pairs)


@given(st.binary(max_size=40))
def test_any_bytes_are_a_tag_list_or_malformed(noise: bytes) -> None:
    try:
        found = parse_tag_list(noise)
    except MalformedData:
        return
    assert len(found) <= len(noise)


@given(st.sampled_from([0x9F02, 0x5A, 0x95, 0x70, 0xDFDF7F]), st.binary(), st.integers(0, 255))
def test_every_value_gets_the_length_that_was_asked(tag: int, value: bytes, length: int) -> None:
    assert len(fit(tag, value, length)) == length


def test_a_template_is_answered_with_zeros() -> None:
    """EMV 4.4 Book 3, 5.4, rule 2a."""
    values = {0x70: bytes.fromhex("9A0101"), 0x9A: bytes.fromhex("240217")}

    assert fill_dol(bytes.fromhex("70 03 9A 03"), values) == bytes.fromhex("000000 240217")


def test_an_absent_compressed_number_is_zeros_not_padding() -> None:
    assert fill_dol(bytes.fromhex("5A 04"), {}) == bytes(4)


def test_a_tag_list_is_read_to_its_end() -> None:
    assert parse_tag_list(bytes.fromhex("82 9F36 DF8101")) == (0x82, 0x9F36, 0xDF8101)
    with pytest.raises(MalformedData, match="9F at offset 1 is cut short"):
        parse_tag_list(bytes.fromhex("82 9F"))


def test_a_tag_may_be_as_long_as_in_any_object_and_no_longer() -> None:
    assert parse_tag_list(bytes.fromhex("82 DF818101 95")) == (0x82, 0xDF818101, 0x95)
    with pytest.raises(MalformedData, match="tag DF818181 at offset 1 is too long"):
        parse_tag_list(bytes.fromhex("82 DF81818101"))


def test_the_high_bit_alone_says_that_a_tag_goes_on() -> None:
    assert parse_tag_list(bytes.fromhex("9F80 01 9F7F 95")) == (0x9F8001, 0x9F7F, 0x95)
