"""What a kernel costs before its first card: its import, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Final

from benchmarks.harness import Bar, Row, Samples, row

ROUNDS: Final = 21
CPU_OF_IMPORT: Final = (
    "import time; began = time.process_time(); import {}; print(time.process_time() - began)"
)
MODULE, PEER = "emv.kernels.c3", "pyemv"


def measure() -> list[Row]:
    """Measure in turns; the first of each compiles what had not been compiled."""
    own, peer = [], []
    for turn in range(ROUNDS + 1):
        taken = import_s(MODULE), import_s(PEER)
        if turn:
            own.append(taken[0])
            peer.append(taken[1])
    samples = Samples(own, peer).scaled(1e3)
    return [row(f"import of {MODULE}, CPU", samples, "ms", f"import of {PEER}", Bar(40))]


def import_s(module: str) -> float:
    """Return the CPU seconds that a fresh interpreter needs for one import."""
    # As it is installed: compiled once, and not at each start.
    place = {name: at for name, at in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", CPU_OF_IMPORT.format(module)],
        env=place,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(done.stdout)
