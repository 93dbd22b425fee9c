"""docs/conformance.md: what of the books is here, where, and on whose word."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from tests.conformance.books import PROJECT, Section, books, cited_by, unsettled
from tests.conformance.marks import Mark, Source, digest, marks

PAGE = PROJECT / "docs/conformance.md"
HEAD = """\
# Conformance

What the EMV books ask of a terminal, section by section: the modules that say
they do it, the tests that are cases of it, and on whose word those stand. The
titles are our own. **OpenTill is not certified**, by anyone, for anything here.

| evidence | means |
|---|---|
| outside | what is expected was recorded from cards, or published, by others |
| two | it is ours, and a second implementation comes to the same |
| ours | it is ours alone: a misreading of ours would pass |
| none | no test that ran and passed is a case of it |

A module "does" a section by citing it; "none" there means that nothing here
does. Made by `make conformance` from the citations in `emv/` and the marks of
tests that ran and passed; a test fails when it no longer says what they do.
"""
COLUMNS = "| section | about | done by | evidence | cases |\n|---|---|---|---|---|\n"
WORDS = {Source.OUTSIDE: "outside", Source.TWO: "two", Source.OURS: "ours"}


def written(passed: set[str]) -> str:
    """Return the page, from the tests that passed."""
    found = marks()
    counted = [mark for mark in found if mark.test in passed]
    return "\n".join([*parts(counted), f"<!-- marks {digest(found)} -->\n"])


def told() -> set[str]:
    """Return the tests that the page as it stands names as cases."""
    return {
        f"tests/{test}" for test in re.findall(r"`([^`|]*test_[^`|]*)`", PAGE.read_text("utf-8"))
    }


def parts(found: list[Mark]) -> Iterator[str]:
    """Yield the page without its last line."""
    modules = cited_by()
    evidence = {row: cases_of(row, found) for book in books() for row in book.sections}
    best = Counter(next(iter(cases), None) for cases in evidence.values())
    yield HEAD
    done = sum(bool(named) for named in modules.values())
    yield (
        f"Of {len(evidence)} sections, {done} are done here; "
        f"{best[Source.OUTSIDE]} have a case from outside, {best[Source.TWO]} at best one that two "
        f"implementations agree on, {best[Source.OURS]} only ours, {best[None]} none.\n"
    )
    for book in books():
        yield f"## {book.title}\n"
        yield COLUMNS + "".join(row(one, modules[one], evidence[one]) for one in book.sections)
    yield "## Unsettled\n"
    yield "What public sources leave open or say differently, and what was chosen here:\n"
    yield "".join(f"- `{module}`: {point}\n" for module, point in unsettled())


def cases_of(section: Section, found: Iterable[Mark]) -> dict[Source, list[str]]:
    """Return the tests that are cases of a section, by whose word they are; the best first."""
    by_source = {
        source: [m.test for m in found if m.source is source and section.name in m.sections]
        for source in Source
    }
    return {source: tests for source, tests in by_source.items() if tests}


def row(section: Section, modules: list[str], cases: dict[Source, list[str]]) -> str:
    """Return one line of a book's table."""
    tests = [f"`{test.removeprefix('tests/')}`" for named in cases.values() for test in named]
    cells = [
        section.number or "all",
        section.title,
        "<br>".join(f"`{module}`" for module in modules) or "none",
        ", ".join(cases) or "none",
        "<br>".join(tests),
    ]
    return f"| {' | '.join(cells)} |\n"
