"""Money back: a refund with its amount, or a void of the whole sale."""

from __future__ import annotations

from collections.abc import Sequence

from terminal.view import PaymentView
from ui.desk import Desk
from ui.entry import DIGITS_MAX
from ui.locale import mark
from ui.money import date_text
from ui.screens.page import Key, Page
from ui.widgets.canvas import Canvas
from ui.widgets.chrome import Action
from ui.widgets.figures import draw_amount
from ui.wording import how_text


class RefundPage(Page):
    """The amount to give back, prefilled with what is left."""

    name = "refund"

    def __init__(self, desk: Desk, payment: PaymentView) -> None:
        """payment: the sale."""
        super().__init__(desk)
        self._payment = payment
        self._left_minor = payment.amount_minor - payment.refunded_minor
        self._digits = str(self._left_minor)
        self._is_prefilled = True

    @property
    def amount_minor(self) -> int:
        """The amount that Enter gives back."""
        return int(self._digits or "0")

    def actions(self) -> Sequence[Action]:
        """Confirm, correct, or go back."""
        return (
            Action("Enter", mark("Refund"), is_main=True),
            Action("Bksp", mark("Delete digit")),
            Action("Esc", mark("Back")),
        )

    def press(self, key: Key) -> bool:
        """Type the amount; the first digit replaces the prefilled one."""
        if key.digit:
            digits = "" if self._is_prefilled else self._digits
            self._digits = (digits + key.digit).lstrip("0")[:DIGITS_MAX]
            self._is_prefilled = False
        elif key.name in ("backspace", "delete"):
            self._digits = self._digits[:-1]
            self._is_prefilled = False
        elif key.name == "enter":
            self._refund()
        elif key.name == "escape":
            self.close_page()
        else:
            return False
        return True

    def _refund(self) -> None:
        words = self.desk.words
        if not self.amount_minor:
            self.desk.say(words("Type the amount first"))
        elif self.amount_minor > self._left_minor:
            left = self.desk.amount(self._left_minor)
            text = words("Only {amount} is left to refund").format(amount=left)
            self.desk.say(text, is_refusal=True)
        else:
            self.desk.till.refund(self._payment.id, self.amount_minor)

    def paint(self, canvas: Canvas) -> None:
        """Draw the sale, what is left, and the amount."""
        canvas.fill(0, 0, canvas.width, canvas.height, "sheet")
        words = self.desk.words
        canvas.put(3, 1, words("REFUND"), "muted", bold=True)
        row = paint_sale(canvas, 3, 3, self._payment, self.desk)
        text = words("Left to refund: {amount}").format(amount=self.desk.amount(self._left_minor))
        canvas.put(3, row, text, "muted")
        unit, text = self.desk.figures(self.amount_minor)
        draw_amount(
            canvas,
            3,
            row + 2,
            canvas.width - 6,
            min(9, canvas.height - row - 3),
            unit=unit,
            text=text,
            ink="ink",
            align="right",
        )


class VoidPage(Page):
    """One question: undo the whole sale?"""

    name = "void"

    def __init__(self, desk: Desk, payment: PaymentView) -> None:
        """payment: the sale."""
        super().__init__(desk)
        self._payment = payment

    def actions(self) -> Sequence[Action]:
        """Yes or no."""
        return (
            Action("Enter", mark("Void the sale"), is_main=True),
            Action("Esc", mark("Back")),
        )

    def press(self, key: Key) -> bool:
        """Enter voids."""
        if key.name == "escape":
            self.close_page()
        elif key.name == "enter":
            self.desk.till.void(self._payment.id)
        else:
            return False
        return True

    def paint(self, canvas: Canvas) -> None:
        """Draw the question and the sale."""
        canvas.fill(0, 0, canvas.width, canvas.height, "sheet")
        words = self.desk.words
        canvas.put(3, 1, words("VOID"), "muted", bold=True)
        row = paint_sale(canvas, 3, 3, self._payment, self.desk)
        canvas.put(3, row, words("Void this whole sale? The customer is not charged."), bold=True)
        unit, text = self.desk.figures(self._payment.amount_minor)
        height = min(9, canvas.height - row - 3)
        draw_amount(
            canvas,
            3,
            row + 2,
            canvas.width - 6,
            height,
            unit=unit,
            text=text,
            ink="ink",
            align="right",
        )


def paint_sale(canvas: Canvas, x: int, y: int, payment: PaymentView, desk: Desk) -> int:
    """Draw which sale it is; return the row after it."""
    canvas.put(x, y, f"{payment.number:04d}", bold=True)
    canvas.put(x + 7, y, date_text(payment.created_ms))
    canvas.put(x + 29, y, how_text(payment, desk.words))
    canvas.put(x + 7, y + 1, desk.amount(payment.amount_minor), bold=True)
    return y + 3
