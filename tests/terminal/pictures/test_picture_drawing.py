"""Pictures as coloured half blocks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal.pictures.picture_drawing import picture_lines

if TYPE_CHECKING:
    from drivers.protocols import Image

CELL = re.compile(r"\x1b\[38;2;([0-9;]+);48;2;([0-9;]+)m▀")
GREEN, GREY = "0;255;0", "90;90;90"


def grey(height: int, width: int) -> Image:
    return numpy.full((height, width, 3), 90, numpy.uint8)


def colours(lines: list[str]) -> list[list[tuple[str, str]]]:
    return [CELL.findall(line) for line in lines]


@settings(max_examples=60)
@given(st.integers(2, 90), st.integers(2, 90), st.integers(2, 60), st.integers(1, 30))
def test_a_picture_never_outgrows_its_place(
    height: int, width: int, columns: int, rows: int
) -> None:
    for halves, glyph in ((True, "▀"), (False, "  ")):
        lines = picture_lines(grey(height, width), columns, rows, halves=halves)
        assert len(lines) <= rows
        assert all(line.count(glyph) * len(glyph) <= columns for line in lines)


def test_a_cell_shows_the_mean_of_what_is_behind_it() -> None:
    """Blue, green, red in; red, green, blue out; upper half before lower."""
    image = grey(4, 4)
    image[:2, :2] = (10, 20, 30)
    image[2:, :2, 0] = ((0, 100), (100, 200))
    ((first, second),) = colours(picture_lines(image, 2, 1))
    assert first == ("30;20;10", "90;90;100")
    assert second == (GREY, GREY)


def test_a_box_is_drawn_round_a_code_and_cut_at_the_edge() -> None:
    box = ((2, 2), (7, 2), (7, 7), (2, 7))
    cells = colours(picture_lines(grey(10, 10), 10, 5, [box]))
    points = [
        [upper_lower[half] == GREEN for upper_lower in row] for row in cells for half in (0, 1)
    ]
    assert [sum(row) for row in points] == [0, 0, 6, 2, 2, 2, 2, 6, 0, 0]
    outside = picture_lines(grey(10, 10), 10, 5, [((-9, -9), (99, -9), (99, 99), (-9, 99))])
    assert outside == picture_lines(grey(10, 10), 10, 5)


def test_grey_levels_are_shown_too() -> None:
    image = numpy.full((2, 1), 90, numpy.uint8)
    assert colours(picture_lines(image, 1, 1)) == [[(GREY, GREY)]]


@pytest.mark.parametrize("halves", [True, False])
def test_every_line_ends_in_the_terminals_own_colours(halves: bool) -> None:
    assert all(line.endswith("\x1b[0m") for line in picture_lines(grey(8, 8), 8, 8, halves=halves))
