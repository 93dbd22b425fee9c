"""The faces of a till, each imported when it is shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from terminal.till import Till


def show_screen(till: Till, language: str, theme: str | None) -> None:
    """Show the till until the cashier closes it."""
    from ui.app import run

    run(till, language, theme)


def show_lines(till: Till, language: str, stdin: TextIO, stdout: TextIO) -> None:
    """Serve the cashier in lines."""
    from ui.plain import run

    run(till, language, stdin, stdout)


def show_customer(socket: Path, language: str) -> None:
    """Show the customer's side of a till that runs."""
    from ui.customer import run

    run(socket, language)


def blocks_are_narrow() -> bool:
    """Return False if the terminal draws half blocks two columns wide."""
    from ui.probe import blocks_are_narrow as measured

    return measured("zh")


def block_columns() -> int | None:
    """Return how many columns a half block takes; None if the terminal does not tell."""
    from ui.probe import block_columns as measured

    return measured()
