"""Worlds share the keys that take long to make."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.world.works import Works


@pytest.fixture(scope="session")
def works_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it is."""
    return tmp_path_factory.mktemp("works")


@pytest.fixture(scope="session")
def works(works_folder: Path) -> Works:
    """What every world is built from."""
    return Works(works_folder, os.urandom)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What goes wrong on purpose need not be logged."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
