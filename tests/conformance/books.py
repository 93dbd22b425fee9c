"""The table of what the books ask, and where the code says that it does it.

A module cites a section in a docstring, in a comment or beside a decision that
it notes: "Book 3, 10.5.1", "Book C-2, state 10". A citation counts for the rows
of the table that it names, or names a part of.
"""

from __future__ import annotations

import re
import tokenize
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

PROJECT = Path(__file__).parents[2]
TABLE = Path(__file__).with_name("sections.toml")

# The book, whether a section of it follows, and what is said up to the next book
# or the end of the sentence.
_CITATION = re.compile(
    r"\bBooks? (C-\d|[1-4ABE])\b(?!, (?:[ABE]|C-\d)\b)(,?)(.*?)(?=\. |\.$|;|\bBook|$)"
)


@dataclass(frozen=True)
class Section:
    """One row of the table."""

    book: str
    number: str
    """Or its name, where the code goes by that; '' for a book as a whole."""
    title: str
    also: tuple[str, ...] = ()
    """Other ways to say it: exactly this, and not a part of it."""
    simulated: bool = False
    """It is the card's or the issuer's part; the simulators do it."""

    @property
    def name(self) -> str:
        """What the mark of a test calls it."""
        return f"{self.book}, {self.number}" if self.number else self.book

    def is_meant_by(self, cited: str) -> bool:
        """True if what a citation says after its book names this section or a part of it."""
        if not self.number:
            return not cited
        ways = [rf"{re.escape(self.number)}(?![\d-])"]
        ways += [rf"{re.escape(way)}(?!\.?\d|-)" for way in self.also]
        return any(re.search(rf"(?<![\w.])(?<!Table ){way}", cited) for way in ways)

    def is_within(self, cited: str) -> bool:
        """True if a citation names a chapter that this section is in."""
        return self.number.startswith(f"{cited}.")


@dataclass(frozen=True)
class Book:
    """A book and those of its sections that ask something of a terminal."""

    name: str
    title: str
    sections: Sequence[Section]


@lru_cache(maxsize=1)
def books() -> list[Book]:
    """Return the table."""
    table = tomllib.loads(TABLE.read_text("utf-8"))
    return [
        Book(
            book["name"],
            book["title"],
            [
                Section(
                    book["name"],
                    row["section"],
                    row["title"],
                    tuple(row.get("also", ())),
                    row.get("simulated", False),
                )
                for row in book["sections"]
            ],
        )
        for book in table["book"]
    ]


def modules(package: str) -> list[Path]:
    """Return the modules of one of our packages."""
    return sorted((PROJECT / package).rglob("*.py"))


def module_name(path: Path) -> str:
    """Return the import name of a module."""
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def texts(path: Path) -> Iterator[str]:
    """Yield the strings of a module, and its comments, each block as one line."""
    comment: list[str] = []
    with tokenize.open(path) as file:
        for token in tokenize.generate_tokens(file.readline):
            if token.type == tokenize.COMMENT:
                comment.append(token.string.lstrip("# "))
                continue
            if token.type != tokenize.NL and comment:
                yield " ".join(comment)
                comment = []
            if token.type == tokenize.STRING:
                for paragraph in token.string.strip("rf\"'").split("\n\n"):
                    yield " ".join(paragraph.split())


@cache
def citations(path: Path) -> list[tuple[str, str]]:
    """Return what a module cites: the book, and what it says after that."""
    if "Book" not in path.read_text("utf-8"):
        return []
    every = [found for text in texts(path) for found in _CITATION.finditer(text)]
    said = [(f"Book {found[1]}", found[2], found[3].strip()) for found in every]
    return [
        (book, cited if comma else "")
        for book, comma, cited in said
        if not comma or (cited and not cited.startswith("{"))
    ]


def cited_by() -> dict[Section, list[str]]:
    """Return, for each row of the table, the modules that cite it."""
    emv, simulators = modules("emv"), modules("simulators")
    return {
        row: [
            module_name(path)
            for path in (simulators if row.simulated else emv)
            if any(book == row.book and row.is_meant_by(cited) for book, cited in citations(path))
        ]
        for book in books()
        for row in book.sections
    }


def unknown() -> list[str]:
    """Return the citations in emv/, but those of the books' tables, that no row stands for."""
    rows = [row for book in books() for row in book.sections]
    return [
        f"{module_name(path)}: {book}, {cited}"
        for path in modules("emv")
        for book, cited in citations(path)
        if cited
        and not cited.startswith("Table")
        and not any(
            row.book == book and (row.is_meant_by(cited) or row.is_within(cited)) for row in rows
        )
    ]


def unsettled() -> list[tuple[str, str]]:
    """Return the points that public sources leave open: the module, and what was chosen."""
    found = []
    for path in modules("emv"):
        for text in texts(path):
            _, marker, point = text.partition("unsettled: ")
            if marker:
                found.append((module_name(path), point[0].upper() + point[1:]))
    return found
