"""The least that Textual can show: one input. What the till's start is held against."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Input


class EmptyApp(App[None]):
    """An application with nothing but an input."""

    def compose(self) -> ComposeResult:
        """Lay out the input; it has the focus, being alone."""
        yield Input()


if __name__ == "__main__":
    EmptyApp().run()
