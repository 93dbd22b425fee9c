"""A receipt as text, on the screen; from here to paper where there is a printer."""

from __future__ import annotations

from collections.abc import Sequence

from terminal.view import PaymentView
from ui.desk import Desk
from ui.locale import mark
from ui.screens.page import Key
from ui.screens.scrolled import ScrolledPage
from ui.widgets.canvas import Canvas, cut
from ui.widgets.chrome import Action


class ReceiptPage(ScrolledPage):
    """One receipt, scrolled by lines."""

    name = "receipt"

    def __init__(self, desk: Desk, payment: PaymentView, *, is_copy: bool) -> None:
        """payment: whose receipt; is_copy: whether it says so."""
        super().__init__(desk)
        self._payment = payment
        self._lines = list(desk.till.receipt(payment.id, copy=is_copy))

    @property
    def row_count(self) -> int:
        """Its lines."""
        return len(self._lines)

    def actions(self) -> Sequence[Action]:
        """Back, scrolling where it does not fit, and paper."""
        actions = list(super().actions())
        if self.desk.shop.has_printer:
            actions.append(Action("P", mark("Print")))
        return actions

    def press(self, key: Key) -> bool:
        """Print, scroll, or go back."""
        if key.letter == "p" and self.desk.shop.has_printer:
            self.desk.print_receipt(self._payment)
        elif key.letter == "p":
            self.close_page()
        else:
            return super().press(key)
        return True

    def paint(self, canvas: Canvas) -> None:
        """Draw the receipt in the middle, as on paper."""
        canvas.fill(0, 0, canvas.width, canvas.height, "sheet")
        title = self.desk.words("RECEIPT")
        canvas.put(3, 1, f"{title}   {self._payment.number:04d}", "muted", bold=True)
        paint_paper(canvas, 3, 3, canvas.width - 6, self._lines[self.top :][: self.shown])


def paint_paper(canvas: Canvas, x: int, y: int, width: int, lines: Sequence[str]) -> None:
    """Draw receipt lines, each cut to the width."""
    for number, line in enumerate(lines):
        canvas.put(x, y + number, cut(line, width))
