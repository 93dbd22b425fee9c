"""Which day a moment belongs to, where the clock itself is changed too."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.batch.day import ShopDay

BERLIN = ZoneInfo("Europe/Berlin")


def ms(text: str) -> int:
    return int(datetime.datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-11-24T15:59:59+00:00", "2026-11-24"),
        ("2026-11-24T16:00:00+00:00", "2026-11-25"),
    ],
)
def test_a_day_is_the_shops_and_not_the_machines(moment: str, day: str) -> None:
    assert ShopDay(ZoneInfo("Asia/Shanghai")).of(ms(moment)) == day


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-11-25T03:59:59+08:00", "2026-11-24"),
        ("2026-11-25T04:00:00+08:00", "2026-11-25"),
        ("2026-01-01T01:00:00+08:00", "2025-12-31"),
    ],
)
def test_the_small_hours_belong_to_the_day_before(moment: str, day: str) -> None:
    four = ShopDay(ZoneInfo("Asia/Shanghai"), datetime.time(4))
    assert four.of(ms(moment)) == day


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        # 29 March 2026: 02:00 is 03:00. The day ends at 02:30, which never comes.
        ("2026-03-29T01:59:59+01:00", "2026-03-28"),
        ("2026-03-29T03:00:00+02:00", "2026-03-29"),
        # 25 October 2026: 03:00 is 02:00 again. 02:30 comes twice.
        ("2026-10-25T02:29:00+02:00", "2026-10-24"),
        ("2026-10-25T02:31:00+02:00", "2026-10-25"),
        ("2026-10-25T02:29:00+01:00", "2026-10-24"),
        ("2026-10-25T02:31:00+01:00", "2026-10-25"),
    ],
)
def test_a_cut_off_within_the_change_of_the_clock_has_a_day(moment: str, day: str) -> None:
    assert ShopDay(BERLIN, datetime.time(2, 30)).of(ms(moment)) == day


@given(st.integers(0, 4 * 10**12), st.times())
def test_any_moment_has_a_day_at_most_one_off(moment_ms: int, ends_at: datetime.time) -> None:
    local = datetime.datetime.fromtimestamp(moment_ms // 1000, BERLIN).date()
    day = datetime.date.fromisoformat(ShopDay(BERLIN, ends_at).of(moment_ms))
    assert (local - day).days in (0, 1)
