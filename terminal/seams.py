"""Time and chance, handed in at assembly and nowhere else."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Two clocks: one never goes back, the other is the one on the wall."""

    def monotonic(self) -> float:
        """Return seconds since some fixed moment; never goes back."""

    def wall_ms(self) -> int:
        """Return Unix time in milliseconds; may be wrong, may jump."""


class Randomness(Protocol):
    """A source of unpredictable bytes."""

    def __call__(self, count: int, /) -> bytes:
        """Return count fresh bytes."""


class SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        """Return seconds of the machine's monotonic clock."""
        return time.monotonic()

    def wall_ms(self) -> int:
        """Return the machine's Unix time in milliseconds."""
        return time.time_ns() // 1_000_000


system_randomness: Randomness = os.urandom


def system_boot() -> str:
    """Return what names this switching-on of the machine; "" where the system has no name for it.

    Seconds of the monotonic clock compare between processes of one boot only.
    """
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def uuid7(clock: Clock, random: Randomness) -> str:
    """Return a fresh UUIDv7, so that identities sort by the time they were made.

    Source: RFC 9562, 5.7.
    """
    milliseconds = clock.wall_ms() & (1 << 48) - 1
    chance = int.from_bytes(random(10), "big")
    value = milliseconds << 80 | 0x7 << 76 | (chance >> 62 & 0xFFF) << 64
    value |= 0b10 << 62 | chance & (1 << 62) - 1
    return str(uuid.UUID(int=value))
