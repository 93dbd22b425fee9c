"""`python -m benchmarks [SUBJECT ...]`: measure, print the table, keep the figures.

With --keep the page in docs is written from what was measured now and from
what was kept of the other subjects, each with its day and its commit.
"""

from __future__ import annotations

import argparse
import datetime
import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.harness import Row
from benchmarks.report import machine, markdown, plain

SUBJECTS = (
    "tlv",
    "certificates",
    "imports",
    "tap",
    "tap_memory",
    "readers",
    "symbols",
    "decoding",
    "hand_held",
    "bank_link",
    "bank_books",
    "bank_served",
    "forwarding",
    "start_up",
    "idle",
    "journal",
    "memory",
)
"""Modules of this package, each with a measure()."""

DOCS = Path(__file__).parent.parent / "docs"
KEPT = DOCS / "benchmarks.json"
PAGE = DOCS / "benchmarks.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the subjects named, or all; return 0: a missed bar is told, not punished."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help="all of them if none")
    parser.add_argument("--list", action="store_true", help="name the subjects and end")
    parser.add_argument("--keep", action="store_true", help="write the page in docs")
    chosen = parser.parse_args(arguments)
    unknown = set(chosen.subjects) - set(SUBJECTS)
    if unknown:
        parser.error(f"no subject {', '.join(sorted(unknown))}; there are {', '.join(SUBJECTS)}")
    if chosen.list:
        for subject in SUBJECTS:
            print(f"{subject:10} {_first_line(_load(subject))}")
        return 0
    # The big journal is not to stay behind when make is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    measured: dict[str, list[Row]] = {}
    for subject in chosen.subjects or SUBJECTS:
        print(f"measuring {subject}", file=sys.stderr, flush=True)
        measured[subject] = _load(subject).measure()
        if chosen.keep:
            keep(subject, measured[subject])
    print(plain([row for rows in measured.values() for row in rows]))
    return 0


def keep(subject: str, rows: Sequence[Row]) -> None:
    """Put a subject's figures in place of those kept before, and write the page again."""
    kept: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    kept[subject] = {
        "title": _first_line(_load(subject)),
        "day": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": _commit(),
        "machine": machine(),
        "rows": [asdict(row) for row in rows],
    }
    ordered = {name: kept[name] for name in SUBJECTS if name in kept}
    KEPT.write_text(json.dumps(ordered, ensure_ascii=False, indent=1) + "\n")
    PAGE.write_text(markdown(ordered))


def _commit() -> str:
    told = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=DOCS,
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip() or "no commit"


def _first_line(module: ModuleType) -> str:
    return (module.__doc__ or "").partition("\n")[0]


def _load(subject: str) -> ModuleType:
    return import_module(f"benchmarks.{subject}")


if __name__ == "__main__":
    raise SystemExit(main())
