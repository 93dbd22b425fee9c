"""What became of each mutant in earlier runs, and why those that live do no harm."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from tests.mutation.campaign import PROJECT, Fate
from tests.mutation.operators import Mutant

FILE = PROJECT / "mutants.jsonl"
HARMLESS = Path(__file__).with_name("harmless.toml")


def fates(path: Path = FILE) -> dict[tuple[str, str], Fate]:
    """Return the last fate of each mutant, by its name and the version of its function."""
    if not path.exists():
        return {}
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return {(line["mutant"], line["version"]): Fate(line["fate"]) for line in lines}


def keep(mutant: Mutant, fate: Fate, path: Path = FILE) -> None:
    """Remember what became of a mutant."""
    line = {"mutant": mutant.name, "version": mutant.version, "fate": fate}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def reasons() -> dict[str, str]:
    """Return, by name, why each mutant that may live does no harm."""
    table = tomllib.loads(HARMLESS.read_text("utf-8"))
    return {name: group["reason"] for group in table["harmless"] for name in group["mutants"]}
