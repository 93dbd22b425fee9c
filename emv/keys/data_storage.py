"""The one-way function by which an operator proves what it stored on a card.

Source: EMV Contactless Book C-2, 8.2. Version 2 of data storage, under AES, is
not here.
"""

from __future__ import annotations

from emv.errors import MalformedData
from emv.keys.tdes import decrypt, encrypt, xor

PART_BYTES = 6
BLOCK_BYTES = 8
ID_BYTES = range(8, 12)


def partial_keys(storage_id: bytes) -> tuple[bytes, bytes]:
    """Return the two keys, 6 bytes each, that a card's identifier makes.

    storage_id: DS ID, tag 9F5E: digits, two a byte; 8 to 11 bytes.
    Raises MalformedData if it is none.
    """
    if len(storage_id) not in ID_BYTES or not storage_id.hex().isdecimal():
        raise MalformedData(f"tag 9F5E of {len(storage_id)} bytes is no number of 16 to 22 digits")
    doubled = bytes(2 * int(f"{byte:02x}") for byte in storage_id)
    return doubled[:PART_BYTES], doubled[-PART_BYTES:]


def digest(storage_id: bytes, operator_id: bytes, data: bytes) -> bytes:
    """Return what an operator's input comes to on this card: OWHF2, 8 bytes.

    operator_id, data: 8 bytes each. Raises MalformedData for what cannot be.
    """
    for what, value in (("operator", operator_id), ("input", data)):
        if len(value) != BLOCK_BYTES:
            raise MalformedData(f"data storage {what} of {len(value)} bytes, must be {BLOCK_BYTES}")
    left, right = partial_keys(storage_id)
    left, right = left + operator_id[4:6], right + operator_id[6:]
    block = encrypt(left, xor(operator_id, data))
    return xor(encrypt(left, decrypt(right, block)), data)
