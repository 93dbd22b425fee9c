"""What every screen has at hand: the door, the view, the words, the sale typed."""

from __future__ import annotations

from dataclasses import dataclass, field

from terminal.errors import TillError
from terminal.messages import TEXT, Message
from terminal.view import PaymentView, ShopFacts, View
from ui.door import Door
from ui.entry import Entry
from ui.locale import Words, translate
from ui.money import amount_text, plain_amount
from ui.refusals import refusal_text

WIDE_COLUMNS = 110
WIDE_ROWS = 34

PRINTER_TROUBLES = frozenset(
    {Message.NO_PAPER, Message.PRINTER_OPEN, Message.PRINTER_STUCK, Message.PRINTER_LOST}
)
"""Notices of a printer that prints nothing now; receipts wait."""

REMARK_S = 6.0
"""How long a passing remark keeps the notice row."""


@dataclass(slots=True)
class Remark:
    """One line about the last key, in the notice row."""

    text: str
    until: float
    is_refusal: bool


@dataclass(slots=True)
class Desk:
    """The cashier's side of the till. Screens read it; keys change it."""

    till: Door
    language: str = "en"
    theme: str = "dark"
    has_blocks: bool = True
    """False where half blocks are two columns wide."""
    entry: Entry = field(default_factory=Entry)
    remark: Remark | None = None
    wants_code: bool = False
    """F7 on the sale: the code is shown as soon as it may be."""
    is_wide: bool = False
    body_rows: int = 19
    """Rows a screen has between notices and actions."""
    view: View = field(init=False)
    stage_since: float = 0.0

    def __post_init__(self) -> None:
        self.view = self.till.view()
        self.stage_since = self.till.now()

    @property
    def shop(self) -> ShopFacts:
        """The shop's facts."""
        return self.till.shop

    @property
    def words(self) -> Words:
        """The words of the language chosen now."""
        return translate(self.language)

    @property
    def payment(self) -> PaymentView | None:
        """The payment in hand."""
        return self.view.payment

    def message(self, message: Message) -> str:
        """Return a message in the language chosen now."""
        return self.words(TEXT[message])

    def sentence(self, message: Message) -> str:
        """Return a message with its full stop."""
        return self.message(message) + self.stop

    @property
    def stop(self) -> str:
        """The full stop of the language."""
        return "。" if self.language == "zh" else "."

    def amount(self, amount_minor: int) -> str:
        """Return an amount with its sign."""
        return amount_text(amount_minor, self.shop)

    def figures(self, amount_minor: int) -> tuple[str, str]:
        """Return unit and digits, for the large figures."""
        unit = self.shop.currency_symbol or self.shop.currency
        return unit, plain_amount(amount_minor, self.shop.currency_digits)

    def seconds_left(self) -> int | None:
        """Return whole seconds until this stage ends by itself."""
        if self.view.deadline_at is None:
            return None
        return max(0, int(self.view.deadline_at - self.till.now() + 0.999))

    def share_left(self) -> float:
        """Return how much of the stage's time is left, 0 to 1."""
        if self.view.deadline_at is None:
            return 0.0
        whole = self.view.deadline_at - self.view.started_at
        left = self.view.deadline_at - self.till.now()
        return min(1.0, max(0.0, left / whole)) if whole > 0 else 0.0

    def fit(self, width: int, height: int) -> None:
        """Choose the layout for so many columns and rows of the till's own side."""
        self.is_wide = width >= WIDE_COLUMNS and height >= WIDE_ROWS
        self.body_rows = height - (6 if self.is_wide else 5)

    def say(self, text: str, *, is_refusal: bool = False) -> None:
        """Put a passing remark in the notice row."""
        self.remark = Remark(text, self.till.now() + REMARK_S, is_refusal)

    def refuse(self, error: TillError) -> None:
        """Tell the cashier what the till cannot do, and why."""
        self.say(refusal_text(str(error), self.words), is_refusal=True)

    def print_receipt(self, payment: PaymentView) -> None:
        """Have a receipt printed, and say so, or what keeps the printer from it."""
        self.till.print_receipt(payment.id)
        for notice in self.view.notices:
            if notice.message in PRINTER_TROUBLES:
                self.say(self.message(notice.message), is_refusal=True)
                return
        self.say(self.words("The receipt goes to the printer"))

    def standing_remark(self) -> Remark | None:
        """Return the remark that still stands."""
        if self.remark and self.till.now() >= self.remark.until:
            self.remark = None
        return self.remark

    def age_text(self, age_s: float) -> str:
        """Return an age in the largest whole unit, '11 min'."""
        words = self.words
        if age_s < 60:
            return words("{count} s").format(count=int(age_s))
        if age_s < 3600:
            return words("{count} min").format(count=int(age_s // 60))
        return words("{count} h").format(count=int(age_s // 3600))
