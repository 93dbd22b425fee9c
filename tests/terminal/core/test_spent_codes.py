"""A customer's code pays once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from terminal.core.spent_codes import CODES_MAX, SpentCodes
from terminal.states import State


@given(st.sampled_from(State))
def test_a_code_is_spent_unless_its_payment_never_left(state: State) -> None:
    codes = SpentCodes({"a1": state}.__getitem__)
    assert codes.spend("print", "a1")
    assert codes.spend("print", "a2") is (state is State.NOT_SENT)


def test_a_payment_may_take_its_own_code_again() -> None:
    codes = SpentCodes(lambda _: State.APPROVED)
    assert codes.spend("print", "a1")
    assert codes.spend("print", "a1")


def test_the_oldest_are_forgotten_and_one_that_keeps_coming_back_is_not() -> None:
    codes = SpentCodes(lambda _: State.APPROVED)
    codes.spend("still there", "a0")
    codes.spend("gone", "a1")
    for number in range(CODES_MAX):
        assert codes.spend(str(number), f"b{number}")
        assert not codes.spend("still there", "c")
    assert codes.spend("gone", "d")
