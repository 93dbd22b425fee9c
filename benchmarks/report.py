"""Rows as people read them: a plain table, and the page in docs."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import Row

HEADS = ("figure", "value", "beside", "its value", "ratio", "bar", "spread", "met")

_PAGE = """# Benchmarks

`make bench` measures these figures and prints them; `python -m benchmarks --list`
names the subjects, and naming some runs only those. With `--keep` this page is
written from them, and from what was kept of the others in `benchmarks.json`.

Each figure stands beside a peer. Both were measured in turns in one run, and
the ratio is the median of the ratios of the pairs: what slows the machine down
for a moment slows both. The spread is half the distance between the quartiles.
The bar is on the value, or, with ×, on the ratio.

{sections}
"""


def plain(rows: Sequence[Row]) -> str:
    """Return the rows as a table with aligned columns."""
    cells = [HEADS, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def markdown(kept: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page for docs. kept: by subject: title, day, commit, machine, rows."""
    return _PAGE.format(sections="\n\n".join(map(_section, kept.items())))


def _section(kept: tuple[str, Mapping[str, Any]]) -> str:
    subject, facts = kept
    rows = [Row(**row) for row in facts["rows"]]
    lines = [HEADS, ("---",) * len(HEADS), *map(_cells, rows)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return (
        f"## {facts['title']}\n\n{table}\n\n`python -m benchmarks {subject} --keep`, "
        f"{facts['day']}, commit {facts['commit']}, {facts['machine']}."
    )


def machine() -> str:
    """Return what kind of machine this is: cores, processor, system, Python. No names."""
    model = platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                model = value.strip()
                break
    return (
        f"{os.cpu_count()} cores of {model}, {platform.system()}, "
        f"Python {platform.python_version()}"
    )


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        f"{_short(row.value)} {row.unit}",
        row.peer,
        f"{_short(row.peer_value)} {row.unit}",
        "-" if row.ratio is None else f"{row.ratio:.2f}×",
        row.bar,
        f"±{row.spread:.0%}",
        "yes" if row.met else "NO",
    )


def _short(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"
