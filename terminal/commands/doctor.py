"""`till doctor`: what works here, what does not, and the step that mends it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Final

import click

from terminal.commands.place import Place
from terminal.doctor.lines import GROUP_TITLES, LEVEL_WORDS, SIGNS, Group, Line
from terminal.doctor.surroundings import Screen
from terminal.doctor.wording import Level

SCHEMA: Final = 1
"""Counts up when the JSON loses or changes a key; new keys do not count."""
BROKEN: Final = 1
"""Exit status: something does not work."""

_COLOURS: Final = {Level.OK: "green", Level.WARNING: "yellow", Level.FAULT: "red"}
_SUBJECT_COLUMNS: Final = 16


@click.command(name="doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(place: Place, as_json: bool) -> None:
    """Look at shop, devices, bank, keys, journal, screen and software.

    Simulators are not started, and nothing is changed. The exit status is 0 if
    all that was looked at works, 1 if something does not.

    \b
    Examples:
      till doctor
      till --shop shop.toml doctor --json
    """
    found = place.doctor().examine(None if as_json else _screen(place))
    lines = list(found) if as_json else _shown(found)
    if as_json:
        click.echo(json.dumps(as_plain(lines), ensure_ascii=False, indent=2))
    if gravest(lines) is Level.FAULT:
        raise click.exceptions.Exit(BROKEN)


def gravest(lines: Iterable[Line]) -> Level:
    """Return how grave the whole is."""
    levels = {line.level for line in lines}
    return next((level for level in (Level.FAULT, Level.WARNING) if level in levels), Level.OK)


def as_plain(lines: Sequence[Line]) -> dict[str, object]:
    """Return what scripts may rely on. docs/doctor.md says what it means."""
    return {
        "schema": SCHEMA,
        "result": gravest(lines).value,
        "lines": [line.as_plain() for line in lines],
    }


def _shown(found: Iterable[Line]) -> list[Line]:
    """Print each line as it is found; return them all."""
    lines: list[Line] = []
    group: Group | None = None
    for line in found:
        if line.group is not group:
            group = line.group
            click.echo(GROUP_TITLES[group])
        click.echo(_line(line))
        if line.step:
            click.echo(f"{'':10}› {line.step}")
        for toml in line.toml.splitlines():
            click.echo(f"{'':12}{toml}")
        lines.append(line)
    faults = sum(line.level is Level.FAULT for line in lines)
    looks = sum(line.level is Level.WARNING for line in lines)
    click.echo(f"\nlooked at: {len(lines)}, to look at: {looks}, faults: {faults}")
    return lines


def _line(line: Line) -> str:
    mark = f"{SIGNS[line.level]} {LEVEL_WORDS[line.level]:5}"
    return (
        f"  {click.style(mark, _COLOURS[line.level])} {line.subject:{_SUBJECT_COLUMNS}} {line.text}"
    )


def _screen(place: Place) -> Screen | None:
    if not sys.stdout.isatty():
        return None
    size = shutil.get_terminal_size()
    terminal = os.environ.get("TERM", "")
    return Screen(
        columns=size.columns,
        rows=size.lines,
        encoding=sys.stdout.encoding,
        terminal=terminal,
        has_colours=terminal not in ("", "dumb") and "NO_COLOR" not in os.environ,
        block_columns=place.block_columns(),
    )
