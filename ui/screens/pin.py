"""The customer enters a PIN: dots as the PIN pad counts them, never a digit."""

from __future__ import annotations

from collections.abc import Sequence

from terminal.messages import TEXT, Message
from terminal.view import View
from ui.locale import Words, mark
from ui.screens.page import Key, Page
from ui.widgets.canvas import Canvas
from ui.widgets.chrome import Action
from ui.widgets.figures import draw_amount
from ui.widgets.gauges import paint_countdown, paint_lights, pin_dots

ON_SCREEN = mark("TEST ONLY: type a test PIN here. A real PIN belongs on a PIN pad")
ON_PAD = mark("On the PIN pad. Look away, please")

LAST_TRY = mark("Last try")
TRIES_LEFT = mark("{count} tries left")

PAD_KEYS = {"enter": "enter", "backspace": "clear", "delete": "clear"}


class PinPage(Page):
    """While the PIN pad asks; in a simulated shop the keyboard can be that pad."""

    name = "pin"

    @property
    def _is_pad(self) -> bool:
        bench = self.desk.till.bench
        return bench is not None and bench.takes_pin

    def takes_text(self) -> bool:
        """No letter is a command while somebody types a PIN."""
        return self._is_pad

    def actions(self) -> Sequence[Action]:
        """Cancel; and the pad's own keys, where it is on this screen."""
        actions = [Action("Esc", mark("Cancel"), is_main=True)]
        if self._is_pad:
            actions += [
                Action("Enter", mark("PIN is complete")),
                Action("Backspace", mark("Clear")),
            ]
        return actions

    def press(self, key: Key) -> bool:
        """Esc cancels the sale; what else is typed goes straight into the pad."""
        if key.name == "escape":
            self.desk.till.cancel()
            return True
        bench = self.desk.till.bench
        wanted = key.digit or PAD_KEYS.get(key.name, "")
        if bench is None or not bench.takes_pin or not wanted:
            return False
        bench.press(wanted)
        return True

    def paint(self, canvas: Canvas) -> None:
        """Draw lights, amount, prompt, dots, and the time left."""
        desk = self.desk
        below = 9 if desk.is_wide else 5
        panel = canvas.height - below
        canvas.fill(0, 0, canvas.width, panel, "sheet")
        paint_lights(canvas, 0, 1, canvas.width, 4)
        if desk.view.card_stays:
            canvas.put_centred(0, 3, canvas.width, desk.words("Leave the card in"), bold=True)
        else:
            text = "✓ " + desk.words("Card may be removed")
            canvas.put_centred(0, 3, canvas.width, text, "live", bold=True)
        remark = tries_text(desk.view, desk.words)
        if desk.payment:
            room = panel - 9 - bool(remark)
            unit, text = desk.figures(desk.payment.amount_minor)
            draw_amount(canvas, 3, 5, canvas.width - 6, room, unit=unit, text=text, ink="ink")
        canvas.put_centred(0, panel - 4, canvas.width, remark, "soft-ask", bold=True)
        canvas.put_centred(
            0, panel - 3, canvas.width, desk.message(Message.ENTER_PIN), "key", bold=True
        )
        canvas.put_centred(0, panel - 2, canvas.width, pin_dots(desk.view.pin_digits), bold=True)
        row = panel + (3 if desk.is_wide else 1)
        where, ink = (ON_SCREEN, "soft-ask") if self._is_pad else (ON_PAD, "muted")
        canvas.put_centred(0, row, canvas.width, desk.words(where), ink, bold=self._is_pad)
        paint_countdown(canvas, 0, row + 2, canvas.width, desk)


def tries_text(view: View, words: Words) -> str:
    """Return what to say of the PIN before and of the tries left; '' for nothing to say."""
    said = [words(TEXT[view.hint])] if view.hint else []
    if view.tries_left == 1:
        said.append(words(LAST_TRY))
    elif view.tries_left is not None and view.hint:
        said.append(words(TRIES_LEFT).format(count=view.tries_left))
    return "   ".join(said)
