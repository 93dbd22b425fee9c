"""docs/conformance.md says what the code and the marks of the tests say now."""

from __future__ import annotations

import re
from collections import Counter

from tests.conformance import books, page
from tests.conformance.marks import Mark, Source, digest, marks

ROWS = [section for book in books.books() for section in book.sections]


def lines() -> list[str]:
    return page.PAGE.read_text("utf-8").splitlines()


def test_every_citation_is_of_a_section_that_the_table_knows() -> None:
    assert books.unknown() == []


def test_every_mark_names_sections_of_the_table() -> None:
    names = {row.name for row in ROWS}

    assert {name for mark in marks() for name in mark.sections} - names == set()


def test_no_section_is_in_the_table_twice() -> None:
    assert [name for name, count in Counter(row.name for row in ROWS).items() if count > 1] == []


def test_the_page_says_what_the_code_does() -> None:
    """Out of date? make conformance."""
    modules = books.cited_by()
    told = {tuple(re.split(r" ?\| ?", line)[1:4]) for line in lines() if line.startswith("| ")}

    assert {
        (row.number or "all", row.title, "<br>".join(f"`{m}`" for m in modules[row]) or "none")
        for row in ROWS
    } <= told


def test_the_page_lists_what_is_unsettled() -> None:
    """Out of date? make conformance."""
    told = [line for line in lines() if line.startswith("- ")]

    assert told == [f"- `{module}`: {point}" for module, point in books.unsettled()]


def test_the_page_was_made_by_a_run_of_the_tests_with_these_marks() -> None:
    """Out of date? make conformance."""
    assert lines()[-1] == f"<!-- marks {digest(marks())} -->"


def test_a_mark_whose_test_did_not_pass_is_no_case() -> None:
    row = ROWS[0]
    mark = Mark("tests/emv/test_x.py::test_y", (row.name,), Source.OUTSIDE)

    assert page.cases_of(row, [mark]) == {Source.OUTSIDE: ["tests/emv/test_x.py::test_y"]}
    assert "::test_" not in page.written(set())


def test_a_citation_counts_for_what_it_names_and_not_for_its_neighbours() -> None:
    rows = {row.name: row for row in ROWS}

    assert rows["Book 3, 6.5.5"].is_meant_by("6.5.5.4, table 15")
    assert rows["Book 3, 10.8"].is_meant_by("6.5.5, 9.3 and 10.8")
    assert not rows["Book 3, 10.10"].is_meant_by("10.1")
    assert not rows["Book 2, 5"].is_meant_by("6.5.2")
    assert not rows["Book 3, Annex C1"].is_meant_by("Annex C") or rows["Book 3, Annex C1"].also
    assert rows["Book C-2, states 9 to 11"].is_meant_by("states 9-10 and following")
