"""Faults strike where they were told to, once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.card import Answer, AnyCard, Response, Silent, Torn
from simulators.card.errors import BadFault
from simulators.card.faults import FaultyCard, parse_fault, with_faults

PING = bytes.fromhex("00A40400")


class Echo:
    """A card that numbers its answers and counts its fields."""

    def __init__(self) -> None:
        self.heard = 0

    def power_up(self) -> None:
        return

    def respond(self, command: bytes) -> Response:
        self.heard += 1
        return Answer(bytes((self.heard,)) + b"\x90\x00", delay_us=7)

    def returns_after_s(self) -> float | None:
        return 2.5


def responses(card: AnyCard, count: int) -> list[Response]:
    card.power_up()
    return [card.respond(PING) for _ in range(count)]


FIRST, SECOND, THIRD = (Answer(bytes((n,)) + b"\x90\x00", 7) for n in (1, 2, 3))


def test_a_tear_before_leaves_the_command_unheard() -> None:
    echo = Echo()
    faulty = with_faults(echo, ["tear-before:2"])

    assert responses(faulty, 2) == [FIRST, Torn()]
    assert echo.heard == 1


def test_a_tear_after_has_the_command_carried_out() -> None:
    echo = Echo()
    faulty = with_faults(echo, ["tear-after:2"])

    assert responses(faulty, 2) == [FIRST, Torn()]
    assert echo.heard == 2


def test_a_tear_strikes_once() -> None:
    faulty = with_faults(Echo(), ["tear-after:1"])

    assert responses(faulty, 1) == [Torn()]
    assert responses(faulty, 1) == [SECOND]


def test_commands_count_from_each_field() -> None:
    faulty = with_faults(Echo(), ["silence:2"])

    assert responses(faulty, 1) == [FIRST]
    assert responses(faulty, 2) == [SECOND, Silent()]


def test_garbage_claims_success_and_is_not_the_answer() -> None:
    assert responses(with_faults(Echo(), ["garbage:1"]), 2) == [
        Answer(b"\xfe\x90\x00", 7),
        SECOND,
    ]


def test_a_delay_comes_on_top_and_stays() -> None:
    assert responses(with_faults(Echo(), ["delay:5"]), 2) == [
        Answer(FIRST.data, 5007),
        Answer(SECOND.data, 5007),
    ]


def test_a_delay_at_one_command_is_there_alone() -> None:
    assert responses(with_faults(Echo(), ["delay:5@2"]), 3) == [
        FIRST,
        Answer(SECOND.data, 5007),
        THIRD,
    ]


def test_several_faults_each_have_their_turn() -> None:
    faulty = with_faults(Echo(), ["delay:5", "silence:2", "garbage:1"])

    assert responses(faulty, 3) == [
        Answer(b"\xfe\x90\x00", 5007),
        Silent(),
        Answer(THIRD.data, 5007),
    ]
    assert isinstance(faulty, FaultyCard)
    assert [str(fault) for fault in faulty.pending] == ["delay:5"]


def test_a_fault_hides_nothing_else_of_the_card() -> None:
    assert with_faults(Echo(), ["tear-after:1"]).returns_after_s() == 2.5


def test_no_faults_leave_the_card_as_it_is() -> None:
    echo = Echo()
    assert with_faults(echo, []) is echo


def test_a_card_torn_before_it_decided_has_not_counted(card: Callable[[str], AnyCard]) -> None:
    """Its owner has lost nothing; torn after it, a number is gone."""
    commands = [
        bytes.fromhex("00A4040007A000000003101000"),
        bytes.fromhex(
            "80A80000238321 22004080 000000010000 000000000000 0156 0000000000 0156 261124 00 "
            "7FBC4049 00"
        ),
    ]

    def counter(*faults: str) -> int:
        online = with_faults(card("visa-online"), faults)
        for _ in range(2):
            online.power_up()
            answers = [online.respond(command) for command in commands]
        last = answers[-1]
        assert isinstance(last, Answer)
        at = last.data.index(bytes.fromhex("9F3602"))
        return int.from_bytes(last.data[at + 3 : at + 5], "big")

    start = counter()
    assert counter("tear-before:2") == start + 1
    assert counter("tear-after:2") == start + 3


@pytest.mark.parametrize(
    "words",
    ["", "tear", "tear-before", "tear-before:", "tear-before:0", "tear-before:1@2", "silence:-1",
     "explode:3", "delay:600001", "delay:5@0", "delay:5@", "garbage:1:2", "tear-after:x"],
)  # fmt: skip
def test_other_words_are_no_fault(words: str) -> None:
    with pytest.raises(BadFault, match=r"tear-before:3|at most|command number"):
        parse_fault(words)


@pytest.mark.parametrize(
    "words", ["tear-before:3", "tear-after:3", "silence:3", "garbage:3", "delay:200", "delay:200@3"]
)
def test_a_fault_says_itself_in_the_words_it_was_read_from(words: str) -> None:
    assert str(parse_fault(words)) == words


@given(words=st.text(max_size=20))
def test_any_words_are_a_fault_or_refused(words: str) -> None:
    try:
        fault = parse_fault(words)
    except BadFault:
        return
    assert parse_fault(str(fault)) == fault
