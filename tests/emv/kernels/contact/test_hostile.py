"""Cards that mean harm: any bytes, any order; a defined outcome within bounded commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emv.conversation import PINAnswer, PINEntry
from emv.outcome import Outcome

Chip = Callable[..., Any]

slow_fixtures = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
statuses = st.sampled_from(
    [b"\x90\x00", b"\x6a\x82", b"\x62\x83", b"\x69\x85", b"\x63\xc2", b"\x6a\x83", b"\x6f\x00"]
)
PIN_ENTRIES = [PINAnswer(entry, 0x63C1) for entry in PINEntry]


@slow_fixtures
@given(st.lists(st.tuples(st.binary(max_size=40), statuses), max_size=30))
def test_any_answers_end_in_an_outcome(slot: Any, answers: list[tuple[bytes, bytes]]) -> None:
    left = iter(answers)

    def card(_command: bytes) -> bytes:
        data, status = next(left, (b"", b"\x6f\x00"))
        return data + status

    assert isinstance(slot.insert(card), Outcome)


@slow_fixtures
@given(st.data())
def test_a_good_card_with_one_answer_changed_ends_in_an_outcome(
    slot: Any, new_chip: Chip, data: st.DataObject
) -> None:
    """One byte of one answer is another, or the answer is cut, or repeats an earlier one."""
    aip = data.draw(st.sampled_from(["7C00", "3C00", "3D00", "1D00"]))
    card = new_chip(aip=aip, signed={"8E": "00000000000000004103440342035E031F00"})
    slot.people.pins = [data.draw(st.sampled_from(PIN_ENTRIES)) for _ in range(40)]
    place = data.draw(st.integers(0, 15))
    change = data.draw(st.sampled_from(["byte", "cut", "earlier", "longer"]))
    where = data.draw(st.integers(0, 400))
    value = data.draw(st.integers(0, 255))
    given_answers: list[bytes] = []

    def hostile(command: bytes) -> bytes:
        answer: bytes = card(command)
        given_answers.append(answer)
        if len(given_answers) - 1 != place:
            return answer
        at = where % len(answer)
        if change == "byte":
            return answer[:at] + bytes((value,)) + answer[at + 1 :]
        if change == "cut":
            return answer[: min(at, len(answer) - 2)] + answer[-2:]
        if change == "longer":
            return answer[:-2] + bytes((value,)) * (where % 50) + answer[-2:]
        return given_answers[where % len(given_answers)]

    assert isinstance(slot.insert(hostile), Outcome)


@pytest.mark.parametrize("status", ["9000", "6283", "63C3", "63CF", "6100"])
def test_a_card_that_says_yes_to_everything_comes_to_an_end(slot: Any, status: str) -> None:
    slot.people.pins = [PINAnswer(PINEntry.ENTERED, 0x63CF)] * 40

    outcome = slot.insert(lambda _command: bytes.fromhex(status))

    assert isinstance(outcome, Outcome)


def test_a_card_with_tries_without_end_is_not_asked_for_ever(slot: Any, new_chip: Chip) -> None:
    slot.people.pins = [PINAnswer(PINEntry.ENTERED, 0x63CF)] * 40
    card = new_chip(signed={"8E": "00000000000000000100"}, objects={})

    slot.insert(card)

    assert len(slot.people.pins) == 38
