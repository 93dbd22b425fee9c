"""A receipt as text, on the screen; from here to paper where there is a printer."""

from __future__ import annotations

from collections.abc import Sequence

from terminal.view import PaymentView
from ui.desk import Desk
from ui.locale import mark
from ui.screens.page import Key, Page
from ui.widgets.canvas import Canvas, cut
from ui.widgets.chrome import Action


class ReceiptPage(Page):
    """One receipt, scrolled by lines."""

    name = "receipt"

    def __init__(self, desk: Desk, payment: PaymentView, *, is_copy: bool) -> None:
        """payment: whose receipt; is_copy: whether it says so."""
        super().__init__(desk)
        self._payment = payment
        self._lines = list(desk.till.receipt(payment.id, copy=is_copy))
        self._top = 0

    def actions(self) -> Sequence[Action]:
        """Back, scrolling where it does not fit, and paper."""
        actions = [Action("Esc", mark("Back"), is_main=True)]
        if len(self._lines) > self._shown:
            actions.append(Action("Up/Down", mark("Scroll")))
        if self.desk.shop.has_printer:
            actions.append(Action("P", mark("Print")))
        return actions

    @property
    def _shown(self) -> int:
        return max(1, self.desk.body_rows - 4)

    def press(self, key: Key) -> bool:
        """Scroll, print, or go back."""
        last = max(0, len(self._lines) - self._shown)
        if key.letter == "p" and self.desk.shop.has_printer:
            self.desk.print_receipt(self._payment)
        elif key.name in ("escape", "enter") or key.letter == "p":
            self.close_page()
        elif key.name in ("down", "pagedown"):
            step = 1 if key.name == "down" else self._shown
            self._top = min(last, self._top + step)
        elif key.name in ("up", "pageup"):
            step = 1 if key.name == "up" else self._shown
            self._top = max(0, self._top - step)
        else:
            return False
        return True

    def paint(self, canvas: Canvas) -> None:
        """Draw the receipt in the middle, as on paper."""
        canvas.fill(0, 0, canvas.width, canvas.height, "sheet")
        title = self.desk.words("RECEIPT")
        canvas.put(3, 1, f"{title}   {self._payment.number:04d}", "muted", bold=True)
        self._top = min(self._top, max(0, len(self._lines) - self._shown))
        paint_paper(canvas, 3, 3, canvas.width - 6, self._lines[self._top :][: self._shown])


def paint_paper(canvas: Canvas, x: int, y: int, width: int, lines: Sequence[str]) -> None:
    """Draw receipt lines, each cut to the width."""
    for number, line in enumerate(lines):
        canvas.put(x, y + number, cut(line, width))
