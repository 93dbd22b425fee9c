"""What a screen is: it draws the desk, and takes keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ui.desk import Desk
from ui.widgets.canvas import Canvas
from ui.widgets.chrome import Action


@dataclass(frozen=True, slots=True)
class Key:
    """One key pressed. name: as Textual names it; character: what it types."""

    name: str
    character: str = ""

    @property
    def letter(self) -> str:
        """The letter typed, in lower case; empty for other keys."""
        return self.character.lower() if self.character.isalpha() else ""

    @property
    def digit(self) -> str:
        """The digit typed; empty for other keys."""
        is_digit = self.character.isascii() and self.character.isdigit()
        return self.character if is_digit else ""


class Page:
    """One screen. It holds no widget, so it draws in a test as it does in the app."""

    name = "page"

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.open_page: Callable[[Page], None] = _nowhere
        """Put a page over this one; the app sets it."""
        self.close_page: Callable[[], None] = _stay
        """Take this page away; the app sets it."""

    def refresh(self) -> None:
        """Take in that the till has moved on; most screens read the desk anyway."""

    def actions(self) -> Sequence[Action]:
        """Say what keys do here, the main one first."""
        return ()

    def paint(self, canvas: Canvas) -> None:
        """Draw the body."""

    def press(self, key: Key) -> bool:
        """Take a key; False when it means nothing here.

        Raises TillError when the till refuses; the app tells the cashier.
        """
        del key
        return False

    def takes_text(self) -> bool:
        """True while letters are being typed, so that no letter is a command."""
        return False


def _nowhere(page: Page) -> None:
    raise LookupError(f"no app to open {page.name}")


def _stay() -> None:
    raise LookupError("no app to close this page")
