"""A PIN as a card checks it itself: plain in VERIFY, or enciphered by the card's key.

For the component that takes the PIN; kernels never come here.
Source: EMV 4.4 Book 3, 6.5.12; Book 2, 7.2.
"""

from __future__ import annotations

from emv.apdu import VERIFY_PLAINTEXT, verify
from emv.errors import MalformedData
from emv.keys.pin_block import encode_format_2, wipe

DATA_HEADER = 0x7F
CHALLENGE_BYTES = 8
OVERHEAD_BYTES = 17
"""Header, PIN block and challenge; the rest of the key's length is padding."""


def plaintext_verify(pin: bytes | bytearray) -> bytearray:
    """Return VERIFY with the PIN in clear; wipe it after use.

    pin: 4 to 12 ASCII digits. Raises MalformedData if it is not so.
    """
    block = encode_format_2(pin)
    try:
        return bytearray(verify(VERIFY_PLAINTEXT, bytes(block)))
    finally:
        wipe(block)


def encipher_for_card(
    pin: bytes | bytearray, modulus: bytes, exponent: int, challenge: bytes, padding: bytes
) -> bytes:
    """Return the data of a VERIFY with the PIN under the card's key.

    challenge: 8 bytes, the card's answer to GET CHALLENGE.
    padding: unpredictable bytes, as many as padding_bytes(len(modulus)).
    Raises MalformedData if any of them is not so.
    """
    if len(challenge) != CHALLENGE_BYTES or len(padding) != padding_bytes(len(modulus)):
        raise MalformedData("challenge or padding do not fit the card's key")
    block = encode_format_2(pin)
    clear = bytearray((DATA_HEADER,)) + block + challenge + padding
    try:
        number = pow(int.from_bytes(clear, "big"), exponent, int.from_bytes(modulus, "big"))
        return number.to_bytes(len(modulus), "big")
    finally:
        wipe(block)
        wipe(clear)


def padding_bytes(key_bytes: int) -> int:
    """Return how many unpredictable bytes an enciphered PIN is filled up with.

    Raises MalformedData for a key too short to hold a PIN.
    """
    if key_bytes < OVERHEAD_BYTES:
        raise MalformedData(f"a key of {key_bytes} bytes holds no PIN")
    return key_bytes - OVERHEAD_BYTES
