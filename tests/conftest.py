"""Fixtures every test may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from simulators.readers.pcscd import Pcscd
    from simulators.readers.vpcd import VpcdReader

PROJECT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of cases from outside. Missing, it is a failure, never a skip."""
    folder = Path(os.environ.get("OPENTILL_SHARED", PROJECT.parent / "shared")).resolve()
    if not (folder / "vectors").is_dir():
        pytest.fail(f"no vectors in {folder}: set OPENTILL_SHARED to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def pcscd() -> Iterator[Pcscd[VpcdReader]]:
    """The one pcscd of this process, with an antenna and a slot that speaks T=0.

    libpcsclite remembers the first daemon it is shown, so there is one for
    all tests. Missing, it is a failure that names the packages, never a skip.
    """
    from drivers.protocols import Interface
    from simulators.readers.atr import CONTACT_T0
    from simulators.readers.pcscd import Pcscd
    from simulators.readers.vpcd import VpcdReader

    readers = [
        VpcdReader("Contract PICC"),
        VpcdReader("Contract Slot", interface=Interface.CONTACT, answer_to_reset=CONTACT_T0),
    ]
    with pytest.MonkeyPatch.context() as patch, Pcscd(readers) as daemon:
        for name, value in daemon.environment.items():
            patch.setenv(name, value)
        yield daemon
    for reader in readers:
        reader.close()
