"""The pad's half of the frames, written apart from the till's.

Source: docs/pinpad-protocol.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

STX: Final = b"\x02"
BODY_MIN: Final = 2
BODY_MAX: Final = 256


def checksum(data: bytes) -> int:
    """Return CRC-16/CCITT-FALSE, bit by bit."""
    register = 0xFFFF
    for byte in data:
        register ^= byte << 8
        for _ in range(8):
            carry = register & 0x8000
            register = register << 1 & 0xFFFF
            if carry:
                register ^= 0x1021
    return register


def build(sequence: int, kind: int, payload: bytes = b"") -> bytes:
    """Return one frame."""
    size = 2 + len(payload)
    counted = bytes((size >> 8, size & 0xFF, sequence, kind)) + payload
    return STX + counted + checksum(counted).to_bytes(2, "big")


def split(stream: bytearray) -> Iterator[tuple[int, int, bytes]]:
    """Take whole frames off a stream: sequence, type, payload. Noise is dropped."""
    while True:
        start = stream.find(STX)
        del stream[: len(stream) if start < 0 else start]
        if len(stream) < 3:
            return
        size = stream[1] << 8 | stream[2]
        if not BODY_MIN <= size <= BODY_MAX:
            del stream[0]
            continue
        if len(stream) < size + 5:
            return
        counted, tail = bytes(stream[1 : 3 + size]), stream[3 + size : 5 + size]
        if checksum(counted) != tail[0] << 8 | tail[1]:
            del stream[0]
            continue
        del stream[: size + 5]
        yield counted[2], counted[3], counted[4:]
