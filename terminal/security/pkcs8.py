"""Private keys as files: encrypted PKCS #8 whose passphrase is stretched by scrypt.

OpenSSL opens such a file by itself, for TLS too. The cryptographic library
writes PBKDF2 with few rounds only, hence the few lines of DER here.

Source: RFC 5958; RFC 8018, 6.2; RFC 7914, 7 for scrypt's parameters.
"""

from __future__ import annotations

import base64
import textwrap
from typing import Final

from cryptography.hazmat.primitives import padding, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from terminal.security.folder import ENCRYPTED

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

COST: Final = 1 << 14
"""scrypt's N: with r, 16 MiB and some 40 ms for each guess; OpenSSL opens up to 32 MiB."""
BLOCK: Final = 8
LANES: Final = 1
KEY_BYTES: Final = 32

_INTEGER, _OCTETS, _SEQUENCE = 0x02, 0x04, 0x30
_PBES2 = bytes.fromhex("06 09 2A 86 48 86 F7 0D 01 05 0D")  # 1.2.840.113549.1.5.13
_SCRYPT = bytes.fromhex("06 09 2B 06 01 04 01 DA 47 04 0B")  # 1.3.6.1.4.1.11591.4.11
_AES_256_CBC = bytes.fromhex("06 09 60 86 48 01 65 03 04 01 2A")  # 2.16.840.1.101.3.4.1.42


def write(key: PrivateKey, passphrase: bytes | None) -> bytes:
    """Return a private key as PEM, encrypted if there is a passphrase."""
    if passphrase is None:
        return key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    # From the library, as the keys are: chance that is handed in could come twice.
    salt, vector = AESGCM.generate_key(128), AESGCM.generate_key(128)
    plain = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    stretched = Scrypt(salt, KEY_BYTES, COST, BLOCK, LANES).derive(passphrase)
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(stretched), modes.CBC(vector)).encryptor()
    sealed = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    return _pem(_sequence(_scheme(salt, vector), _tagged(_OCTETS, sealed)))


def is_encrypted(pem: bytes) -> bool:
    """True if a passphrase is needed to read this file."""
    return pem.lstrip().startswith(ENCRYPTED)


def _scheme(salt: bytes, vector: bytes) -> bytes:
    stretching = _sequence(
        _tagged(_OCTETS, salt), *(_integer(number) for number in (COST, BLOCK, LANES, KEY_BYTES))
    )
    return _sequence(
        _PBES2,
        _sequence(
            _sequence(_SCRYPT, stretching), _sequence(_AES_256_CBC, _tagged(_OCTETS, vector))
        ),
    )


def _pem(der: bytes) -> bytes:
    lines = textwrap.wrap(base64.b64encode(der).decode("ascii"), 64)
    return b"\n".join([ENCRYPTED, *(line.encode() for line in lines), _END, b""])


_END = ENCRYPTED.replace(b"BEGIN", b"END")


def _sequence(*parts: bytes) -> bytes:
    return _tagged(_SEQUENCE, b"".join(parts))


def _integer(number: int) -> bytes:
    return _tagged(_INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _tagged(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content
