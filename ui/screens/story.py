"""What a card and the till said to each other, and by which rules it was decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from terminal.view import PaymentView, StoryLine
from ui.desk import Desk
from ui.locale import Words
from ui.screens.scrolled import ScrolledPage
from ui.widgets.canvas import Canvas, wrap

STAMP_COLUMNS = 11


class Row(NamedTuple):
    """One row of a story as it is drawn."""

    stamp: str
    """Empty where a sentence goes on."""
    text: str
    ink: str


def stamp_of(line: StoryLine) -> str:
    """Return how long the card had taken by then."""
    return f"{line.at_us / 1000:.1f} ms"


def told(line: StoryLine, words: Words) -> str:
    """Return one line in the language of the words; what they do not know stays English."""
    if not line.values:
        return words(line.text)
    values = {name: words(str(value)) for name, value in line.values.items()}
    return words(line.text).format_map(values)


def rows_of(lines: Sequence[StoryLine], words: Words, width: int) -> list[Row]:
    """Return a story in rows of a width, the rule of each decision below it."""
    rows = []
    for line in lines:
        stamp = stamp_of(line)
        for text in wrap(told(line, words), width - STAMP_COLUMNS):
            rows.append(Row(stamp, text, "ink"))
            stamp = ""
        if line.source:
            rows += [Row("", text, "muted") for text in wrap(line.source, width - STAMP_COLUMNS)]
    return rows


def paint_rows(canvas: Canvas, x: int, y: int, rows: Sequence[Row]) -> None:
    """Draw rows, times to the left."""
    for number, row in enumerate(rows):
        canvas.put(x, y + number, row.stamp, "muted")
        canvas.put(x + STAMP_COLUMNS, y + number, row.text, row.ink)


class StoryPage(ScrolledPage):
    """One payment's story, scrolled by lines."""

    name = "story"

    def __init__(self, desk: Desk, payment: PaymentView) -> None:
        """payment: whose cards are told of."""
        super().__init__(desk)
        self._payment = payment
        self._lines = desk.till.story(payment.id)
        self._rows: list[Row] = []

    @property
    def row_count(self) -> int:
        """Rows as they were drawn last."""
        return len(self._rows)

    def paint(self, canvas: Canvas) -> None:
        """Draw as much of it as there is room for."""
        canvas.fill(0, 0, canvas.width, canvas.height, "sheet")
        words = self.desk.words
        title = words("CARD AND TILL")
        canvas.put(3, 1, f"{title}   {self._payment.number:04d}", "muted", bold=True)
        self._rows = rows_of(self._lines, words, canvas.width - 6)
        paint_rows(canvas, 3, 3, self._rows[self.top :][: self.shown])
