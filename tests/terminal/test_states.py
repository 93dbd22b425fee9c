"""The table of states: every pair, and the picture made from it."""

from pathlib import Path

import pytest

from terminal.errors import IllegalTransition
from terminal.states import FINAL, FOR_A_PERSON, KEPT, TRANSITIONS, Event, State, after, diagram

PAIRS = [(state, event) for state in State for event in Event]


@pytest.mark.parametrize(("state", "event"), PAIRS)
def test_every_pair_is_in_the_table_or_refused(state: State, event: Event) -> None:
    if (state, event) in TRANSITIONS:
        assert after(state, event) is TRANSITIONS[state, event]
    else:
        with pytest.raises(IllegalTransition, match=f"no way from {state} by {event}"):
            after(state, event)


def test_every_state_can_be_reached() -> None:
    reached = {State.AWAITING_TENDER} | set(TRANSITIONS.values())
    assert reached == set(State)


def test_no_open_state_is_a_dead_end() -> None:
    """From every state some way leads to an end."""
    reaching = set(FINAL)
    while more := {
        state
        for (state, _), target in TRANSITIONS.items()
        if target in reaching and state not in reaching
    }:
        reaching |= more
    assert reaching == set(State)


def test_every_open_state_survives_a_restart() -> None:
    assert {state for state, event in TRANSITIONS if event is Event.RESTARTED} == set(State) - FINAL


def test_money_in_doubt_is_never_forgotten_by_a_restart() -> None:
    """What may have moved money is asked about, reversed, closed or kept."""
    in_doubt = {State.AUTHORISING, State.UNKNOWN, State.REVERSING, State.CLOSING}
    for state in in_doubt | KEPT | FOR_A_PERSON:
        assert after(state, Event.RESTARTED) not in FINAL


def test_only_what_follows_it_or_the_cashiers_word_moves_an_ended_payment() -> None:
    moves = {(state, event) for state, event in TRANSITIONS if state in FINAL}
    assert moves == {
        (State.APPROVED, Event.VOID_CONFIRMED),
        (State.APPROVED, Event.SIGNATURE_REFUSED),
        (State.APPROVED, Event.HOLD_TAKEN),
        (State.CAPTURED, Event.HOLD_REOPENED),
        (State.NOT_SENT, Event.CASHIER_KEPT),
    }


def test_only_what_provably_never_left_is_kept_at_the_shops_risk() -> None:
    """Not from UNKNOWN: what may have reached the bank would be charged twice."""
    ways = {state for (state, event), to in TRANSITIONS.items() if to is State.DEFERRED} - KEPT
    assert ways == {State.NOT_SENT}


def test_what_the_bank_refused_for_good_is_ended_by_a_person_only() -> None:
    moves = {(state, event) for state, event in TRANSITIONS if state in FOR_A_PERSON}
    assert moves == {
        (state, event)
        for state in FOR_A_PERSON
        for event in (Event.PERSON_SETTLED, Event.RESTARTED)
    }


def test_the_diagram_in_the_architecture_page_is_current() -> None:
    page = (Path(__file__).parents[2] / "ARCHITECTURE.md").read_text()
    assert diagram() in page
