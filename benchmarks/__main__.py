"""`python -m benchmarks [SUBJECT ...]`: measure, print the table, keep the numbers."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from types import ModuleType

from benchmarks.harness import Row
from benchmarks.report import machine, markdown, plain

SUBJECTS = (
    "tlv",
    "tap",
    "readers",
    "symbols",
    "decoding",
    "hand_held",
    "bank_link",
    "bank_books",
    "start_up",
    "idle",
    "journal",
    "memory",
)
"""Modules of this package, each with a measure()."""

RESULTS = Path(__file__).with_name("results.json")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the subjects named, or all; return 0: a missed bar is told, not punished."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help="all of them if none")
    parser.add_argument("--list", action="store_true", help="name the subjects and end")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there too")
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
    rows: list[Row] = []
    for subject in chosen.subjects or SUBJECTS:
        print(f"measuring {subject}", file=sys.stderr, flush=True)
        rows += _load(subject).measure()
    print(plain(rows))
    # A few subjects alone are a look, not a result.
    if not chosen.subjects:
        content = [asdict(row) for row in rows]
        RESULTS.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n")
        if chosen.markdown is not None:
            chosen.markdown.write_text(markdown(rows, machine()))
    return 0


def _first_line(module: ModuleType) -> str:
    return (module.__doc__ or "").partition("\n")[0]


def _load(subject: str) -> ModuleType:
    return import_module(f"benchmarks.{subject}")


if __name__ == "__main__":
    raise SystemExit(main())
