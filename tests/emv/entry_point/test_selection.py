"""Which application, which kernel: directories of real cards, then each rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv.entry_point import Combination, Indicators, Prepared
from emv.entry_point.selection import (
    PRIORITY_LOWEST,
    DirectoryEntry,
    is_match,
    rank,
    read_directory,
    requested_kernel,
)
from emv.errors import MalformedData

pytestmark = pytest.mark.spec("Book B, 3.3.2", source="ours")

VISA = bytes.fromhex("A0000000031010")
MASTERCARD = bytes.fromhex("A0000000041010")
CB = bytes.fromhex("A0000000421010")


def prepared(aid: bytes, kernel: int, **fields: Any) -> Prepared:
    return Prepared(Combination(aid, kernel, bytes.fromhex("36004080"), **fields), Indicators())


def entry(name: bytes, **fields: Any) -> DirectoryEntry:
    return DirectoryEntry(name, **fields)


# Cases from outside


@pytest.mark.spec("Book B, 3.3.2", source="outside")
def test_directories_of_real_cards_are_ranked(emv_vectors: Callable[[str], Any]) -> None:
    """devnied/EMV-NFC-Paycard-Enrollment: co-badged cards, some with kernel ids."""
    readers = [prepared(VISA, 3), prepared(MASTERCARD, 2), prepared(CB, 3), prepared(CB, 2)]
    chosen: dict[str, list[tuple[str, int]]] = {}
    for trace in emv_vectors("traces_anonymised_cards.json")["traces"]:
        for apdu in trace["apdus"]:
            if not apdu["command"].startswith("00A404000E3250") or apdu["response"][-4:] != "9000":
                continue
            entries = read_directory(bytes.fromhex(apdu["response"])[:-2])
            chosen[trace["id"]] = [
                (one.entry.adf_name.hex().upper(), one.prepared.combination.kernel_id)
                for one in rank(entries, readers)
            ]
    cb_then_visa = [(CB.hex().upper(), 3), (CB.hex().upper(), 2), (VISA.hex().upper(), 3)]
    # No kernel named: any will do for a scheme the book does not list.
    assert chosen["VisaCardPpse"] == cb_then_visa
    # Its kernel identifiers stand beside the entries, where they do not count.
    assert chosen["FailErrorCard"] == cb_then_visa
    assert chosen["MasterCardPpse2"] == [(MASTERCARD.hex().upper(), 2)]
    assert chosen["GeldKartePpse"] == []


# Properties


@given(st.binary(max_size=300))
def test_any_directory_is_read_or_malformed(noise: bytes) -> None:
    try:
        entries = read_directory(noise)
    except MalformedData:
        return
    for one in entries:
        assert 5 <= len(one.adf_name) <= 16
        assert 1 <= one.priority <= PRIORITY_LOWEST


@given(
    st.lists(
        st.tuples(st.sampled_from([VISA, MASTERCARD, VISA + b"\x01"]), st.integers(0, 16)),
        max_size=8,
    )
)
def test_candidates_come_by_priority_then_place(items: list[tuple[bytes, int]]) -> None:
    entries = [entry(name, priority=priority or PRIORITY_LOWEST) for name, priority in items]
    found = rank(entries, [prepared(VISA, 3), prepared(MASTERCARD, 2)])

    assert [(one.entry.priority, one.position) for one in found] == sorted(
        (one.priority, place) for place, one in enumerate(entries)
    )


# Examples


def test_the_first_of_equals_in_the_reader_goes_first() -> None:
    found = rank([entry(CB)], [prepared(CB, 2), prepared(CB, 3)])
    assert [one.prepared.combination.kernel_id for one in found] == [2, 3]


def test_what_pre_processing_forbade_is_no_candidate() -> None:
    forbidden = replace(prepared(VISA, 3), indicators=Indicators(not_allowed=True))
    assert rank([entry(VISA)], [forbidden]) == ()


@pytest.mark.parametrize(
    ("name", "aid", "partial", "expected"),
    [
        (VISA, VISA, True, True),
        (VISA + b"\x07", VISA, True, True),
        (VISA + b"\x07", VISA, False, False),
        (VISA, VISA, False, True),
        (VISA[:-1], VISA, True, False),
        (MASTERCARD, VISA, True, False),
    ],
)
def test_a_name_matches_an_aid_it_begins_with(
    name: bytes, aid: bytes, partial: bool, expected: bool
) -> None:
    assert is_match(entry(name), Combination(aid, 3, partial_match=partial)) is expected


@pytest.mark.parametrize(
    ("identifier", "aid", "expected"),
    [
        ("", "A0000000031010", 3),
        ("", "A0000000041010", 2),
        ("", "A00000002501", 4),
        ("", "A0000000651010", 5),
        ("", "A0000001523010", 6),
        ("", "A0000003241010", 6),
        ("", "A000000333010101", 7),
        ("", "A0000000421010", 0),
        ("02", "A0000000031010", 2),
        ("08", "A0000000031010", 8),
        ("00", "A0000000031010", 0),
        ("0300000000000000", "A0000000031010", 3),
        ("43", "A0000000031010", 0x43),
        ("83", "A0000000031010", None),
        ("8300", "A0000000031010", None),
        ("830156", "A0000000031010", 0x830156),
        ("83015699", "A0000000031010", 0x830156),
        ("C30156", "A0000000031010", 0xC30156),
        ("800156", "A0000000031010", None),
        ("C00156", "A0000000031010", None),
    ],
)
def test_each_form_of_kernel_identifier(identifier: str, aid: str, expected: int | None) -> None:
    one = entry(bytes.fromhex(aid), kernel_identifier=bytes.fromhex(identifier))
    assert requested_kernel(one, Combination(bytes.fromhex(aid), 3)) == expected


@pytest.mark.parametrize(
    ("requested", "kernel", "expected"),
    [("03", 3, True), ("02", 3, False), ("00", 3, True), ("830156", 0x830156, True)],
)
def test_a_combination_needs_the_kernel_the_card_asks_for(
    requested: str, kernel: int, expected: bool
) -> None:
    one = entry(VISA, kernel_identifier=bytes.fromhex(requested))
    assert is_match(one, Combination(VISA, kernel)) is expected


def test_unusable_entries_are_left_out(encode: Callable[..., bytes]) -> None:
    """No name, a short name, a long name; then a good one with odd company."""
    entries = [
        encode("87", "01"),
        encode("4F", "A0000000"),
        encode("4F", bytes(17)),
        encode("4F", VISA) + encode("87", "0001") + encode("9F29", bytes(17)),
        encode("4F", VISA) + encode("87", "F2") + encode("87", "01"),
        encode("4F", VISA) + encode("87", "F0"),
        encode("4F", VISA[:5]) + encode("9F29", bytes(16)),
        encode("4F", bytes(16)),
    ]
    templates = b"".join(encode("61", one) for one in entries)
    found = read_directory(encode("6F", encode("A5", encode("BF0C", templates))))

    assert [(one.priority, one.extended_selection) for one in found] == [
        (PRIORITY_LOWEST, b""),
        (2, b""),
        (PRIORITY_LOWEST, b""),
        (PRIORITY_LOWEST, bytes(16)),
        (PRIORITY_LOWEST, b""),
    ]


def test_entries_outside_their_template_do_not_count(encode: Callable[..., bytes]) -> None:
    template = encode("61", encode("4F", VISA))
    assert read_directory(encode("6F", encode("A5", template))) == ()
    assert read_directory(template) == ()
    assert read_directory(b"") == ()
