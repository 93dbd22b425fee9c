"""docs/mutation.md: what the tests notice, and why what they do not notice does no harm."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from tests.mutation.campaign import PROJECT, Fate
from tests.mutation.kept import fates, reasons
from tests.mutation.operators import Mutant, mutants

HEAD = """\
# Mutation check

`make mutants` changes `emv/` in one small wrong way at a time (a limit that is
off by one, `and` for `or`, a check left out) and runs the tests that reach the
line. A change that no test notices lives, and is listed here: with the reason it
does no harm, or as not explained yet. `make test` tries a few each time.

What is changed: comparisons, `and`/`or`/`not`, arithmetic and bits, numbers and
bytes, conditions, returned values, and statements left out, in every function.
Left alone: words for people, and the tables at the top of modules, which are
checked against cases from outside. A change that keeps a test from ending
counts as noticed.

Written by `make mutants` from its last runs. A run of some modules with some
tests (`python -m tests.mutation MODULE --tests FILE`) counts too: what other
tests would notice then stands here as living.
"""
COLUMNS = """\
| module | changes | noticed | live, harmless | live, unexplained | not run |
|---|---|---|---|---|---|
"""
NOTICED = {Fate.KILLED, Fate.STUCK}


def modules() -> list[str]:
    """Return the paths of emv's modules."""
    return sorted(str(path.relative_to(PROJECT)) for path in (PROJECT / "emv").rglob("*.py"))


def write() -> None:
    """Write the page."""
    every = {path: mutants(PROJECT, path) for path in modules()}
    (PROJECT / "docs/mutation.md").write_text("\n".join(sections(every)), "utf-8")


def sections(every: Mapping[str, list[Mutant]]) -> Iterator[str]:
    """Yield the page: the count, the table, those that live."""
    known, explained = fates(), reasons()
    rows: dict[str, Counter[str]] = {}
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for path, found in every.items():
        rows[path] = Counter()
        for mutant in found:
            fate = known.get((mutant.name, mutant.version))
            rows[path][column(mutant, fate, explained)] += 1
            if fate and fate not in NOTICED:
                groups[explained.get(mutant.name, "")].append(mutant.name)
    total = sum(rows.values(), Counter[str]())
    live = total["harmless"] + total["unexplained"]
    run = total.total() - total["not run"]
    yield HEAD
    share = live / max(run, 1)
    yield f"{run} of {total.total()} changes were tried, and {live} live: {share:.1%}.\n"
    yield COLUMNS + "".join(row(path, counts) for path, counts in rows.items() if counts)
    for reason, names in sorted(groups.items()):
        yield f"## {reason or 'Not explained'}\n"
        yield "\n".join(f"- {listed(name)}" for name in names) + "\n"


def column(mutant: Mutant, fate: Fate | None, explained: Mapping[str, str]) -> str:
    """Return where a mutant is counted."""
    if fate is None:
        return "not run"
    if fate in NOTICED:
        return "noticed"
    return "harmless" if mutant.name in explained else "unexplained"


def row(path: str, counts: Counter[str]) -> str:
    """Return one line of the table."""
    columns = ("noticed", "harmless", "unexplained", "not run")
    cells = [str(counts[name] or "") for name in columns]
    return f"| `{path}` | {counts.total()} | {' | '.join(cells)} |\n"


def listed(name: str) -> str:
    """Return a mutant's name for a list."""
    place, _, change = name.partition(": ")
    return f"`{place}`: `{change}`"
