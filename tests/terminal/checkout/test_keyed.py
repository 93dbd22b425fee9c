"""A card number that somebody types: what is taken for one, and that nothing repeats it."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv.masking import passes_luhn
from terminal.checkout.keyed import keyed_card
from terminal.errors import NotAllowed
from terminal.view import Medium

TODAY = datetime.date(2026, 11, 24)
NUMBER = "4761739001010119"
"""A published test number."""


@pytest.mark.parametrize("number", [NUMBER, "4761 7390 0101 0119", "4761-7390-0101-0119"])
@pytest.mark.parametrize("expiry", ["12/31", "1231", " 12 31 "])
def test_a_number_is_taken_as_it_stands_on_a_card(number: str, expiry: str) -> None:
    card = keyed_card(number, expiry, TODAY)
    assert (card.pan, card.expires) == (NUMBER, "3112")
    assert (card.facts.medium, card.facts.masked_pan) == (Medium.KEYED, "476173******0119")
    assert NUMBER not in repr(card)


@given(st.integers(0, 15), st.integers(1, 9))
def test_no_single_wrong_digit_passes(place: int, by: int) -> None:
    wrong = str((int(NUMBER[place]) + by) % 10)
    number = NUMBER[:place] + wrong + NUMBER[place + 1 :]
    assert not passes_luhn(number)
    with pytest.raises(NotAllowed) as refused:
        keyed_card(number, "12/31", TODAY)
    assert not any(character.isdigit() for character in str(refused.value))


@pytest.mark.parametrize("number", ["", "0", "476173900101", "4" * 20, "４７６１" * 4])
def test_what_has_not_a_numbers_length_is_none(number: str) -> None:
    with pytest.raises(NotAllowed, match="no card number"):
        keyed_card(number, "12/31", TODAY)


@pytest.mark.parametrize("expiry", ["", "13/31", "00/31", "12/2031", "31/12", "1/31"])
def test_an_expiry_is_month_and_year(expiry: str) -> None:
    with pytest.raises(NotAllowed, match="month and year"):
        keyed_card(NUMBER, expiry, TODAY)


def test_the_last_month_of_a_card_is_still_good() -> None:
    assert keyed_card(NUMBER, "11/26", TODAY).expires == "2611"
    with pytest.raises(NotAllowed, match="expired"):
        keyed_card(NUMBER, "10/26", TODAY)
