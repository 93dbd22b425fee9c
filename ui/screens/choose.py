"""The customer chooses an application of the chip in the slot, or agrees to the only one."""

from __future__ import annotations

from collections.abc import Sequence

from terminal.messages import Message
from ui.locale import mark
from ui.screens.page import Key, Page
from ui.widgets.canvas import Canvas
from ui.widgets.chrome import Action
from ui.widgets.gauges import paint_countdown, paint_lights

SHOWN_MAX = 9
"""As many as there are digits; a card with more has the rest chosen by nobody."""


class ChoosePage(Page):
    """Names as the card gives them, each with its number."""

    name = "choose"

    @property
    def _choices(self) -> Sequence[str]:
        return self.desk.view.choices[:SHOWN_MAX]

    @property
    def _is_single(self) -> bool:
        return len(self.desk.view.choices) == 1

    def actions(self) -> Sequence[Action]:
        """Agree or choose; none of them; cancel the sale."""
        wish = (
            Action("Enter", mark("Customer agrees"), is_main=True)
            if self._is_single
            else Action("1-9", mark("Choose"), is_main=True)
        )
        return wish, Action("0", mark("None of them")), Action("Esc", mark("Cancel"))

    def press(self, key: Key) -> bool:
        """A digit chooses; Enter agrees to the only one."""
        till = self.desk.till
        if key.name == "escape":
            till.cancel()
        elif key.name == "enter" and self._is_single:
            till.choose(0)
        elif key.digit == "0":
            till.choose(None)
        elif key.digit and int(key.digit) <= len(self._choices):
            till.choose(int(key.digit) - 1)
        else:
            return False
        return True

    def paint(self, canvas: Canvas) -> None:
        """Draw lights, the question, the names, and the time left."""
        desk = self.desk
        below = 9 if desk.is_wide else 2
        panel = canvas.height - below
        canvas.fill(0, 0, canvas.width, panel, "sheet")
        paint_lights(canvas, 0, 1, canvas.width, 2)
        canvas.put_centred(0, 3, canvas.width, desk.words("Leave the card in"), bold=True)
        prompt = desk.message(desk.view.prompt or Message.CHOOSE_APPLICATION)
        canvas.put_centred(0, 5, canvas.width, prompt, "key", bold=True)
        if desk.payment:
            amount = desk.amount(desk.payment.amount_minor)
            canvas.put_centred(0, 6, canvas.width, amount, bold=True)
        widest = max((len(name) for name in self._choices), default=0)
        left = (canvas.width - widest - 4) // 2
        for number, name in enumerate(self._choices, start=1):
            row = 7 + number
            canvas.put(left, row, str(number), "key", bold=True)
            canvas.put(left + 4, row, name, bold=True, end=canvas.width - 2)
        paint_countdown(canvas, 0, canvas.height - 1, canvas.width, desk)
