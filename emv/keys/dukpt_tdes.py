"""TDES DUKPT: a key for each transaction, for hosts that know no AES.

It is off until somebody decides that a host is worth its weakness: keys of 112
bits, a million transactions, and no purpose bound into a key. Here is the side
that finds a key again; our own PIN pads make AES keys only.

Source: ANSI X9.24-1:2009, annex A.
"""

from __future__ import annotations

import enum

from emv.errors import MalformedData
from emv.keys import tdes
from emv.keys.tdes import xor

KSN_BYTES = 10
"""A key serial number: 59 bits of who, 21 bits of counter."""
KEY_BYTES = 16
COUNTER_BITS = 21
BITS_SET_MAX = 10

_COUNTER = (1 << COUNTER_BITS) - 1
_HALVES_APART = bytes.fromhex("C0C0C0C000000000 C0C0C0C000000000")


class Usage(enum.Enum):
    """What a working key may be used for; its value is the variant of each half.

    Source: X9.24-1:2009, annex A.4.1.
    """

    PIN_ENCRYPTION = 0xFF
    MAC_OF_REQUEST = 0xFF00
    MAC_OF_ANSWER = 0xFF000000
    DATA_OF_REQUEST = 0xFF0000
    DATA_OF_ANSWER = 0xFF00000000


class LegacyRefused(MalformedData):
    """A way of making keys that nobody has switched on."""


def initial_key(base_key: bytes, ksn: bytes, *, is_legacy_allowed: bool = False) -> bytes:
    """Return the 16 bytes that are put into a device.

    base_key: the host's base derivation key, 16 bytes. ksn: 10 bytes, of any
    transaction of the device. Raises LegacyRefused unless allowed,
    MalformedData if a length is wrong.
    """
    _refuse_unless(is_legacy_allowed)
    _check(base_key, ksn)
    device = _without_counter(ksn)[:8]
    return tdes.encrypt(base_key, device) + tdes.encrypt(xor(base_key, _HALVES_APART), device)


def transaction_key(initial: bytes, ksn: bytes, *, is_legacy_allowed: bool = False) -> bytes:
    """Return the key of one transaction, which working keys are variants of.

    Raises LegacyRefused unless allowed, MalformedData if no device can have
    sent this serial number.
    """
    _refuse_unless(is_legacy_allowed)
    _check(initial, ksn)
    counter = int.from_bytes(ksn, "big") & _COUNTER
    if not 1 <= counter.bit_count() <= BITS_SET_MAX:
        raise MalformedData("key serial number with a counter that no device uses")
    reached = int.from_bytes(_without_counter(ksn)[2:], "big")
    key = initial
    for place in reversed(range(COUNTER_BITS)):
        if counter >> place & 1:
            reached |= 1 << place
            key = _next(key, reached.to_bytes(tdes.BLOCK, "big"))
    return key


def working_key(transaction: bytes, usage: Usage) -> bytes:
    """Return the key for one purpose of one transaction, 16 bytes.

    Source: X9.24-1:2009, annex A.4.1 and, for data, A.4.2.
    """
    variant = usage.value.to_bytes(tdes.BLOCK, "big")
    key = xor(transaction, variant * 2)
    if usage in (Usage.DATA_OF_REQUEST, Usage.DATA_OF_ANSWER):
        # A data key must not lead back to the PIN key, so it goes through once more.
        return tdes.encrypt(key, key)
    return key


def _next(key: bytes, register: bytes) -> bytes:
    """Return a key that does not lead back to the one it is made from."""
    right = _half(key, register)
    left = _half(xor(key, _HALVES_APART), register)
    return left + right


def _half(key: bytes, register: bytes) -> bytes:
    left, right = key[: tdes.BLOCK], key[tdes.BLOCK :]
    return xor(tdes.encrypt(left, xor(register, right)), right)


def _without_counter(ksn: bytes) -> bytes:
    return (int.from_bytes(ksn, "big") & ~_COUNTER).to_bytes(KSN_BYTES, "big")


def _check(key: bytes, ksn: bytes) -> None:
    if len(key) != KEY_BYTES:
        raise MalformedData(f"TDES DUKPT key of {len(key)} bytes, must be {KEY_BYTES}")
    if len(ksn) != KSN_BYTES:
        raise MalformedData(f"key serial number of {len(ksn)} bytes, must be {KSN_BYTES}")


def _refuse_unless(is_legacy_allowed: bool) -> None:
    if not is_legacy_allowed:
        raise LegacyRefused("TDES DUKPT is off; it is for hosts that know no other")
