"""A few fields to type in, one below the other; secrets are shown as stars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len

from ui.locale import Words
from ui.widgets.canvas import Canvas

if TYPE_CHECKING:
    from ui.screens.page import Key

LABEL_COLUMNS = 26
FIELD_COLUMNS = 34
TEXT_MAX = 128


@dataclass(slots=True)
class Field:
    """One field. label: English, translated when drawn."""

    name: str
    label: str
    is_secret: bool = False
    text: str = ""
    shown_last: int = 0
    """So many characters at the end of a secret are shown, to be compared."""

    @property
    def shown(self) -> str:
        """What may be seen of it."""
        if not self.is_secret:
            return self.text
        hidden = max(0, len(self.text) - self.shown_last)
        return "*" * hidden + self.text[hidden:]


class Form:
    """Fields and a cursor. Tab and arrows move it; Enter is the page's."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self.fields = fields
        self._cursor = 0

    @property
    def texts(self) -> Mapping[str, str]:
        """What stands in the fields, by name."""
        return {field.name: field.text for field in self.fields}

    @property
    def is_at_end(self) -> bool:
        """True on the last field."""
        return self._cursor == len(self.fields) - 1

    def clear_secrets(self) -> None:
        """Empty what must not stand there longer, and go to the first such field."""
        secret = [number for number, field in enumerate(self.fields) if field.is_secret]
        for number in secret:
            self.fields[number].text = ""
        self._cursor = min(secret, default=0)

    def go_on(self) -> None:
        """Go to the next field."""
        self._cursor = min(self._cursor + 1, len(self.fields) - 1)

    def fill(self, texts: Sequence[str]) -> None:
        """Write into every field, and go to the last."""
        for field, text in zip(self.fields, texts, strict=True):
            field.text = text
        self._cursor = len(self.fields) - 1

    def press(self, key: Key) -> bool:
        """Type, delete or move; False for any other key."""
        field = self.fields[self._cursor]
        if key.name in ("tab", "down"):
            self._cursor = (self._cursor + 1) % len(self.fields)
        elif key.name in ("shift+tab", "up"):
            self._cursor = (self._cursor - 1) % len(self.fields)
        elif key.name in ("backspace", "delete"):
            field.text = field.text[:-1]
        elif len(key.character) == 1 and key.character.isprintable():
            field.text = (field.text + key.character)[:TEXT_MAX]
        else:
            return False
        return True

    def paint(self, canvas: Canvas, x: int, y: int, words: Words) -> int:
        """Draw the fields, two rows each; return the row after them."""
        for number, field in enumerate(self.fields):
            row = y + 2 * number
            is_current = number == self._cursor
            canvas.put(x, row, words(field.label), "ink" if is_current else "muted")
            left = x + LABEL_COLUMNS
            canvas.fill(left, row, FIELD_COLUMNS, 1, "raise")
            text = field.shown
            while cell_len(text) > FIELD_COLUMNS - 3:
                text = text[1:]
            end = canvas.put(left + 1, row, text, bold=True)
            if is_current:
                canvas.put(end, row, "_", "key", bold=True)
        return y + 2 * len(self.fields)
