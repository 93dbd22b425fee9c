"""Runs the tests that are cases of a book's section, and writes docs/conformance.md.

python -m tests.conformance             run them, and write the page
python -m tests.conformance --code      only read the code again; no mark has changed
"""

from __future__ import annotations

import argparse
import sys

import pytest

from tests.conformance.marks import PROJECT, Recorder, marks
from tests.conformance.page import PAGE, told, written


def main() -> int:
    """Return what pytest says; the page is written all the same, without what failed."""
    parser = argparse.ArgumentParser(prog="tests.conformance", description=__doc__)
    parser.add_argument("--code", action="store_true")
    if parser.parse_args().code:
        PAGE.write_text(written(told()), "utf-8")
        return 0
    recorder = Recorder()
    files = sorted({mark.test.partition("::")[0] for mark in marks()})
    ended = pytest.main(["-n0", *(str(PROJECT / file) for file in files)], plugins=[recorder])
    PAGE.write_text(written(recorder.passed()), "utf-8")
    return int(ended)


if __name__ == "__main__":
    sys.exit(main())
