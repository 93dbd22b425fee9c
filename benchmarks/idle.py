"""The till at rest, and the till that looks for a code: what its process takes of a core."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import config
from benchmarks.harness import Bar, Row, lone_row
from benchmarks.under_terminal import Screen, UnderTerminal

TERMINAL: Final = (sys.executable, "-m", "terminal")
FRAMES_PER_S: Final = 15
WINDOW_S: Final = 1.0
WINDOWS: Final = 10
START_S: Final = 60.0
SETTLE_S: Final = 3.0
"""What a start or a tap sets going is over by then."""
SIMULATED: Final = 'driver = "simulated-camera"'
NO_SALE: Final = "Take payment"
ARMED: Final = "Present"
"""Stand on the till's screen when it is at rest, and when it waits for a customer."""


def measure() -> list[Row]:
    """Measure one till, its bank and its camera being other processes."""
    with tempfile.TemporaryDirectory(prefix="opentill-bench-") as name, _camera() as url:
        place = {"OPENTILL_HOME": f"{name}/home", "OPENTILL_SHOP": str(_shop(Path(name), url))}
        with UnderTerminal((*TERMINAL, "run", "--language", "en"), place) as till:
            _await(till, NO_SALE)
            idle = _shares(till)
            till.type("500\r")
            _await(till, ARMED)
            armed = _shares(till)
            if ARMED not in till.screen.text():
                raise ValueError("the sale had not stayed open while it was measured")
    return [
        lone_row("idle till, no sale open", statistics.mean(idle), "% of a core", idle, Bar(3)),
        lone_row(
            f"armed till, camera at {FRAMES_PER_S} frames/s",
            statistics.mean(armed),
            "% of a core",
            armed,
            Bar(35),
        ),
    ]


def _shares(till: UnderTerminal) -> list[float]:
    """Return the percentages of a core that the till takes, window by window."""
    time.sleep(SETTLE_S)
    shares = []
    for _ in range(WINDOWS):
        cpu_s, began = till.cpu_s(), time.perf_counter()
        time.sleep(WINDOW_S)
        shares.append(100 * (till.cpu_s() - cpu_s) / (time.perf_counter() - began))
    return shares


def _await(till: UnderTerminal, words: str) -> None:
    """Wait for words on the screen. Raises TimeoutError."""

    def shows_them(screen: Screen) -> bool:
        return words in screen.text()

    if not till.wait_for(shows_them, START_S):
        raise TimeoutError(f"the till has not shown {words!r} in {START_S:g} s")


def _shop(folder: Path, url: str) -> Path:
    """Write a shop as the bench has it, but with the camera at this address.

    Raises ValueError if the bench's own file names no simulated camera.
    """
    for file in config.BENCH.parent.glob("*.toml"):
        shutil.copy(file, folder)
    text = config.BENCH.read_text()
    if SIMULATED not in text:
        raise ValueError(f"{config.BENCH.name} has no line {SIMULATED!r}")
    shop = folder / "shop.toml"
    shop.write_text(text.replace(SIMULATED, f'driver = "camera"\noptions = {{ source = "{url}" }}'))
    return shop


@contextmanager
def _camera() -> Iterator[str]:
    """Run a camera over an empty counter, where a till looks longest; give its address."""
    command = (*TERMINAL, "sim", "camera", "--fps", str(FRAMES_PER_S), "--json", "--until-eof")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        if process.stdin is None or process.stdout is None:
            raise ValueError("the camera has no pipes")
        yield str(json.loads(process.stdout.readline())["url"])
        process.stdin.close()
