"""Present card, phone or code: every way to pay is open at once."""

from __future__ import annotations

from collections.abc import Sequence

from terminal.messages import Message
from terminal.view import Readiness, Stage
from ui.locale import mark
from ui.screens.page import Key, Page
from ui.widgets.canvas import Canvas
from ui.widgets.chrome import Action
from ui.widgets.figures import draw_amount
from ui.widgets.gauges import paint_countdown, paint_lights, reading_lights
from ui.widgets.lettering import draw_word, fits_large, lines_of, word_pixels

# Prompts that are not an outcome and yet must be seen from the other side.
LARGE_WORDS = {
    Message.SEE_PHONE: mark("SEE PHONE"),
    Message.TAP_AGAIN: mark("TAP AGAIN"),
    Message.ONE_CARD_ONLY: mark("ONE CARD"),
}
LARGE_TEXTS = {
    Message.SEE_PHONE: mark("Customer: follow the phone, then tap again"),
    Message.TAP_AGAIN: mark("Tap again. Hold one second"),
    Message.ONE_CARD_ONLY: mark("Present one card only"),
}
LARGE_LIGHTS = {Message.SEE_PHONE: 2}

TILES = (
    (mark("Tap"), "tap"),
    (mark("Insert"), "insert"),
    (mark("Scan"), "scan"),
    (mark("Show code"), "show"),
)

TILE_STATES = {
    Readiness.READY: ("✓", mark("ready"), "live"),
    Readiness.STARTING: ("-", mark("starting"), "muted"),
    Readiness.OFF: ("-", mark("off"), "muted"),
    Readiness.FAULTY: ("!", mark("fault"), "soft-no"),
    Readiness.ABSENT: ("-", mark("not here"), "muted"),
}

CAMERA_HINTS = {
    Readiness.READY: mark("Code to camera: 10 to 20 cm, screen bright, hold still"),
    Readiness.STARTING: mark("Camera is starting"),
    Readiness.FAULTY: mark("Camera does not answer. Check its cable, or show a code"),
    Readiness.ABSENT: mark("No camera here: customer scans our code, F7"),
}


class PresentPage(Page):
    """From the amount to the medium; while a card is read too."""

    name = "present"

    def actions(self) -> Sequence[Action]:
        """Cancel, and the code where it may be shown."""
        actions = []
        if self.desk.view.cancellable:
            actions.append(Action("Esc", mark("Cancel"), is_main=True))
        if self.desk.view.show is Readiness.READY:
            actions.append(Action("F7", mark("Show code")))
        return actions

    def press(self, key: Key) -> bool:
        """Esc cancels; the till says why not."""
        if key.name != "escape":
            return False
        self.desk.till.cancel()
        return True

    @property
    def _is_reading(self) -> bool:
        return self.desk.view.stage is Stage.READING

    def lights(self) -> int:
        """Return how many lights are lit."""
        if self._is_reading:
            return reading_lights(self.desk.till.now() - self.desk.stage_since)
        prompt = self.desk.view.prompt
        return LARGE_LIGHTS.get(prompt, 1) if prompt else 1

    def paint(self, canvas: Canvas) -> None:
        """Draw lights, amount and prompt; the ways to pay; the time left."""
        prompt = self.desk.view.prompt
        if prompt and prompt in LARGE_WORDS:
            self._paint_large(canvas, prompt)
            return
        below = 10 if self.desk.is_wide else 6
        panel = canvas.height - below
        canvas.fill(0, 0, canvas.width, panel, "sheet")
        paint_lights(canvas, 0, 1, canvas.width, self.lights())
        words = self.desk.words
        ready = words("READING") if self._is_reading else words("READY")
        canvas.put_centred(0, 3, canvas.width, ready, "live", bold=True)
        self._paint_amount(canvas, 3, 5, canvas.width - 6, panel - 8)
        text = self.desk.message(prompt or Message.PRESENT)
        canvas.put_centred(0, panel - 2, canvas.width, text, bold=True)
        self._paint_tiles(canvas, panel + 1, 4 if self.desk.is_wide else 2)
        self._paint_hint(canvas, panel + (6 if self.desk.is_wide else 4))
        row = panel + (8 if self.desk.is_wide else 5)
        paint_countdown(canvas, 0, row, canvas.width, self.desk)

    def _paint_amount(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> None:
        if self.desk.payment is None:
            return
        unit, text = self.desk.figures(self.desk.payment.amount_minor)
        draw_amount(canvas, x, y, width, height, unit=unit, text=text, ink="ink")

    def _paint_tiles(self, canvas: Canvas, y: int, height: int) -> None:
        view = self.desk.view
        states = {"tap": view.tap, "insert": view.insert, "scan": view.scan, "show": view.show}
        width = (canvas.width - 3) // 4
        for number, (title, name) in enumerate(TILES):
            left = number * (width + 1)
            room = canvas.width - left if number == 3 else width
            canvas.fill(left, y, room, height, "sheet")
            sign, word, ink = TILE_STATES[states[name]]
            if name == "show" and states[name] is Readiness.READY:
                sign, word, ink = "›", mark("press F7"), "key"
            row = y + (height - 2) // 2
            end = left + room
            canvas.put(left + 2, row, self.desk.words(title), bold=True, end=end)
            canvas.put(left + 2, row + 1, sign, ink, bold=True, end=end)
            canvas.put(left + 4, row + 1, self.desk.words(word), ink, bold=True, end=end)

    def _paint_hint(self, canvas: Canvas, y: int) -> None:
        """Draw why the last card or code did not count, else how to hold a code."""
        hint = self.desk.view.hint
        if hint:
            canvas.put_centred(0, y, canvas.width, self.desk.message(hint), "soft-ask", bold=True)
            return
        text = CAMERA_HINTS.get(self.desk.view.scan)
        if text:
            canvas.put_centred(0, y, canvas.width, self.desk.words(text), "muted")

    def _paint_large(self, canvas: Canvas, prompt: Message) -> None:
        """Draw one instruction in large words."""
        words = self.desk.words
        canvas.fill(0, 0, canvas.width, canvas.height - 1, "sheet")
        paint_lights(canvas, 0, 1, canvas.width, self.lights())
        word = words(LARGE_WORDS[prompt])
        row = 4
        if self.desk.has_blocks:
            is_large = self.desk.is_wide and fits_large(word, canvas.width - 4)
            pixels = word_pixels(word, is_large)
            left = (canvas.width - len(pixels[0])) // 2
            draw_word(canvas, left, row, word, "key", is_large=is_large, has_blocks=True)
            row += lines_of(pixels) + 1
        else:
            canvas.put_centred(0, row, canvas.width, word, "key", bold=True)
            row += 2
        text = words(LARGE_TEXTS[prompt])
        canvas.put_centred(0, row, canvas.width, text, bold=True)
        if self.desk.payment:
            amount = self.desk.amount(self.desk.payment.amount_minor)
            canvas.put_centred(0, row + 1, canvas.width, amount, "key", bold=True)
        hint = self.desk.view.hint
        if hint and hint is not prompt:
            text = self.desk.message(hint)
            canvas.put_centred(0, row + 3, canvas.width, text, "soft-ask", bold=True)
        paint_countdown(canvas, 0, canvas.height - 1, canvas.width, self.desk)
