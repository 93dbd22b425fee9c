"""VERIFY commands for a PIN that the card itself checks, plain or enciphered.

For the component that takes the PIN; kernels never come here.
Source: EMV 4.4 Book 3, 6.5.12; Book 2, 7.2.
"""

from __future__ import annotations

from emv.apdu import verify
from emv.authentication import PublicKey
from emv.errors import MalformedData
from emv.keys.pin_block import encode_format_2, wipe

PLAINTEXT = 0x80
ENCIPHERED = 0x88
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
        return bytearray(verify(PLAINTEXT, bytes(block)))
    finally:
        wipe(block)


def enciphered_verify(
    pin: bytes | bytearray, icc_key: PublicKey, challenge: bytes, padding: bytes
) -> bytes:
    """Return VERIFY with the PIN under the card's key.

    challenge: 8 bytes, the card's answer to GET CHALLENGE.
    padding: unpredictable bytes, as many as padding_bytes(icc_key).
    Raises MalformedData if any of them is not so.
    """
    if len(challenge) != CHALLENGE_BYTES or len(padding) != padding_bytes(icc_key):
        raise MalformedData("challenge or padding do not fit the card's key")
    block = encode_format_2(pin)
    clear = bytearray((DATA_HEADER,)) + block + challenge + padding
    try:
        number = pow(int.from_bytes(clear, "big"), icc_key.exponent, icc_key.modulus)
        return verify(ENCIPHERED, number.to_bytes(icc_key.length, "big"))
    finally:
        wipe(block)
        wipe(clear)


def padding_bytes(icc_key: PublicKey) -> int:
    """Return how many unpredictable bytes an enciphered PIN is filled up with.

    Raises MalformedData for a key too short to hold a PIN.
    """
    if icc_key.length < OVERHEAD_BYTES:
        raise MalformedData(f"a key of {icc_key.length} bytes holds no PIN")
    return icc_key.length - OVERHEAD_BYTES
