"""The doctor: what works here, what does not, and the step that mends it."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence

from terminal.doctor.lines import GROUP_TITLES, LEVEL_WORDS, SIGNS, Line
from terminal.doctor.surroundings import Screen
from terminal.doctor.wording import WORDING, Level
from ui.desk import Desk
from ui.locale import mark
from ui.refusals import refusal_text
from ui.screens.page import Key, Page
from ui.widgets.canvas import Canvas, cut, wrap
from ui.widgets.chrome import Action

log = logging.getLogger(__name__)

INKS = {Level.OK: "live", Level.WARNING: "soft-ask", Level.FAULT: "soft-no"}
FACTS = (
    mark("bench"),
    mark("live"),
    mark("keyboard"),
    mark("PC/SC readers"),
    mark("NFC readers of nfcpy"),
    mark("the simulated bank"),
)
SUBJECTS = (
    mark("link"),
    mark("clock"),
    mark("keys"),
    mark("certificate"),
    mark("database"),
    mark("journal"),
    mark("folder"),
    mark("disk"),
    mark("terminal"),
    mark("size"),
    mark("text"),
    mark("colours"),
    mark("blocks"),
    mark("libraries"),
)
"""Words that the doctor's lines bring with them."""

DETAIL_ROWS = 8
TOP_ROWS = 2
GROUP_X, SIGN_X, SUBJECT_X, TEXT_X = 3, 15, 24, 42


class DoctorPage(Page):
    """Lines as they are found; below them, the one under the cursor in full."""

    name = "doctor"

    def __init__(self, desk: Desk, screen: Screen, changed: Callable[[], None]) -> None:
        """changed: called from another thread when there is something new to draw."""
        super().__init__(desk)
        self._screen = screen
        self._changed = changed
        self._lines: list[Line] = []
        self.is_done = False
        self._broke_off = ""
        self._cursor: int | None = None
        """None until a key moves it: then the gravest line is in full."""

    def begin(self) -> None:
        """Start the examination beside the screen; a silent bank may take its time."""
        self._lines.clear()
        self.is_done, self._broke_off, self._cursor = False, "", None
        threading.Thread(target=self._examine, name="doctor", daemon=True).start()

    def _examine(self) -> None:
        try:
            for line in self.desk.till.examine(self._screen):
                self._lines.append(line)
                self._changed()
        except Exception as error:
            # The screen's edge: whatever it is, the till goes on.
            log.exception("the doctor broke off")
            self._broke_off = str(error)
        self.is_done = True
        self._changed()

    def actions(self) -> Sequence[Action]:
        """Back, look again, move."""
        return (
            Action("Esc", mark("Back"), is_main=True),
            Action("Enter", mark("Look again")),
            Action("Up/Down", mark("Choose")),
        )

    def press(self, key: Key) -> bool:
        """Move, look again, or go back."""
        steps = {"down": 1, "up": -1, "pagedown": 8, "pageup": -8}
        if key.name == "escape":
            self.close_page()
        elif key.name == "enter":
            if self.is_done:
                self.begin()
        elif key.name in steps:
            wanted = self._current(self._lines) + steps[key.name]
            self._cursor = max(0, min(len(self._lines) - 1, wanted))
        else:
            return False
        return True

    def _current(self, lines: Sequence[Line]) -> int:
        if self._cursor is not None:
            return self._cursor
        for level in (Level.FAULT, Level.WARNING):
            for number, line in enumerate(lines):
                if line.level is level:
                    return number
        return 0

    # --- drawing ------------------------------------------------------------

    def paint(self, canvas: Canvas) -> None:
        """Draw the list, and one line in full below it."""
        canvas.fill(0, 0, canvas.width, canvas.height, "sheet")
        words = self.desk.words
        canvas.put(3, 0, words("DOCTOR"), "muted", bold=True)
        # Another thread adds lines; one picture shows one state.
        lines = tuple(self._lines)
        canvas.put_right(canvas.width - 3, 0, self._summary(lines), "muted")
        if not lines:
            return
        current = self._current(lines)
        rows = canvas.height - TOP_ROWS - DETAIL_ROWS - 1
        top = max(0, min(current - rows // 2, len(lines) - rows))
        for row, number in enumerate(range(top, min(len(lines), top + rows))):
            is_first = row == 0 or lines[number].group is not lines[number - 1].group
            self._paint_line(
                canvas, TOP_ROWS + row, lines[number], is_first=is_first, is_on=number == current
            )
        self._paint_detail(canvas, canvas.height - DETAIL_ROWS, lines[current])

    def _summary(self, lines: Sequence[Line]) -> str:
        words = self.desk.words
        if self._broke_off:
            return words("Broken off: {why}").format(why=self._broke_off)
        if not self.is_done:
            return words("Looking ...")
        faults = sum(line.level is Level.FAULT for line in lines)
        if faults:
            return words("Does not work: {count}").format(count=faults)
        return words("Everything works")

    def _paint_line(
        self, canvas: Canvas, y: int, line: Line, *, is_first: bool, is_on: bool
    ) -> None:
        words = self.desk.words
        if is_on:
            canvas.fill(GROUP_X - 1, y, canvas.width - 2 * (GROUP_X - 1), 1, "raise")
        if is_first:
            title = cut(words(GROUP_TITLES[line.group]), SIGN_X - GROUP_X - 1)
            canvas.put(GROUP_X, y, title, "muted")
        sign = f"{SIGNS[line.level]} {words(LEVEL_WORDS[line.level])}"
        canvas.put(SIGN_X, y, sign, INKS[line.level], bold=True)
        subject = cut(words(line.subject), TEXT_X - SUBJECT_X - 1)
        canvas.put(SUBJECT_X, y, subject, bold=is_on)
        room = canvas.width - TEXT_X - 3
        canvas.put(TEXT_X, y, cut(self._worded(line, WORDING[line.code].text), room), "ink")

    def _paint_detail(self, canvas: Canvas, y: int, line: Line) -> None:
        width = canvas.width - 6
        wording = WORDING[line.code]
        text = wrap(self._worded(line, wording.text), width)[:2]
        step = wrap(self._worded(line, wording.step), width) if wording.step else []
        toml = line.toml.splitlines()
        styled = [(row, "ink") for row in text]
        styled += [(row, "key") for row in step]
        styled += [(row, "ink") for row in toml]
        for row, (content, ink) in enumerate(styled[:DETAIL_ROWS]):
            canvas.put(3, y + row, cut(content, width), ink, bold=ink == "key")

    def _worded(self, line: Line, template: str) -> str:
        """Return a sentence in the language chosen now, its facts too where they are known."""
        words = self.desk.words
        facts = {name: refusal_text(fact, words) for name, fact in line.facts.items()}
        return words(template).format(**facts)


def seen_screen(columns: int, rows: int, *, has_colours: bool, has_blocks: bool) -> Screen:
    """Return what the till's own screen is like."""
    stdout = sys.__stdout__
    return Screen(
        columns=columns,
        rows=rows,
        encoding=stdout.encoding if stdout is not None else "-",
        terminal=os.environ.get("TERM", ""),
        has_colours=has_colours,
        block_columns=1 if has_blocks else 2,
    )
