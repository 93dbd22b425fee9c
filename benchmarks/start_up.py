"""From the command to the first digit on the screen, beside an empty Textual app."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from typing import Final

from benchmarks.harness import ROUNDS_MIN, Bar, Row, Samples, row
from benchmarks.under_terminal import Cells, Screen, UnderTerminal

TILL: Final = (sys.executable, "-m", "terminal", "run", "--language", "en")
EMPTY_APP: Final = (sys.executable, "-m", "benchmarks.empty_app")
READY: Final = "Take payment"
"""Stands on the till's first screen."""
TOTAL: Final = range(4, 14)
"""The rows of its amount."""
ROUNDS: Final = 2 * ROUNDS_MIN + 1
START_S: Final = 60.0
KEY_S: Final = 0.05
"""Between two tries of the key. A hand scanner is quicker; the till would take us for one."""


def measure() -> list[Row]:
    """Measure real processes on terminals of their own, in a shop that has been open before."""
    own, peer = [], []
    with tempfile.TemporaryDirectory(prefix="opentill-bench-") as home:
        place = {"OPENTILL_HOME": home}
        nothing = _total_of_nothing(place)

        def till_shows_it(screen: Screen) -> bool:
            return READY in screen.text() and screen.cells(TOTAL) != nothing

        for turn in range(ROUNDS + 1):
            taken = (
                _until_digit(UnderTerminal(TILL, place), till_shows_it),
                _until_digit(UnderTerminal(EMPTY_APP, {}), lambda screen: "7" in screen.text()),
            )
            # The first of each compiles what had not been compiled.
            if turn:
                own.append(taken[0])
                peer.append(taken[1])
    return [
        row(
            "start to first digit accepted",
            Samples(own, peer).scaled(1e3),
            "ms",
            "an empty Textual app with an input",
            Bar(2, is_ratio=True),
        )
    ]


def _until_digit(program: UnderTerminal, shows_it: Callable[[Screen], bool]) -> float:
    """Return the seconds from a program's start until a digit stands on its screen.

    Raises TimeoutError if none ever does.
    """
    with program:
        program.wait_for_screen(START_S)
        while time.perf_counter() - program.began < START_S:
            program.type("7")
            if program.wait_for(shows_it, KEY_S):
                return time.perf_counter() - program.began
    raise TimeoutError(f"no digit was shown in {START_S:g} s")


def _total_of_nothing(place: dict[str, str]) -> Cells:
    """Open a shop for the first time; return how its till draws an amount of nothing."""
    with UnderTerminal(TILL, place) as till:
        if not till.wait_for(lambda screen: READY in screen.text(), START_S):
            raise TimeoutError(f"the till was not open in {START_S:g} s")
        return till.screen.cells(TOTAL)
