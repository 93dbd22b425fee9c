"""Cards that are never accepted: by number in a bench shop, by keyed digest from a bank."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import config
from config.cards import ListedCards
from config.loader import read_parameters
from config.schema import Parameters
from config.values import HexBytes
from simulators.bank.parameters import ExceptionList
from terminal.checkout.exception_file import digest, exception_file, opens

KEY = bytes(range(32))
PAN, OTHER = "4111111111111111", "5555555555554444"
SHOP = config.load_settings()
PANS = st.from_regex(r"[0-9]{12,19}", fullmatch=True)
NUMBERS = st.none() | st.integers(0, 99)


def listed(*cards: tuple[str, int | None]) -> ListedCards:
    """Return the bank's list as a till holds it; made by the bank's own code."""
    given = read_parameters(
        f"version = 1\nexceptions = {ExceptionList(KEY, cards).as_toml()}\n".encode()
    )
    assert given.exceptions is not None
    return ListedCards(
        key_check=given.exceptions.key_check,
        digests=given.exceptions.digests,
        key=HexBytes(KEY),
    )


def test_the_banks_list_and_the_shops_own_both_count() -> None:
    shop = config.load_settings(
        parameters=Parameters(version=1, exceptions=listed((PAN, None), (OTHER, 2)))
    )
    is_listed = exception_file(shop)

    assert is_listed(PAN, None)
    assert is_listed(PAN, 1)
    assert is_listed(OTHER, 2)
    assert not is_listed(OTHER, 1)
    assert not is_listed(OTHER, None)
    assert is_listed("4000000000009987", None)
    assert not is_listed("4242424242424242", None)


def test_a_digest_is_what_openssl_makes_of_it() -> None:
    """`printf 4111111111111111/01 | openssl dgst -sha256 -mac HMAC -macopt hexkey:0001…1f`."""
    assert digest(KEY, PAN, 1).hex() == "8b0fafd388b7208602325594a4b5d61e"
    assert digest(KEY, PAN, None).hex() == "0622241201382a45912fb22828b3f7db"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(PANS, NUMBERS), max_size=5), PANS, NUMBERS)
def test_a_card_is_listed_if_its_number_is_or_this_one_of_several(
    cards: list[tuple[str, int | None]], pan: str, number: int | None
) -> None:
    shop = config.load_settings()
    is_listed = exception_file(replace(shop, listed_cards=listed(*cards), exceptions=()))
    assert is_listed(pan, number) == ((pan, None) in cards or (pan, number) in cards)
    assert all(is_listed(*card) for card in cards)


def test_another_key_does_not_open_a_list_and_none_is_shown() -> None:
    cards = listed((PAN, None))
    assert opens(cards, KEY)
    assert not opens(cards, KEY[::-1])
    assert not opens(cards, b"")
    assert KEY.hex() not in repr(cards)


@pytest.mark.parametrize("field", ["key_check", "digests"])
def test_a_list_of_wrong_lengths_is_refused(field: str) -> None:
    text = ExceptionList(KEY, ((PAN, None),)).as_toml()
    whole = {"key_check": text.split("'")[1], "digests": text.split("'")[3]}[field]
    broken = f"version = 1\nexceptions = {text.replace(whole, whole[2:])}\n"
    with pytest.raises(config.ConfigError, match=field):
        read_parameters(broken.encode())
