"""The issuer's half of an online PIN. Written apart from the PIN pad's half.

The bank holds the base key of every PIN pad, finds the key of one transaction
from the serial number that came with it, opens the block and compares. Here
are plain functions; tries, counters and answers are kept by whoever calls.

Source: ANSI X9.24-3:2017; ISO 9564-1:2017, 9.4.2.
"""

from __future__ import annotations

import enum
import hmac
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 16
KSN = struct.Struct(">4s4sI")
"""Who made the keys, which pad it is, and how many PINs it has taken."""
DERIVATION = struct.Struct(">BBHHH4sI")
AES_128 = 0x0002
FOR_INITIAL_KEY = 0x8001
FOR_DERIVATION = 0x8000
FOR_PIN = 0x1000
ONES_MAX = 16


class Verdict(enum.Enum):
    """What the bank makes of a PIN block."""

    CORRECT = "correct"
    WRONG = "wrong"
    UNREADABLE = "unreadable"
    """Another card's block, another key's, or no block at all: not a try."""
    REPLAYED = "replayed"
    """Its serial number was used before: not a try either."""


def verify(
    pin_block: bytes,
    ksn: bytes,
    pan: str,
    *,
    base_key: bytes,
    pin: str,
    counter_seen: int = 0,
) -> Verdict:
    """Say whether an enciphered format 4 block holds this card's PIN.

    ksn: 12 bytes, as the pad sent it. base_key: 16 bytes, of all pads.
    pin: the account's. counter_seen: the highest counter this pad has used
    before; see counter_of().
    """
    counter = counter_of(ksn)
    if counter is None or len(pin_block) != BLOCK:
        return Verdict.UNREADABLE
    if counter <= counter_seen:
        return Verdict.REPLAYED
    entered = _open(pin_block, _pin_key(base_key, ksn), pan)
    if entered is None:
        return Verdict.UNREADABLE
    is_same = hmac.compare_digest(entered, pin.encode("ascii"))
    return Verdict.CORRECT if is_same else Verdict.WRONG


def counter_of(ksn: bytes) -> int | None:
    """Return a pad's transaction counter, None if no pad counts so."""
    if len(ksn) != KSN.size:
        return None
    counter: int = KSN.unpack(ksn)[2]
    return counter if 0 < counter.bit_count() <= ONES_MAX else None


def pad_of(ksn: bytes) -> bytes:
    """Return which pad sent a serial number; counters are kept by it."""
    return ksn[:8]


def _pin_key(base_key: bytes, ksn: bytes) -> bytes:
    """Walk from the base key to the pad's, and down its counter's bits to the PIN key."""
    maker, pad, counter = KSN.unpack(ksn)
    key = _step(base_key, FOR_INITIAL_KEY, maker, int.from_bytes(pad, "big"))
    reached = 0
    for place in range(31, -1, -1):
        if counter >> place & 1:
            reached += 1 << place
            key = _step(key, FOR_DERIVATION, pad, reached)
    return _step(key, FOR_PIN, pad, counter)


def _step(key: bytes, use: int, first: bytes, second: int) -> bytes:
    """One AES-128 derivation. Source: X9.24-3:2017, 6.3."""
    return _OneBlock(key).encrypt(DERIVATION.pack(1, 1, use, AES_128, 128, first, second))


def _open(block: bytes, key: bytes, pan: str) -> bytes | None:
    """Return the digits inside a block, None if it cannot hold any."""
    aes = _OneBlock(key)
    surplus = max(0, len(pan) - 12)
    account = int(f"{surplus}{pan:0>12}".ljust(32, "0"), 16)
    inner = int.from_bytes(aes.decrypt(block), "big") ^ account
    text = aes.decrypt(inner.to_bytes(BLOCK, "big")).hex()
    length = int(text[1], 16)
    digits, filler = text[2 : 2 + length], text[2 + length : 16]
    if text[0] != "4" or not 4 <= length <= 12 or filler.strip("a") or not digits.isdecimal():
        return None
    return digits.encode("ascii")


class _OneBlock:
    """AES on one block, there and back."""

    def __init__(self, key: bytes) -> None:
        self._cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305  # the sources' own

    def encrypt(self, block: bytes) -> bytes:
        """Encipher it."""
        work = self._cipher.encryptor()
        return work.update(block) + work.finalize()

    def decrypt(self, block: bytes) -> bytes:
        """Decipher it."""
        work = self._cipher.decryptor()
        return work.update(block) + work.finalize()
