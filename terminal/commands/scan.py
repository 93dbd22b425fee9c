"""till scan: what a camera sees, and the codes in it."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Protocol

import click

from drivers.errors import DriverError
from terminal.pictures.code_report import code_report, report_line
from terminal.pictures.picture_drawing import picture_lines

if TYPE_CHECKING:
    from drivers.protocols import Camera, Diagnosis, Sight
    from terminal.commands.place import Place

POLL_S = 0.2
PATIENCE_S = 5.0
"""A camera that has given no picture for so long is reported, and that is the end."""
HELD_S = 2.0
"""How long the last reading stays below the picture."""
WORDS_ROWS = 4
"""Rows below the picture."""
NOTHING_READ = 30
"""Exit status: the time was up."""

_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l\x1b[2J", "\x1b[?25h\x1b[?1049l"
_HOME, _TO_END_OF_LINE, _BELOW = "\x1b[H", "\x1b[K", "\x1b[J"


@click.command(name="scan")
@click.option(
    "--camera",
    "source",
    metavar="SOURCE",
    help="A device number or path, a file, or an address. [default: the shop's camera, else 0]",
)
@click.option("--once", is_flag=True, help="End with the first code.")
@click.option("--timeout", type=click.FloatRange(min=0.1), metavar="S", help="End after S seconds.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per code; no picture.")
@click.option("--plain", is_flag=True, help="One line per code; no picture.")
@click.pass_obj
def command(
    place: Place, source: str | None, once: bool, timeout: float | None, as_json: bool, plain: bool
) -> None:
    """Show what a camera sees, what codes are in it, and how long reading took.

    Card data in a customer's code is masked. Control-C ends it. The exit status
    is 1 if the camera gives no picture, 30 if the time was up and no code was read.

    \b
    Examples:
      till scan
      till scan --camera 1 --once --json
      till sim camera --code 281234567890123456 --port 8081 &
      till scan --camera http://127.0.0.1:8081/stream
    """
    from config import load_currencies, load_payment_codes

    rules, currencies = load_payment_codes(), load_currencies()
    is_drawn = not (plain or as_json) and _can_draw()
    lines = _Lines(as_json=as_json)
    shown: _Show = _Picture(halves=place.blocks_are_narrow()) if is_drawn else lines
    camera = place.open_camera(_source(place, source))
    last: Sequence[_Reading] = ()
    waits: dict[bytes, float] = {}
    try:
        with _own_screen(is_drawn=is_drawn):
            for sight, waited_ms in _sights(camera, timeout):
                if sight.symbols:
                    # A code that stays in view was found when it was first seen.
                    waits = {s.data: waits.get(s.data, waited_ms) for s in sight.symbols}
                readings = [
                    _Reading(
                        code_report(symbol.data, symbol.symbology.value, rules, currencies),
                        symbol.corners,
                        waits[symbol.data],
                        sight.read_ms,
                    )
                    for symbol in sight.symbols
                ]
                # Kept first: Control-C may come while it is drawn.
                last = readings or last
                shown.show(sight, readings)
                if once and readings:
                    break
    except DriverError as error:
        raise click.ClickException(_advised(str(error), camera.diagnose())) from error
    except KeyboardInterrupt:
        return
    finally:
        camera.close()
        if is_drawn:
            # The picture is gone with its screen; what was read stays.
            lines.tell(last)
    if not last:
        raise click.exceptions.Exit(NOTHING_READ)


@dataclass(frozen=True, slots=True)
class _Reading:
    """One code in one frame."""

    report: dict[str, Any]
    corners: Sequence[tuple[int, int]]
    waited_ms: float
    """From the code before it, or from when the camera was asked to look, until it was found."""
    read_ms: float

    @property
    def key(self) -> str:
        """What tells it from another code."""
        return json.dumps(self.report)

    @property
    def as_json(self) -> str:
        """One object on one line."""
        times = {"waited_ms": round(self.waited_ms, 1), "read_ms": round(self.read_ms, 1)}
        return json.dumps({**self.report, "corners": self.corners, **times}, ensure_ascii=False)

    @property
    def line(self) -> str:
        """For people."""
        return (
            f"{report_line(self.report)}; {self.waited_ms:.0f} ms to find it,"
            f" {self.read_ms:.1f} ms to read its frame"
        )


class _Show(Protocol):
    def show(self, sight: Sight, readings: Sequence[_Reading]) -> None:
        """Show a frame, or what is new in it."""


class _Lines:
    """A line for each code, once while it stays in view."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._told: set[str] = set()

    def show(self, sight: Sight, readings: Sequence[_Reading]) -> None:
        """Print what is new."""
        self.tell(readings)

    def tell(self, readings: Sequence[_Reading]) -> None:
        """Print what is new; a frame without a code is no news."""
        if not readings:
            return
        for reading in readings:
            if reading.key not in self._told:
                click.echo(reading.as_json if self._as_json else reading.line)
        self._told = {reading.key for reading in readings}


class _Picture:
    """The live picture, and below it what was read last."""

    def __init__(self, *, halves: bool) -> None:
        self._halves = halves
        self._last: Sequence[_Reading] = ()
        self._at = 0.0

    def show(self, sight: Sight, readings: Sequence[_Reading]) -> None:
        """Draw a frame."""
        now = time.monotonic()
        if readings or now - self._at > HELD_S:
            self._last, self._at = readings, now
        columns, rows = shutil.get_terminal_size()
        boxes = [reading.corners for reading in readings]
        height, width = sight.frame.shape[:2]
        words = [f"{width} × {height}, Control-C ends"]
        words += [reading.line for reading in self._last] or ["no code in sight"]
        below = [line for word in words for line in wrap(word, columns)][:WORDS_ROWS]
        above = max(1, rows - WORDS_ROWS)
        lines = picture_lines(sight.frame, columns, above, boxes, halves=self._halves)
        body = f"{_TO_END_OF_LINE}\n".join([*lines, *below])
        click.echo(f"{_HOME}{body}{_TO_END_OF_LINE}{_BELOW}", nl=False)


@contextmanager
def _own_screen(*, is_drawn: bool) -> Iterator[None]:
    """Draw where nothing that stood on the terminal is lost."""
    if not is_drawn:
        yield
        return
    click.echo(_ENTER, nl=False)
    try:
        yield
    finally:
        click.echo(_LEAVE, nl=False)


def _can_draw() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _sights(camera: Camera, timeout_s: float | None) -> Iterator[tuple[Sight, float]]:
    """Yield frame after frame, each with the time since the last code in milliseconds.

    Raises DriverError if the camera has given none for PATIENCE_S, or none at all.
    """
    camera.start()
    began = code_at = frame_at = time.monotonic()
    lost: DriverError | None = None
    while timeout_s is None or time.monotonic() - began < timeout_s:
        try:
            sight = camera.look(POLL_S)
        except DriverError as error:
            # It is opened again and again behind this; a stream may just begin.
            lost = error
            if time.monotonic() - frame_at > PATIENCE_S:
                raise
            continue
        if sight is not None:
            frame_at = time.monotonic()
            yield sight, 1e3 * (frame_at - code_at)
            if sight.symbols:
                code_at = frame_at
    if lost is not None and frame_at == began:
        raise lost


def _source(place: Place, given: str | None) -> int | str:
    """Return what to open: what was said, else the shop's own camera, else the first."""
    if given is not None:
        return int(given) if given.isdecimal() else given
    for device in place.settings().devices.scanners:
        source = device.options.get("source")
        if device.driver == "camera" and isinstance(source, (int, str)):
            return source
    return 0


def _advised(error: str, diagnosis: Diagnosis) -> str:
    remedy = f": {diagnosis.remedy}" if diagnosis.remedy else ""
    return f"{error}{remedy}. Another: --camera SOURCE; a simulated one: till sim camera"
