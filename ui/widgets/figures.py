"""Amounts as large seven-segment figures.

Figures are reversed spaces with quadrants round the corners: both have one
width in every terminal. A size below five rows could be misread and does not
exist; where none fits, the amount is bold text.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from rich.cells import cell_len

from ui.widgets.canvas import Canvas


@dataclass(frozen=True, slots=True)
class Size:
    """One size of figure, in cells."""

    columns: int
    rows: int
    stroke: int
    """Width of the upright strokes."""
    bar: int = 1
    """Height of the level strokes."""
    gap: int = 2


SIZES = (
    Size(14, 11, 4, bar=2),
    Size(12, 9, 4),
    Size(10, 9, 3),
    Size(8, 7, 3),
    Size(6, 5, 2),
    Size(5, 5, 2, gap=1),
    Size(4, 5, 1, gap=1),
)
"""Largest first."""

# Segments: top, upper left, upper right, middle, lower left, lower right, bottom.
SEGMENTS = {
    "0": "tabefg",
    "1": "bf",
    "2": "tbmeg",
    "3": "tbmfg",
    "4": "abmf",
    "5": "tamfg",
    "6": "tamefg",
    "7": "tbf",
    "8": "tabmefg",
    "9": "tabmfg",
    "-": "m",
}

# Which corner of a stroke is round: (is above empty, is left empty).
_QUADRANTS = {(True, True): "▟", (True, False): "▙", (False, True): "▜", (False, False): "▛"}


@cache
def _glyph(character: str, size: Size) -> tuple[str, ...]:
    """Return a figure's rows: '#' is a whole cell, a quadrant a round corner."""
    if character == ".":
        blank = [" " * size.stroke] * (size.rows - size.bar)
        return _rounded([*blank, *["#" * size.stroke] * size.bar])
    lit = SEGMENTS[character]
    middle = (size.rows - size.bar) // 2
    rows = [[" "] * size.columns for _ in range(size.rows)]

    def block(x: int, y: int, width: int, height: int) -> None:
        for row in rows[y : y + height]:
            row[x : x + width] = "#" * width

    right = size.columns - size.stroke
    upper, lower = middle + size.bar, size.rows - middle
    strokes = {
        "t": (0, 0, size.columns, size.bar),
        "m": (0, middle, size.columns, size.bar),
        "g": (0, size.rows - size.bar, size.columns, size.bar),
        "a": (0, 0, size.stroke, upper),
        "b": (right, 0, size.stroke, upper),
        "e": (0, middle, size.stroke, lower),
        "f": (right, middle, size.stroke, lower),
    }
    for segment in lit:
        block(*strokes[segment])
    return _rounded(["".join(row) for row in rows])


def _rounded(rows: list[str]) -> tuple[str, ...]:
    """Round each outer corner that has a neighbour on both its other sides."""
    height, width = len(rows), len(rows[0])

    def is_empty(x: int, y: int) -> bool:
        return not (0 <= x < width and 0 <= y < height) or rows[y][x] == " "

    def cell(x: int, y: int) -> str:
        if is_empty(x, y):
            return " "
        above, below = is_empty(x, y - 1), is_empty(x, y + 1)
        left, right = is_empty(x - 1, y), is_empty(x + 1, y)
        if above == below or left == right:
            return "#"
        return _QUADRANTS[above, left]

    return tuple("".join(cell(x, y) for x in range(width)) for y in range(height))


def _width(text: str, size: Size) -> int:
    """Return the columns an amount like '1,234.56' takes."""
    width = 0
    for character in text:
        if character == ",":
            width += size.gap
        else:
            width += (size.stroke if character == "." else size.columns) + size.gap
    return width - size.gap


def best_size(text: str, columns: int, rows: int) -> Size | None:
    """Return the largest size in which an amount fits, or None.

    text: digits with ',' between thousands and '.', as plain_amount() makes.
    """
    for size in SIZES:
        if size.rows <= rows and _width(text, size) <= columns:
            return size
    return None


def draw_amount(
    canvas: Canvas,
    x: int,
    y: int,
    width: int,
    height: int,
    *,
    unit: str,
    text: str,
    ink: str,
    align: str = "centre",
) -> int:
    """Draw an amount as large as the rectangle lets it; return the row after it.

    unit: a plain word or sign at the top left of the figures.
    align: 'left', 'centre' or 'right'; always centred from top to bottom,
    except with 'left', which starts at the top.
    """
    room = width - (cell_len(unit) + 1 if unit else 0)
    size = best_size(text, room, height)
    if size is None:
        plain = f"{unit}{text}" if cell_len(unit) == 1 else f"{unit} {text}"
        row = y if align == "left" else y + height // 2
        start = {"left": x, "right": x + width - cell_len(plain)}.get(
            align, x + (width - cell_len(plain)) // 2
        )
        canvas.put(start, row, plain, ink, bold=True)
        return row + 1
    figures = _width(text, size)
    spare = room - figures
    start = x + (width - room) + {"left": 0, "right": spare}.get(align, (spare) // 2)
    top = y if align == "left" else y + (height - size.rows) // 2
    if unit:
        canvas.put(start - cell_len(unit) - 1, top, unit, ink, bold=True)
    column = start
    for character in text:
        if character == ",":
            column += size.gap
            continue
        glyph = _glyph(character, size)
        for row, line in enumerate(glyph):
            for offset, mark in enumerate(line):
                if mark == "#":
                    canvas.put(column + offset, top + row, " ", ink, paper=ink)
                elif mark != " ":
                    canvas.put(column + offset, top + row, mark, ink)
        column += len(glyph[0]) + size.gap
    return top + size.rows
