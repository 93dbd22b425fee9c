"""Only answers to reset that a card could give are taken."""

import pytest

from simulators.readers import atr
from simulators.readers.atr import ATR
from simulators.readers.errors import BadATR

# EMV 4.4 Book 1, 8.3: the basic ATRs; PC/SC Part 3: a contactless card.
GOOD = {
    "3B 60 00 00": (0,),
    "3B E0 00 00 81 31 FE 45 EB": (1,),
    "3B 88 80 01 00 73 C8 40 13 00 90 00 71": (0, 1),
    "3B 65 00 00 20 63 CB 68 00": (0,),
}


@pytest.mark.parametrize(("encoded", "protocols"), GOOD.items())
def test_a_good_one_names_its_protocols(encoded: str, protocols: tuple[int, ...]) -> None:
    assert ATR.parse(bytes.fromhex(encoded)).protocols == protocols


@pytest.mark.parametrize("usual", [atr.CONTACT_T1, atr.CONTACT_T0, atr.CONTACTLESS])
def test_ours_are_good(usual: bytes) -> None:
    assert ATR.parse(usual).is_t0 is (usual == atr.CONTACT_T0)


@pytest.mark.parametrize(
    ("encoded", "why"),
    [
        ("3B 88 80 01 00 73 C8 40 13 00 90 00 72", "TCK"),
        ("3B 88 80 01 00 73 C8 40 13 00 90 00", "should have 13 bytes"),
        ("3B 65 00 00 20 63 CB 68 00 00", "should have 9 bytes"),
        ("3C 60 00 00", "3B or 3F"),
        ("3B", "3B or 3F"),
        ("3B 80", "ends in its interface bytes"),
        ("3B 6F" + 40 * " 00", "33 bytes at most"),
    ],
)
def test_a_bad_one_is_refused_and_the_rule_named(encoded: str, why: str) -> None:
    with pytest.raises(BadATR, match=why):
        ATR.parse(bytes.fromhex(encoded))
