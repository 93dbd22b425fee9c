"""From the sent request to its answer: nothing for the cashier to do but wait."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from terminal.messages import Message
from terminal.view import PRESENTED, Kind, Medium, Stage, Step
from ui.locale import mark
from ui.screens.page import Key, Page
from ui.widgets.canvas import Canvas
from ui.widgets.chrome import Action
from ui.widgets.figures import draw_amount
from ui.widgets.gauges import paint_countdown, paint_lights

STEPS = (
    (Step.READ, mark("Read")),
    (Step.WRITTEN, mark("Written down")),
    (Step.SENT, mark("Sent")),
    (Step.ANSWERED, mark("Answer")),
)

STEP_GAP = 6

LINES = {
    Stage.PROCESSING: (mark("Authorising"), mark("Please wait. Do not switch off.")),
    Stage.PAYER: (
        mark("Customer confirms on the phone"),
        mark("The bank waits for the customer's yes."),
    ),
    Stage.CLOSING: (
        mark("Closing the code at the bank. Please wait"),
        mark("It may still be paid: no other card or code until then."),
    ),
}
REFUNDING = mark("Giving money back")
VOIDING = mark("Voiding the sale")


class ProcessingPage(Page):
    """Authorising; waiting for a payer's yes; closing a code."""

    name = "processing"

    def actions(self) -> Sequence[Action]:
        """Only what can still be done."""
        actions = []
        if self.desk.view.cancellable:
            actions.append(Action("Esc", mark("Cancel"), is_main=True))
        if self.desk.view.stage is Stage.PAYER:
            actions.append(Action("C", mark("Check now")))
        return actions

    def press(self, key: Key) -> bool:
        """Esc asks to cancel; when it is too late the till says so."""
        if key.name == "escape":
            self.desk.till.cancel()
        elif key.letter == "c" and self.desk.view.stage is Stage.PAYER:
            self.desk.till.check_now()
        else:
            return False
        return True

    def paint(self, canvas: Canvas) -> None:
        """Draw lights, amount, what is being done, and the steps behind and ahead."""
        desk, view = self.desk, self.desk.view
        below = 9 if desk.is_wide else 5
        panel = canvas.height - below
        canvas.fill(0, 0, canvas.width, panel, "sheet")
        payment = desk.payment
        is_card = payment is not None and payment.medium in (Medium.CARD, Medium.PHONE)
        is_presented = payment is None or payment.kind in PRESENTED
        if is_presented:
            paint_lights(canvas, 0, 1, canvas.width, 4)
        if payment is not None and payment.medium is Medium.CHIP:
            canvas.put_centred(0, 3, canvas.width, desk.words("Leave the card in"), bold=True)
        if is_card and view.step >= Step.READ and is_presented:
            text = "✓ " + desk.words("Card may be removed")
            canvas.put_centred(0, 3, canvas.width, text, "live", bold=True)
        if payment:
            unit, text = desk.figures(payment.amount_minor)
            room = canvas.width - 6
            draw_amount(canvas, 3, 5, room, panel - 9, unit=unit, text=text, ink="ink")
        first, second = LINES.get(view.stage, LINES[Stage.PROCESSING])
        if payment and view.stage is Stage.PROCESSING:
            first = {Kind.REFUND: REFUNDING, Kind.VOID: VOIDING}.get(payment.kind, first)
        canvas.put_centred(0, panel - 3, canvas.width, desk.words(first), bold=True)
        canvas.put_centred(0, panel - 2, canvas.width, desk.words(second), "muted")
        step_row = panel + (3 if desk.is_wide else 1)
        self._paint_steps(canvas, step_row, STEPS if is_presented else STEPS[1:])
        paint_countdown(canvas, 0, step_row + 2, canvas.width, desk)
        if not view.cancellable and view.stage is Stage.PROCESSING:
            text = desk.message(Message.ALREADY_SENT)
            canvas.put_centred(0, step_row + 3, canvas.width, text, "muted")

    def _paint_steps(self, canvas: Canvas, y: int, steps: Sequence[tuple[Step, str]]) -> None:
        """Draw the steps in the middle: done, under way, ahead."""
        labels = [self.desk.words(label) for _, label in steps]
        width = sum(2 + cell_len(label) for label in labels) + STEP_GAP * (len(labels) - 1)
        x = (canvas.width - width) // 2
        reached = self.desk.view.step
        for (step, _), label in zip(steps, labels, strict=True):
            if step <= reached:
                canvas.put(x, y, "✓", "live", bold=True)
                x = canvas.put(x + 2, y, label)
            elif step == reached + 1:
                canvas.put(x, y, ">", "key", bold=True)
                x = canvas.put(x + 2, y, label, bold=True)
            else:
                x = canvas.put(x + 2, y, label, "muted")
            x += STEP_GAP
