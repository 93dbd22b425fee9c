"""Wrong tries lock a name: once after five, then longer each time, whatever the clocks do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from terminal.people.lock import Moment, Tries, after_wrong, anchored, locked_for_s

NOW = Moment("boot", 100.0)
DAY_S = 86_400.0


def test_five_wrong_tries_lock_for_a_minute_doubling_to_an_hour() -> None:
    tries, locks = Tries(), []
    for _ in range(13):
        tries = after_wrong(tries, NOW)
        locks.append(tries.lock_s)
    assert locks == [0, 0, 0, 0, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_a_lock_runs_out_by_uptime_only() -> None:
    tries = Tries(5, 60.0, NOW)
    assert locked_for_s(tries, Moment("boot", 159.0)) == 1.0
    assert locked_for_s(tries, Moment("boot", 160.0)) == 0.0


def test_switching_off_and_on_begins_the_lock_anew() -> None:
    later = Moment("another boot", 5000.0)
    tries = anchored(Tries(5, 60.0, NOW), later)
    assert locked_for_s(tries, later) == 60.0
    assert locked_for_s(tries, Moment("another boot", 5060.0)) == 0.0


@given(st.lists(st.floats(0.0, 7200.0), max_size=200))
def test_a_day_has_room_for_few_tries(pauses: list[float]) -> None:
    """Whoever guesses, at whatever pace, has fewer than sixty tries in a day."""
    tries, now_s, counted = Tries(), 0.0, 0
    for pause in [*pauses, *[0.0] * 100]:
        now_s += pause
        now = Moment("boot", now_s)
        if left_s := locked_for_s(tries, now):
            now_s += left_s
        if now_s > DAY_S:
            break
        tries = after_wrong(tries, Moment("boot", now_s))
        counted += 1
    assert counted <= 60
