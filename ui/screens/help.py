"""Help: what the keys do, and what the signs mean."""

from __future__ import annotations

from collections.abc import Sequence

from ui.locale import mark
from ui.screens.page import Key, Page
from ui.widgets.canvas import Canvas
from ui.widgets.chrome import Action

KEYS = (
    ("0-9", mark("amount, without a point: 1 0 9 9 is 10.99")),
    ("Enter", mark("take the payment; confirm; next")),
    ("Esc", mark("clear; cancel; back")),
    ("+ -", mark("add an item, drop the last one")),
    ("F2", mark("find a payment")),
    ("F3", mark("the last payment")),
    ("F4 F5", mark("void, refund")),
    ("F6", mark("copy of the last receipt")),
    ("F7", mark("show our code to the customer")),
    ("F8", mark("close of day: totals beside the bank's")),
    ("F9 *", mark("more, by number")),
    ("F10", mark("English or Chinese")),
    ("F11", mark("dark, light, high contrast")),
)

SIGNS = (
    ("✓", "live", mark("done, ready")),
    ("✗", "soft-no", mark("declined: nothing was charged")),
    ("?", "soft-ask", mark("in doubt: do not charge again")),
    ("^", "soft-keep", mark("kept here, sent to the bank later")),
    ("!", "soft-no", mark("needs a look: cable, network, paper")),
)


class HelpPage(Page):
    """One page, always the same; it may be read while a payment runs."""

    name = "help"

    def actions(self) -> Sequence[Action]:
        """Back."""
        return (Action("Esc", mark("Back"), is_main=True),)

    def press(self, key: Key) -> bool:
        """Any of the plain keys closes it."""
        if key.name in ("escape", "enter", "f1"):
            self.close_page()
            return True
        return False

    def paint(self, canvas: Canvas) -> None:
        """Draw keys, then signs."""
        canvas.fill(0, 0, canvas.width, canvas.height, "sheet")
        words = self.desk.words
        canvas.put(3, 0, words("KEYS"), "muted", bold=True)
        keys = list(KEYS)
        if self.desk.till.bench:
            keys.append(("B", mark("bench: cards, phones, codes, faults")))
        if self.desk.is_wide:
            left, gap = 3, canvas.width // 2
            self._paint_keys(canvas, left, 2, keys)
            canvas.put(gap, 0, words("SIGNS"), "muted", bold=True)
            self._paint_signs(canvas, gap, 2)
            return
        self._paint_keys(canvas, 3, 1, keys)
        self._paint_signs(canvas, 3, 2 + len(keys), limit=canvas.height)

    def _paint_keys(self, canvas: Canvas, x: int, y: int, keys: Sequence[tuple[str, str]]) -> None:
        for row, (key, text) in enumerate(keys):
            canvas.put(x, y + row, key, "key", bold=True)
            canvas.put(x + 8, y + row, self.desk.words(text))

    def _paint_signs(self, canvas: Canvas, x: int, y: int, *, limit: int = 99) -> None:
        # On a low screen the signs stand two in a row, and none is cut.
        room = limit - y
        columns = 1 if room >= len(SIGNS) else 2
        for number, (sign, ink, text) in enumerate(SIGNS):
            left = x + (number % columns) * 36
            row = y + number // columns
            canvas.put(left, row, sign, ink, bold=True)
            canvas.put(left + 2, row, self.desk.words(text), "muted")
