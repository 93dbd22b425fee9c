"""What the till runs in: the terminal it draws on, Python, and its libraries."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from terminal.doctor.lines import Group, Line
from terminal.doctor.wording import Matter

COLUMNS_MIN: Final = 80
ROWS_MIN: Final = 24

EXTRAS: Final[Mapping[str, tuple[str, str]]] = {
    "pcsc": ("pyscard", "PC/SC readers"),
    "nfc": ("nfcpy", "NFC readers of nfcpy"),
    "bank": ("fastapi", "the simulated bank"),
}
"""An extra, a library that it brings, and what needs it."""

CORE: Final = ("apsw", "cryptography", "opencv-python-headless", "textual", "zxing-cpp")


@dataclass(frozen=True, slots=True)
class Screen:
    """The terminal that somebody looks at."""

    columns: int
    rows: int
    encoding: str
    terminal: str
    """As TERM names it."""
    has_colours: bool
    block_columns: int | None = None
    """Columns of a half block, as measured; None if the terminal does not tell."""


def screen(seen: Screen | None) -> Iterator[Line]:
    """Say whether the till's screen will look as it is meant to. None: there is no terminal."""
    if seen is None:
        yield Line(Group.SCREEN, "terminal", Matter.NO_SCREEN)
        return
    fits = seen.columns >= COLUMNS_MIN and seen.rows >= ROWS_MIN
    size = {"columns": str(seen.columns), "rows": str(seen.rows)}
    yield Line(Group.SCREEN, "size", Matter.SCREEN_FITS if fits else Matter.SCREEN_SMALL, size)
    is_utf8 = seen.encoding.lower().replace("-", "") == "utf8"
    yield Line(
        Group.SCREEN,
        "text",
        Matter.UTF8 if is_utf8 else Matter.NOT_UTF8,
        {"encoding": seen.encoding},
    )
    colours = Matter.COLOURS if seen.has_colours else Matter.FEW_COLOURS
    yield Line(Group.SCREEN, "colours", colours, {"terminal": seen.terminal or "-"})
    blocks = {None: Matter.BLOCKS_UNTOLD, 2: Matter.BLOCKS_WIDE}
    yield Line(Group.SCREEN, "blocks", blocks.get(seen.block_columns, Matter.BLOCKS_NARROW))


def software(versions: Mapping[str, str]) -> Iterator[Line]:
    """Name Python and the libraries. versions: by library, '' where it is not installed."""
    python = f"Python {platform.python_version()} on {platform.system()} {platform.release()}"
    yield Line(Group.SOFTWARE, "python", Matter.VERSION, {"versions": python})
    yield Line(
        Group.SOFTWARE, "opentill", Matter.VERSION, {"versions": versions["opentill"] or "-"}
    )
    absent = [library for library in CORE if not versions[library]]
    if absent:
        names = ", ".join(absent)
        yield Line(Group.SOFTWARE, "libraries", Matter.LIBRARY_ABSENT, {"libraries": names})
    there = ", ".join(f"{name} {versions[name]}" for name in CORE if versions[name])
    yield Line(Group.SOFTWARE, "libraries", Matter.VERSION, {"versions": there})
    for extra, (library, what) in EXTRAS.items():
        if versions[library]:
            facts = {"versions": f"{library} {versions[library]}"}
            yield Line(Group.SOFTWARE, extra, Matter.VERSION, facts)
        else:
            facts = {"what": what, "package": f"opentill[{extra}]"}
            yield Line(Group.SOFTWARE, extra, Matter.EXTRA_ABSENT, facts)
