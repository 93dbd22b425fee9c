"""Plays one world by its plan, in a folder that is gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
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
        """Return what is to happen."""
        deeds = draw(self.seed, days=self.days, tills=self.tills)
        return deeds if self.only is None else tuple(deeds[place] for place in self.only)


def play(works: Works, plan: Plan, log: Callable[[Sequence[str]], None] | None = None) -> Verdict:
    """Return what a world came to. log: takes all its lines."""
    with tempfile.TemporaryDirectory(dir=RAM if RAM.is_dir() else None) as made:
        world = World(
            works,
            Path(made) / "home",
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


def shortest(works: Works, plan: Plan, tried: Callable[[int], None] = lambda _deeds: None) -> Plan:
    """Return a plan that breaks the same rule, and would not with any one deed less.

    tried: told how many deeds are left, each time there are fewer.
    """
    rule = play(works, plan).broken
    places = tuple(range(len(plan.history()))) if plan.only is None else plan.only

    def breaks(left: Sequence[int]) -> bool:
        return play(works, replace(plan, only=tuple(left))).broken == rule

    parts = 2
    while len(places) > 1:
        size = -(-len(places) // parts)
        for start in range(0, len(places), size):
            left = (*places[:start], *places[start + size :])
            if breaks(left):
                places, parts = left, max(parts - 1, 2)
                tried(len(places))
                break
        else:
            if size == 1:
                break
            parts = min(parts * 2, len(places))
    return replace(plan, only=places)
