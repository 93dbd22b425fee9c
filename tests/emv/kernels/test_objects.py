"""What kernels share: data objects asked for, taken and picked."""

from __future__ import annotations

import pytest

from emv import tlv
from emv.errors import MalformedData
from emv.kernels.objects import chosen, pdol_data, response_objects, sequence_number, take

pytestmark = pytest.mark.spec("Book 3, 6.5.8", source="ours")


def test_a_pdol_that_a_command_cannot_carry_is_refused() -> None:
    """252 bytes with template 83's tag and length, and the command is full."""
    assert pdol_data(bytes.fromhex("9F02 FC"), {}) == bytes(252)
    with pytest.raises(MalformedData, match="PDOL"):
        pdol_data(bytes.fromhex("9F02 FC 9A 01"), {})


@pytest.mark.parametrize(
    ("response", "profile", "locator"),
    [
        ("77 0A 82 02 5980 94 04 08010100", "5980", "08010100"),
        ("80 06 5980 08010100", "5980", "08010100"),
        ("80 02 5980", "5980", ""),
    ],
)
def test_options_come_in_two_formats(response: str, profile: str, locator: str) -> None:
    found = tlv.collect(response_objects(bytes.fromhex(response)))

    assert (found[0x82].hex(), found[0x94].hex()) == (profile, locator)


@pytest.mark.parametrize("response", ["", "80 01 59", "70 00", "77 00 77 00"])
def test_anything_else_is_no_options(response: str) -> None:
    with pytest.raises(MalformedData, match="GPO"):
        response_objects(bytes.fromhex(response))


def test_an_object_sent_twice_is_refused() -> None:
    card: dict[int, bytes] = {}
    take(card, tlv.decode(bytes.fromhex("5A 01 12")))

    with pytest.raises(MalformedData, match="5A"):
        take(card, tlv.decode(bytes.fromhex("5A 01 12")))


def test_only_wanted_objects_are_chosen() -> None:
    assert chosen((0x9A, 0x82), {0x82: b"\x59\x80", 0x95: bytes(5)}) == {0x82: b"\x59\x80"}


@pytest.mark.parametrize(("value", "number"), [("01", 1), ("99", 99), ("0A", None), ("", None)])
def test_a_sequence_number_is_two_digits_or_none(value: str, number: int | None) -> None:
    assert sequence_number({0x5F34: bytes.fromhex(value)}) == number
