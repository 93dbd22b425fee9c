"""Our code, for the customer to scan: black on white in every theme."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from terminal.messages import Message
from ui.locale import mark
from ui.screens.page import Key, Page
from ui.tokens import CODE_BLACK, CODE_WHITE
from ui.widgets.canvas import Canvas
from ui.widgets.chrome import Action
from ui.widgets.figures import draw_amount
from ui.widgets.gauges import paint_countdown

# By whether the upper and the lower module of a cell are black.
MODULES = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}

QUIET_MODULES = 4
"""The empty border scanners need. Source: ISO/IEC 18004, 6.3.8."""


@lru_cache(maxsize=4)
def code_modules(text: str) -> tuple[tuple[bool, ...], ...]:
    """Return a QR code's modules, quiet zone included; True is black."""
    # Loaded when the first code is shown: the start does not wait for it.
    from qrcode.constants import ERROR_CORRECT_L
    from qrcode.main import QRCode

    code = QRCode(error_correction=ERROR_CORRECT_L, border=QUIET_MODULES)
    code.add_data(text)
    code.make(fit=True)
    return tuple(tuple(bool(module) for module in row) for row in code.get_matrix())


def code_size(text: str) -> tuple[int, int]:
    """Return the columns and lines a code takes."""
    modules = code_modules(text)
    return len(modules), (len(modules) + 1) // 2


def paint_code(canvas: Canvas, x: int, y: int, text: str) -> None:
    """Draw a code, two modules to a cell."""
    modules = code_modules(text)
    blank = (False,) * len(modules)
    for top in range(0, len(modules), 2):
        lower = modules[top + 1] if top + 1 < len(modules) else blank
        for column, (is_above, is_below) in enumerate(zip(modules[top], lower, strict=True)):
            glyph = MODULES[is_above, is_below]
            canvas.put(x + column, y + top // 2, glyph, CODE_BLACK, paper=CODE_WHITE)


class CodePage(Page):
    """While our code is open at the bank."""

    name = "code"

    def actions(self) -> Sequence[Action]:
        """Cancel, or ask the bank at once."""
        return (Action("Esc", mark("Cancel"), is_main=True), Action("C", mark("Check now")))

    def press(self, key: Key) -> bool:
        """Esc closes the code at the bank; C asks whether it was paid."""
        if key.name == "escape":
            self.desk.till.cancel()
        elif key.letter == "c":
            self.desk.till.check_now()
        else:
            return False
        return True

    def paint(self, canvas: Canvas) -> None:
        """Draw the code, the amount, and how long it is valid."""
        desk, words = self.desk, self.desk.words
        canvas.fill(0, 0, canvas.width, canvas.height, "sheet")
        code = desk.view.code
        x, y = (4, 2) if desk.is_wide else (0, 0)
        left = self._paint_code_or_why(canvas, x, y)
        end = canvas.width - (4 if desk.is_wide else 2)
        top = 3 if desk.is_wide else 1
        width = end - left
        canvas.put(left, top, desk.message(Message.CUSTOMER_SCANS), bold=True, end=end)
        comma = "、" if desk.language == "zh" else ", "
        brands = comma.join(words(brand) for brand in desk.shop.wallets)
        row = canvas.put_wrapped(left, top + 1, width, 3, brands, "muted")
        foot = canvas.height - (6 if desk.is_wide else 4)
        if desk.payment:
            unit, text = desk.figures(desk.payment.amount_minor)
            draw_amount(
                canvas, left, row, width, foot - row, unit=unit, text=text, ink="ink", align="right"
            )
        hint = desk.view.hint
        if hint:
            canvas.put(left, foot, desk.message(hint), "soft-ask", bold=True, end=end)
        else:
            canvas.put(left, foot, ">", "key", bold=True)
            waiting = words("waiting for payment") if code else words("asking the bank for a code")
            canvas.put(left + 2, foot, waiting, end=end)
        if desk.view.deadline_at is not None:
            canvas.put(left, foot + 1, words("valid for"), "muted")
            paint_countdown(canvas, left, foot + 2, width, desk)

    def _paint_code_or_why(self, canvas: Canvas, x: int, y: int) -> int:
        """Draw the code where it fits; return the column right of it."""
        desk, words = self.desk, self.desk.words
        code = desk.view.code
        if code is None:
            return 4
        columns, lines = code_size(code.text)
        fits = lines <= canvas.height - 2 * y and x + columns <= canvas.width - 30
        if desk.has_blocks and fits:
            paint_code(canvas, x, y, code.text)
            return x + columns + 2
        # Never smaller and never without its border: it would not scan.
        why = (
            words("This window is too small for the code. Enlarge it, or use the customer's screen")
            if desk.has_blocks
            else words("This terminal cannot draw the code. Use the customer's screen")
        )
        canvas.put_wrapped(3, canvas.height // 3, 26, 6, why, "soft-ask", bold=True)
        return 34
