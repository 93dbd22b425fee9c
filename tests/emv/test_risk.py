"""Terminal risk management: each limit at, below and above; chance at its edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv.bits import TVR
from emv.conversation import Answer, Command, Kernel, RandomBytes, Reply
from emv.errors import ConfigurationError
from emv.risk import (
    RiskLimits,
    check_velocity,
    exceeds_floor,
    is_selected,
    read_object,
    selection_percent,
)

pytestmark = pytest.mark.spec("Book 3, 10.6.1", "Book 3, 10.6.2", "Book 3, 10.6.3", source="ours")

LOWER, UPPER = TVR.LOWER_OFFLINE_LIMIT_EXCEEDED, TVR.UPPER_OFFLINE_LIMIT_EXCEEDED
NOTHING = TVR(0)


def run(kernel: Kernel[Any], respond: Callable[[bytes], bytes], drawn: int = 0) -> Any:
    answer: Answer = None
    while True:
        try:
            request = kernel.send(answer)
        except StopIteration as finished:
            return finished.value
        answer = None
        if isinstance(request, Command):
            answer = Reply.parse(respond(request.encoded), 1000)
        elif isinstance(request, RandomBytes):
            answer = drawn.to_bytes(request.count, "big")


@pytest.mark.parametrize(
    ("amount", "logged", "exceeds"),
    [
        (9999, 0, False),
        (10000, 0, True),
        (10001, 0, True),
        (5000, 4999, False),
        (5000, 5000, True),
        (0, 10000, True),
    ],
)
def test_the_floor_limit_is_reached_with_what_was_paid_before(
    amount: int, logged: int, exceeds: bool
) -> None:
    assert exceeds_floor(amount, logged, RiskLimits(floor_minor=10_000)) is exceeds


def test_a_floor_limit_of_zero_sends_everything_online() -> None:
    assert exceeds_floor(0, 0, RiskLimits())


LIMITS = RiskLimits(10_000, threshold_minor=5_000, target_percent=20, target_percent_max=60)


@pytest.mark.parametrize(
    ("amount", "percent"),
    [(0, 20), (4_999, 20), (5_000, 20), (6_250, 30), (7_500, 40), (9_999, 59), (10_000, 0)],
)
def test_chance_grows_from_the_threshold_to_the_floor(amount: int, percent: int) -> None:
    assert selection_percent(amount, LIMITS) == percent


@pytest.mark.parametrize(("drawn", "selected"), [(19, True), (20, False), (98, False), (99, True)])
def test_a_number_up_to_the_percentage_selects(drawn: int, selected: bool) -> None:
    """Drawn numbers count from 1 to 99: 19 is the twentieth, 99 the first again."""
    assert run(is_selected(1_000, LIMITS), lambda _: b"", drawn) is selected


def test_without_a_target_no_number_is_drawn() -> None:
    kernel = is_selected(1_000, RiskLimits(10_000))

    with pytest.raises(StopIteration) as finished:
        next(kernel)
    assert finished.value.value is False


@pytest.mark.parametrize(
    "limits",
    [(-1, 0, 0, 0), (10, 11, 0, 0), (10, 0, 50, 40), (10, 0, 0, 100), (10, 0, -1, 5)],
)
def test_limits_that_contradict_each_other_are_refused(limits: tuple[int, ...]) -> None:
    with pytest.raises(ConfigurationError):
        RiskLimits(*limits)


def test_limits_at_their_edges_can_be() -> None:
    assert RiskLimits(10, 10, 99, 99).target_percent_max == 99
    assert RiskLimits().floor_minor == 0


@given(st.integers(0, 20_000))
def test_the_percentage_stays_between_its_targets(amount: int) -> None:
    percent = selection_percent(amount, LIMITS)

    assert percent == 0 if amount >= 10_000 else 20 <= percent <= 60


CARD = {0x9F14: b"\x12", 0x9F23: b"\x34"}
"""Lower limit 18, upper limit 52."""


def counters(atc: int | None, last_online: int | None) -> Callable[[bytes], bytes]:
    def respond(command: bytes) -> bytes:
        tag = command[2:4]
        value = {b"\x9f\x36": atc, b"\x9f\x13": last_online}[tag]
        if value is None:
            return b"\x6a\x81"
        return tag + b"\x02" + value.to_bytes(2, "big") + b"\x90\x00"

    return respond


@pytest.mark.parametrize(
    ("atc", "last_online", "expected"),
    [
        # The first eight as in the tests of openemv/emv-utils.
        (1234, 1233, NOTHING),
        (None, None, LOWER | UPPER),
        (1234, 1216, NOTHING),
        (1234, 1215, LOWER),
        (1234, 1182, LOWER),
        (1234, 1181, LOWER | UPPER),
        (5, 0, TVR.NEW_CARD),
        (None, 0, TVR.NEW_CARD | LOWER | UPPER),
        (1234, None, LOWER | UPPER),
        (1233, 1233, LOWER | UPPER),
        (1232, 1233, LOWER | UPPER),
        (0, 0, TVR.NEW_CARD | LOWER | UPPER),
        (60, 0, TVR.NEW_CARD | LOWER | UPPER),
    ],
)
def test_offline_payments_in_a_row_are_counted(
    atc: int | None, last_online: int | None, expected: TVR
) -> None:
    assert run(check_velocity(CARD), counters(atc, last_online)) == expected


@pytest.mark.parametrize("missing", [0x9F14, 0x9F23])
def test_without_both_limits_nothing_is_counted(missing: int) -> None:
    card = {tag: value for tag, value in CARD.items() if tag != missing}

    with pytest.raises(StopIteration) as finished:
        next(check_velocity(card))
    assert finished.value.value == NOTHING


@pytest.mark.parametrize("data", ["", "9F36", "9F360104", "9F3602", "9F13020001", "0002"])
def test_an_object_of_another_shape_is_none(data: str) -> None:
    answer = bytes.fromhex(data) + b"\x90\x00"

    assert run(read_object(0x9F36, 2), lambda _: answer) is None


def test_an_object_is_read_by_its_tag() -> None:
    assert run(read_object(0x9F36, 2), counters(7, None)) == b"\x00\x07"
