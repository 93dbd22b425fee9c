"""Fixtures every test may use."""

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of cases from outside. Missing, it is a failure, never a skip."""
    folder = Path(os.environ.get("OPENTILL_SHARED", PROJECT.parent / "shared")).resolve()
    if not (folder / "vectors").is_dir():
        pytest.fail(f"no vectors in {folder}: set OPENTILL_SHARED to the folder that holds them")
    return folder
