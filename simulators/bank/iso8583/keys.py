"""The bank's half of keys and message codes, written apart from the till's.

Nothing about a key is kept: each is made again from the bank's one secret, the
till and the moment of its sign-on, so that any worker can answer any till.

Source: ANSI X9.143:2021 for key blocks; ISO/IEC 9797-1:2011, algorithm 3;
Q/CUP 009 for the other code; NIST SP 800-38B.
"""

from __future__ import annotations

import functools
import hmac
import operator
import struct
from collections.abc import Callable

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import cmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

CODES = ("retail", "xor-block")
USAGES = {"retail": "M3", "xor-block": "10"}


def transport_key(secret: bytes, till: str) -> bytes:
    """Return the 32 bytes that protect a till's keys on their way to it."""
    return b"".join(_cmac(secret, f"transport {part} {till}".encode()) for part in (1, 2))


def message_key(secret: bytes, till: str, made_ms: int) -> bytes:
    """Return the 16 bytes of one sign-on's message key, of odd parity."""
    made = _cmac(secret, f"message {till} {made_ms}".encode())
    return bytes(byte & 0xFE | (byte >> 1).bit_count() % 2 ^ 1 for byte in made)


def key_block(key: bytes, code: str, protection: bytes, random: Callable[[int], bytes]) -> str:
    """Return a message key as a version D block that may not be handed on."""
    body = struct.pack(">H", 8 * len(key)) + key
    body += random(-len(body) % 16)
    header = f"D{16 + 2 * (len(body) + 16):04}{USAGES[code]}TC00N0000"
    mac = _cmac(_derived(protection, 1), header.encode() + body)
    work = Cipher(algorithms.AES(_derived(protection, 0)), modes.CBC(mac)).encryptor()
    return header + (work.update(body) + mac).hex().upper()


def code_of(kind: str, key: bytes, message: bytes) -> bytes:
    """Return a message's 8 bytes of code. kind: one of CODES."""
    blocks = [message[at : at + 8].ljust(8, b"\0") for at in range(0, len(message), 8)]
    if kind == "xor-block":
        joined = functools.reduce(_mixed, blocks).hex().upper().encode()
        once = _des3(key, joined[:8])
        return _des3(key, _mixed(once, joined[8:])).hex().upper()[:8].encode()
    so_far = bytes(8)
    for block in blocks[:-1]:
        so_far = _des3(key[:8], _mixed(so_far, block))
    # Single DES, and on the last block all three steps of triple DES.
    return _des3(key, _mixed(so_far, blocks[-1]))


def is_code(kind: str, key: bytes, message: bytes, code: bytes) -> bool:
    """Return whether it is this message's."""
    return hmac.compare_digest(code_of(kind, key, message), code)


def _derived(protection: bytes, use: int) -> bytes:
    """Source: X9.143:2021, 6.3.2, for a key of 32 bytes."""
    return b"".join(
        _cmac(protection, struct.pack(">BHBHH", part, use, 0, 4, 256)) for part in (1, 2)
    )


def _cmac(key: bytes, data: bytes) -> bytes:
    work = cmac.CMAC(algorithms.AES(key))
    work.update(data)
    return work.finalize()


def _des3(key: bytes, block: bytes) -> bytes:
    whole = key * 3 if len(key) == 8 else key + key[:8]
    # ECB of a single block is the bare cipher that the sources ask for.
    return Cipher(TripleDES(whole), modes.ECB()).encryptor().update(block)  # noqa: S305


def _mixed(one: bytes, other: bytes) -> bytes:
    return bytes(map(operator.xor, one, other))
