"""How much a process grows while kernels carry out a hundred thousand taps."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.harness import Bar, Row, Samples, row
from benchmarks.memory import resident_mib
from benchmarks.tap import CARD, OTHERS, Replay, record, tap

WARM_UP = 1_000
TAPS = 100_000


def measure() -> list[Row]:
    """Measure in a process of its own; the card's words are played back."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.tap_memory"], stdout=subprocess.PIPE, check=True
    )
    warm_mib, end_mib = json.loads(done.stdout)
    return [
        row(
            f"growth over {TAPS:,} taps of every kernel in turn",
            Samples([end_mib - warm_mib], [warm_mib]),
            "MiB",
            f"the process's size after {WARM_UP:,}",
            Bar(1),
        )
    ]


def main() -> None:
    """Print the process's size after the warm-up, and at the end."""
    with tempfile.TemporaryDirectory(prefix="opentill-bench-") as name:
        recorded = [record(Path(name), card) for card in (CARD, *OTHERS.values())]
    sizes = []
    for count in (WARM_UP, TAPS):
        for number in range(count):
            rules, tape = recorded[number % len(recorded)]
            tap(rules, Replay(tape))
        sizes.append(resident_mib())
    print(json.dumps(sizes))


if __name__ == "__main__":
    main()
