"""What the bank wants its cashiers to read."""

from __future__ import annotations

from collections.abc import Sequence

from ui.desk import Desk
from ui.locale import mark
from ui.screens.page import Key, Page
from ui.widgets.canvas import Canvas
from ui.widgets.chrome import Action

ROWS_MAX = 4
"""A message has at most 200 characters."""


class BulletinsPage(Page):
    """The oldest that fit; Enter says that they were read."""

    name = "bulletins"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._shown = 0
        """The number of the last one on the page."""

    def actions(self) -> Sequence[Action]:
        """Read, or look again later."""
        return (
            Action("Enter", mark("I have read it"), is_main=True),
            Action("Esc", mark("Back")),
        )

    def press(self, key: Key) -> bool:
        """Note that what is shown was read."""
        if key.name == "enter":
            if self._shown:
                self.desk.till.read_bulletins(self._shown)
            if not self.desk.till.view().bulletins:
                self.close_page()
        elif key.name == "escape":
            self.close_page()
        else:
            return False
        return True

    def paint(self, canvas: Canvas) -> None:
        """Draw one below the other."""
        canvas.fill(0, 0, canvas.width, canvas.height, "sheet")
        canvas.put(3, 1, self.desk.words("MESSAGES FROM THE BANK"), "muted", bold=True)
        row = 3
        for bulletin in self.desk.view.bulletins:
            if row + ROWS_MAX > canvas.height:
                break
            row = 1 + canvas.put_wrapped(3, row, canvas.width - 6, ROWS_MAX, bulletin.text)
            self._shown = bulletin.number
