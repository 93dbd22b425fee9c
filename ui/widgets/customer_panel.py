"""The customer's screen: amount, what to do, the code, the result. Two languages."""

from __future__ import annotations

from rich.cells import cell_len

from terminal.customer import CustomerView, Phase
from terminal.messages import TEXT
from ui.locale import mark, translate
from ui.money import plain_amount
from ui.screens.code import code_size, paint_code
from ui.widgets.canvas import Canvas
from ui.widgets.figures import best_size, draw_amount
from ui.widgets.gauges import LIGHTS_COLUMNS, paint_lights, pin_dots
from ui.widgets.lettering import draw_word, lines_of, sign_pixels

TEXTS = {
    Phase.IDLE: mark("Welcome"),
    Phase.PRESENT: mark("Present card, phone or code"),
    Phase.READING: mark("Reading. Hold still"),
    Phase.CODE: mark("Scan to pay"),
    Phase.CHOOSE: mark("Which one is to pay? Please tell the cashier"),
    Phase.PIN: mark("Please enter your PIN"),
    Phase.WAIT: mark("Please wait"),
    Phase.CONFIRM: mark("Confirm on your phone"),
    Phase.APPROVED: mark("Paid. Thank you"),
    Phase.ACCEPTED: mark("Accepted. Thank you"),
    Phase.SIGN: mark("Approved. Please sign"),
    Phase.REFUNDED: mark("The money goes back to you"),
    Phase.HELD: mark("Held by your bank, not charged. Thank you"),
    Phase.RELEASED: mark("Let go. Nothing was charged"),
    Phase.BALANCE: mark("Your balance"),
    Phase.DECLINED: mark("Declined. Another card or wallet, please"),
    Phase.NOT_PAID: mark("Not paid. Nothing was charged"),
    Phase.CHECKING: mark("One moment. The shop asks the bank"),
}

FIELDS = {
    Phase.APPROVED: ("ok", "ok-ink", "tick"),
    Phase.SIGN: ("ok", "ok-ink", "tick"),
    Phase.REFUNDED: ("ok", "ok-ink", "tick"),
    Phase.HELD: ("keep", "keep-ink", "tick"),
    Phase.RELEASED: ("ok", "ok-ink", "tick"),
    Phase.BALANCE: ("ok", "ok-ink", "tick"),
    Phase.DECLINED: ("no", "no-ink", "cross"),
    Phase.CHECKING: ("ask", "ask-ink", "question"),
}

TOO_LARGE = mark("The code is too large for this screen")

BESIDE_COLUMNS = 20
"""What words need right of a code."""

LIGHTS = {
    Phase.IDLE: 1,
    Phase.PRESENT: 1,
    Phase.READING: 2,
    Phase.CHOOSE: 2,
    Phase.PIN: 4,
    Phase.WAIT: 4,
}
WRONG_PIN = mark("Wrong PIN. Please enter it again")
LAST_TRY = mark("Last try. Please enter your PIN")
AGREE = mark("Pay with this? Please tell the cashier")


def both_texts(view: CustomerView) -> tuple[str, str]:
    """Return the sentence of a view in Chinese and in English."""
    english = _text(view)
    chinese = translate("zh")(english)
    if view.phase is Phase.IDLE:
        return view.welcome_zh or chinese, view.welcome or english
    return chinese, english


def _text(view: CustomerView) -> str:
    if view.prompt and view.phase in (Phase.PRESENT, Phase.READING):
        return TEXT[view.prompt]
    if view.phase is Phase.PIN and view.tries_left == 1:
        return LAST_TRY
    if view.phase is Phase.PIN and view.is_retry:
        return WRONG_PIN
    if view.phase is Phase.CHOOSE and len(view.choices) == 1:
        return AGREE
    return TEXTS[view.phase]


def paint_customer(canvas: Canvas, view: CustomerView, *, has_blocks: bool) -> None:
    """Draw the customer's side on the whole canvas."""
    field, ink, sign = FIELDS.get(view.phase, ("sheet", "ink", ""))
    canvas.fill(0, 0, canvas.width, canvas.height, field)
    width = canvas.width
    names = view.shop_zh if view.shop_zh == view.shop else f"{view.shop_zh}  {view.shop}"
    if cell_len(names) > width - 4:
        names = view.shop_zh
    canvas.put_centred(2, 1, width - 4, names, ink if sign else "muted")
    if view.code and has_blocks:
        columns, lines = code_size(view.code)
        if columns <= width and lines <= canvas.height - 9:
            _paint_code_above(canvas, view)
            return
        if columns + BESIDE_COLUMNS <= width and lines <= canvas.height - 3:
            _paint_code_beside(canvas, view)
            return
    row = 3
    if view.phase in LIGHTS and width >= LIGHTS_COLUMNS:
        paint_lights(canvas, 0, row, width, LIGHTS[view.phase])
        row += 3
    elif sign and has_blocks:
        pixels = sign_pixels(sign, is_large=False)
        canvas.bitmap((width - len(pixels[0])) // 2, row, pixels, ink)
        row += lines_of(pixels) + 1
    text_row = canvas.height - 6 - (2 if view.phase is Phase.PIN else len(view.choices))
    if view.amount_minor is not None:
        _paint_amount(canvas, view, 2, row, width - 4, text_row - row, ink)
    _paint_texts(canvas, view, text_row, ink)
    if view.phase is Phase.PIN:
        canvas.put_centred(2, text_row + 4, width - 4, pin_dots(view.pin_digits), ink, bold=True)
    for number, name in enumerate(view.choices, start=1):
        text = f"{number}  {name}" if len(view.choices) > 1 else name
        canvas.put_centred(2, text_row + 3 + number, width - 4, text, ink, bold=True)
    if view.code:
        text = translate("zh")(TOO_LARGE) + "  " + TOO_LARGE
        canvas.put_wrapped(2, canvas.height - 2, width - 4, 2, text, "soft-ask", centred=True)
    if view.phase is Phase.DECLINED and not has_blocks:
        draw_word(canvas, 2, row, "✗", ink, is_large=False, has_blocks=False)


def _paint_code_beside(canvas: Canvas, view: CustomerView) -> None:
    """On a low screen the words stand right of the code."""
    columns, lines = code_size(view.code)
    top = 2 + (canvas.height - 2 - lines) // 2
    paint_code(canvas, 1, top, view.code)
    part = canvas.part(columns + 2, 2, canvas.width - columns - 2, canvas.height - 2)
    _paint_amount(canvas, view, columns + 4, 4, part.width - 4, 7, "ink")
    _paint_texts(part, view, part.height // 2, "ink")
    row = part.height // 2 + 5
    brands = "  ".join(translate("zh")(brand) for brand in view.wallets)
    part.put_wrapped(2, row, part.width - 4, 3, brands, "muted", centred=True)


def _paint_code_above(canvas: Canvas, view: CustomerView) -> None:
    columns, lines = code_size(view.code)
    paint_code(canvas, (canvas.width - columns) // 2, 3, view.code)
    row = 3 + lines
    if view.amount_minor is not None:
        room = canvas.height - row - 5
        _paint_amount(canvas, view, 2, row, canvas.width - 4, max(1, room), "ink")
    _paint_texts(canvas, view, canvas.height - 5, "ink")
    brands = "  ".join(translate("zh")(brand) for brand in view.wallets)
    canvas.put_centred(2, canvas.height - 2, canvas.width - 4, brands, "muted")


def _paint_amount(
    canvas: Canvas, view: CustomerView, x: int, y: int, width: int, height: int, ink: str
) -> None:
    if view.amount_minor is None:
        return
    text = plain_amount(view.amount_minor, view.digits)
    unit = view.symbol or view.currency
    if best_size(text, width - cell_len(unit) - 1, height) is None:
        plain = f"{unit}{text}" if view.symbol else f"{unit} {text}"
        canvas.put_centred(x, y + height // 2, width, plain, ink, bold=True)
        return
    draw_amount(canvas, x, y, width, height, unit=unit, text=text, ink=ink)


def _paint_texts(canvas: Canvas, view: CustomerView, y: int, ink: str) -> None:
    first, second = both_texts(view)
    if view.language == "en":
        first, second = second, first
    width = canvas.width - 4
    row = canvas.put_wrapped(2, y, width, 2, first, ink, bold=True, centred=True)
    row = canvas.put_wrapped(2, row, width, 2, second, ink, centred=True)
    if view.left_s is not None and row < canvas.height:
        canvas.put_centred(2, row, width, f"{view.left_s} s", ink if ink != "ink" else "muted")
