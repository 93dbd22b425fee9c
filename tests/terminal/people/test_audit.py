"""Whoever alters the audit log is found out, the tail too if somebody kept a later head."""

from __future__ import annotations

from typing import Any

import pytest

from terminal.chains import End
from terminal.errors import RegisterUnusable
from terminal.people.audit import AuditLine


def write(staff: Any, count: int) -> None:
    for number in range(count):
        staff.log.append(AuditLine("give_back", number % 2 == 0, "01", about=f"{number:04}"))


def alter(staff: Any, statement: str) -> None:
    with staff.store.writing() as connection:
        connection.execute(statement)


def test_a_whole_log_holds(staff: Any) -> None:
    write(staff, 5)
    assert staff.log.verify() == 5
    assert [line.about for _, line in staff.log.lines()] == ["0000", "0001", "0002", "0003", "0004"]


@pytest.mark.parametrize(
    ("harm", "first_bad"),
    [
        ("UPDATE audit SET body = replace(body, '0002', '0009') WHERE seq = 3", 3),
        ("UPDATE audit SET at_ms = at_ms + 1 WHERE seq = 2", 2),
        ("UPDATE audit SET hash = zeroblob(32) WHERE seq = 5", 5),
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq = 4", 4),
        (
            "UPDATE audit SET seq = -seq WHERE seq IN (2, 3); "
            "UPDATE audit SET seq = 5 + seq WHERE seq < 0",
            2,
        ),
    ],
)
def test_what_was_altered_taken_out_or_moved_is_named(
    staff: Any, harm: str, first_bad: int
) -> None:
    write(staff, 5)
    alter(staff, harm)
    with pytest.raises(RegisterUnusable, match=f"Line {first_bad} "):
        staff.log.verify()


def test_a_tail_that_was_cut_off_shows_to_who_kept_an_end(staff: Any) -> None:
    write(staff, 3)
    kept = staff.log.end()
    write(staff, 2)
    staff.log.check_through(kept)
    alter(staff, "DELETE FROM audit WHERE seq > 2")
    assert staff.log.verify() == 2
    with pytest.raises(RegisterUnusable, match="does not go through line 3"):
        staff.log.check_through(kept)


def test_a_log_written_again_shows_to_who_kept_an_end(staff: Any) -> None:
    write(staff, 3)
    kept = staff.log.end()
    alter(staff, "DELETE FROM audit WHERE seq > 2")
    write(staff, 4)
    assert staff.log.verify() == 6
    with pytest.raises(RegisterUnusable, match="written again"):
        staff.log.check_through(kept)


def test_an_empty_log_goes_through_its_beginning(staff: Any) -> None:
    assert staff.log.end().length == 0
    staff.log.check_through(staff.log.end())
    with pytest.raises(RegisterUnusable):
        staff.log.check_through(End(1, bytes(32)))
