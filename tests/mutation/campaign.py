"""Runs the tests of each mutant in a process of its own.

The tests are collected once. A first child runs them all and remembers which
line of which module each one reaches and how long it takes. Then a child per
mutant puts the changed code into the function and runs the tests that reach the
line, the quickest first, until one fails.
"""

from __future__ import annotations

import importlib
import inspect
import os
import pickle
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import hypothesis
import pytest
from _pytest.runner import runtestprotocol

from tests.mutation.operators import Mutant

PROJECT = Path(__file__).parents[2]
MEMORY_MAX = 2 << 30

# Line by line, the tests that reach it, and how long each takes while it is watched.
Reach = dict[tuple[str, int], dict[int, float]]


class Fate(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    STUCK = "stuck"
    """It did not come to an end, which a person would have noticed."""
    SURVIVED = "survived"
    UNREACHED = "unreached"
    """No test runs its line."""


class Campaign:
    """A pytest plugin that tests mutants instead of running the tests once."""

    def __init__(
        self, mutants: Sequence[Mutant], tell: Callable[[Mutant, Fate], None], processes: int = 1
    ) -> None:
        self._mutants = mutants
        self._tell = tell
        self._processes = processes

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Take the place of the ordinary run."""
        modules = {mutant.path for mutant in self._mutants}
        reach = in_child(lambda: reached(session.items, modules))
        running: dict[int, Mutant] = {}
        for mutant in self._mutants:
            chosen = tests_of(mutant, reach)
            if not chosen:
                self._tell(mutant, Fate.UNREACHED)
                continue
            if len(running) == self._processes:
                self._wait(running)
            items = [session.items[number] for number in sorted(chosen, key=chosen.__getitem__)]
            # Watched tests are several times slower: a mutant that needs as long is stuck.
            seconds_max = 2 + int(sum(chosen.values()))
            running[fork(partial(survives, mutant, items, seconds_max))] = mutant
        while running:
            self._wait(running)
        return True

    def _wait(self, running: dict[int, Mutant]) -> None:
        child, status = os.waitpid(-1, 0)
        if os.WIFSIGNALED(status):
            fate = Fate.STUCK
        else:
            fate = Fate.SURVIVED if os.WEXITSTATUS(status) else Fate.KILLED
        self._tell(running.pop(child), fate)


def run(
    mutants: Sequence[Mutant],
    tests: Iterable[str],
    tell: Callable[[Mutant, Fate], None],
    processes: int = 1,
) -> None:
    """Tell the fate of every mutant under these files and folders of tests.

    Raises RuntimeError if the tests cannot be collected or fail without a mutant.
    """
    hypothesis.settings.register_profile(
        "mutants",
        derandomize=True,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("mutants")
    options = ["--quiet", "--capture=no", "-p", "no:cacheprovider", "-p", "no:warnings", "-n0"]
    ended = pytest.main(
        [*options, *(str(PROJECT / path) for path in tests)],
        plugins=[Campaign(mutants, tell, processes)],
    )
    if ended not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        raise RuntimeError(f"the tests ended with {ended!r}")


def tests_of(mutant: Mutant, reach: Reach) -> dict[int, float]:
    """Return the tests that reach a mutant, and how long each takes."""
    found: dict[int, float] = {}
    for line in mutant.place.lines:
        found |= reach.get((mutant.path, line), {})
    return found


def reached(items: Sequence[pytest.Item], modules: set[str]) -> Reach:
    """Run every test and return what it reaches.

    Raises RuntimeError if one fails.
    """
    names = {str(PROJECT / path): path for path in modules}
    reach: Reach = defaultdict(dict)
    for number, (item, after) in enumerate(pairs(items)):
        hit: set[tuple[str, int]] = set()
        begun = time.process_time()
        sys.settrace(tracer(names, hit))
        has_passed = passes(item, after)
        sys.settrace(None)
        if not has_passed:
            raise RuntimeError(f"{item.nodeid} fails without a mutant")
        took = time.process_time() - begun
        for line in hit:
            reach[line][number] = took
    return reach


def tracer(names: dict[str, str], hit: set[tuple[str, int]]) -> Callable[..., Any]:
    """Return a trace function that adds each line of some files to what was hit."""

    def on_line(frame: FrameType, _event: str, _argument: object) -> Callable[..., Any]:
        hit.add((names[frame.f_code.co_filename], frame.f_lineno))
        return on_line

    def on_call(frame: FrameType, _event: str, _argument: object) -> Callable[..., Any] | None:
        return on_line if frame.f_code.co_filename in names else None

    return on_call


def survives(mutant: Mutant, items: Sequence[pytest.Item], seconds_max: int) -> bool:
    """True if every test passes with the mutant in place."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds_max, seconds_max))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    put_in_place(mutant)
    return all(passes(item, after) for item, after in pairs(items))


def pairs(items: Sequence[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    """Yield each test with the one after it, for which its fixtures may be kept."""
    return zip(items, [*items[1:], None], strict=True)


def passes(item: pytest.Item, after: pytest.Item | None) -> bool:
    """Run one test."""
    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=after))


def put_in_place(mutant: Mutant) -> None:
    """Give the function its changed code; who imported the function has it too."""
    module_name = mutant.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    module = importlib.import_module(module_name)
    changed = compile(mutant.change_tree(), str(PROJECT / mutant.path), "exec")
    live_function(module, mutant.function).__code__ = code_of(changed, mutant.function)


def live_function(module: object, name: str) -> FunctionType:
    """Return a function of a module by its qualified name, without what wraps it."""
    found: Any = module
    for part in name.split("."):
        found = inspect.getattr_static(found, part)
    for wrapper in ("fget", "__func__", "func"):
        found = getattr(found, wrapper, found)
    function = inspect.unwrap(found)
    assert isinstance(function, FunctionType), f"{name} is a {type(function)}"
    return function


def code_of(code: CodeType, name: str) -> CodeType:
    """Return the code of a function inside compiled code."""
    inside = [part for part in code.co_consts if isinstance(part, CodeType)]
    for part in inside:
        if part.co_qualname == name:
            return part
    for part in inside:
        if name.startswith(part.co_qualname + "."):
            return code_of(part, name)
    raise KeyError(name)


def fork(work: Callable[[], bool]) -> int:
    """Do something in a child, silently, and return its process; its exit status says if so."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    is_so = False
    try:
        is_so = work()
    finally:
        os._exit(is_so)


def in_child(work: Callable[[], Reach]) -> Reach:
    """Return what something came to, without its traces in this process.

    Raises the RuntimeError that it raised.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump(result_of(work), pipe)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        result: Reach | RuntimeError = pickle.load(pipe)
    os.waitpid(child, 0)
    if isinstance(result, RuntimeError):
        raise result
    return result


def result_of(work: Callable[[], Reach]) -> Reach | RuntimeError:
    """Return what something came to, or why it came to nothing."""
    try:
        return work()
    except RuntimeError as failure:
        return failure
