"""The clock on the wall jumps: before a sale, in it, and while the bank is asked.

Seconds to years, there and back, over the hours that summer time repeats and
leaves out, and past the end of 32 bits in 2038. The order of things is the
journal's own, and money stays right.
"""

from __future__ import annotations

import datetime
import io
import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from terminal.journal import JournalReader
from terminal.seams import SystemClock
from terminal.states import FINAL, State
from tests.soak import size

SEEDS = range(size(3, full=50))
SALES = 4
"""Each with a jump, so that all seeds are two hundred jumps."""

RecordProperty = Callable[[str, object], None]
DAY_S = 86_400
JUMPS_S = [
    sign * seconds
    for seconds in (1, 59, 299, 301, 3600, DAY_S, 31 * DAY_S, 366 * DAY_S, 3653 * DAY_S)
    for sign in (1, -1)
]
MOMENTS = [
    # The hour that is left out, and the one that comes twice, where there is summer time.
    datetime.datetime(2027, 3, 28, 0, 59, 59, tzinfo=datetime.UTC),
    datetime.datetime(2026, 10, 25, 0, 59, 59, tzinfo=datetime.UTC),
    datetime.datetime(2026, 12, 31, 23, 59, 59, tzinfo=datetime.UTC),
    datetime.datetime(2038, 1, 19, 3, 14, 7, tzinfo=datetime.UTC),
]


class Wall:
    """How far the clock on the wall is off."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def jump(self, chance: random.Random) -> None:
        """Put it somewhere else."""
        if chance.random() < 0.3:
            self.ahead_s = chance.choice(MOMENTS).timestamp() - time.time()
        else:
            self.ahead_s += chance.choice(JUMPS_S)


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wall]:
    """The clock of every till that is opened meanwhile, in a place with summer time."""
    wall, right = Wall(), SystemClock.wall_ms
    monkeypatch.setattr(
        SystemClock, "wall_ms", lambda clock: right(clock) + int(wall.ahead_s * 1000)
    )
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield wall
    monkeypatch.undo()
    time.tzset()


def jumping(wall: Wall, chance: random.Random) -> Callable[[Any], Any]:
    """Return what lets the clock jump while an answer is on its way."""

    def alter(letter: Any) -> Any:
        wall.jump(chance)
        return letter

    return alter


@pytest.mark.parametrize("seed", SEEDS)
def test_a_clock_that_jumps_orders_nothing_and_costs_no_money(
    wall: Wall, city: Any, open_counter: Any, seed: int, record_property: RecordProperty
) -> None:
    chance = random.Random(seed)
    counter = open_counter().until_ready()
    begun = []
    for _ in range(SALES):
        when = chance.choice(["before", "in it", "at the bank"])
        # A bank whose clock is the same takes what is signed by it; another one says so.
        is_same = chance.random() < 0.5
        if when == "before":
            wall.jump(chance)
        attempt = counter.begin()
        begun.append(attempt)
        if when == "in it":
            wall.jump(chance)
        city.clock_ahead_s = wall.ahead_s if is_same else 0.0
        if when == "at the bank":
            city.doorman.alter = jumping(wall, chance)
        counter.do("card:visa-online")
        counter.until_state(attempt, State.UNKNOWN, State.REVERSING, State.AWAITING_TENDER, *FINAL)
        city.doorman.alter = None
        wall.ahead_s = city.clock_ahead_s = 0.0
        assert counter.booked.is_right(counter.until_final(attempt))

    assert [payment.id for payment in counter.till.payments()] == begun[::-1]
    assert [payment.number for payment in counter.till.payments()] == [*range(SALES, 0, -1)]
    out = io.StringIO()
    with closing(JournalReader(counter.home / "till")) as journal:
        journal.verify()
        journal.export(out)
    moves = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [move["seq"] for move in moves] == [*range(1, len(moves) + 1)]
    for attempt in begun:
        told = [move["payment"]["state"] for move in moves if move["attempt"] == attempt]
        assert told[0] == "awaiting_tender"
        assert State(told[-1]) in FINAL
    record_property("jumps", SALES)


def test_a_sale_begun_later_is_the_newest_though_its_hour_is_earlier(
    wall: Wall, counter: Any
) -> None:
    first = counter.pay()
    wall.ahead_s = -200
    second = counter.pay()
    assert second.created_ms < first.created_ms
    assert [payment.id for payment in counter.till.payments()] == [second.id, first.id]
    assert counter.till.view().recent[0].id == second.id
