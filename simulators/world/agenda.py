"""Virtual time: what happens when, and the clocks that read it."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable

NS: int = 1_000_000_000
EPOCH_MS = 1_795_478_400_000
"""When a world begins by a right clock: a Tuesday of November 2026, midnight UTC."""


class Agenda:
    """What is to happen, in order. Of two things at one moment the first noted is first."""

    def __init__(self) -> None:
        self.now_ns = 0
        self._entries: list[tuple[int, int, Callable[[], None]]] = []
        self._noted = 0

    def after(self, seconds: float, deed: Callable[[], None]) -> None:
        """Have this happen so many seconds from now."""
        self.at(self.now_ns + max(0, round(seconds * NS)), deed)

    def at_s(self, moment_s: float, deed: Callable[[], None]) -> None:
        """Have this happen so many seconds after the world's beginning."""
        self.at(round(moment_s * NS), deed)

    def at(self, moment_ns: int, deed: Callable[[], None]) -> None:
        """Have this happen at a moment; one that is past is now."""
        self._noted += 1
        heapq.heappush(self._entries, (max(moment_ns, self.now_ns), self._noted, deed))

    def step(self) -> bool:
        """Let time go on to the next thing, and let that happen; False if there is none."""
        if not self._entries:
            return False
        self.now_ns, _, deed = heapq.heappop(self._entries)
        deed()
        return True

    @property
    def now_s(self) -> float:
        """Seconds since the world's beginning."""
        return self.now_ns / NS

    @property
    def now_ms(self) -> int:
        """Unix milliseconds of a right clock: the bank's."""
        return EPOCH_MS + self.now_ns // 1_000_000


class TillClock:
    """A till's two clocks: one since it was switched on, one that may be wrong."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda
        self._booted_ns = 0
        self.ahead_ms = 0
        """How far the clock on the wall is ahead of a right one."""

    def boot(self) -> None:
        """The machine was switched on: the monotonic clock begins anew."""
        self._booted_ns = self._agenda.now_ns

    def monotonic(self) -> float:
        """Return seconds since the machine was switched on."""
        return (self._agenda.now_ns - self._booted_ns) / NS

    def put_right(self) -> None:
        """Somebody sets the clock on the wall."""
        self.ahead_ms = 0

    def wall_ms(self) -> int:
        """Return what the clock on the wall says."""
        return self._agenda.now_ms + self.ahead_ms

    def moment_ns(self, monotonic_s: float) -> int:
        """Return the first moment of the world at which monotonic() is that far."""
        # A float of seconds may be a nanosecond off.
        return self._booted_ns + math.ceil(monotonic_s * NS) + 1
