"""Payments: the list, the search, one payment's detail, and what can be undone."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from rich.cells import cell_len

from terminal.errors import TillError
from terminal.states import State
from terminal.view import TAKING, Kind, PaymentView, StoryLine
from ui.desk import Desk
from ui.follow_ups import BY_LETTER, FOLLOW_UPS, FollowUp
from ui.locale import mark
from ui.money import date_text, day_text, short_identity, time_text
from ui.refusals import refusal_text
from ui.screens.follow_up import FollowUpPage
from ui.screens.page import Key, Page
from ui.screens.receipt import ReceiptPage, paint_paper
from ui.screens.story import StoryPage, paint_rows, rows_of
from ui.widgets.canvas import Canvas, cut
from ui.widgets.chrome import Action
from ui.wording import HIDDEN_CODES, KINDS, MEDIA, how_text, state_mark


class Tab(enum.IntEnum):
    """The faces of a payment."""

    SUMMARY = 0
    TRACE = 1
    RECEIPT = 2
    CARD = 3


TAB_LABELS = (mark("Summary"), mark("Trace"), mark("Receipt"), mark("Card"))
DETAIL_COLUMNS = 46
DETAIL_COLUMNS_MIN = 36
LIST_COLUMNS_MIN = 69
# Columns, from the list's left edge: number, time, amount's end, how.
_ROOMY = (1, 9, 31, 33)
_TIGHT = (1, 7, 27, 29)
ROOMY_COLUMNS = 70
STATE_COLUMNS = 13


class PaymentsPage(Page):
    """The list; on a wide screen the detail stands beside it."""

    name = "payments"

    def __init__(self, desk: Desk, *, is_searching: bool = False) -> None:
        """is_searching: begin in the search field."""
        super().__init__(desk)
        self._search = ""
        self._is_searching = is_searching
        self._is_open = False
        self._cursor = 0
        self._top = 0
        self._shown = 1
        self._tab = Tab.SUMMARY
        self._payments: Sequence[PaymentView] = ()
        self._story: tuple[str, Sequence[StoryLine]] | None = None
        """The payment whose card was told of last, so that it is read once."""
        self.refresh()

    def refresh(self) -> None:
        """Read the list again; the cursor stays on its payment."""
        current = self._current
        self._story = None
        self._payments = self.desk.till.payments(self._search)
        numbers = [payment.id for payment in self._payments]
        if current and current.id in numbers:
            self._cursor = numbers.index(current.id)
        self._cursor = min(self._cursor, max(0, len(self._payments) - 1))

    def open_detail(self, payment_id: str) -> None:
        """Put the cursor on a payment and open it, where it is in the list."""
        for row, payment in enumerate(self._payments):
            if payment.id == payment_id:
                self._cursor, self._is_open = row, True

    @property
    def _current(self) -> PaymentView | None:
        return self._payments[self._cursor] if self._payments else None

    def takes_text(self) -> bool:
        """True in the search field."""
        return self._is_searching

    def actions(self) -> Sequence[Action]:
        """What can be done with the payment under the cursor."""
        if self._is_searching:
            return (
                Action("Enter", mark("Search"), is_main=True),
                Action("Esc", mark("All payments")),
            )
        actions = [Action("Esc", mark("Back"), is_main=self._is_open)]
        if not self._is_open:
            actions.insert(0, Action("Enter", mark("Open"), is_main=True))
            actions.append(Action("/", mark("Search")))
        else:
            actions.append(Action("Tab", mark("Next tab")))
        current = self._current
        if current and self._shows(Tab.CARD):
            actions.append(Action("Enter", mark("Whole story")))
        if current and self._shows(Tab.RECEIPT):
            key = "Enter" if self.desk.shop.has_printer else "P"
            actions.append(Action(key, mark("Whole receipt")))
        if current and self.desk.shop.has_printer:
            actions.append(Action("P", mark("Print")))
        if current:
            actions += [
                Action(one.letter, one.action)
                for one in FOLLOW_UPS
                if one.may(current, self.desk.shop)
            ]
        return actions

    def press(self, key: Key) -> bool:
        """Move, open, search, or do something about a payment."""
        if self._is_searching:
            return self._press_search(key)
        steps = {"down": 1, "up": -1, "pagedown": self._shown, "pageup": -self._shown}
        current = self._current
        if key.name in steps:
            self._cursor = min(
                max(0, len(self._payments) - 1), max(0, self._cursor + steps[key.name])
            )
        elif key.name in ("home", "end"):
            self._cursor = 0 if key.name == "home" else max(0, len(self._payments) - 1)
        elif key.name == "escape":
            if self._is_open:
                self._is_open = False
            else:
                self.close_page()
        elif key.name == "enter" and current and self._is_open and self._shows(Tab.RECEIPT):
            self._open_receipt(current)
        elif key.name == "enter" and current and self._shows(Tab.CARD):
            self.open_page(StoryPage(self.desk, current))
        elif key.name == "enter":
            self._is_open = current is not None
        elif key.name in ("tab", "shift+tab"):
            self._is_open = current is not None
            step = 1 if key.name == "tab" else -1
            self._tab = Tab((self._tab + step) % len(Tab))
        elif key.character == "/":
            self._is_searching, self._is_open = True, False
        elif key.letter == "p" and current:
            if self.desk.shop.has_printer:
                self.desk.print_receipt(current)
            else:
                self._open_receipt(current)
        elif key.letter in BY_LETTER and current:
            self._follow_up(current, BY_LETTER[key.letter])
        else:
            return False
        return True

    def _press_search(self, key: Key) -> bool:
        if key.name == "enter":
            self._is_searching = False
        elif key.name == "escape":
            self._is_searching = False
            self._search = ""
        elif key.name == "backspace":
            self._search = self._search[:-1]
        elif key.character and key.character.isprintable():
            self._search = (self._search + key.character)[:40]
        else:
            return False
        self._cursor = 0
        self.refresh()
        return True

    def _shows(self, tab: Tab) -> bool:
        return self._tab is tab and (self._is_open or self.desk.is_wide)

    def _open_receipt(self, payment: PaymentView) -> None:
        # The tab beside the list is too low for most receipts; this page scrolls.
        self.open_page(ReceiptPage(self.desk, payment, is_copy=True))

    def _follow_up(self, payment: PaymentView, wanted: FollowUp) -> None:
        if wanted.may(payment, self.desk.shop):
            self.open_page(FollowUpPage(self.desk, payment, wanted))
        else:
            self.desk.say(self.desk.words(wanted.refusal), is_refusal=True)

    # --- drawing ------------------------------------------------------------

    def paint(self, canvas: Canvas) -> None:
        """Draw the list, the detail, or both."""
        if self.desk.is_wide:
            spare = canvas.width - LIST_COLUMNS_MIN - 1
            detail = max(DETAIL_COLUMNS_MIN, min(DETAIL_COLUMNS, spare))
            left = canvas.width - detail - 1
            self._paint_list(canvas.part(0, 0, left, canvas.height))
            self._paint_detail(canvas.part(left + 1, 0, detail, canvas.height), 2)
        elif self._is_open:
            self._paint_detail(canvas, 3)
        else:
            self._paint_list(canvas)

    def _paint_list(self, canvas: Canvas) -> None:
        words = self.desk.words
        canvas.fill(0, 0, canvas.width, canvas.height, "sheet")
        self._paint_title(canvas)
        left, right = 3, canvas.width - 3
        columns = _ROOMY if right - left >= ROOMY_COLUMNS else _TIGHT
        number, clock, amount_end, how = (left + column for column in columns)
        state = right - STATE_COLUMNS
        canvas.fill(left, 3, right - left, 1, "raise")
        for column, label in ((number, "No."), (clock, "Time"), (how, "How"), (state, "State")):
            canvas.put(column, 3, words(label), "muted", bold=True)
        canvas.put_right(amount_end, 3, words("Amount"), "muted", bold=True)
        self._shown = max(1, canvas.height - 5)
        self._top = min(max(self._top, self._cursor - self._shown + 1), self._cursor)
        if not self._payments:
            text = words("No payment matches") if self._search else words("No payment yet")
            canvas.put(number, 5, text, "muted")
        for row, payment in enumerate(self._payments[self._top :][: self._shown]):
            y = 4 + row
            is_current = self._top + row == self._cursor
            if is_current:
                canvas.fill(left, y, right - left, 1, "raise")
            canvas.put(number, y, f"{payment.number:04d}", bold=is_current)
            canvas.put(clock, y, time_text(payment.created_ms), bold=is_current)
            canvas.put_right(amount_end, y, self.desk.amount(payment.amount_minor), bold=is_current)
            text = cut(how_text(payment, words), state - how - 1)
            canvas.put(how, y, text, bold=is_current)
            shown = state_mark(payment)
            canvas.put(state, y, shown.sign, shown.ink, bold=True)
            canvas.put(state + 2, y, words(shown.word), shown.ink, bold=is_current, end=right)

    def _paint_title(self, canvas: Canvas) -> None:
        words = self.desk.words
        x = canvas.put(3, 1, words("PAYMENTS"), "muted", bold=True)
        if self._is_searching or self._search:
            x = canvas.put(x + 3, 1, "/", "key", bold=True)
            width = canvas.width - x - 12
            canvas.fill(x + 1, 1, width, 1, "raise")
            text = self._search
            while cell_len(text) > width - 2:
                text = text[1:]
            end = canvas.put(x + 1, 1, text, bold=True)
            if self._is_searching:
                canvas.put(end, 1, " ", "ground", paper="key")
            canvas.put_right(canvas.width - 3, 1, str(len(self._payments)), "muted", bold=True)
            return
        today = day_text(self.desk.till.wall_ms())
        of_today = [item for item in self._payments if day_text(item.created_ms) == today]
        x = canvas.put(x + 3, 1, today, "muted")
        x = canvas.put(x + 3, 1, str(len(of_today)), "muted")
        canvas.put(x + 3, 1, self.desk.amount(net_minor(of_today)), "muted")

    def _paint_detail(self, canvas: Canvas, margin: int) -> None:
        words = self.desk.words
        canvas.fill(0, 0, canvas.width, canvas.height, "sheet")
        x = margin
        for number, label in enumerate(TAB_LABELS):
            text = f" {words(label)} "
            if number == self._tab:
                x = canvas.put(x, 1, text, "ground", paper="key", bold=True)
            else:
                x = canvas.put(x, 1, text, "muted")
            x += 1
        payment = self._current
        if payment is None:
            return
        shown = state_mark(payment)
        x = canvas.put(margin, 3, f"{payment.number:04d}", bold=True)
        x = canvas.put(x + 3, 3, self.desk.amount(payment.amount_minor), bold=True)
        x = canvas.put(x + 3, 3, shown.sign, shown.ink, bold=True)
        canvas.put(x + 1, 3, words(shown.word), shown.ink, bold=True)
        part = canvas.part(margin, 5, canvas.width - 2 * margin, canvas.height - 6)
        try:
            if self._tab is Tab.SUMMARY:
                self._paint_summary(part, payment)
            elif self._tab is Tab.TRACE:
                self._paint_trace(part, payment)
            elif self._tab is Tab.CARD:
                self._paint_story(part, payment)
            else:
                lines = self.desk.till.receipt(payment.id)
                paint_paper(part, 0, 0, part.width, lines[: part.height])
        except TillError as error:
            text = refusal_text(str(error), words)
            canvas.put_wrapped(margin, 5, part.width, 3, text, "soft-no")

    def _paint_summary(self, canvas: Canvas, payment: PaymentView) -> None:
        for row, (label, value) in enumerate(summary(payment, self.desk)[: canvas.height]):
            canvas.put(0, row, self.desk.words(label), "muted")
            canvas.put(SUMMARY_COLUMN, row, cut(value, canvas.width - SUMMARY_COLUMN))

    def _paint_story(self, canvas: Canvas, payment: PaymentView) -> None:
        words = self.desk.words
        if self._story is None or self._story[0] != payment.id:
            self._story = payment.id, self.desk.till.story(payment.id)
        lines = self._story[1]
        if not lines:
            canvas.put_wrapped(0, 0, canvas.width, 2, words("No card was read"), "muted")
        paint_rows(canvas, 0, 0, rows_of(lines, words, canvas.width)[: canvas.height])

    def _paint_trace(self, canvas: Canvas, payment: PaymentView) -> None:
        lines = self.desk.till.trace(payment.id)
        # The end of a long story tells more than its beginning.
        for row, line in enumerate(lines[-canvas.height :]):
            is_first = row == 0 and len(lines) <= canvas.height
            stamp = (
                time_text(payment.created_ms) + f".{payment.created_ms % 1000:03d}"
                if is_first
                else f" {line.offset_ms / 1000:+.3f}"
            )
            canvas.put(0, row, stamp, "muted")
            text = cut(self.desk.words(line.text), canvas.width - TRACE_COLUMN)
            canvas.put(TRACE_COLUMN, row, text, "muted")


SUMMARY_COLUMN = 14
TRACE_COLUMN = 13

HEADINGS = (mark("No."), mark("Time"), mark("How"), mark("State"))


def net_minor(payments: Sequence[PaymentView]) -> int:
    """Return what these payments come to: money taken less money given back."""
    net = 0
    for payment in payments:
        if payment.state in (State.APPROVED, State.STORED):
            if payment.kind in TAKING:
                net += payment.amount_minor
            elif payment.kind is Kind.REFUND:
                net -= payment.amount_minor
    return net


def summary(payment: PaymentView, desk: Desk) -> list[tuple[str, str]]:
    """Return a payment's facts, label (English) and value; no card data but last four."""
    words = desk.words
    facts = [
        (mark("Kind"), words(KINDS[payment.kind])),
        (mark("Time"), date_text(payment.created_ms)),
        (mark("How"), how_text(payment, words)),
    ]
    if payment.medium:
        facts.append((mark("Medium"), words(MEDIA[payment.medium])))
    if payment.reason:
        facts.append((mark("Reason"), desk.message(payment.reason)))
    if payment.next_step:
        facts.append((mark("Next step"), desk.message(payment.next_step)))
    if payment.reversals_sent:
        sent = words("sent {count} times").format(count=payment.reversals_sent)
        facts.append((mark("Reversal"), sent))
    if payment.note:
        facts.append((mark("Settled by"), payment.settled_by))
        facts.append((mark("Note"), payment.note))
    if payment.held_minor:
        facts.append((mark("Held"), desk.amount(payment.held_minor)))
    if payment.expires_ms is not None and payment.state is State.APPROVED:
        facts.append((mark("Held until"), date_text(payment.expires_ms)))
    if payment.tip_minor:
        facts.append((mark("Tip"), desk.amount(payment.tip_minor)))
    if payment.refunded_minor:
        facts.append((mark("Refunded"), desk.amount(payment.refunded_minor)))
    if payment.response_code and payment.response_code not in HIDDEN_CODES:
        facts.append((mark("Bank code"), payment.response_code))
    if payment.authorisation:
        facts.append((mark("Authorisation"), payment.authorisation))
    if payment.bank_reference:
        facts.append((mark("Bank ref"), payment.bank_reference))
    if payment.application_label:
        facts.append((mark("Application"), payment.application_label))
    if payment.aid:
        facts.append(("AID", payment.aid))
    if payment.tvr:
        facts.append(("TVR", payment.tvr))
    if payment.ctq:
        facts.append(("CTQ", payment.ctq))
    facts.append((mark("Attempt"), short_identity(payment)))
    return facts
