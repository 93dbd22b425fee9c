"""Plays one world by its plan, in a folder that is gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from simulators.world.history import Deed, draw
from simulators.world.works import Works
from simulators.world.world import Verdict, World

RAM: Final = Path("/dev/shm")  # noqa: S108
"""Where Linux keeps files in memory: a world's disks are simulated anyway."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a world depends on."""

    seed: int
    days: int = 1
    tills: int = 2
    only: tuple[int, ...] | None = None
    """The deeds that happen, by their place in the seed's history; None: each of them."""

    @property
    def command(self) -> str:
        """What plays it again."""
        words = f"till sim world --seed {self.seed} --days {self.days} --tills {self.tills}"
        if self.only is None:
            return words
        return f"{words} --only {','.join(map(str, self.only)) or 'none'}"

    def history(self) -> tuple[Deed, ...]:
        """Return what is to happen; places past the history's end are none."""
        deeds = draw(self.seed, days=self.days, tills=self.tills)
        if self.only is None:
            return deeds
        return tuple(deed for place, deed in enumerate(deeds) if place in self.only)


@contextmanager
def in_memory() -> Iterator[Path]:
    """Give a folder that is gone afterwards; in memory, where there is such a place."""
    with tempfile.TemporaryDirectory(dir=RAM if RAM.is_dir() else None) as made:
        yield Path(made)


def play(works: Works, plan: Plan, log: Callable[[Sequence[str]], None] | None = None) -> Verdict:
    """Return what a world came to. log: takes all its lines."""
    with in_memory() as folder:
        world = World(
            works,
            folder / "home",
            plan.seed,
            days=plan.days,
            tills=plan.tills,
            keeps_log=log is not None,
        )
        with closing(world):
            verdict = world.play(plan.history())
        if log is not None:
            log(world.log.lines)
        return verdict


def shrunk(works: Works, plan: Plan, tried: Callable[[int], None] = lambda _deeds: None) -> Plan:
    """Return a plan that breaks the same rule, and would not with any one deed less.

    tried: told how many deeds are left, each time there are fewer.
    """
    rule = play(works, plan).broken
    places = tuple(range(len(plan.history()))) if plan.only is None else plan.only

    def breaks(left: Sequence[int]) -> bool:
        is_broken = play(works, replace(plan, only=tuple(left))).broken == rule
        if is_broken:
            tried(len(left))
        return is_broken

    return replace(plan, only=shortest(places, breaks))


def shortest(places: Sequence[int], breaks: Callable[[Sequence[int]], bool]) -> tuple[int, ...]:
    """Return some of the places that still break, of which none can be left out.

    breaks: true for all of them.
    Source: Zeller and Hildebrandt, Simplifying and isolating failure-inducing input, 2002.
    """
    left, parts = tuple(places), 2
    while left:
        size = -(-len(left) // parts)
        starts = range(0, len(left), size)
        rests = [(*left[:start], *left[start + size :]) for start in starts]
        shorter = next((rest for rest in rests if breaks(rest)), None)
        if shorter is not None:
            left, parts = shorter, max(parts - 1, 2)
        elif size == 1:
            break
        else:
            parts = min(parts * 2, len(left))
    return left
