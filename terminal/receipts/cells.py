"""Lines that fit a printer: counted in cells, a Chinese character taking two."""

from __future__ import annotations

import unicodedata


def cell_width(text: str) -> int:
    """Return how many cells a text takes.

    Characters that some printers make one cell wide and Chinese ones two
    count as two, so that no line is ever too long.

    Source: Unicode Standard Annex 11.
    """
    return sum(_character_width(character) for character in text)


def printable(text: str) -> str:
    """Return the text with a question mark in place of whatever commands a printer.

    Labels come from cards and names from banks: neither may open the drawer.
    """
    return "".join(character if character.isprintable() else "?" for character in text)


def wrapped(text: str, columns: int) -> list[str]:
    """Return the text in lines of at most so many cells, broken at spaces if possible.

    columns: at least 2.
    """
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if cell_width(joined) <= columns:
            line = joined
            continue
        if line:
            lines.append(line)
        line = ""
        for character in word:
            if cell_width(line + character) > columns:
                lines.append(line)
                line = ""
            line += character
    if line:
        lines.append(line)
    return lines


def centred(text: str, columns: int) -> list[str]:
    """Return the text in the middle, in as many lines as it needs."""
    return [" " * ((columns - cell_width(line)) // 2) + line for line in wrapped(text, columns)]


def paired(label: str, value: str, columns: int) -> list[str]:
    """Return a label at the left and its value at the right, below it if they do not fit."""
    room = columns - cell_width(label) - cell_width(value)
    if room >= 1:
        return [label + " " * room + value]
    below = [" " * (columns - cell_width(line)) + line for line in wrapped(value, columns)]
    return [*wrapped(label, columns), *below]


def _character_width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F", "A") else 1
