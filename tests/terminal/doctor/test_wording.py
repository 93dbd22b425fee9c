"""Every finding has words, a gravity, and a step where something is wrong."""

import string
import unicodedata

import pytest

from drivers.protocols import Symptom
from terminal.doctor.lines import GROUP_TITLES, LEVEL_WORDS, SIGNS, Group
from terminal.doctor.wording import WORDING, Level, Matter

SAY_IT_THEMSELVES = {Symptom.FAILS}
"""What a driver says when nobody foresaw it names its step itself."""


@pytest.mark.parametrize("code", [*Symptom, *Matter])
def test_every_finding_has_words_that_say_what_to_do(code: str) -> None:
    wording = WORDING[code]

    assert wording.text
    if wording.level is not Level.OK and code not in SAY_IT_THEMSELVES:
        assert wording.step
    if wording.level is Level.FAULT:
        assert "?" not in wording.step


def test_no_words_are_left_over() -> None:
    assert set(WORDING) == set(Symptom) | set(Matter)
    assert not set(Symptom) & set(Matter)


def test_levels_and_groups_have_signs_and_words() -> None:
    """Never colour alone."""
    assert len(set(SIGNS.values())) == len(set(LEVEL_WORDS.values())) == len(Level)
    assert set(GROUP_TITLES) == set(Group)
    for sign in SIGNS.values():
        assert unicodedata.east_asian_width(sign) in ("N", "Na")


def test_what_stands_in_braces_is_a_plain_name() -> None:
    for wording in WORDING.values():
        for text in (wording.text, wording.step):
            names = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
            assert all(name.isidentifier() for name in names), text
