"""Key blocks: a key on its way, bound to what it may be used for.

Version D is built and read. Version B, by triple DES, is read for hosts that
know no other, where somebody has allowed it; A and C are withdrawn and refused.
No error and no repr shows a key.

Source: ANSI X9.143:2021, the successor of TR-31:2018.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import (
    BlockCipherAlgorithm,
    Cipher,
    algorithms,
    modes,
)

from emv.keys import check_value, mac, tdes
from emv.keys.key_block_header import Header, KeyBlockRefused, encode_header, parse_header

LENGTH_BYTES = 2
"""The key's length in bits stands before the key."""

# What a derived key is for, and of which cipher. Source: X9.143:2021, 6.3.
FOR_ENCRYPTION = 0x0000
FOR_MAC = 0x0001
_TDES_2, _TDES_3 = 0x0000, 0x0001
_AES = {16: 0x0002, 24: 0x0003, 32: 0x0004}

# Key lengths in bytes that an algorithm has; any length where it is not here.
_KEY_BYTES = {"A": (16, 24, 32), "D": (8,), "T": (16, 24)}


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a receiver wants a key for. A key for anything else is refused.

    Letters as in the header; see X9.143:2021, 5.2.
    """

    usage: str
    algorithm: str
    modes: str
    exportability: str = "NSE"


@dataclass(frozen=True, slots=True)
class Key:
    """A key and what is known about it."""

    header: Header
    value: bytes = field(repr=False)

    @property
    def check_value(self) -> str:
        """What two people compare, in hex; '' for a key that has none."""
        return _check_value(self.header.algorithm, self.value)


@dataclass(frozen=True, slots=True)
class _Method:
    """How one version protects a key."""

    block: int
    mac_bytes: int
    derive: Callable[[bytes, int], bytes]
    mac: Callable[[bytes, bytes], bytes]
    cipher: Callable[[bytes], BlockCipherAlgorithm]


def build(
    key: Key, protection: bytes, random: Callable[[int], bytes], *, padded_to: int = 0
) -> str:
    """Return a version D block.

    protection: the AES key both sides hold, not weaker than the key.
    random: returns as many random bytes as asked. padded_to: hides how long the
    key is among keys of up to so many bytes.
    Raises KeyBlockRefused if the key does not fit its header or is the stronger.
    """
    header = key.header
    if header.version != "D":
        raise KeyBlockRefused(f"key block version {header.version}: only D is built")
    method = _method(header.version, protection)
    _check_key(header, key.value, protection)
    body = (8 * len(key.value)).to_bytes(LENGTH_BYTES, "big") + key.value
    shortest = max(len(body), LENGTH_BYTES + padded_to)
    body += random(shortest + -shortest % method.block - len(body))
    start = encode_header(header, 2 * (len(body) + method.mac_bytes), method.block)
    code = method.mac(method.derive(protection, FOR_MAC), start.encode("ascii") + body)
    cipher = Cipher(method.cipher(method.derive(protection, FOR_ENCRYPTION)), modes.CBC(code))
    work = cipher.encryptor()
    return start + (work.update(body) + work.finalize() + code).hex().upper()


def open_block(
    block: str, protection: bytes, purpose: Purpose, *, is_legacy_allowed: bool = False
) -> Key:
    """Return the key in a block, if it is whole and for this purpose.

    protection: the key both sides hold. is_legacy_allowed: take version B too.
    Raises KeyBlockRefused, naming the field.
    """
    header, start = parse_header(block)
    if header.version == "B" and not is_legacy_allowed:
        raise KeyBlockRefused("key block version B is off; it is for hosts that know no other")
    method = _method(header.version, protection)
    if start % method.block:
        raise KeyBlockRefused("key block: the header does not fill whole blocks")
    _check_purpose(header, purpose)
    enciphered, code = _split(block[start:], method)
    cipher = Cipher(method.cipher(method.derive(protection, FOR_ENCRYPTION)), modes.CBC(code))
    work = cipher.decryptor()
    body = work.update(enciphered) + work.finalize()
    own = method.mac(method.derive(protection, FOR_MAC), block[:start].encode("ascii") + body)
    if not mac.is_same(own, code):
        raise KeyBlockRefused("key block: altered, or protected by another key")
    key = Key(header, _key_of(body))
    _check_key(header, key.value, protection)
    _check_announced(key, protection)
    return key


def _method(version: str, protection: bytes) -> _Method:
    if version == "D":
        if len(protection) not in _AES:
            raise KeyBlockRefused("key block version D: the protection key is not an AES key")
        return _Method(16, 16, _derive_aes, mac.aes_cmac, algorithms.AES)
    if version == "B":
        if len(protection) not in _KEY_BYTES["T"]:
            raise KeyBlockRefused("key block version B: the protection key is not for triple DES")
        return _Method(8, 8, _derive_tdes, mac.tdes_cmac, tdes.algorithm)
    why = "withdrawn" if version in "AC" else "unknown"
    raise KeyBlockRefused(f"key block version {version}: {why}")


def _derive_aes(protection: bytes, use: int) -> bytes:
    """Source: X9.143:2021, 6.3.2."""
    algorithm, length = _AES[len(protection)], len(protection)
    blocks = (_derivation(number, use, algorithm, length) for number in (1, 2))
    return b"".join(mac.aes_cmac(protection, block) for block in blocks)[:length]


def _derive_tdes(protection: bytes, use: int) -> bytes:
    """Source: X9.143:2021, 6.3.1."""
    length = len(protection)
    algorithm = _TDES_2 if length == 2 * tdes.BLOCK else _TDES_3
    blocks = (_derivation(number, use, algorithm, length) for number in (1, 2, 3))
    return b"".join(mac.tdes_cmac(protection, block) for block in blocks)[:length]


def _derivation(number: int, use: int, algorithm: int, length: int) -> bytes:
    return (
        bytes((number,))
        + use.to_bytes(2, "big")
        + b"\x00"
        + algorithm.to_bytes(2, "big")
        + (8 * length).to_bytes(2, "big")
    )


def _split(rest: str, method: _Method) -> tuple[bytes, bytes]:
    """Return the enciphered key and its code."""
    # Programs that take lower case make two texts of one block.
    if not re.fullmatch(r"([0-9A-F]{2})*", rest):
        raise KeyBlockRefused("key block: the key is not upper-case hexadecimal")
    sealed = bytes.fromhex(rest)
    enciphered, code = sealed[: -method.mac_bytes], sealed[-method.mac_bytes :]
    if not enciphered or len(enciphered) % method.block:
        raise KeyBlockRefused("key block: the enciphered key does not fill whole blocks")
    return enciphered, code


def _key_of(body: bytes) -> bytes:
    """Return the key without its length and what hides it."""
    bits = int.from_bytes(body[:LENGTH_BYTES], "big")
    rest = body[LENGTH_BYTES:]
    if bits % 8 or not 0 < bits <= 8 * len(rest):
        raise KeyBlockRefused("key block: impossible key length")
    return rest[: bits // 8]


def _check_purpose(header: Header, purpose: Purpose) -> None:
    """Compare what the key may be used for with what it is wanted for."""
    for name, found, allowed in (
        ("usage", header.usage, (purpose.usage,)),
        ("algorithm", header.algorithm, (purpose.algorithm,)),
        ("mode of use", header.mode, purpose.modes),
        ("exportability", header.exportability, purpose.exportability),
    ):
        if found not in allowed:
            wanted = " or ".join(allowed)
            raise KeyBlockRefused(f"key block: {name} is {found}, wanted {wanted}")


def _check_key(header: Header, key: bytes, protection: bytes) -> None:
    lengths = _KEY_BYTES.get(header.algorithm)
    if lengths is None:
        return
    if len(key) not in lengths:
        raise KeyBlockRefused(f"key block: no key of algorithm {header.algorithm} is so long")
    if len(key) > len(protection):
        raise KeyBlockRefused("key block: the key is stronger than what protects it")


def _check_announced(key: Key, protection: bytes) -> None:
    """Compare the check values that travelled along, of the key and of its protection."""
    protected_by = "A" if key.header.version == "D" else "T"
    for name, algorithm, value in (
        ("KC", key.header.algorithm, key.value),
        ("KP", protected_by, protection),
    ):
        announced = key.header.optional(name)
        if announced is None:
            continue
        own = _check_value(algorithm, value)
        # The first byte says how it is made, which the algorithm says as well.
        if own and (len(announced) < 6 or not own.startswith(announced[2:])):
            raise KeyBlockRefused(f"key block: check value {name} is another key's")


def _check_value(algorithm: str, key: bytes) -> str:
    if algorithm == "A":
        return check_value.aes_check_value(key).hex().upper()
    if algorithm in "DT":
        return check_value.tdes_check_value(key).hex().upper()
    return ""
