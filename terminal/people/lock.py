"""How long a name stays locked after wrong tries. Pure: no clock is read here.

Locked time counts on the machine's own clock since it was switched on, which
nobody can set. Switched off and on, a lock begins anew, so that neither a
restart nor another date shortens it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

FREE_TRIES = 5
FIRST_LOCK_S = 60.0
LONGEST_LOCK_S = 3600.0


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of the machine: which switching-on, and seconds since."""

    boot: str
    uptime_s: float


@dataclass(frozen=True, slots=True)
class Tries:
    """The wrong tries for one name since the last right one."""

    wrong: int = 0
    lock_s: float = 0.0
    """How long the last lock lasts."""
    locked_at: Moment | None = None


def after_wrong(tries: Tries, now: Moment) -> Tries:
    """Return the tries with one more; the fifth and every further one locks, twice as long."""
    wrong = tries.wrong + 1
    if wrong < FREE_TRIES:
        return Tries(wrong)
    doubled = FIRST_LOCK_S * 2.0 ** min(wrong - FREE_TRIES, 16)
    return Tries(wrong, min(doubled, LONGEST_LOCK_S), now)


def anchored(tries: Tries, now: Moment) -> Tries:
    """Return the tries with a lock of another switching-on begun anew."""
    if tries.locked_at is None or tries.locked_at.boot == now.boot:
        return tries
    return replace(tries, locked_at=now)


def locked_for_s(tries: Tries, now: Moment) -> float:
    """Return the seconds until the next try counts; 0 if it does now."""
    if tries.locked_at is None:
        return 0.0
    if tries.locked_at.boot != now.boot:
        return tries.lock_s
    return max(0.0, tries.lock_s - (now.uptime_s - tries.locked_at.uptime_s))
