"""Worlds are played, replayed, and cut down to what matters."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.world.history import LosePower, Sale, draw
from simulators.world.play import Plan, play, shortest
from simulators.world.works import Works
from tests.soak import size

BUDGET_S = float(os.environ.get("OPENTILL_WORLD_S", "6"))
"""Processor time for worlds in a run of the tests."""
A_CAMPAIGN = 100
CAMPAIGNS = range(size(1, full=100))
RecordProperty = Callable[[str, object], None]


@pytest.mark.slow
@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_whatever_befalls_a_world_its_books_agree(
    works: Works, campaign: int, record_property: RecordProperty
) -> None:
    """As many seeds as there is time for; in the long campaign, all of them."""
    worlds = 0
    for seed in in_time(range(campaign * A_CAMPAIGN, (campaign + 1) * A_CAMPAIGN)):
        plan = Plan(seed)
        verdict = play(works, plan)
        assert not verdict.broken, f"{verdict.broken}: {verdict.detail}\n{plan.command}"
        assert verdict.payments > 5
        worlds += 1

    record_property("worlds", worlds)


def in_time(seeds: Sequence[int]) -> Iterator[int]:
    """Give seeds until the budget is used up; at least one."""
    end = time.process_time() + size(1, full=10**6) * BUDGET_S
    return itertools.takewhile(
        lambda seed: seed == seeds[0] or time.process_time() < end, iter(seeds)
    )


@pytest.mark.slow
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


@given(st.integers(0, 60), st.data())
def test_a_history_is_cut_down_to_what_breaks(deeds: int, data: st.DataObject) -> None:
    """What it takes is found, whichever deeds that are."""
    needed = data.draw(st.sets(st.integers(0, deeds), max_size=5))

    left = shortest(range(deeds + 1), lambda places: needed <= set(places))

    assert set(left) == needed
