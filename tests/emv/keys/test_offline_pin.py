"""VERIFY as a card will read it: the published layout, and back through RSA."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv.errors import MalformedData
from emv.keys.offline_pin import encipher_for_card, padding_bytes, plaintext_verify

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
    modulus = pki.icc.n.to_bytes(pki.icc.length, "big")
    padding = bytes(padding_bytes(len(modulus)))

    data = encipher_for_card(b"1234", modulus, 3, CHALLENGE, padding)

    opened = pow(int.from_bytes(data, "big"), pki.icc.d, pki.icc.n)
    clear = opened.to_bytes(len(modulus), "big")
    assert clear == b"\x7f" + bytes.fromhex("241234FFFFFFFFFF") + CHALLENGE + padding


@pytest.mark.parametrize(("challenge", "padding"), [(7, 0), (9, 0), (0, 0), (8, -1), (8, 1)])
def test_parts_that_do_not_fit_are_refused(pki: Any, challenge: int, padding: int) -> None:
    modulus = pki.icc.n.to_bytes(pki.icc.length, "big")

    with pytest.raises(MalformedData):
        encipher_for_card(
            b"1234", modulus, 3, bytes(challenge), bytes(padding_bytes(len(modulus)) + padding)
        )


def test_a_key_too_short_for_a_pin_is_refused() -> None:
    assert padding_bytes(17) == 0
    with pytest.raises(MalformedData, match="16 bytes holds no PIN"):
        padding_bytes(16)


@given(st.text("0123456789", min_size=4, max_size=12))
def test_every_pin_has_a_block_of_its_own(pin: str) -> None:
    block = plaintext_verify(pin.encode()).hex()[10:]

    assert block[:2] == f"2{len(pin):x}"
    assert block[2 : 2 + len(pin)] == pin
    assert set(block[2 + len(pin) :]) <= {"f"}
