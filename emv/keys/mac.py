"""Message authentication codes of hosts: retail MAC, the XOR-block MAC, CMAC.

They return the whole code; how much of it travels, and in which letters, is
the host's affair.
"""

from __future__ import annotations

import enum
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from emv.errors import MalformedData
from emv.keys import tdes
from emv.keys.tdes import BLOCK, xor


class Padding(enum.Enum):
    """How data is made whole blocks. Source: ISO/IEC 9797-1:2011, 6.3."""

    ZEROS = 1
    MARKED = 2
    """80, then zeros; so that two messages never look the same."""
    LENGTH_FIRST = 3
    """A block with the length in bits, the data, then zeros."""


def retail_mac(key: bytes, data: bytes, padding: Padding = Padding.ZEROS) -> bytes:
    """Return 8 bytes by MAC algorithm 3 with DES, also known as ANSI X9.19.

    key: 16 bytes. Raises MalformedData if it is not.

    Source: ISO/IEC 9797-1:2011, 7.4.
    """
    if len(key) != 2 * BLOCK:
        raise MalformedData(f"retail MAC key of {len(key)} bytes, must be {2 * BLOCK}")
    left, right = key[:BLOCK], key[BLOCK:]
    chain = Cipher(tdes.algorithm(left), modes.CBC(bytes(BLOCK))).encryptor()
    last = chain.update(pad(data, padding))[-BLOCK:]
    return tdes.encrypt(left, tdes.decrypt(right, last))


def xor_block_mac(key: bytes, data: bytes) -> bytes:
    """Return 8 bytes by the code that UnionPay's terminal rules call "ECB".

    The blocks are joined by exclusive or before anything is enciphered, so
    whoever swaps two blocks is not found out: for hosts that ask for it, no
    other. key: 8 or 16 bytes; the second encipherment is by the same key.

    Source: Q/CUP 009, MAC algorithm of terminals.
    """
    joined = bytes(BLOCK)
    padded = pad(data, Padding.ZEROS)
    for start in range(0, len(padded), BLOCK):
        joined = xor(joined, padded[start : start + BLOCK])
    letters = joined.hex().upper().encode("ascii")
    first = tdes.encrypt(key, letters[:BLOCK])
    second = tdes.encrypt(key, xor(first, letters[BLOCK:]))
    return second.hex().upper().encode("ascii")[:BLOCK]


def aes_cmac(key: bytes, data: bytes) -> bytes:
    """Return 16 bytes of CMAC with AES. Source: NIST SP 800-38B; RFC 4493.

    Raises MalformedData if the key has not 16, 24 or 32 bytes.
    """
    if len(key) not in (16, 24, 32):
        raise MalformedData(f"AES key of {len(key)} bytes")
    work = CMAC(algorithms.AES(key))
    work.update(data)
    return work.finalize()


def tdes_cmac(key: bytes, data: bytes) -> bytes:
    """Return 8 bytes of CMAC with triple DES. Source: NIST SP 800-38B."""
    work = CMAC(tdes.algorithm(key))
    work.update(data)
    return work.finalize()


def is_same(one: bytes, other: bytes) -> bool:
    """Compare two codes in a time that tells nothing of where they differ."""
    return hmac.compare_digest(one, other)


def pad(data: bytes, padding: Padding) -> bytes:
    """Return data as at least one whole block of 8 bytes.

    Source: ISO/IEC 9797-1:2011, 6.3.
    """
    start = b""
    if padding is Padding.MARKED:
        data += b"\x80"
    elif padding is Padding.LENGTH_FIRST:
        start = (8 * len(data)).to_bytes(BLOCK, "big")
    blocks = max(1, -(-len(data) // BLOCK))
    return start + data.ljust(blocks * BLOCK, b"\0")
