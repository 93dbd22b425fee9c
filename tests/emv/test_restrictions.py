"""Processing restrictions: the published table, then dates and usage bits."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv.bits import AUC
from emv.errors import MalformedData
from emv.restrictions import (
    allows_cash,
    allows_cashback,
    allows_goods,
    check_restrictions,
    is_expired,
    is_service_allowed,
    read_date,
)

pytestmark = pytest.mark.spec(
    "Book 3, 10.4.1", "Book 3, 10.4.2", "Book 3, 10.4.3", "Book 4, 6.7.3", source="ours"
)


def objects(entries: list[dict[str, str]]) -> dict[int, bytes]:
    return {int(entry["tag"], 16): bytes.fromhex(entry["value"]) for entry in entries}


@pytest.mark.spec("Book 3, 10.4.1", "Book 3, 10.4.2", "Book 3, 10.4.3", source="outside")
def test_the_published_table(emv_vectors: Callable[[str], Any]) -> None:
    """openemv/emv-utils, all its cases."""
    (suite,) = emv_vectors("emvutils_processing_restrictions.json")["suites"]
    assert len(suite["cases"]) == 9

    for case in suite["cases"]:
        terminal = objects(case["config"] + case["params"])
        found = check_restrictions(objects(case["icc"]), terminal, read_date(terminal[0x9A]))
        assert found.encoded.hex().upper() == case["expected_tvr"], case["name"]


@given(st.binary(max_size=5))
def test_any_bytes_are_a_date_or_malformed(noise: bytes) -> None:
    try:
        read = read_date(noise)
    except MalformedData:
        return
    assert read.strftime("%y%m%d") == noise.hex()


@given(st.dates(datetime.date(1950, 1, 1), datetime.date(2049, 12, 31)))
def test_a_date_reads_back(day: datetime.date) -> None:
    assert read_date(bytes.fromhex(day.strftime("%y%m%d"))) == day


def test_a_card_is_valid_through_its_last_day() -> None:
    last = bytes.fromhex("281130")
    assert not is_expired(last, datetime.date(2028, 11, 29))
    assert not is_expired(last, datetime.date(2028, 11, 30))
    assert is_expired(last, datetime.date(2028, 12, 1))


def test_day_00_is_the_end_of_the_month() -> None:
    assert not is_expired(bytes.fromhex("280200"), datetime.date(2028, 2, 29))
    assert is_expired(bytes.fromhex("280200"), datetime.date(2028, 3, 1))
    assert is_expired(bytes.fromhex("281200"), datetime.date(2029, 1, 1))
    with pytest.raises(MalformedData):
        read_date(bytes.fromhex("280200"))


@pytest.mark.parametrize(
    "value", ["260001", "261301", "260229", "260132", "260100", "2601", "26010A"]
)
def test_a_day_that_never_is_is_malformed(value: str) -> None:
    with pytest.raises(MalformedData, match="a date"):
        read_date(bytes.fromhex(value))


def test_the_century_turns_at_50() -> None:
    assert read_date(bytes.fromhex("491231")).year == 2049
    assert read_date(bytes.fromhex("500101")).year == 1950


@pytest.mark.parametrize(
    ("allows", "domestic", "international"),
    [
        (allows_cash, {"8000"}, {"4000"}),
        (allows_goods, {"2000", "0800"}, {"1000", "0400"}),
        (allows_cashback, {"0080"}, {"0040"}),
    ],
)
def test_each_usage_bit_allows_exactly_its_own(
    allows: Callable[..., bool], domestic: set[str], international: set[str]
) -> None:
    for shift in range(16):
        value = f"{1 << shift:04X}"
        usage = AUC.decode(bytes.fromhex(value))
        assert allows(usage, is_domestic=True) is (value in domestic)
        assert allows(usage, is_domestic=False) is (value in international)


TERMINAL = {
    0x9F35: b"\x22",
    0x9F40: bytes.fromhex("F000000000"),
    0x9F1A: b"\x01\x56",
    0x9C: b"\x00",
    0x9F03: bytes(6),
}


def test_cashback_hides_in_a_purchase_with_an_other_amount() -> None:
    card = {0x9F07: bytes.fromhex("FF00"), 0x5F28: b"\x01\x56"}
    assert is_service_allowed(card, TERMINAL)
    assert not is_service_allowed(card, TERMINAL | {0x9F03: bytes.fromhex("000000001000")})
    assert not is_service_allowed(card, TERMINAL | {0x9C: b"\x09"})


def test_a_card_that_gives_no_cash_may_still_pay() -> None:
    card = {0x9F07: bytes.fromhex("3F00"), 0x5F28: b"\x01\x56"}
    assert is_service_allowed(card, TERMINAL)
    assert not is_service_allowed(card, TERMINAL | {0x9C: b"\x01"})
    assert not is_service_allowed(card, TERMINAL | {0x9C: b"\x17"})


def test_a_card_without_usage_control_allows_all() -> None:
    assert is_service_allowed({}, TERMINAL)
    assert is_service_allowed({0x9F07: bytes.fromhex("0100")}, TERMINAL)
    assert not is_service_allowed({0x9F07: bytes.fromhex("0100"), 0x5F28: b"\x01\x56"}, TERMINAL)


def test_a_card_without_an_expiry_is_malformed() -> None:
    with pytest.raises(MalformedData, match="5F24"):
        check_restrictions({}, TERMINAL, datetime.date(2026, 1, 1))
