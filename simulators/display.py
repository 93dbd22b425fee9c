"""A pole display: understands ESC/POS and CD5220, and shows two lines."""

from __future__ import annotations

from typing import Final

COLUMNS: Final = 20
ROWS: Final = 2
BLANK: Final = " "
TAIL: Final = ""
"""What stands in the second cell of a Chinese character."""
UNKNOWN: Final = "?"
PENDING_MAX: Final = 1024

# How many parameter bytes follow a command. Sources: Epson customer display
# commands of the DM-D series; CD5220 command set.
_PARAMETERS: Final = {
    b"\x1b@": 0,
    b"\x1b\x11": 0,
    b"\x1b\x12": 0,
    b"\x1b\x13": 0,
    b"\x1b_": 1,
    b"\x1bt": 1,
    b"\x1bR": 1,
    b"\x1b*": 1,
    b"\x1bl": 2,
    b"\x1f\x01": 0,
    b"\x1f\x02": 0,
    b"\x1f\x03": 0,
    b"\x1fB": 0,
    b"\x1fC": 1,
    b"\x1f$": 2,
    b"\x1fX": 1,
    b"\x1fr": 1,
}


class DisplaySimulator:
    """A display without its wire; serve it with simulators.serial_line."""

    def __init__(self, columns: int = COLUMNS, *, has_chinese: bool = True) -> None:
        """has_chinese: two bytes above 80 are one GB18030 character."""
        self._columns = columns
        self._has_chinese = has_chinese
        self._pending = bytearray()
        self._cells: list[list[str]] = []
        self._reset()
        self.unknown: list[bytes] = []
        """Commands it does not know, for whoever tests a driver."""

    @property
    def lines(self) -> tuple[str, str]:
        """What the customer sees, without the spaces behind it."""
        upper, lower = ("".join(row).rstrip() for row in self._cells)
        return upper, lower

    @property
    def is_cursor_on(self) -> bool:
        """Whether a cursor blinks among the text."""
        return self._is_cursor_on

    def receive(self, data: bytes) -> bytes:
        """Take what a till sends; a display answers nothing."""
        self._pending += data
        while self._pending:
            used = self._step()
            if not used:
                break
            del self._pending[:used]
        # A line that is never ended would be kept for ever.
        if len(self._pending) > PENDING_MAX:
            self._pending.clear()
        return b""

    def picture(self) -> str:
        """Return the display in a frame of letters."""
        rule = "+" + "-" * (self._columns + 2) + "+"
        rows = ["| " + "".join(row) + " |" for row in self._cells]
        return "\n".join([rule, *rows, rule])

    def _reset(self) -> None:
        self._column = self._row = 0
        self._is_cursor_on = True
        self._cells = [[BLANK] * self._columns for _ in range(ROWS)]

    def _step(self) -> int:
        """Obey one command or show one character; return the bytes it took, 0 for too few."""
        head = self._pending[0]
        if head in (0x1B, 0x1F):
            return self._command()
        if head < 0x20:
            self._control(head)
            return 1
        character, used = self._character(self._pending)
        if used:
            self._put(character, used)
        return used

    def _character(self, text: bytes | bytearray) -> tuple[str, int]:
        """Return the first character and how many bytes, and so cells, it takes; 0 for too few."""
        if text[0] < 0x80 or not self._has_chinese:
            return (chr(text[0]) if 0x20 <= text[0] < 0x80 else UNKNOWN), 1
        if len(text) < 2:
            return "", 0
        character = bytes(text[:2]).decode("gb18030", "replace")
        is_one = len(character) == 1 and character != "\ufffd"
        return (character if is_one else UNKNOWN), 2

    def _command(self) -> int:
        if len(self._pending) < 2:
            return 0
        name = bytes(self._pending[:2])
        if name == b"\x1bQ":
            return self._write_line()
        if name not in _PARAMETERS:
            self.unknown.append(name)
            return 2
        size = 2 + _PARAMETERS[name]
        if len(self._pending) < size:
            return 0
        parameters = bytes(self._pending[2:size])
        if name == b"\x1b@":
            self._reset()
        elif name in (b"\x1f$", b"\x1bl"):
            self._move(parameters[0], parameters[1])
        elif name in (b"\x1fC", b"\x1b_"):
            self._is_cursor_on = parameters[0] not in (0, 0x30)
        return size

    def _write_line(self) -> int:
        """ESC Q A text CR writes the upper line whole, ESC Q B the lower."""
        end = self._pending.find(b"\r")
        if end < 0 or len(self._pending) < 3:
            return 0
        row = {0x41: 0, 0x42: 1}.get(self._pending[2])
        if row is None:
            self.unknown.append(bytes(self._pending[:3]))
            return 3
        self._cells[row] = [BLANK] * self._columns
        self._row, self._column = row, 0
        text = bytes(self._pending[3:end])
        while text and self._row == row:
            # Half a character at the end is none.
            character, used = self._character(text)
            self._put(character, used)
            text = text[used or len(text) :]
        return end + 1

    def _control(self, code: int) -> None:
        if code == 0x0C:
            self._cells = [[BLANK] * self._columns for _ in range(ROWS)]
            self._row = self._column = 0
        elif code == 0x0D:
            self._column = 0
        elif code == 0x0A:
            self._row = (self._row + 1) % ROWS
        elif code == 0x0B:
            self._row = self._column = 0
        elif code == 0x08:
            self._column = max(0, self._column - 1)
        elif code == 0x18:
            self._cells[self._row] = [BLANK] * self._columns
            self._column = 0

    def _move(self, column: int, row: int) -> None:
        if 1 <= column <= self._columns and 1 <= row <= ROWS:
            self._column, self._row = column - 1, row - 1

    def _put(self, character: str, cells: int) -> None:
        """Show a character at the cursor; behind the last cell, on the other line."""
        if not cells:
            return
        if self._column + cells > self._columns:
            self._column, self._row = 0, (self._row + 1) % ROWS
        row = self._cells[self._row]
        if row[self._column] == TAIL and self._column:
            row[self._column - 1] = BLANK
        row[self._column] = character
        if cells == 2:
            row[self._column + 1] = TAIL
        self._column += cells
        if self._column < self._columns and row[self._column] == TAIL and cells == 1:
            row[self._column] = BLANK
        if self._column >= self._columns:
            self._column, self._row = 0, (self._row + 1) % ROWS
