"""VERIFY as a card will read it: the published layout, and back through RSA."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv.authentication import PublicKey
from emv.errors import MalformedData
from emv.keys.offline_pin import enciphered_verify, padding_bytes, plaintext_verify

pytestmark = pytest.mark.spec("Book 2, 7.2", "Book 3, 6.5.12", source="ours")

CHALLENGE = bytes(range(8))


@pytest.mark.parametrize(
    ("pin", "block"),
    [
        (b"1234", "241234FFFFFFFFFF"),
        (b"12345", "2512345FFFFFFFFF"),
        (b"123456789012", "2C123456789012FF"),
    ],
)
def test_a_plaintext_pin_stands_in_a_format_2_block(pin: bytes, block: str) -> None:
    assert plaintext_verify(pin).hex().upper() == f"0020008008{block}"


@pytest.mark.parametrize("pin", [b"123", b"1234567890123", b"12a4", b""])
def test_what_is_no_pin_is_refused(pin: bytes) -> None:
    with pytest.raises(MalformedData):
        plaintext_verify(pin)


def test_an_enciphered_pin_opens_with_the_cards_key(pki: Any) -> None:
    key = PublicKey(pki.icc.n, 3, pki.icc.length)
    padding = bytes(padding_bytes(key))

    command = enciphered_verify(b"1234", key, CHALLENGE, padding)

    assert command[:5] == bytes((0x00, 0x20, 0x00, 0x88, key.length))
    opened = pow(int.from_bytes(command[5:], "big"), pki.icc.d, pki.icc.n)
    clear = opened.to_bytes(key.length, "big")
    assert clear == b"\x7f" + bytes.fromhex("241234FFFFFFFFFF") + CHALLENGE + padding


@pytest.mark.parametrize(("challenge", "padding"), [(7, 0), (9, 0), (0, 0), (8, -1), (8, 1)])
def test_parts_that_do_not_fit_are_refused(pki: Any, challenge: int, padding: int) -> None:
    key = PublicKey(pki.icc.n, 3, pki.icc.length)

    with pytest.raises(MalformedData):
        enciphered_verify(b"1234", key, bytes(challenge), bytes(padding_bytes(key) + padding))


def test_a_key_too_short_for_a_pin_is_refused() -> None:
    with pytest.raises(MalformedData):
        padding_bytes(PublicKey(15, 3, 16))


@given(st.text("0123456789", min_size=4, max_size=12))
def test_every_pin_has_a_block_of_its_own(pin: str) -> None:
    block = plaintext_verify(pin.encode()).hex()[10:]

    assert block[:2] == f"2{len(pin):x}"
    assert block[2 : 2 + len(pin)] == pin
    assert set(block[2 + len(pin) :]) <= {"f"}
