"""The bench: what can be presented to a simulated shop, and what can go wrong in it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from terminal.bench import Bench, Group, Offer
from ui.desk import Desk
from ui.locale import mark
from ui.screens.page import Key, Page
from ui.widgets.canvas import Canvas, cut
from ui.widgets.chrome import Action

KEYS = "1234567890abcdefghijklmnopqrstuvwxyz"
"""One for each offer, in its order. Those that come after are chosen by arrows."""

GROUPS = {
    Group.CARD: mark("CARD"),
    Group.PHONE: mark("PHONE"),
    Group.CODE: mark("CODE"),
    Group.FAULT: mark("FAULT"),
}
COLUMN_MIN = 34

Row = tuple[str, int | None]
"""A heading or an offer's title, and the offer's place."""

BLANK: Row = ("", None)


class BenchPage(Page):
    """The panel. A card, phone or code closes it, so that the sale is seen."""

    name = "bench"

    def __init__(self, desk: Desk, bench: Bench) -> None:
        """bench: the far ends of the wires."""
        super().__init__(desk)
        self._bench = bench
        self._offers = list(bench.offers())
        self._cursor = 0
        self._first = 0

    def actions(self) -> Sequence[Action]:
        """Do it, or go back."""
        return (
            Action("Enter", mark("Do it"), is_main=True),
            Action("1-9 a-z", mark("By key")),
            Action("Up/Down", mark("Choose")),
            Action("Esc", mark("Back")),
        )

    def takes_text(self) -> bool:
        """Every letter is an offer here."""
        return True

    def press(self, key: Key) -> bool:
        """Do what the key stands for."""
        steps = {"down": 1, "up": -1, "right": 10, "left": -10, "pagedown": 10, "pageup": -10}
        if key.name == "escape":
            self.close_page()
        elif key.name == "enter":
            self._do(self._cursor)
        elif key.name in steps:
            self._cursor = min(len(self._offers) - 1, max(0, self._cursor + steps[key.name]))
        elif key.character and key.character.lower() in KEYS:
            self._do(KEYS.index(key.character.lower()))
        else:
            return False
        return True

    def _do(self, number: int) -> None:
        if number >= len(self._offers):
            return
        offer = self._offers[number]
        self._cursor = number
        answer = self._bench.do(offer.id)
        title = offer.title_zh if self.desk.language == "zh" else answer
        self.desk.say(self.desk.words("Bench: {what}").format(what=title))
        if offer.group is Group.FAULT:
            self._offers = list(self._bench.offers())
        else:
            self.close_page()

    # --- drawing ------------------------------------------------------------

    def _blocks(self) -> list[list[Row]]:
        """Return each group's heading and offers, in the order of the offers."""
        blocks: list[list[Row]] = []
        group = None
        for number, offer in enumerate(self._offers):
            if offer.group is not group:
                blocks.append([(self.desk.words(GROUPS[offer.group]), None)])
                group = offer.group
            blocks[-1].append((self._title(offer), number))
        return blocks

    def _title(self, offer: Offer) -> str:
        return offer.title_zh if self.desk.language == "zh" else offer.title

    def paint(self, canvas: Canvas) -> None:
        """Draw the offers in columns, and what to expect of the one under the cursor."""
        canvas.fill(0, 0, canvas.width, canvas.height, "sheet")
        words = self.desk.words
        canvas.put(3, 0, words("BENCH: a simulation. No money moves."), "muted", bold=True)
        height = canvas.height - 4
        columns = max(1, (canvas.width - 6) // COLUMN_MIN)
        width = (canvas.width - 6) // columns
        pages = _columns(self._blocks(), columns, height)
        current = next(
            (page for page, rows in enumerate(pages) for _, n in rows if n == self._cursor), 0
        )
        if current >= self._first + columns:
            self._first = current - columns + 1
        self._first = min(self._first, current)
        for column, rows in enumerate(pages[self._first :][:columns]):
            self._paint_column(canvas, 3 + column * width, 2, width - 2, rows)
        if len(pages) > columns:
            more = f"{self._first + 1}-{min(len(pages), self._first + columns)}/{len(pages)}"
            canvas.put_right(canvas.width - 3, 0, more, "muted")
        self._paint_expectation(canvas)

    def _paint_column(
        self, canvas: Canvas, x: int, y: int, width: int, rows: Sequence[Row]
    ) -> None:
        for row, (text, number) in enumerate(rows):
            if number is None:
                canvas.put(x, y + row, text, "muted", bold=True)
                continue
            is_current = number == self._cursor
            if is_current:
                canvas.fill(x, y + row, width, 1, "raise")
            key = KEYS[number] if number < len(KEYS) else ">"
            canvas.put(x, y + row, key, "key", bold=True)
            room = width - 2
            if self._offers[number].is_on:
                on = self.desk.words("ON")
                canvas.put_right(x + width, y + row, on, "soft-no", bold=True)
                room -= cell_len(on) + 1
            canvas.put(x + 2, y + row, cut(text, room), bold=is_current)

    def _paint_expectation(self, canvas: Canvas) -> None:
        if not self._offers:
            return
        offer = self._offers[self._cursor]
        expect = offer.expect_zh if self.desk.language == "zh" else offer.expect
        if expect:
            text = self.desk.words("Expect: {what}").format(what=expect)
            canvas.put(3, canvas.height - 1, cut(text, canvas.width - 6), "muted")


def _columns(blocks: Sequence[list[Row]], columns: int, height: int) -> list[list[Row]]:
    """Lay groups out in columns: evenly where whole groups fit, else flowing on."""
    for limit in range(1, height + 1):
        packed: list[list[Row]] = []
        for block in blocks:
            if packed and len(packed[-1]) + 1 + len(block) <= limit:
                packed[-1] += [BLANK, *block]
            else:
                packed.append(list(block))
        if len(packed) <= columns and max(map(len, packed), default=0) <= limit:
            return packed
    flowing = [row for block in blocks for row in (*block, BLANK)]
    return [flowing[start : start + height] for start in range(0, len(flowing), height)]
