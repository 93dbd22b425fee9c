"""What follows an earlier payment: its amount typed, or one question, then done."""

from __future__ import annotations

from collections.abc import Sequence

from terminal.view import PaymentView
from ui.desk import Desk
from ui.entry import DIGITS_MAX
from ui.follow_ups import REFUND, FollowUp
from ui.locale import mark
from ui.money import date_text
from ui.screens.page import Key, Page
from ui.widgets.canvas import Canvas
from ui.widgets.chrome import Action
from ui.widgets.figures import draw_amount
from ui.wording import how_text


class FollowUpPage(Page):
    """The earlier payment, and the amount: a choice, or all there is."""

    name = "follow-up"

    def __init__(self, desk: Desk, payment: PaymentView, follow_up: FollowUp) -> None:
        """payment: the earlier one."""
        super().__init__(desk)
        self._payment = payment
        self._follow_up = follow_up
        whole = follow_up.whole_minor
        self._whole_minor = 0 if whole is None else whole(payment)
        self._digits = str(self._whole_minor or "")
        self._is_prefilled = True

    @property
    def amount_minor(self) -> int:
        """The amount that Enter stands for."""
        return int(self._digits or "0")

    def actions(self) -> Sequence[Action]:
        """Confirm, correct, or go back."""
        main = Action("Enter", self._follow_up.action, is_main=True)
        back = Action("Esc", mark("Back"))
        if self._follow_up.sentence:
            return main, back
        return main, Action("Bksp", mark("Delete digit")), back

    def press(self, key: Key) -> bool:
        """Type the amount; the first digit replaces the prefilled one."""
        is_typed = not self._follow_up.sentence
        if key.digit and is_typed:
            digits = "" if self._is_prefilled else self._digits
            self._digits = (digits + key.digit).lstrip("0")[:DIGITS_MAX]
            self._is_prefilled = False
        elif key.name in ("backspace", "delete") and is_typed:
            self._digits = self._digits[:-1]
            self._is_prefilled = False
        elif key.name == "enter":
            self._confirm()
        elif key.name == "escape":
            self.close_page()
        else:
            return False
        return True

    def _confirm(self) -> None:
        words = self.desk.words
        if not self.amount_minor:
            self.desk.say(words("Type the amount first"))
        elif self._follow_up is REFUND and self.amount_minor > self._whole_minor:
            left = self.desk.amount(self._whole_minor)
            text = words("Only {amount} is left to refund").format(amount=left)
            self.desk.say(text, is_refusal=True)
        else:
            self._follow_up.begin(self.desk.till, self._payment, self.amount_minor)

    def paint(self, canvas: Canvas) -> None:
        """Draw the earlier payment, what is asked, and the amount."""
        canvas.fill(0, 0, canvas.width, canvas.height, "sheet")
        words, follow_up = self.desk.words, self._follow_up
        canvas.put(3, 1, words(follow_up.title), "muted", bold=True)
        row = _paint_payment(canvas, 3, 3, self._payment, self.desk)
        if follow_up.sentence:
            canvas.put(3, row, words(follow_up.sentence), bold=True)
        elif follow_up.whole:
            text = words(follow_up.whole).format(amount=self.desk.amount(self._whole_minor))
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


def _paint_payment(canvas: Canvas, x: int, y: int, payment: PaymentView, desk: Desk) -> int:
    """Draw which payment it is; return the row after it."""
    canvas.put(x, y, f"{payment.number:04d}", bold=True)
    canvas.put(x + 7, y, date_text(payment.created_ms))
    canvas.put(x + 29, y, how_text(payment, desk.words))
    canvas.put(x + 7, y + 1, desk.amount(payment.amount_minor), bold=True)
    return y + 3
