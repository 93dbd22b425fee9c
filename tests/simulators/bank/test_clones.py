"""Two tills with the same keys are told apart from one whose lanes overtake each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import sqlalchemy
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from simulators.bank.schema import metadata
from simulators.bank.trust import clones

if TYPE_CHECKING:
    from tests.simulators.bank.conftest import Shop, Till

COUNTED = (
    *("@method", "@authority", "@path", "@query"),
    *("content-type", "content-digest", "idempotency-key", "opentill-counter"),
)


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    engine = sqlalchemy.create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def is_suspect(connection: Connection, numbers: list[int]) -> bool:
    clones.forget(connection, "till-1")
    for number in numbers:
        clones.count(connection, "till-1", number, 1)
    return clones.is_cloned(connection, "till-1")


# Each moves on by a block or less from where the till was.
STEPS = st.lists(st.integers(1, 64), min_size=1, max_size=40)


@settings(max_examples=40, deadline=None)
@given(STEPS, st.randoms(use_true_random=False))
def test_one_till_is_never_taken_for_two(
    connection: Connection, steps: list[int], chance: object
) -> None:
    """Its numbers leave gaps, and close ones come in any order."""
    numbers = [sum(steps[: end + 1]) for end in range(len(steps))]
    for start in range(0, len(numbers), 8):
        part = numbers[start : start + 8]
        chance.shuffle(part)  # type: ignore[attr-defined]
        numbers[start : start + 8] = part

    assert not is_suspect(connection, numbers)


@settings(max_examples=40, deadline=None)
@given(STEPS, st.data())
def test_a_number_that_comes_twice_is_always_seen(
    connection: Connection, steps: list[int], data: st.DataObject
) -> None:
    numbers = [sum(steps[: end + 1]) for end in range(len(steps))]
    again = data.draw(st.sampled_from(numbers))

    assert is_suspect(connection, [*numbers, again])


def test_an_old_copy_far_behind_is_seen_at_its_first_request(connection: Connection) -> None:
    assert is_suspect(connection, [1, clones.WINDOW + 1, 1 + 0])
    assert is_suspect(connection, [5, 5 + clones.WINDOW, 4])
    assert not is_suspect(connection, [5, 4 + clones.WINDOW, 6])


def test_what_was_seen_stays_seen(connection: Connection) -> None:
    assert is_suspect(connection, [1, 2, 2, 3, 4, 5000])


def test_an_echo_tells_what_the_numbers_say(shop: Shop, till: Till) -> None:
    def echo(number: str) -> str | None:
        status, told = till.ask("/v1/echo", {}, components=COUNTED, number=number)
        assert status == 200
        return told.get("notice")

    assert [echo("7"), echo("8"), echo("8"), echo("9")] == [None, None, "cloned", "cloned"]
    assert shop.till(till.id).ask("/v1/echo", {})[1]["notice"] is None


def test_a_number_that_is_not_signed_or_none_is_refused(till: Till) -> None:
    """Else whoever is between could make a till look like two."""
    assert till.ask("/v1/echo", {}, number="7")[0] == 401
    for number in ("-1", "x", "1" * 16):
        assert till.ask("/v1/echo", {}, components=COUNTED, number=number)[0] == 401
    assert till.ask("/v1/echo", {})[0] == 200
