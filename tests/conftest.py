"""Fixtures every test may use."""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

# Tills load these on threads. pytest compiles what it imports by itself, as the
# package holds a plugin of pytest, and Python 3.11 may fail where two threads do.
# Source: github.com/python/cpython/issues/106905.
import terminal.bank.client
import terminal.checkout.media  # noqa: F401

if TYPE_CHECKING:
    from simulators.readers.pcscd import Pcscd
    from simulators.readers.vpcd import VpcdReader

PROJECT = Path(__file__).parent.parent
NOBODY = 65534


def pytest_collection_finish() -> None:
    """Leave ten thousand collected tests out of each later collection of garbage."""
    gc.collect()
    gc.freeze()


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


@pytest.fixture
def as_nobody() -> Callable[[Callable[[], Any]], Any]:
    """Call something as a user without rights; what it returns comes back through a pipe.

    A process of its own: rights that were given up do not come back.
    """

    def call(work: Callable[[], Any]) -> Any:
        receive, send = multiprocessing.Pipe(duplex=False)
        child = os.fork()
        if child == 0:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            try:
                send.send(work())
            finally:
                os._exit(0)
        send.close()
        result = receive.recv()
        os.waitpid(child, 0)
        return result

    return call
