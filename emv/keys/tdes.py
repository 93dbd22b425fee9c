"""Triple DES, for hosts and key blocks that know no AES.

The library keeps it among its outdated ciphers, and only with 24-byte keys;
here the double-length keys of the field are widened to that.
"""

from __future__ import annotations

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from emv.errors import MalformedData

BLOCK = 8
KEY_BYTES = (8, 16, 24)


def algorithm(key: bytes) -> TripleDES:
    """Return the cipher of a key of one, two or three parts, 8 bytes each.

    One part three times is single DES, which some MACs are built from.
    Raises MalformedData if the length is another.
    """
    if len(key) not in KEY_BYTES:
        raise MalformedData(f"DES key of {len(key)} bytes, must be 8, 16 or 24")
    return TripleDES((key * 3)[:24])


def encrypt(key: bytes, data: bytes) -> bytes:
    """Encipher whole blocks, each by itself."""
    work = Cipher(algorithm(key), modes.ECB()).encryptor()  # noqa: S305  # as the sources say
    return work.update(data) + work.finalize()


def decrypt(key: bytes, data: bytes) -> bytes:
    """Decipher whole blocks, each by itself."""
    work = Cipher(algorithm(key), modes.ECB()).decryptor()  # noqa: S305  # as the sources say
    return work.update(data) + work.finalize()


def xor(one: bytes, other: bytes) -> bytes:
    """Join two of the same length by exclusive or."""
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
