"""The marks of tests: which section of which book a test is a case of.

@pytest.mark.spec("Book 3, 10.5", "Book 3, Annex C3", source="outside")

outside: the expected value was recorded or published by others. two: it is ours,
and a second implementation comes to the same. ours: it is ours alone. A mark at
the top of a file (pytestmark) stands for those of its tests without one.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


class Source(StrEnum):
    """Whose word a case is, the best first."""

    OUTSIDE = "outside"
    TWO = "two"
    OURS = "ours"


@dataclass(frozen=True)
class Mark:
    """That a test, or a whole file of tests, is a case of some sections."""

    test: str
    """File and function as pytest names them; the file alone for all of it."""
    sections: tuple[str, ...]
    source: Source


@lru_cache(maxsize=1)
def marks() -> list[Mark]:
    """Return every mark in the tests, read without running them."""
    return [mark for path in sorted((PROJECT / "tests").rglob("test_*.py")) for mark in of(path)]


def of(path: Path) -> Iterator[Mark]:
    """Yield the marks in one file."""
    text = path.read_text("utf-8")
    if "mark.spec(" not in text:
        return
    file = str(path.relative_to(PROJECT))
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                yield from made(f"{file}::{node.name}", decorator)
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            for call in node.value.elts if isinstance(node.value, ast.List) else [node.value]:
                yield from made(file, call)


def made(test: str, call: ast.expr) -> Iterator[Mark]:
    """Yield the mark that a call makes, if it is one of ours."""
    if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.spec":
        sections = tuple(ast.literal_eval(argument) for argument in call.args)
        source = {word.arg: ast.literal_eval(word.value) for word in call.keywords}["source"]
        yield Mark(test, sections, Source(source))


def digest(found: list[Mark]) -> str:
    """Return what differs whenever a mark does."""
    return hashlib.sha256(repr(found).encode()).hexdigest()[:16]


class Recorder:
    """A pytest plugin that runs only tests with a mark, and remembers which passed."""

    def __init__(self) -> None:
        self._fates: dict[str, set[str]] = {}

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Leave out the tests without a mark."""
        left_out = [item for item in items if item.get_closest_marker("spec") is None]
        items[:] = [item for item in items if item.get_closest_marker("spec") is not None]
        config.hook.pytest_deselected(items=left_out)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember what became of a test."""
        if report.when == "call" or not report.passed:
            function = report.nodeid.partition("[")[0]
            for test in (function, function.partition("::")[0]):
                self._fates.setdefault(test, set()).add(report.outcome)

    def passed(self) -> set[str]:
        """Return the functions, and the files, whose every case ran and passed."""
        return {test for test, outcomes in self._fates.items() if outcomes == {"passed"}}
