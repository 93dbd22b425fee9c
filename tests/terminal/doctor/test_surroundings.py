"""The terminal and the libraries, as they are told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from terminal.assembly.devices import installed_versions
from terminal.doctor.surroundings import Screen, screen, software
from terminal.doctor.wording import Level, Matter

GOOD = Screen(120, 40, "utf-8", "xterm-256color", has_colours=True, block_columns=1)


def levels(seen: Screen) -> set[Level]:
    return {line.level for line in screen(seen)}


def test_a_good_terminal_has_nothing_to_look_at() -> None:
    assert levels(GOOD) == {Level.OK}


@pytest.mark.parametrize(
    ("change", "code", "level"),
    [
        ({"columns": 79}, Matter.SCREEN_SMALL, Level.WARNING),
        ({"rows": 23}, Matter.SCREEN_SMALL, Level.WARNING),
        ({"encoding": "ANSI_X3.4-1968"}, Matter.NOT_UTF8, Level.FAULT),
        ({"has_colours": False}, Matter.FEW_COLOURS, Level.WARNING),
        ({"block_columns": 2}, Matter.BLOCKS_WIDE, Level.WARNING),
        ({"block_columns": None}, Matter.BLOCKS_UNTOLD, Level.OK),
    ],
)
def test_what_a_terminal_lacks_is_told(
    change: dict[str, object], code: Matter, level: Level
) -> None:
    lines = list(screen(replace(GOOD, **change)))  # type: ignore[arg-type]
    [line] = [line for line in lines if line.code == code]
    assert line.level is level


def test_without_a_terminal_there_is_nothing_to_look_at() -> None:
    assert [line.code for line in screen(None)] == [Matter.NO_SCREEN]


def test_versions_are_those_installed() -> None:
    import apsw

    versions = installed_versions()
    assert versions["apsw"] == apsw.apsw_version()
    lines = list(software(versions))
    assert not [line for line in lines if line.level is not Level.OK]


def test_a_library_that_is_missing_is_named() -> None:
    versions = {**installed_versions(), "textual": "", "pyscard": "", "nfcpy": "1.0"}
    lines = list(software(versions))

    [fault] = [line for line in lines if line.level is Level.FAULT]
    assert "textual" in fault.text
    [extra] = [line for line in lines if line.code == Matter.EXTRA_ABSENT]
    assert "opentill[pcsc]" in extra.text
