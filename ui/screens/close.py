"""The close of day: the till's sums beside the bank's, and the lines that differ."""

from __future__ import annotations

from collections.abc import Sequence

from terminal.batch.batch import Batch, BatchState, Difference
from terminal.batch.totals import Row, RowName, rows_of
from ui.desk import Desk
from ui.locale import mark
from ui.screens.page import Key, Page
from ui.screens.people import FormPage
from ui.widgets.canvas import Canvas
from ui.widgets.chrome import Action
from ui.widgets.form import Field
from ui.wording import KINDS

ROWS = {
    RowName.CARDS: mark("Cards"),
    RowName.WALLETS: mark("Wallets"),
    RowName.TIPS: mark("Tips"),
    RowName.REFUNDS: mark("Refunds"),
    RowName.VOIDS: mark("Voids"),
    RowName.NET: mark("Net"),
}
# Columns at which the figures end, and where the word begins.
TILL_END, BANK_END, BY_END, WORD = 27, 41, 55, 60
FIRST_ROW = 5


class ClosePage(Page):
    """One batch: the open one, or one whose close has not come to its end."""

    name = "close"

    def __init__(self, desk: Desk) -> None:
        """Show what waits for a decision first, else the open batch, its totals asked for."""
        super().__init__(desk)
        self._number: int | None = next(
            (batch.number for batch in desk.view.batches if batch.state is BatchState.DIFFERS),
            None,
        )

    @property
    def batch(self) -> Batch | None:
        """The batch that is shown; None until the till has summed it up."""
        view = self.desk.view
        if self._number is None:
            return view.inquiry
        return next((each for each in view.batches if each.number == self._number), None)

    def actions(self) -> Sequence[Action]:
        """Close it, ask again, or decide."""
        batch = self.batch
        state = batch.state if batch else None
        back = Action("Esc", mark("Back"), is_main=state is BatchState.CLOSED)
        differences = Action("D", mark("Differences"))
        if state is BatchState.OPEN:
            actions = [Action("Enter", mark("Close the day"), is_main=True), differences, back]
        elif state is BatchState.DIFFERS:
            check = Action("Enter", mark("Ask again"), is_main=True)
            actions = [check, differences, Action("A", mark("Accept")), back]
        elif state in (BatchState.CLOSING, BatchState.COMPARING):
            actions = [Action("Enter", mark("Ask again"), is_main=True), back]
        else:
            actions = [back]
        if self.desk.view.batches:
            actions.append(Action("Tab", mark("Next batch")))
        return actions

    def press(self, key: Key) -> bool:
        """Do what the actions say."""
        batch = self.batch
        offered = {action.key for action in self.actions()}
        if key.name == "escape":
            self.close_page()
        elif key.name == "tab" and "Tab" in offered:
            self._next()
        elif key.name == "enter" and "Enter" in offered and batch is not None:
            self._go_on(batch)
        elif key.letter == "d" and "D" in offered and batch is not None:
            if batch.state is BatchState.OPEN:
                self.desk.till.day.compare_lines()
            self.open_page(DifferencesPage(self.desk, self))
        elif key.letter == "a" and "A" in offered and batch is not None:
            self.open_page(AcceptPage(self.desk, batch.number))
        else:
            return False
        return True

    def _go_on(self, batch: Batch) -> None:
        day = self.desk.till.day
        if batch.state is BatchState.OPEN:
            self._number = day.close()
        else:
            day.check(batch.number)

    def _next(self) -> None:
        """Show the next of: the open batch, and those that are not done with."""
        numbers = [None, *(batch.number for batch in self.desk.view.batches)]
        place = numbers.index(self._number) if self._number in numbers else 0
        self._number = numbers[(place + 1) % len(numbers)]
        if self._number is None and self.desk.view.inquiry is None:
            self.desk.till.day.ask_totals()

    def paint(self, canvas: Canvas) -> None:
        """Draw the rows, and below them what to do."""
        canvas.fill(0, 0, canvas.width, canvas.height, "sheet")
        words, batch = self.desk.words, self.batch
        x = canvas.put(3, 1, words("CLOSE OF DAY"), "muted", bold=True)
        if batch is None:
            canvas.put(3, 3, words("Summing up"), "muted")
            return
        x = canvas.put(x + 3, 1, batch.day[5:], "muted")
        canvas.put(x + 3, 1, f"#{batch.number}", "muted")
        for end, label in (
            (TILL_END, mark("Till")),
            (BANK_END, mark("Bank")),
            (BY_END, mark("Difference")),
        ):
            canvas.put_right(end, 3, words(label), "muted")
        rows = rows_of(batch, self.desk.shop.currency)
        for place, row in enumerate(rows):
            is_net = row.name is RowName.NET
            self._paint_row(canvas, FIRST_ROW + place + is_net, row, is_bold=is_net)
        self._paint_standing(canvas, FIRST_ROW + len(rows) + 2, batch)

    def _paint_row(self, canvas: Canvas, y: int, row: Row, *, is_bold: bool) -> None:
        desk, words = self.desk, self.desk.words
        ink = "ink" if is_bold else "muted"
        canvas.put(3, y, words(ROWS[row.name]), ink, bold=is_bold)
        canvas.put_right(TILL_END, y, desk.amount(row.till_minor), bold=is_bold)
        by = row.difference_minor
        if row.bank_minor is None or by is None:
            canvas.put_right(BANK_END, y, "-", "muted")
            return
        canvas.put_right(BANK_END, y, desk.amount(row.bank_minor), bold=is_bold)
        canvas.put_right(BY_END, y, desk.figures(by)[1], bold=is_bold)
        sign, word, mood = _verdict(by)
        canvas.put(WORD, y, sign, mood)
        canvas.put(WORD + 2, y, words(word), mood, bold=bool(by))

    def _paint_standing(self, canvas: Canvas, y: int, batch: Batch) -> None:
        """Say how the batch stands, and what keeps it from its close."""
        sign, ink, text = standing(batch, self.desk)
        canvas.put(3, y, sign, ink, bold=True)
        canvas.put_wrapped(5, y, canvas.width - 8, canvas.height - y, text)


def standing(batch: Batch, desk: Desk) -> tuple[str, str, str]:
    """Return sign, ink and sentence of how a batch stands."""
    words, held = desk.words, desk.view.open_count
    if batch.state is BatchState.OPEN:
        if held:
            text = words("Payments not at their end: {count}. The close waits for them.")
            return "?", "soft-ask", text.format(count=held)
        if batch.bank is None:
            return "-", "muted", words("The bank has not answered yet.")
        return "-", "muted", words("Enter closes the day. The next payment begins another batch.")
    if batch.state is BatchState.DIFFERS:
        count = len(batch.differences or ())
        text = words("Lines that differ: {count}. Ask again once mended, or accept it.")
        return "✗", "soft-no", text.format(count=count)
    if batch.state is BatchState.CLOSED and batch.accepted_by:
        text = words("Closed. {name} accepted the difference: {note}")
        return "✓", "live", text.format(name=batch.accepted_by, note=batch.note)
    if batch.state is BatchState.CLOSED:
        return "✓", "live", words("Closed. The bank has the same.")
    return "?", "soft-ask", words("Sent. No answer yet: the till asks again by itself.")


class DifferencesPage(Page):
    """The lines that both sides do not have alike."""

    name = "differences"

    def __init__(self, desk: Desk, close: ClosePage) -> None:
        """close: the page that shows the batch."""
        super().__init__(desk)
        self._close = close
        self._top = 0

    def actions(self) -> Sequence[Action]:
        """Nothing is decided here."""
        return (Action("Esc", mark("Back"), is_main=True),)

    def press(self, key: Key) -> bool:
        """Scroll, or go back."""
        if key.name == "escape":
            self.close_page()
        elif key.name in ("down", "up"):
            step = 1 if key.name == "down" else -1
            batch = self._close.batch
            last = len((batch and batch.differences) or ()) - 1
            self._top = max(0, min(self._top + step, last))
        else:
            return False
        return True

    def paint(self, canvas: Canvas) -> None:
        """Draw a row for each line that differs."""
        canvas.fill(0, 0, canvas.width, canvas.height, "sheet")
        words, batch = self.desk.words, self._close.batch
        canvas.put(3, 1, words("DIFFERENCES"), "muted", bold=True)
        if batch is None or batch.differences is None:
            canvas.put(3, 3, words("Comparing line by line"), "muted")
            return
        if not batch.differences:
            canvas.put(3, 3, words("No line differs"), "muted")
            return
        canvas.put_right(BANK_END, 3, words(mark("Till")), "muted")
        canvas.put_right(BY_END, 3, words("Bank"), "muted")
        rows = canvas.height - FIRST_ROW - 1
        for y, one in enumerate(batch.differences[self._top : self._top + rows], start=FIRST_ROW):
            self._paint_line(canvas, y, one)

    def _paint_line(self, canvas: Canvas, y: int, one: Difference) -> None:
        words = self.desk.words
        line = one.till or one.bank
        if line is None:
            return
        canvas.put(3, y, f"{line.number:04d}", bold=True)
        canvas.put(10, y, words(KINDS[line.kind]))
        for end, side in ((BANK_END, one.till), (BY_END, one.bank)):
            text = words("none") if side is None else self.desk.amount(side.amount_minor)
            canvas.put_right(end, y, text, "muted" if side is None else "ink")
        canvas.put(WORD, y, line.brand, "muted", end=canvas.width - 3)


class AcceptPage(FormPage):
    """Why a batch is taken as the bank has it."""

    name = "accept"
    title = mark("ACCEPT THE DIFFERENCE")
    submit_label = mark("Accept")

    def __init__(self, desk: Desk, number: int) -> None:
        super().__init__(desk, (Field("note", mark("Why")),))
        self._number = number

    def intro(self) -> str:
        """Say what it means."""
        return self.desk.words("The bank closes the batch with what it has itself.")

    def submit(self) -> None:
        """Tell the till."""
        self.desk.till.day.accept(self._number, self.form.texts["note"])
        self.close_page()


def _verdict(by_minor: int) -> tuple[str, str, str]:
    """Return sign, word and ink for a difference."""
    if by_minor:
        return "✗", mark("differs"), "soft-no"
    return "✓", mark("agrees"), "live"
