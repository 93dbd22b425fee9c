"""The issuer's half of kernel 8's cryptograms: AES in place of TDES.

Written apart from the card's half.
Source: EMV Contactless Book E, 4.
"""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

BLOCK = 16
CRYPTOGRAM_BYTES = 8


def card_master_key(issuer_key: bytes, pan: str, sequence_number: str) -> bytes:
    """Derive a card's own AES key, 16 bytes, from what the issuer's cards share.

    issuer_key: the issuer's one secret, of which its AES master key is a hash.
    sequence_number: two digits. Source: Book E, 4.1.C.
    """
    master_key = hashlib.sha256(b"AES" + issuer_key).digest()[:BLOCK]
    number = bytes.fromhex((pan + sequence_number).rjust(2 * BLOCK, "0"))
    return _encrypt(master_key, number)


def session_key(card_key: bytes, counter: bytes) -> bytes:
    """Derive the key of one transaction. counter: 2 bytes. Source: Book E, 4.2."""
    return _encrypt(card_key, counter.ljust(BLOCK, b"\x00"))


def application_cryptogram(key: bytes, data: bytes) -> bytes:
    """Return the 8-byte cryptogram over data. Source: Book E, 4.2."""
    return _mac(key, data)


def response_cryptogram(key: bytes, cryptogram: bytes, response_code: bytes) -> bytes:
    """Return the issuer's 8-byte answer.

    unsettled: schemes differ; this is the form that one public description has.
    """
    return _mac(key, cryptogram + response_code.ljust(8, b"\x00"))


def _mac(key: bytes, data: bytes) -> bytes:
    mac = CMAC(algorithms.AES(key))
    mac.update(data)
    return mac.finalize()[:CRYPTOGRAM_BYTES]


def _encrypt(key: bytes, block: bytes) -> bytes:
    # ECB of a single block is the bare cipher that the specification asks for.
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)  # noqa: S305
