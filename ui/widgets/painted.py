"""The bridge to Textual: a widget that shows a canvas."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from ui.tokens import THEMES, colour
from ui.widgets.canvas import Canvas, Pen


@cache
def _style(theme: str, pen: Pen) -> Style:
    palette = THEMES[theme]
    return Style(
        color=colour(palette, pen.ink), bgcolor=colour(palette, pen.paper), bold=pen.bold or None
    )


class Painted(Widget):
    """Calls a painter whenever it has to be drawn anew."""

    ALLOW_SELECT = False

    def __init__(self, painter: Callable[[Canvas], None], *, name: str) -> None:
        """painter: fills a canvas of the widget's size. name: also the CSS id."""
        super().__init__(id=name)
        self._painter = painter
        self._strips: list[Strip] | None = None
        self._drawn_for: tuple[int, int, str] | None = None
        self.clipped: list[str] = []
        """What did not fit when it was last drawn."""

    def repaint(self) -> None:
        """Draw again; only rows that changed reach the terminal."""
        self._strips = None
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one row, for Textual."""
        width, height = self.size
        wanted = (width, height, self.app.theme)
        if self._strips is None or self._drawn_for != wanted:
            self._drawn_for = wanted
            self._strips = self._draw(width, height)
        return self._strips[y] if y < len(self._strips) else Strip.blank(width)

    def drawn(self) -> Canvas:
        """Return a canvas of the widget's size, freshly drawn."""
        canvas = Canvas(*self.size)
        self._painter(canvas)
        return canvas

    def _draw(self, width: int, height: int) -> list[Strip]:
        canvas = self.drawn()
        self.clipped = canvas.clipped
        theme = self.app.theme
        return [
            Strip([Segment(text, _style(theme, pen)) for text, pen in canvas.runs(y)], width)
            for y in range(height)
        ]
