"""Lights and countdowns: how far a payment has come, and how long it may take."""

from __future__ import annotations

from ui.desk import Desk
from ui.widgets.canvas import Canvas

LIGHT_COLUMNS = 8
LIGHT_GAP = 3
LIGHTS_COLUMNS = 4 * LIGHT_COLUMNS + 3 * LIGHT_GAP

PIN_DIGITS_MIN = 4

LIGHT_STEP_S = 0.125
"""While a card is read, the lights go on in turn this far apart (EMV Book A)."""


def paint_lights(canvas: Canvas, x: int, y: int, width: int, lit: int) -> None:
    """Draw four lights, two rows high, in the middle of a stretch of columns."""
    start = x + (width - LIGHTS_COLUMNS) // 2
    for number in range(4):
        ink = "live" if number < lit else "raise"
        left = start + number * (LIGHT_COLUMNS + LIGHT_GAP)
        canvas.fill(left + 1, y, LIGHT_COLUMNS - 2, 2, ink)
        for row, (first, last) in enumerate((("▟", "▙"), ("▜", "▛"))):
            canvas.put(left, y + row, first, ink)
            canvas.put(left + LIGHT_COLUMNS - 1, y + row, last, ink)


def pin_dots(digits: int) -> str:
    """Return a star for each digit of a PIN that stands on the pad, and the places still empty."""
    return "  ".join("*" * digits + "_" * (PIN_DIGITS_MIN - digits))


def reading_lights(elapsed_s: float) -> int:
    """Return how many lights are lit so long after the card was found."""
    return min(4, 1 + int(elapsed_s / LIGHT_STEP_S))


def paint_countdown(canvas: Canvas, x: int, y: int, width: int, desk: Desk) -> None:
    """Draw the time left as a bar and in seconds; nothing where there is no limit."""
    left = desk.seconds_left()
    if left is None:
        return
    share = desk.share_left()
    number = desk.words("{count} s").format(count=left)
    bar = width - 8
    canvas.fill(x, y, bar, 1, "raise")
    canvas.fill(x, y, round(bar * share), 1, "ask" if share <= 0.25 else "faint")
    canvas.put_right(x + width, y, number, bold=True)
