"""Worlds are played, replayed, and cut down to what matters."""

from __future__ import annotations

import pytest

from simulators.world.history import LosePower, Sale, draw
from simulators.world.play import Plan, play
from simulators.world.works import Works
from tests.soak import size

SEEDS = range(size(4, full=10_000))


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_befalls_a_world_its_books_agree(works: Works, seed: int) -> None:
    plan = Plan(seed)

    verdict = play(works, plan)

    assert not verdict.broken, f"{verdict.broken}: {verdict.detail}\n{plan.command}"
    assert verdict.payments > 5


def test_a_seed_plays_the_same_world_again(works: Works) -> None:
    """Every event, journal row and message before sealing, with other keys and nonces."""
    first: list[str] = []
    again: list[str] = []

    one = play(works, Plan(11, tills=1), first.extend)
    other = play(works, Plan(11, tills=1), again.extend)

    assert again == first
    assert one == other
    assert any(" row " in line for line in first)
    assert any("/v1/payments " in line for line in first)
    assert not any("4761739001010119" in line for line in first)


def test_a_history_depends_on_its_seed_alone() -> None:
    assert draw(3, days=2, tills=2) == draw(3, days=2, tills=2)
    assert draw(3, days=2, tills=2) != draw(4, days=2, tills=2)
    assert {type(deed) for deed in draw(3, days=9, tills=3)} >= {Sale, LosePower}


def test_a_plan_names_the_command_that_plays_it() -> None:
    plan = Plan(7, days=2, tills=3, only=(1, 4))

    assert plan.command == "till sim world --seed 7 --days 2 --tills 3 --only 1,4"
    assert plan.history() == tuple(draw(7, days=2, tills=3)[place] for place in (1, 4))
