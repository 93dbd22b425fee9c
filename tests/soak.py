"""The pytest plugin of `make soak`: goes on where it was stopped, and keeps count.

soak/COMMIT.txt gets one line for each test that passed: how long it took, and
its name. A test that is in it does not run again for the same commit; with changes
that are not committed every test runs.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
KEPT = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Find out which commit this is."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    config.stash[KEPT] = PROJECT / "soak" / f"{described.stdout.strip()}.txt"
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Keeper(config.stash[KEPT]))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what has passed before."""
    if config.stash[KEPT].stem.endswith("-dirty"):
        return
    passed = {line.partition(" s  ")[2] for line in lines(config.stash[KEPT])}
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
        if report.when == "call" and report.passed:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{report.duration:8.1f} s  {report.nodeid}\n")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Nothing left to do is no failure."""
        if session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and lines(self._path):
            session.exitstatus = pytest.ExitCode.OK

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say how far it is."""
        count = len(lines(self._path))
        where = self._path.relative_to(PROJECT)
        terminalreporter.write_line(f"{count} campaigns passed at this commit: {where}")


def lines(path: Path) -> list[str]:
    """Return what is kept so far."""
    return path.read_text("utf-8").splitlines() if path.exists() else []
