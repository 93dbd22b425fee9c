"""What the simulators on serial lines have in common: words typed, changes shown."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from simulators.commands.home import default_home

if TYPE_CHECKING:
    from simulators.serial_line import Peripheral, SerialLine

F = TypeVar("F", bound=Callable[..., Any])

WORDS = "plug, unplug, silence, stuck, garbage, mend"
"""What every line understands."""


def line_options(name: str) -> Callable[[F], F]:
    """Add the options of a simulator on a line. name: of its link, if nobody says otherwise."""

    def add(function: F) -> F:
        for option in reversed(
            (
                click.option(
                    "--link",
                    type=click.Path(path_type=Path, dir_okay=False),
                    help=f"Path that leads to the line. [default: lines/{name} in the state "
                    "directory]",
                ),
                click.option(
                    "--home",
                    type=click.Path(path_type=Path, file_okay=False),
                    help="State directory. [default: $OPENTILL_HOME, else ~/.local/state/opentill]",
                ),
                click.option("--until-eof", is_flag=True, help="End when standard input closes."),
                click.option(
                    "--json", "as_json", is_flag=True, help="Print JSON, one object a line."
                ),
            )
        ):
            function = option(function)
        return function

    return add


@contextmanager
def plugged(
    device: Peripheral, name: str, link: Path | None, home: Path | None
) -> Iterator[SerialLine]:
    """Put a device on a line, and take both away after."""
    from simulators.serial_line import SerialLine

    path = link or (home or default_home()) / "lines" / name
    try:
        line = SerialLine(device, path)
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror or error}") from error
    with line:
        yield line


def serve(
    line: SerialLine,
    words: Mapping[str, Callable[[str], str | None]],
    look: Callable[[], dict[str, Any] | None],
    *,
    until_eof: bool,
    as_json: bool,
) -> None:
    """Obey what is typed and show what changes, until interrupted.

    words: a first word to what it does with the rest of its line; it may
    return a line to print, and raise ValueError to refuse. look: what there is
    to show now, None for nothing; called with the line held.
    """
    emit({"path": str(line.link)}, as_json)
    ending = threading.Event()
    watcher = threading.Thread(target=_watch, args=(line, look, ending, as_json), daemon=True)
    watcher.start()
    try:
        for typed in sys.stdin:
            _obey(line, words, typed.strip(), as_json)
        if not until_eof:
            threading.Event().wait()
    except KeyboardInterrupt:
        return
    finally:
        with line.changed:
            ending.set()
            line.changed.notify_all()
        watcher.join()


def emit(facts: Mapping[str, Any], as_json: bool) -> None:
    """Print facts as JSON, or their values one below the other."""
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    for value in facts.values():
        click.echo("\n".join(value) if isinstance(value, list) else value)


def _obey(
    line: SerialLine, words: Mapping[str, Callable[[str], str | None]], typed: str, as_json: bool
) -> None:
    from simulators.serial_line import Fault

    word, _, rest = typed.partition(" ")
    if not word:
        return
    faults = {
        "mend": Fault.NONE,
        "silence": Fault.SILENCE,
        "stuck": Fault.STUCK,
        "garbage": Fault.GARBAGE,
    }
    said: str | None = None
    if word == "unplug":
        line.unplug()
    elif word == "plug":
        line.plug()
    elif word in faults:
        line.break_with(faults[word])
    elif word in words:
        try:
            with line.changed:
                said = words[word](rest)
                line.changed.notify_all()
        except ValueError as error:
            said = str(error)
    else:
        said = f"{word}: one of {', '.join(words)}, {WORDS}"
    if said:
        emit({"said": said}, as_json)


def _watch(
    line: SerialLine,
    look: Callable[[], dict[str, Any] | None],
    ending: threading.Event,
    as_json: bool,
) -> None:
    shown: dict[str, Any] | None = None
    with line.changed:
        while True:
            while (seen := look()) is not None and seen != shown:
                emit(seen, as_json)
                shown = seen
            if ending.is_set():
                return
            line.changed.wait()
