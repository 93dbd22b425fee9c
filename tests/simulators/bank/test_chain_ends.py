"""The bank keeps where a till's chains ended: the first word on each length."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.simulators.bank.conftest import Shop, Till

PATH = "/v1/chain-ends"


def end(length: int, of: str = "") -> dict[str, Any]:
    return {"length": length, "digest": hashlib.sha256(f"{length}{of}".encode()).hexdigest()}


def kept(till: Till, **told: Any) -> tuple[list[Any], list[Any]]:
    status, answer = till.ask(PATH, told)
    assert status == 200
    return answer["journal"], answer["audit"]


def test_what_was_kept_is_told_the_longest_first(till: Till) -> None:
    assert kept(till) == ([], [])
    kept(till, journal=end(3), audit=end(9))
    kept(till, journal=end(7))
    assert kept(till, audit=end(4)) == ([end(7), end(3)], [end(9), end(4)])


def test_the_first_word_on_a_length_holds(till: Till) -> None:
    """Another digest of the same length is a fork; nothing that was kept is overwritten."""
    kept(till, journal=end(3))
    assert kept(till, journal=end(3, of="other")) == ([end(3)], [])


def test_each_till_is_told_its_own_until_it_is_enrolled_anew(shop: Shop, till: Till) -> None:
    kept(till, journal=end(3))
    assert kept(shop.till("till-2")) == ([], [])
    assert kept(till) == ([end(3)], [])
    assert kept(shop.till(till.id)) == ([], [])


def test_a_close_of_day_brings_both(till: Till) -> None:
    body = {"batch": 1, "totals": [], "digest": hashlib.sha256().hexdigest()}
    till.ask("/v1/batches/close", body | {"ends": {"journal": end(3), "audit": end(9)}})
    assert kept(till) == ([end(3)], [end(9)])


def test_no_end_of_nothing(till: Till) -> None:
    for wrong in ({"length": 0}, {"digest": "0" * 63}, {"digest": "G" * 64}):
        assert till.ask(PATH, {"journal": end(1) | wrong})[0] == 400
