"""The issuer's half of a card's cryptograms. Written apart from the card's half.

Source: EMV 4.4 Book 2, 8.1 and annex A1; VIS 1.6, cryptogram versions 10 and 18.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

BLOCK = 8


def card_master_key(issuer_key: bytes, pan: str, sequence_number: str) -> bytes:
    """Derive a card's own key from its issuer's.

    issuer_key: 16 bytes. sequence_number: two digits, '00' where there is none.
    Returns 16 bytes of odd parity. Source: Book 2, A1.4, options A and B.
    """
    digits = pan + sequence_number
    if len(pan) > 16:
        packed = bytes.fromhex(digits if len(digits) % 2 == 0 else f"0{digits}")
        digits = _decimalise(hashlib.sha1(packed).hexdigest())
    else:
        digits = digits[-16:].zfill(16)
    left = bytes.fromhex(digits)
    right = bytes(byte ^ 0xFF for byte in left)
    return odd_parity(_encrypt(issuer_key, left) + _encrypt(issuer_key, right))


def session_key(card_key: bytes, diversifier: bytes) -> bytes:
    """Derive the common session key of one transaction.

    diversifier: 8 bytes; the counter and six zeros for a cryptogram.
    Source: Book 2, A1.3.1.
    """
    left = diversifier[:2] + b"\xf0" + diversifier[3:]
    right = diversifier[:2] + b"\x0f" + diversifier[3:]
    return odd_parity(_encrypt(card_key, left) + _encrypt(card_key, right))


def pboc_session_key(card_key: bytes, counter: bytes) -> bytes:
    """Derive UnionPay's key of one transaction: the counter, and its complement.

    counter: 2 bytes. Source: JR/T 0025.5 (PBOC 3.0), Annex D.
    """
    complement = bytes(byte ^ 0xFF for byte in counter)
    halves = (_encrypt(card_key, each.rjust(BLOCK, b"\x00")) for each in (counter, complement))
    return odd_parity(b"".join(halves))


def application_cryptogram(key: bytes, data: bytes, *, is_marked: bool) -> bytes:
    """Return the 8-byte cryptogram over data.

    is_marked: padding begins with 80; else it is zeros, and none where the
    data fills its blocks. Source: ISO/IEC 9797-1, algorithm 3.
    """
    if is_marked:
        data += b"\x80"
    padded = data + bytes(-len(data) % BLOCK)
    half = key[:BLOCK]
    chained = Cipher(TripleDES(half * 3), modes.CBC(bytes(BLOCK))).encryptor().update(padded)
    last = chained[-BLOCK:]
    # DES with the left half, the right half backwards, the left again.
    opened = _one_block(key[BLOCK:] * 3).decryptor().update(last)
    return _one_block(half * 3).encryptor().update(opened)


def response_cryptogram_method_1(key: bytes, cryptogram: bytes, response_code: bytes) -> bytes:
    """Return the issuer's 8-byte answer. Source: Book 2, 8.2.1."""
    code = response_code + bytes(BLOCK - len(response_code))
    return _encrypt(key, bytes(a ^ b for a, b in zip(cryptogram, code, strict=True)))


def response_cryptogram_method_2(key: bytes, cryptogram: bytes, status_update: bytes) -> bytes:
    """Return the issuer's 4-byte answer. Source: Book 2, 8.2.2."""
    return application_cryptogram(key, cryptogram + status_update, is_marked=True)[:4]


def enciphered(key: bytes, data: bytes) -> bytes:
    """Return whole blocks under a key, each for itself."""
    return b"".join(_encrypt(key, data[at : at + BLOCK]) for at in range(0, len(data), BLOCK))


def is_same(left: bytes, right: bytes) -> bool:
    """Compare in a time that says nothing about where they differ."""
    return hmac.compare_digest(left, right)


def key_check(key: bytes) -> str:
    """Return a value that tells keys apart without telling the key."""
    return _encrypt(key, bytes(BLOCK))[:3].hex()


def _encrypt(key: bytes, block: bytes) -> bytes:
    # 24 bytes: the library is about to drop the two-key form.
    return _one_block(key + key[:BLOCK]).encryptor().update(block)


def _one_block(key: bytes) -> Cipher[modes.ECB]:
    # ECB of a single block is the bare cipher that the specification asks for.
    return Cipher(TripleDES(key), modes.ECB())  # noqa: S305


def odd_parity(key: bytes) -> bytes:
    """Return a DES key whose every byte has an odd number of ones."""
    return bytes(byte & 0xFE | (byte >> 1).bit_count() % 2 ^ 1 for byte in key)


def _decimalise(hexadecimal: str) -> str:
    """Take 16 digits: the decimal ones first, then a to f as 0 to 5."""
    decimal = [digit for digit in hexadecimal if digit.isdecimal()]
    mapped = [str(int(digit, 16) - 10) for digit in hexadecimal if not digit.isdecimal()]
    return "".join((decimal + mapped)[:16])
