"""A world notices faults: each of a list of them, put into the source, within fifty seeds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from simulators.world.play import Plan, play
from simulators.world.works import Works
from tests.simulators.world.mutants import MUTANTS, PROJECT, Mutant
from tests.soak import size

IN_FULL = size(0, full=1)
SAMPLE = MUTANTS if IN_FULL else MUTANTS[:2]
SEEDS = range(50)


@pytest.mark.slow
@pytest.mark.parametrize("mutant", SAMPLE, ids=lambda mutant: mutant.name)
def test_a_fault_is_noticed(works: Works, mutant: Mutant, works_folder: Path) -> None:
    """The seed that is known to, first; without the fault it finds nothing."""
    found = hunt(works_folder, mutant, [mutant.seed, *(SEEDS if IN_FULL else ())])

    assert found, f"no seed of {len(SEEDS)} notices: {mutant.name}"
    assert found["broken"]
    assert not play(works, Plan(found["seed"], tills=1)).broken


def hunt(works: Path, mutant: Mutant, seeds: list[int]) -> dict[str, Any]:
    """Play worlds by a patched till, in a process of its own; return the first that breaks."""
    words = [sys.executable, "-m", "tests.simulators.world.mutants", str(works), mutant.name]
    done = subprocess.run(
        [*words, *map(str, seeds)], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_fault_can_be_put_in(mutant: Mutant) -> None:
    """Its piece of source still stands there, and what comes of it is Python."""
    compile(mutant.source(), mutant.module, "exec")


def test_there_are_a_dozen_faults_and_more() -> None:
    assert len({mutant.name for mutant in MUTANTS}) >= 12
