"""Draws what a simulated printer printed, dot for dot."""

from __future__ import annotations

import functools
import unicodedata
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy

if TYPE_CHECKING:
    from drivers.protocols import Image
    from simulators.printer import Paper, Row

CELL: Final = 12
LINE: Final = 24
LEADING: Final = 6
MARGIN: Final = 16
SIZE: Final = 20
BASELINE: Final = 20


def draw(paper: Paper, width_dots: int) -> Image:
    """Return the receipt as grey levels, with a margin of bare paper around it."""
    strips = [_strip(row, width_dots) for row in paper.rows]
    height = sum(strip.shape[0] for strip in strips)
    sheet: Image = numpy.full((height + 2 * MARGIN, width_dots + 2 * MARGIN), 255, numpy.uint8)
    top = MARGIN
    for strip in strips:
        sheet[top : top + strip.shape[0], MARGIN : MARGIN + width_dots] = strip
        top += strip.shape[0]
    return sheet


def _strip(row: Row, width_dots: int) -> Image:
    """Draw one row, as wide as the paper."""
    drawn = _dots(row.dots) if row.dots is not None else _text(row)
    strip: Image = numpy.full((drawn.shape[0], width_dots), 255, numpy.uint8)
    drawn = drawn[:, :width_dots]
    left = (0, (width_dots - drawn.shape[1]) // 2, width_dots - drawn.shape[1])[row.align]
    strip[:, left : left + drawn.shape[1]] = drawn
    return strip


def _dots(dots: Any) -> Image:
    return numpy.where(dots, 0, 255).astype(numpy.uint8)


def _text(row: Row) -> Image:
    glyphs = [_glyph(character) for character in row.text]
    line = numpy.hstack(glyphs) if glyphs else numpy.full((LINE, CELL), 255, numpy.uint8)
    if row.bold:
        line[:, 1:] = numpy.minimum(line[:, 1:], line[:, :-1].copy())
    across, down = row.scale
    line = numpy.kron(line, numpy.ones((down, across), numpy.uint8))
    leading = numpy.full((LEADING, line.shape[1]), 255, numpy.uint8)
    return numpy.vstack([line, leading])


@functools.lru_cache(maxsize=2000)
def _glyph(character: str) -> Any:
    """Draw one character in its cells, with the font inside OpenCV."""
    width = CELL * (2 if unicodedata.east_asian_width(character) in "WFA" else 1)
    face = cv2.FontFace("uni")
    drawn = cv2.getTextSize((999, LINE), character, (0, 0), face, SIZE)[2]
    # Room for what is wider than its cells; it is squeezed into them afterwards.
    room = max(width, drawn + 2)
    glyph: Image = numpy.full((LINE, room), 255, numpy.uint8)
    if character.isprintable() and character != " ":
        cv2.putText(glyph, character, ((room - drawn) // 2, BASELINE), (0,), face, SIZE)
    return cv2.resize(glyph, (width, LINE), interpolation=cv2.INTER_AREA)
