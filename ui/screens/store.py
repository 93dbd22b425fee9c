"""What is kept here until the bank has it, and what somebody must settle."""

from __future__ import annotations

from collections.abc import Sequence

from terminal.states import State
from terminal.view import PaymentView
from ui.desk import Desk
from ui.locale import mark
from ui.money import date_text
from ui.screens.page import Key, Page
from ui.screens.people import FormPage
from ui.widgets.canvas import Canvas, cut
from ui.widgets.chrome import Action
from ui.widgets.form import Field
from ui.wording import how_text, state_mark

KINDS = (
    (State.DEFERRED, mark("Not yet approved, at the shop's risk")),
    (State.STORED, mark("Approved by the card")),
)
LIST_ROW = 9


class StorePage(Page):
    """The queue by its kinds, and below it the inbox."""

    name = "store"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._cursor = 0
        self._kept: Sequence[PaymentView] = ()
        self._inbox: Sequence[PaymentView] = ()
        self.refresh()

    def refresh(self) -> None:
        """Look into the journal again."""
        self._kept = self.desk.till.kept()
        self._inbox = self.desk.till.inbox()
        self._cursor = min(self._cursor, max(0, len(self._inbox) - 1))

    def actions(self) -> Sequence[Action]:
        """Settle what waits for a person, send what waits for the bank."""
        actions = [Action("Esc", mark("Back"), is_main=not self._inbox)]
        if self._inbox:
            actions.insert(0, Action("Enter", mark("Settle"), is_main=True))
        if self._kept:
            actions.append(Action("S", mark("Send now")))
            actions.append(Action("R", mark("Raise the limit")))
        return actions

    def press(self, key: Key) -> bool:
        """Move in the inbox, or do what the actions say."""
        offered = {action.key for action in self.actions()}
        if key.name in ("down", "up"):
            step = 1 if key.name == "down" else -1
            self._cursor = max(0, min(self._cursor + step, len(self._inbox) - 1))
        elif key.name == "enter" and self._inbox:
            self.open_page(SettlePage(self.desk, self._inbox[self._cursor]))
        elif key.letter == "s" and "S" in offered:
            self.desk.till.sync()
            self.desk.say(self.desk.words("Sending what is kept"))
        elif key.letter == "r" and "R" in offered:
            self.desk.till.raise_offline_limit()
            self.desk.say(self.desk.words("As much again may be kept, until all is sent"))
        elif key.name == "escape":
            self.close_page()
        else:
            return False
        return True

    def paint(self, canvas: Canvas) -> None:
        """Draw both lists."""
        canvas.fill(0, 0, canvas.width, canvas.height, "sheet")
        words = self.desk.words
        canvas.put(3, 1, words("KEPT HERE"), "muted", bold=True)
        for row, (state, label) in enumerate(KINDS, start=3):
            self._paint_kind(canvas, row, label, [p for p in self._kept if p.state is state])
        self._paint_limits(canvas, 3 + len(KINDS))
        canvas.put(3, LIST_ROW - 2, words("TO BE SETTLED BY A SUPERVISOR"), "muted", bold=True)
        if not self._inbox:
            canvas.put(3, LIST_ROW, words("Nothing"), "muted")
        rows = canvas.height - LIST_ROW - 1
        first = max(0, self._cursor - rows + 1)
        for row, payment in enumerate(self._inbox[first : first + rows], start=LIST_ROW):
            self._paint_line(canvas, row, payment, first + row - LIST_ROW == self._cursor)

    def _paint_kind(
        self, canvas: Canvas, row: int, label: str, payments: Sequence[PaymentView]
    ) -> None:
        words, desk = self.desk.words, self.desk
        canvas.put(3, row, words(label), bold=bool(payments))
        if not payments:
            canvas.put(42, row, words("none"), "muted")
            return
        canvas.put(42, row, str(len(payments)), "soft-keep", bold=True)
        total = desk.amount(sum(payment.amount_minor for payment in payments))
        canvas.put_right(57, row, total, bold=True)
        oldest_ms = min(payment.created_ms for payment in payments)
        age = desk.age_text(max(0.0, (desk.till.wall_ms() - oldest_ms) / 1000))
        canvas.put(59, row, words("oldest {age} ago").format(age=age), "muted")

    def _paint_limits(self, canvas: Canvas, row: int) -> None:
        shop = self.desk.shop
        if self._kept and shop.kept_sum_max_minor is not None:
            text = self.desk.words("At most {count} sales, {amount} together").format(
                count=shop.kept_max, amount=self.desk.amount(shop.kept_sum_max_minor)
            )
            canvas.put(3, row, text, "muted")

    def _paint_line(self, canvas: Canvas, row: int, payment: PaymentView, is_current: bool) -> None:
        if is_current:
            canvas.fill(3, row, canvas.width - 6, 1, "raise")
        shown = state_mark(payment)
        canvas.put(4, row, f"{payment.number:04d}", bold=is_current)
        canvas.put(10, row, date_text(payment.created_ms), "muted")
        canvas.put_right(40, row, self.desk.amount(payment.amount_minor), bold=True)
        text = cut(how_text(payment, self.desk.words), 20)
        canvas.put(42, row, text)
        canvas.put(63, row, shown.sign, shown.ink, bold=True)
        canvas.put(65, row, self.desk.words(shown.word), shown.ink)


class SettlePage(FormPage):
    """How somebody settled what the bank refused for good."""

    name = "settle"
    title = mark("SETTLE")
    submit_label = mark("Settled")

    def __init__(self, desk: Desk, payment: PaymentView) -> None:
        super().__init__(desk, (Field("note", mark("How it was settled")),))
        self._payment = payment

    def intro(self) -> str:
        """Say which payment, and what the bank refused."""
        payment, words = self._payment, self.desk.words
        number = words("No. {number}").format(number=f"{payment.number:04d}")
        amount = self.desk.amount(payment.amount_minor)
        told = self.desk.sentence(payment.reason) if payment.reason else ""
        return f"{number}   {amount}   {told}"

    def submit(self) -> None:
        """Write it down."""
        self.desk.till.settle(self._payment.id, self.form.texts["note"])
        self.close_page()
        self.desk.say(self.desk.words("Settled. A receipt says how"))
