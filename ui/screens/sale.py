"""The sale: digits, items, the total, and the last few payments."""

from __future__ import annotations

from collections.abc import Sequence

from ui.locale import mark
from ui.money import clock_text, plain_amount
from ui.screens.page import Key, Page
from ui.widgets.canvas import Canvas
from ui.widgets.chrome import Action
from ui.widgets.figures import draw_amount
from ui.wording import state_mark

TAPE_COLUMN = 3
TAPE_END = 33
LAST_COLUMN = 41
SIDE_COLUMNS = 38


class SalePage(Page):
    """Where the till waits for an amount."""

    name = "sale"

    def actions(self) -> Sequence[Action]:
        """Keys of the sale."""
        return (
            Action("Enter", mark("Take payment"), is_main=True),
            Action("+", mark("Add item")),
            Action("Bksp", mark("Delete digit")),
            Action("Esc", mark("Clear")),
        )

    def paint(self, canvas: Canvas) -> None:
        """Draw the total, the items and the last payments."""
        if self.desk.is_wide:
            bottom = 7
            top = canvas.height - bottom - 1
            self._paint_total(canvas, canvas.width - SIDE_COLUMNS - 1, top)
            side = canvas.width - SIDE_COLUMNS
            canvas.fill(side, 0, SIDE_COLUMNS, top, "sheet")
            canvas.put(side + 3, 1, self.desk.words("ITEMS"), "muted", bold=True)
            self._paint_items(canvas, side + 3, canvas.width - 3, 3, top - 4)
            canvas.fill(0, top + 1, canvas.width, bottom, "sheet")
            canvas.put(3, top + 2, self.desk.words("LAST"), "muted", bold=True)
            self._paint_last(canvas, 3, top + 4, 3)
            return
        top = canvas.height - 6
        self._paint_total(canvas, canvas.width, top)
        words = self.desk.words
        canvas.put(TAPE_COLUMN, top + 1, words("ITEMS"), "muted", bold=True)
        self._paint_items(canvas, TAPE_COLUMN, TAPE_END, top + 2, 4)
        canvas.put(LAST_COLUMN, top + 1, words("LAST"), "muted", bold=True)
        self._paint_last(canvas, LAST_COLUMN, top + 2, 4)

    def _paint_total(self, canvas: Canvas, width: int, height: int) -> None:
        canvas.fill(0, 0, width, height, "sheet")
        x = canvas.put(3, 1, self.desk.words("TOTAL"), "muted", bold=True)
        canvas.put(x + 3, 1, self.desk.shop.currency, "muted", bold=True)
        unit, text = self.desk.figures(self.desk.entry.total_minor)
        draw_amount(
            canvas, 3, 3, width - 6, height - 6, unit=unit, text=text, ink="ink", align="right"
        )

    def _paint_items(self, canvas: Canvas, x: int, end: int, y: int, rows: int) -> None:
        entry = self.desk.entry
        lines = [(number, amount) for number, amount in enumerate(entry.items, start=1)]
        if entry.items and entry.typed_minor:
            lines.append((len(entry.items) + 1, entry.typed_minor))
        for row, (number, amount) in enumerate(lines[-rows:]):
            canvas.put(x, y + row, self.desk.words("Item {number}").format(number=number))
            canvas.put_right(end, y + row, self.desk.amount(amount))

    def _paint_last(self, canvas: Canvas, x: int, y: int, rows: int) -> None:
        for row, payment in enumerate(self.desk.view.recent[:rows]):
            state = state_mark(payment)
            canvas.put(x, y + row, clock_text(payment.created_ms), "muted")
            canvas.put_right(x + 17, y + row, self.desk.amount(payment.amount_minor), "muted")
            canvas.put(x + 20, y + row, state.sign, state.ink, bold=True)
            canvas.put(x + 22, y + row, self.desk.words(state.word), state.ink)

    def press(self, key: Key) -> bool:
        """Type the amount; Enter takes the payment."""
        entry, words = self.desk.entry, self.desk.words
        if key.digit:
            if not entry.type_digit(key.digit, self.desk.till.now()):
                self.desk.say(words("That was a scanner. Take payment first, then scan"))
        elif key.name == "enter":
            self.take_payment()
        elif key.name in ("backspace", "delete"):
            entry.delete_digit()
        elif key.name == "escape":
            entry.clear()
        elif key.character == "+":
            if not entry.add_item():
                self.desk.say(words("Type the amount first"))
        elif key.character == "-":
            if not entry.drop_item():
                self.desk.say(words("No item to take away"))
        elif key.character in (".", ","):
            digits = self.desk.shop.currency_digits
            sample = "1099"
            self.desk.say(
                words("No point needed: {keys} is {amount}").format(
                    keys=" ".join(sample), amount=plain_amount(int(sample), digits)
                )
            )
        else:
            return False
        return True

    def take_payment(self, *, with_code: bool = False) -> None:
        """Begin the sale that is on the tape."""
        if not self.desk.entry.total_minor:
            self.desk.say(self.desk.words("Type the amount first"))
            return
        self.desk.till.sale(self.desk.entry.total_minor)
        self.desk.wants_code = with_code
