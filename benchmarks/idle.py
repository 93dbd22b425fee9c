"""What the till's process takes of a core at rest, and while it looks for a code.

Each beside the least that does the same, in the same seconds.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import config
from benchmarks.harness import Bar, Row, Samples, row
from benchmarks.under_terminal import Screen, UnderTerminal

TERMINAL: Final = (sys.executable, "-m", "terminal")
EMPTY_APP: Final = (sys.executable, "-m", "benchmarks.empty_app")
PLAIN_SCANNER: Final = (sys.executable, "-m", "benchmarks.plain_scanner")
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
            with UnderTerminal(EMPTY_APP, {}) as empty:
                idle = _shares(till, empty)
            till.type("500\r")
            _await(till, ARMED)
            with UnderTerminal((*PLAIN_SCANNER, url), {}) as plain:
                armed = _shares(till, plain)
            if ARMED not in till.screen.text():
                raise ValueError("the sale had not stayed open while it was measured")
    unit = "% of a core"
    return [
        row("idle till, no sale open", idle, unit, "an empty Textual app", Bar(3)),
        row(
            f"armed till, camera at {FRAMES_PER_S} frames/s",
            armed,
            unit,
            "OpenCV and zxing-cpp on every frame",
            Bar(35),
        ),
    ]


def _shares(till: UnderTerminal, peer: UnderTerminal) -> Samples:
    """Return the percentages of a core that both take, window by window."""
    time.sleep(SETTLE_S)
    own, other = [], []
    for _ in range(WINDOWS):
        cpu_s, peer_cpu_s, began = till.cpu_s(), peer.cpu_s(), time.perf_counter()
        time.sleep(WINDOW_S)
        percent = 100 / (time.perf_counter() - began)
        own.append(percent * (till.cpu_s() - cpu_s))
        other.append(percent * (peer.cpu_s() - peer_cpu_s))
    return Samples(own, other)


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
