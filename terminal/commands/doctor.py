"""`till doctor`: what works here, what does not, and the step that mends it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from terminal.commands.place import Place
from terminal.doctor.lines import GROUP_TITLES, LEVEL_WORDS, SIGNS, Group, Line
from terminal.doctor.surroundings import Screen
from terminal.doctor.wording import Level
from terminal.errors import NotAllowed

if TYPE_CHECKING:
    from terminal.doctor.examination import Doctor

F = TypeVar("F", bound=Callable[..., Any])

SCHEMA: Final = 1
"""Counts up when the JSON loses or changes a key; new keys do not count."""
BROKEN: Final = 1
"""Exit status: something does not work."""

_COLOURS: Final = {Level.OK: "green", Level.WARNING: "yellow", Level.FAULT: "red"}
_SUBJECT_COLUMNS: Final = 16


def _trial(flag: str, what: str) -> Callable[[F], F]:
    return click.option(
        f"--{flag}", flag.replace("print", "page"), is_flag=False, flag_value="",
        metavar="[DEVICE]", help=what,
    )  # fmt: skip


@click.command(name="doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_trial("tap", "Try a reader: wait for a card and show its answers.")
@_trial("scan", "Try a camera or scanner: wait for a code.")
@_trial("print", "Try a printer: print a page.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=30.0,
    show_default=True,
    metavar="S",
    help="How long to wait for a card or a code, in seconds.",
)
@click.pass_obj
def command(
    place: Place,
    as_json: bool,
    tap: str | None,
    scan: str | None,
    page: str | None,
    timeout: float,
) -> None:
    """Look at shop, devices, bank, keys, journal, screen and software.

    Simulators are not started, and nothing is changed. The exit status is 0 if
    all that was looked at works, 1 if something does not. With --tap, --scan or
    --print only that is done. DEVICE is a name of the shop's file or
    DRIVER:ADDRESS, and the first there is if absent.

    \b
    Examples:
      till doctor
      till --shop shop.toml doctor --json
      till doctor --tap pcsc
      till doctor --scan camera:0
      till doctor --print escpos:/dev/usb/lp0
    """
    doctor = place.doctor()
    wanted = {"tap": tap, "scan": scan, "print": page}
    if any(name is not None for name in wanted.values()):
        is_well = _try(doctor, wanted, timeout, as_json=as_json)
    else:
        is_well = _examine(place, doctor, as_json=as_json)
    if not is_well:
        raise click.exceptions.Exit(BROKEN)


def _examine(place: Place, doctor: Doctor, *, as_json: bool) -> bool:
    """Show what the doctor finds; return whether all of it works."""
    found = doctor.examine(None if as_json else _screen(place))
    lines = list(found) if as_json else _shown(found)
    if as_json:
        click.echo(json.dumps(as_plain(lines), ensure_ascii=False, indent=2))
    return gravest(lines) is not Level.FAULT


def _try(
    doctor: Doctor, wanted: Mapping[str, str | None], timeout_s: float, *, as_json: bool
) -> bool:
    """Try each device that was asked for; return whether all passed."""
    told = []
    for trial, device in wanted.items():
        if device is None:
            continue
        try:
            chosen, running = doctor.trial(trial, device, timeout_s)
        except NotAllowed as refusal:
            raise click.UsageError(str(refusal)) from refusal
        if not as_json:
            click.echo(f"{trial}: {chosen.name}")
        lines: list[str] = []
        while True:
            try:
                lines.append(next(running))
            except StopIteration as ended:
                has_passed = bool(ended.value)
                break
            if not as_json:
                click.echo(f"  {lines[-1]}")
        if not as_json:
            click.echo(_passed(has_passed))
        told.append({"test": trial, "device": chosen.name, "passed": has_passed, "lines": lines})
    has_all = all(each["passed"] for each in told)
    if as_json:
        result = (Level.OK if has_all else Level.FAULT).value
        plain = {"schema": SCHEMA, "result": result, "tests": told}
        click.echo(json.dumps(plain, ensure_ascii=False, indent=2))
    return has_all


def _passed(has_passed: bool) -> str:
    level = Level.OK if has_passed else Level.FAULT
    return click.style(f"{SIGNS[level]} {'passed' if has_passed else 'failed'}", _COLOURS[level])


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
