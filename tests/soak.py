"""The pytest plugin of `make soak`: goes on where it was stopped, and keeps the figures.

soak/COMMIT.jsonl gets one line for each test that passed: its name, when, how long
it took, and the figures it recorded. A test that is in it does not run again for the
same commit; with changes that are not committed every test runs.
"""

from __future__ import annotations

import datetime
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[1]
FOLDER = PROJECT / "soak"
KEPT = pytest.StashKey[Path]()


def size(sample: int, full: int) -> int:
    """Return how large a campaign is in this run: in full if OPENTILL_SOAK is set."""
    return full if os.environ.get("OPENTILL_SOAK") else sample


def pytest_configure(config: pytest.Config) -> None:
    """Find out which commit this is."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    config.stash[KEPT] = FOLDER / f"{described.stdout.strip()}.jsonl"
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Keeper(config.stash[KEPT]))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what has passed before."""
    if config.stash[KEPT].stem.endswith("-dirty"):
        return
    passed = {run["test"] for run in runs(config.stash[KEPT])}
    left_out = [item for item in items if item.nodeid in passed]
    items[:] = [item for item in items if item.nodeid not in passed]
    config.hook.pytest_deselected(items=left_out)


class Keeper:
    """Writes the file; of several processes, the first one does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(exist_ok=True)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep a test that passed."""
        if report.when != "call" or not report.passed:
            return
        run = {
            "test": report.nodeid,
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "seconds": round(report.duration, 1),
            "figures": dict(report.user_properties),
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(run) + "\n")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Nothing left to do is no failure."""
        if session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and runs(self._path):
            session.exitstatus = pytest.ExitCode.OK

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say how far it is."""
        count = len(runs(self._path))
        where = self._path.relative_to(PROJECT)
        terminalreporter.write_line(f"{count} campaigns passed at this commit: {where}")


def runs(path: Path) -> list[dict[str, Any]]:
    """Return what is kept so far."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
