"""More: every function by number, for terminals that swallow function keys."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ui.desk import Desk
from ui.locale import mark
from ui.screens.page import Key, Page
from ui.widgets.canvas import Canvas
from ui.widgets.chrome import Action

KEYS = "1234567890" + string.ascii_lowercase.replace("b", "")
"""One for each line, in their order; B is the bench's everywhere."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of the list."""

    label: str
    key: str
    """The function key that does the same; empty where there is none."""
    run: Callable[[], None]


class MorePage(Page):
    """The list; a number chooses, so do the arrows and Enter."""

    name = "more"

    def __init__(self, desk: Desk, choices: Sequence[Choice]) -> None:
        """choices: in the order of their keys."""
        super().__init__(desk)
        self._choices = choices
        self._cursor = 0

    def actions(self) -> Sequence[Action]:
        """Choose or go back."""
        return (
            Action("Enter", mark("Choose"), is_main=True),
            Action("1-Z", mark("By key")),
            Action("Esc", mark("Back")),
        )

    def press(self, key: Key) -> bool:
        """Choose a line."""
        named = KEYS[: len(self._choices)].find(key.character.lower()) if key.character else -1
        if named >= 0:
            self._choose(named)
        elif key.name in ("down", "up"):
            step = 1 if key.name == "down" else -1
            self._cursor = (self._cursor + step) % len(self._choices)
        elif key.name == "enter":
            self._choose(self._cursor)
        elif key.name == "escape" or key.character == "*":
            self.close_page()
        else:
            return False
        return True

    def _choose(self, number: int) -> None:
        self.close_page()
        self._choices[number].run()

    def paint(self, canvas: Canvas) -> None:
        """Draw the list."""
        canvas.fill(0, 0, canvas.width, canvas.height, "sheet")
        words = self.desk.words
        canvas.put(3, 1, words("MORE"), "muted", bold=True)
        for row, choice in enumerate(self._choices):
            y = 2 + row
            if row == self._cursor:
                canvas.fill(3, y, canvas.width - 6, 1, "raise")
            canvas.put(4, y, KEYS[row].upper(), "key", bold=True)
            canvas.put(8, y, words(choice.label), bold=row == self._cursor)
            canvas.put_right(canvas.width - 4, y, choice.key, "muted")
