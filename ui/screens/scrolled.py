"""A page of lines, more of them than the screen has rows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from ui.desk import Desk
from ui.locale import mark
from ui.screens.page import Key, Page
from ui.widgets.chrome import Action

ROWS_AROUND = 4
"""Title and margins."""


class ScrolledPage(Page):
    """Goes up and down by lines and by pages; Esc and Enter go back."""

    def __init__(self, desk: Desk) -> None:
        """Begin at the top."""
        super().__init__(desk)
        self._top = 0

    @property
    @abstractmethod
    def row_count(self) -> int:
        """How many rows there are to show."""

    @property
    def shown(self) -> int:
        """How many of them there is room for."""
        return max(1, self.desk.body_rows - ROWS_AROUND)

    @property
    def top(self) -> int:
        """The first row to draw."""
        return min(self._top, max(0, self.row_count - self.shown))

    def actions(self) -> Sequence[Action]:
        """Back, and scrolling where it does not fit."""
        actions = [Action("Esc", mark("Back"), is_main=True)]
        if self.row_count > self.shown:
            actions.append(Action("Up/Down", mark("Scroll")))
        return actions

    def press(self, key: Key) -> bool:
        """Scroll, or go back."""
        steps = {"down": 1, "up": -1, "pagedown": self.shown, "pageup": -self.shown}
        if key.name in steps:
            last = max(0, self.row_count - self.shown)
            self._top = min(last, max(0, self.top + steps[key.name]))
        elif key.name in ("escape", "enter"):
            self.close_page()
        else:
            return False
        return True
