"""Reading what a file locator lists, and gathering what of it is signed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv.conversation import Command, Reply
from emv.errors import CardRefused, MalformedData
from emv.records import (
    RECORDS_MAX,
    File,
    Record,
    data_objects,
    parse_afl,
    read_application_data,
    signed_static_data,
)

pytestmark = pytest.mark.spec("Book 3, 10.2", "Book 3, 10.3", "Book 1, 10.2", source="ours")


@pytest.mark.spec("Book 3, 10.2", source="outside")
def test_published_locators_are_read(emv_vectors: Callable[[str], Any]) -> None:
    """openemv/emv-utils, initiate application processing."""
    (suite,) = (
        one
        for one in emv_vectors("emvutils_apdu_scripts.json")["suites"]
        if one["name"] == "initiate_application_processing"
    )
    locators = {case["expect"]["afl"] for case in suite["cases"] if "afl" in case["expect"]}

    assert {parse_afl(bytes.fromhex(afl)) for afl in locators} == {
        (File(1, 2, 2, 0), File(2, 1, 4, 0), File(3, 1, 2, 1)),
        (File(3, 1, 2, 1), File(4, 2, 4, 0)),
    }


@given(st.binary(max_size=40))
def test_any_bytes_parse_or_are_malformed(noise: bytes) -> None:
    """A hostile locator is refused; it never crashes the terminal."""
    try:
        files = parse_afl(noise)
    except MalformedData:
        return
    assert 4 * len(files) == len(noise)
    assert sum(file.last - file.first + 1 for file in files) <= RECORDS_MAX


@given(st.binary(max_size=60), st.integers(1, 30))
def test_any_record_gives_objects_or_is_malformed(noise: bytes, sfi: int) -> None:
    record = Record(sfi, 1, noise, is_signed=True)
    for read in (data_objects, lambda one: signed_static_data([one], b"\x82", b"\x20\x00")):
        try:
            read(record)
        except MalformedData:
            continue


@pytest.mark.parametrize(
    ("afl", "complaint"),
    [
        ("", "0 bytes"),
        ("080101", "3 bytes"),
        ("F0010100", None),
        ("00010100", "no file"),
        ("F8010100", "no file"),
        ("09010100", "no file"),
        ("08000100", "no record"),
        ("08020100", "no record"),
        ("08010202", None),
        ("08010203", "signs more"),
        ("08014000", None),
        ("08014100", "more than 64"),
        ("0801200010012100", "more than 64"),
    ],
)
def test_each_rule_of_a_locator(afl: str, complaint: str | None) -> None:
    if complaint is None:
        parse_afl(bytes.fromhex(afl))
        return
    with pytest.raises(MalformedData, match=complaint):
        parse_afl(bytes.fromhex(afl))


def test_a_missing_record_stops_the_reading() -> None:
    """The card refuses the second of two records."""
    kernel = read_application_data(bytes.fromhex("08 01 02 00"))

    assert next(kernel) == Command(bytes.fromhex("00 B2 01 0C 00"))
    assert kernel.send(Reply(b"\x70\x00", 0x9000, 900)) == Command(bytes.fromhex("00B2020C00"))
    with pytest.raises(CardRefused) as refused:
        kernel.send(Reply(b"", 0x6A83, 900))
    assert refused.value.status == 0x6A83


def test_only_marked_records_are_signed() -> None:
    kernel = read_application_data(bytes.fromhex("08 01 02 01 58 05 05 01"))
    next(kernel)
    kernel.send(Reply(b"\x70\x00", 0x9000, 900))
    kernel.send(Reply(b"\x70\x00", 0x9000, 900))
    with pytest.raises(StopIteration) as finished:
        kernel.send(Reply(b"\x01\x02", 0x9000, 900))

    records = finished.value.value
    assert [(one.sfi, one.number, one.is_signed) for one in records] == [
        (1, 1, True),
        (1, 2, False),
        (11, 5, True),
    ]


def test_files_up_to_10_count_without_their_template_the_others_whole() -> None:
    low = Record(10, 1, bytes.fromhex("70 03 82 01 AA"), is_signed=True)
    high = Record(11, 1, bytes.fromhex("70 03 82 01 BB"), is_signed=True)
    unsigned = Record(2, 1, bytes.fromhex("70 03 82 01 CC"), is_signed=False)
    joined = signed_static_data([unsigned, high, low, unsigned, high], None, b"\x20\x00")

    assert joined == bytes.fromhex("70038201BB 8201AA 70038201BB")


def test_the_tag_list_may_only_name_the_aip() -> None:
    assert signed_static_data([], b"\x82", b"\x20\x00") == b"\x20\x00"
    for tag_list in (b"", b"\x82\x82", b"\x84", b"\x82\x00"):
        with pytest.raises(MalformedData, match="9F4A"):
            signed_static_data([], tag_list, b"\x20\x00")


def test_a_payment_record_without_its_template_is_malformed() -> None:
    with pytest.raises(MalformedData, match="not one template 70"):
        data_objects(Record(10, 1, bytes.fromhex("77 02 82 00"), is_signed=False))
    with pytest.raises(MalformedData, match="not one template 70"):
        data_objects(Record(1, 1, bytes.fromhex("7000 7000"), is_signed=False))
    for proprietary in (b"\x01\x02", b"\x71\x00", b""):
        assert data_objects(Record(11, 1, proprietary, is_signed=False)) == ()
    for sfi in (1, 11):
        (found,) = data_objects(Record(sfi, 1, bytes.fromhex("70 03 82 01 CC"), is_signed=False))
        assert (found.tag, found.value) == (0x82, b"\xcc")


def test_a_record_does_not_show_its_data() -> None:
    assert "4761" not in repr(Record(1, 1, bytes.fromhex("4761739001010119"), is_signed=True))
