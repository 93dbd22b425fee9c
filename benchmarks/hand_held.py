"""From a phone in a trembling hand to its code, at a camera's pace."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import TYPE_CHECKING

from benchmarks.harness import Clock, Row
from benchmarks.symbols import PEER, p95, read_live, read_plainly
from drivers.symbols import ZXingSymbolReader
from simulators.camera import SCENES, Lens
from simulators.phone_screen import draw_screen

if TYPE_CHECKING:
    from drivers.protocols import Image

FRAMES_PER_S = 15
HOLDS = 10
"""Ways of holding a phone, for every scene and form of code."""
FRAMES_MAX = 45
"""Three seconds; a customer whose code is not read by then counts as this late."""


def measure() -> list[Row]:
    """Hold phones before both, in every scene."""
    own, plain = [], []
    for frames, text, wait_s in _sequences():
        reader = ZXingSymbolReader()
        own.append(1e3 * first_read_s(frames, text, wait_s, partial(read_live, reader)))
        plain.append(1e3 * first_read_s(frames, text, wait_s, read_plainly))
    name = f"hand-held code to first read at {FRAMES_PER_S} frames/s"
    return [
        _row(
            f"{name}, median of {len(own)}", statistics.median(own), statistics.median(plain), 100
        ),
        _row(f"{name}, 95th percentile", p95(own), p95(plain), 500),
    ]


def _sequences() -> Iterator[tuple[Callable[[int], Image], str, float]]:
    """Yield frames by their number, the text to be read, and the wait for the first frame."""
    chance = random.Random(1)
    for scene in SCENES.values():
        for symbol in ("qr", "code128"):
            for hold in range(HOLDS):
                text = f"28{chance.randrange(10**16):016d}"
                screen = draw_screen("Alipay", (200, 90, 20), [text], symbol=symbol)
                lens = Lens(hold, scene)
                yield cache(partial(lens.frame, screen, 1)), text, chance.random() / FRAMES_PER_S


def first_read_s(
    frames: Callable[[int], Image],
    text: str,
    wait_s: float,
    read: Callable[[Image], set[str]],
    clock: Clock = time.process_time,
) -> float:
    """Return the seconds until a code is read, our own CPU time included.

    Whoever is slower than the camera gets the newest frame next.
    """
    now, index = wait_s, 0
    while index < FRAMES_MAX:
        frame = frames(index)
        began = clock()
        found = read(frame)
        now += clock() - began
        if text in found:
            return now
        newest = int((now - wait_s) * FRAMES_PER_S)
        index = max(index + 1, newest)
        now = max(now, wait_s + index / FRAMES_PER_S)
    return FRAMES_MAX / FRAMES_PER_S


def _row(name: str, value: float, peer_value: float, limit: float) -> Row:
    return Row(
        name=name,
        value=value,
        unit="ms",
        peer=PEER,
        peer_value=peer_value,
        ratio=value / peer_value,
        bar=f"≤ {limit:g} ms",
        better="lower",
        spread=0.0,
        met=value <= limit,
    )
