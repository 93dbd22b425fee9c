"""Lines measured in cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.receipts.cells import cell_width, centred, paired, printable, wrapped


@pytest.mark.parametrize(
    ("text", "cells"),
    [("", 0), ("abc", 3), ("街角", 4), ("A街", 3), ("e\u0301", 1), ("¥", 1), ("￥", 2), ("…", 2)],
)
def test_a_chinese_character_takes_two_cells(text: str, cells: int) -> None:
    assert cell_width(text) == cells


def test_a_control_character_does_not_reach_the_printer() -> None:
    assert printable("VISA\x1bp\x00\u202e") == "VISA?p??"


def test_a_long_text_breaks_at_spaces_and_else_in_the_word() -> None:
    assert wrapped("one two three", 7) == ["one two", "three"]
    assert wrapped("abcdefghij k", 4) == ["abcd", "efgh", "ij k"]
    assert wrapped("街角试验", 5) == ["街角", "试验"]


def test_a_pair_that_does_not_fit_takes_two_lines() -> None:
    assert paired("AID", "A000", 8) == ["AID A000"]
    assert paired("LABEL", "VALUE", 8) == ["LABEL", "   VALUE"]


def test_the_middle_is_the_middle() -> None:
    assert centred("街角", 10) == ["   街角"]


@given(st.text(max_size=60), st.integers(2, 50))
def test_wrapping_loses_no_character(text: str, columns: int) -> None:
    broken = wrapped(text, columns)

    assert "".join(broken).replace(" ", "") == text.replace(" ", "")
    assert all(cell_width(line) <= columns for line in broken)
