"""A grid of cells to draw a screen on, and a record of what did not fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, get_character_cell_size


@dataclass(frozen=True, slots=True)
class Pen:
    """How a cell is written: tokens, not colours."""

    ink: str = "ink"
    paper: str = "ground"
    bold: bool = False


Cell = tuple[str, Pen]
# The right half of a wide character: its left neighbour fills both.
_RIGHT_HALF = ""


class Canvas:
    """Width times height cells. Writing outside is cut, and remembered in `clipped`."""

    def __init__(self, width: int, height: int, paper: str = "ground") -> None:
        self.width = width
        self.height = height
        self.clipped: list[str] = []
        blank = (" ", Pen(paper=paper))
        self._rows: list[list[Cell]] = [[blank] * width for _ in range(height)]

    def fill(self, x: int, y: int, width: int, height: int, paper: str) -> None:
        """Colour a rectangle; the part outside the canvas is left out."""
        blank = (" ", Pen(paper=paper))
        for row in self._rows[max(0, y) : max(0, y + height)]:
            left, right = max(0, x), max(0, min(self.width, x + width))
            row[left:right] = [blank] * (right - left)

    def put(
        self,
        x: int,
        y: int,
        text: str,
        ink: str = "ink",
        *,
        paper: str | None = None,
        bold: bool = False,
        end: int | None = None,
    ) -> int:
        """Write text from a column on; return the column after it.

        paper: None keeps the colour that is there. end: the first column
        that must not be touched; the canvas's edge by default.
        """
        if not 0 <= y < self.height:
            if text.strip():
                self.clipped.append(text)
            return x
        row = self._rows[y]
        limit = self.width if end is None else min(end, self.width)
        for character in text:
            width = get_character_cell_size(character)
            if width == 0:
                continue
            if x < 0 or x + width > limit:
                if text.strip():
                    self.clipped.append(text)
                return x
            pen = Pen(ink, row[x][1].paper if paper is None else paper, bold)
            row[x] = (character, pen)
            if width == 2:
                row[x + 1] = (_RIGHT_HALF, pen)
            x += width
        return x

    def put_right(
        self, end: int, y: int, text: str, ink: str = "ink", *, bold: bool = False
    ) -> int:
        """Write text so that it ends before a column; return where it began."""
        start = end - cell_len(text)
        self.put(start, y, text, ink, bold=bold)
        return start

    def put_centred(
        self, x: int, y: int, width: int, text: str, ink: str = "ink", *, bold: bool = False
    ) -> None:
        """Write text in the middle of a stretch of columns."""
        start = x + max(0, (width - cell_len(text)) // 2)
        self.put(start, y, text, ink, bold=bold, end=x + width)

    def put_wrapped(
        self,
        x: int,
        y: int,
        width: int,
        height: int,
        text: str,
        ink: str = "ink",
        *,
        bold: bool = False,
        centred: bool = False,
    ) -> int:
        """Write text on as many lines as it needs; return the row after it."""
        lines = wrap(text, width)
        if len(lines) > height:
            self.clipped.append(text)
        for number, line in enumerate(lines[:height]):
            if centred:
                self.put_centred(x, y + number, width, line, ink, bold=bold)
            else:
                self.put(x, y + number, line, ink, bold=bold, end=x + width)
        return y + min(len(lines), height)

    def bitmap(self, x: int, y: int, pixels: Sequence[str], ink: str) -> None:
        """Draw a bitmap as half blocks, two pixel rows to a line.

        pixels: one string a row; anything but a space is a pixel.
        """
        for top in range(0, len(pixels), 2):
            upper = pixels[top]
            lower = pixels[top + 1] if top + 1 < len(pixels) else ""
            for column in range(max(len(upper), len(lower))):
                has_upper = column < len(upper) and upper[column] != " "
                has_lower = column < len(lower) and lower[column] != " "
                if has_upper or has_lower:
                    glyph = "█" if has_upper and has_lower else "▀" if has_upper else "▄"
                    self.put(x + column, y + top // 2, glyph, ink)

    def runs(self, y: int) -> Iterator[Cell]:
        """Yield a row as stretches of one pen."""
        text, pen = "", self._rows[y][0][1] if self.width else Pen()
        for character, next_pen in self._rows[y]:
            if next_pen != pen:
                yield text, pen
                text, pen = "", next_pen
            text += character
        if text:
            yield text, pen

    def lines(self) -> list[str]:
        """Return the characters alone, for tests and for reading aloud."""
        return ["".join(character for character, _ in row).rstrip() for row in self._rows]

    def paste(self, x: int, y: int, other: Canvas) -> None:
        """Copy another canvas onto this one; it must fit."""
        for number, row in enumerate(other._rows):
            self._rows[y + number][x : x + other.width] = row

    def part(self, x: int, y: int, width: int, height: int) -> Part:
        """Return a window on this canvas with its own origin."""
        return Part(self, x, y, width, height)


class Part(Canvas):
    """A rectangle of another canvas: what is drawn here is drawn there."""

    def __init__(self, whole: Canvas, x: int, y: int, width: int, height: int) -> None:
        super().__init__(0, 0)
        self.width, self.height = width, height
        self.clipped = whole.clipped
        self._whole, self._x, self._y = whole, x, y

    def fill(self, x: int, y: int, width: int, height: int, paper: str) -> None:
        """Colour a rectangle of the part."""
        right, bottom = min(self.width, x + width), min(self.height, y + height)
        x, y = max(0, x), max(0, y)
        self._whole.fill(self._x + x, self._y + y, right - x, bottom - y, paper)

    def put(
        self,
        x: int,
        y: int,
        text: str,
        ink: str = "ink",
        *,
        paper: str | None = None,
        bold: bool = False,
        end: int | None = None,
    ) -> int:
        """Write text on the part."""
        if not 0 <= y < self.height or x < 0:
            if text.strip():
                self.clipped.append(text)
            return x
        limit = self.width if end is None else min(end, self.width)
        return (
            self._whole.put(
                self._x + x, self._y + y, text, ink, paper=paper, bold=bold, end=self._x + limit
            )
            - self._x
        )


def wrap(text: str, width: int) -> list[str]:
    """Return the text in lines of at most so many columns.

    Lines break at spaces, and between Chinese characters, which have none;
    never before a closing mark.
    """
    lines: list[str] = []
    line = ""
    for piece in _pieces(text):
        if cell_len(line + piece.rstrip()) > width and line:
            lines.append(line.rstrip())
            line = ""
            piece = piece.lstrip()
        line += piece
    if line.strip() or not lines:
        lines.append(line.rstrip())
    return lines


def _pieces(text: str) -> Iterator[str]:
    """Split where a line may break; a piece keeps the spaces that follow it."""
    piece = ""
    for character in text:
        is_wide = get_character_cell_size(character) == 2
        is_closing = character in "，。、；：！？）」"
        ends_wide = bool(piece) and get_character_cell_size(piece[-1]) == 2
        after_space = piece[-1:] == " " and character != " "
        beside_wide = (is_wide or ends_wide) and character != " " and not is_closing
        if piece and (after_space or beside_wide):
            yield piece
            piece = ""
        piece += character
    if piece:
        yield piece


def pad(text: str, width: int) -> str:
    """Return the text followed by spaces up to a width in columns."""
    return text + " " * max(0, width - cell_len(text))


def cut(text: str, width: int) -> str:
    """Return the text shortened to a width, with '..' where some is missing."""
    if cell_len(text) <= width:
        return text
    kept = ""
    for character in text:
        if cell_len(kept + character) > width - 2:
            break
        kept += character
    return kept.rstrip() + ".."
