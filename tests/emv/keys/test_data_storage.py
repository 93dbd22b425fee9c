"""The one-way function of data storage against a published calculation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv.errors import MalformedData
from emv.keys.data_storage import digest, partial_keys

CARD = bytes.fromhex("5168624300900697")
OPERATOR = bytes.fromhex("8199829983998499")
INPUT = bytes.fromhex("1223344556677889")


@pytest.mark.spec("Book C-2, 8.2", source="outside")
def test_a_published_calculation() -> None:
    """The worked example of a commercial calculator, as a public repository reports it."""
    assert b"".join(partial_keys(CARD)).hex().upper() == "66887C5600B47C5600B40CC2"
    assert digest(CARD, OPERATOR, INPUT).hex().upper() == "659C8EBFAA816DB5"


@pytest.mark.parametrize("at", range(3))
@pytest.mark.parametrize("wrong", [b"", bytes(7), bytes(12), b"\xaa" * 13])
def test_what_cannot_be_is_refused(at: int, wrong: bytes) -> None:
    given_ = [CARD, OPERATOR, INPUT]
    given_[at] = wrong

    with pytest.raises(MalformedData, match=("9F5E", "operator", "input")[at]):
        digest(*given_)


def test_letters_are_no_card() -> None:
    with pytest.raises(MalformedData, match="9F5E"):
        partial_keys(b"\x0a" * 8)


@given(st.binary(min_size=8, max_size=8), st.binary(min_size=8, max_size=8))
def test_each_input_has_a_digest_of_its_own(one: bytes, other: bytes) -> None:
    assert (digest(CARD, OPERATOR, one) == digest(CARD, OPERATOR, other)) == (one == other)
