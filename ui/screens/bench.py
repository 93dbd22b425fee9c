"""The bench: what can be presented to a simulated shop, and what can go wrong in it."""

from __future__ import annotations

import string
from collections.abc import Sequence

from rich.cells import cell_len

from terminal.bench import Bench, Group
from terminal.view import Stage
from ui.desk import Desk
from ui.locale import mark
from ui.screens.page import Key, Page
from ui.widgets.canvas import Canvas, cut
from ui.widgets.chrome import Action

KEYS = "1234567890" + string.ascii_lowercase + string.ascii_uppercase
"""One for each offer of a group, in its order."""

GROUPS = {
    Group.CARD: mark("TAP"),
    Group.CHIP: mark("INSERT"),
    Group.PHONE: mark("PHONE"),
    Group.CODE: mark("CODE"),
    Group.FAULT: mark("FAULT"),
    Group.SEE: mark("SEE"),
}

GROUP_COLUMNS_MIN = 26
"""Columns a group needs to stand beside the others."""

TOP_ROWS = 2
FOOT_ROWS = 2


class BenchPage(Page):
    """The panel. A card, phone or code closes it, so that the sale is seen."""

    name = "bench"

    def __init__(self, desk: Desk, bench: Bench) -> None:
        """bench: the far ends of the wires."""
        super().__init__(desk)
        self._bench = bench
        self._offers = list(bench.offers())
        self._cursor = 0
        if desk.view.stage is Stage.CODE and Group.CODE in self._groups():
            self._cursor = self._groups()[Group.CODE][0]

    def actions(self) -> Sequence[Action]:
        """Do it, or go back."""
        return (
            Action("Enter", mark("Do it"), is_main=True),
            Action("1-Z", mark("By key")),
            Action("Tab", mark("Next group")),
            Action("Up/Down", mark("Choose")),
            Action("Esc", mark("Back")),
        )

    def takes_text(self) -> bool:
        """Every letter is an offer here."""
        return True

    def press(self, key: Key) -> bool:
        """Do what the key stands for."""
        steps = {"down": 1, "up": -1, "pagedown": 10, "pageup": -10}
        if key.name == "escape":
            self.close_page()
        elif key.name == "enter":
            self._do(self._cursor)
        elif key.name in steps:
            self._cursor = min(len(self._offers) - 1, max(0, self._cursor + steps[key.name]))
        elif key.name in ("tab", "right", "shift+tab", "left"):
            self._change_group(1 if key.name in ("tab", "right") else -1)
        elif key.character and key.character in KEYS:
            self._do_by_key(KEYS.index(key.character))
        else:
            return False
        return True

    def _change_group(self, step: int) -> None:
        groups = list(self._groups())
        if groups:
            current = groups.index(self._offers[self._cursor].group)
            self._cursor = self._groups()[groups[(current + step) % len(groups)]][0]

    def _do_by_key(self, place: int) -> None:
        numbers = self._groups()[self._offers[self._cursor].group]
        if place < len(numbers):
            self._do(numbers[place])
        else:
            self.desk.say(self.desk.words("The bench has nothing on this key"))

    def _do(self, number: int) -> None:
        offer = self._offers[number]
        self._cursor = number
        answer = self._bench.do(offer.id)
        what = offer.title_zh if self.desk.language == "zh" else offer.title
        if offer.group is Group.SEE:
            what = answer
        elif offer.group is Group.FAULT:
            self._offers = list(self._bench.offers())
            what += f" ({self.desk.words('ON')})" if self._offers[number].is_on else ""
        else:
            self.close_page()
        self.desk.say(self.desk.words("Bench: {what}").format(what=what))

    def _key_of(self, number: int) -> str:
        place = self._groups()[self._offers[number].group].index(number)
        return KEYS[place] if place < len(KEYS) else ">"

    def _groups(self) -> dict[Group, list[int]]:
        """Return the places of each group's offers, groups as they first appear."""
        groups: dict[Group, list[int]] = {}
        for number, offer in enumerate(self._offers):
            groups.setdefault(offer.group, []).append(number)
        return groups

    # --- drawing ------------------------------------------------------------

    def paint(self, canvas: Canvas) -> None:
        """Draw the offers by group, and what to expect of the one under the cursor."""
        canvas.fill(0, 0, canvas.width, canvas.height, "sheet")
        words = self.desk.words
        canvas.put(3, 0, words("BENCH: a simulation. No money moves."), "muted", bold=True)
        groups = self._groups()
        if not groups:
            return
        room = canvas.height - TOP_ROWS - FOOT_ROWS - 1
        width = (canvas.width - 6) // len(groups)
        if width >= GROUP_COLUMNS_MIN and max(map(len, groups.values())) <= room:
            for column, (group, numbers) in enumerate(groups.items()):
                x = 3 + column * width
                canvas.put(x, TOP_ROWS, words(GROUPS[group]), "muted", bold=True)
                self._paint_offers(canvas, x, TOP_ROWS + 1, width - 1, numbers)
        else:
            self._paint_tabs(canvas, groups)
        self._paint_expectation(canvas)

    def _paint_tabs(self, canvas: Canvas, groups: dict[Group, list[int]]) -> None:
        """Draw the group of the cursor in two columns, the others by name."""
        current = self._offers[self._cursor].group
        x = 3
        for group in groups:
            text = f" {self.desk.words(GROUPS[group])} "
            ink, paper = ("ground", "key") if group is current else ("muted", "sheet")
            x = canvas.put(x, TOP_ROWS, text, ink, paper=paper, bold=True) + 1
        top = TOP_ROWS + 2
        rows = canvas.height - top - FOOT_ROWS
        width = (canvas.width - 6) // 2
        numbers = groups[current]
        # A group that fills more than two columns is shown page by page.
        first = numbers.index(self._cursor) // (2 * rows) * 2 * rows
        for column in range(2):
            part = numbers[first + column * rows :][:rows]
            self._paint_offers(canvas, 3 + column * width, top, width - 2, part)

    def _paint_offers(
        self, canvas: Canvas, x: int, y: int, width: int, numbers: Sequence[int]
    ) -> None:
        for row, number in enumerate(numbers, start=y):
            offer = self._offers[number]
            is_current = number == self._cursor
            if is_current:
                canvas.fill(x, row, width, 1, "raise")
            if offer.group is self._offers[self._cursor].group:
                canvas.put(x, row, self._key_of(number), "key", bold=True)
            room = width - 2
            if offer.is_on:
                on = self.desk.words("ON")
                canvas.put_right(x + width, row, on, "soft-no", bold=True)
                room -= cell_len(on) + 1
            title = offer.title_zh if self.desk.language == "zh" else offer.title
            canvas.put(x + 2, row, cut(title, room), bold=is_current)

    def _paint_expectation(self, canvas: Canvas) -> None:
        offer = self._offers[self._cursor]
        is_chinese = self.desk.language == "zh"
        title = offer.title_zh if is_chinese else offer.title
        expect = offer.expect_zh if is_chinese else offer.expect
        end, row = canvas.width - 3, canvas.height - 1
        # The whole title: in its column it may have been shortened.
        title = cut(title, end - 3)
        text = self.desk.words("Expect: {what}").format(what=expect) if expect else ""
        x = 3 + cell_len(title) + 3
        if x + cell_len(text) <= end:
            canvas.put(x, row, text, "muted")
        else:
            row -= 1
            canvas.put_wrapped(3, row, end - 3, 2, f"{title} {text}", "muted")
        canvas.put(3, row, title, bold=True)
