"""What the campaigns share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.disk import Disk

RAM = Path("/dev/shm")


@pytest.fixture
def disk() -> Iterator[Disk]:
    """The disk that everything opened after this fixture is on."""
    with Disk() as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, if there is such a place: a campaign opens files by the thousand."""
    with tempfile.TemporaryDirectory(dir=RAM if RAM.is_dir() else tmp_path) as made:
        yield Path(made)
