"""Changes emv/ in small wrong ways and looks whether the tests notice.

python -m tests.mutation [MODULE...]    go on where an earlier run was stopped; write the page
python -m tests.mutation --sample 10    try as many, chosen by what the modules are now
python -m tests.mutation --page         only write docs/mutation.md from what was kept
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Iterable, Sequence

from tests.mutation import page
from tests.mutation.campaign import PROJECT, Fate, run
from tests.mutation.kept import fates, keep, reasons
from tests.mutation.operators import Mutant, mutants

TESTS = ("tests/emv", "tests/simulators/card", "tests/terminal/decoding")


def main() -> int:
    """Do what the command line says; 1 if a mutant lives that nobody has explained."""
    parser = argparse.ArgumentParser(prog="tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", help="paths below the project; all of emv/ if none")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="files or folders")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--sample", type=int, metavar="COUNT")
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args()
    if options.page:
        page.write()
        return 0
    every = [m for path in options.modules or page.modules() for m in mutants(PROJECT, path)]
    if options.sample:
        return unexplained(drawn(every, options.sample), options.tests, options.processes, forget)
    lives = unexplained(left(every), options.tests, options.processes, keep)
    page.write()
    return lives


def left(every: Iterable[Mutant]) -> list[Mutant]:
    """Return the mutants that no earlier run has killed."""
    known = fates()
    return [m for m in every if known.get((m.name, m.version)) not in page.NOTICED]


def drawn(every: Sequence[Mutant], count: int) -> list[Mutant]:
    """Return some mutants that should be noticed: others whenever a module changes."""
    may_live = reasons()
    others = [mutant for mutant in every if mutant.name not in may_live]
    seed = "".join(sorted({mutant.version for mutant in others}))
    return random.Random(seed).sample(others, count)


def forget(_mutant: Mutant, _fate: Fate) -> None:
    """Keep nothing of a sample: it does not run every test."""


def unexplained(
    chosen: list[Mutant],
    tests: Iterable[str],
    processes: int,
    remember: Callable[[Mutant, Fate], None],
) -> int:
    """Run these mutants; 1 if one lives without a reason."""
    explained = reasons()
    alive = []

    def tell(mutant: Mutant, fate: Fate) -> None:
        remember(mutant, fate)
        if fate not in page.NOTICED and mutant.name not in explained:
            alive.append(mutant)
            print(f"{fate} at line {mutant.place.lines.start}: {mutant.name}", flush=True)

    run(chosen, tests, tell, processes)
    print(f"{len(chosen)} mutants; {len(alive)} live that nobody has explained")
    return bool(alive)


if __name__ == "__main__":
    sys.exit(main())
