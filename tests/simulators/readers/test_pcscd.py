"""A pcscd of one's own is handed its socket as systemd would, wherever that stands."""

from __future__ import annotations

import subprocess
import sys

import pytest

# The lowest descriptor that is free is the socket's: 3, where pcscd looks for it.
SERVE = """
import os
held = os.open("/dev/null", os.O_RDONLY)
assert held == 3, held
from simulators.readers.pcscd import Pcscd
from simulators.readers.vpcd import VpcdReader
reader = VpcdReader()
os.close(held)
with Pcscd([reader]) as daemon:
    os.environ.update(daemon.environment)
    from drivers.reader_pcsc import reader_names
    print(*reader_names())
reader.close()
"""


@pytest.mark.wire
def test_a_socket_that_stands_at_its_place_already_is_left_open() -> None:
    """Closed, pcscd would use its usual path and say nothing of it."""
    done = subprocess.run(
        [sys.executable, "-c", SERVE],
        env={"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin:/usr/sbin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert "OpenTill Virtual PICC" in done.stdout, done.stderr
