"""An MQTT broker of one's own: unprivileged, on loopback, in a folder, gone afterwards.

Tills come in by TLS with the certificate that the bank gave them, and may only
listen, each at its own topic. The bank has a door of its own beside theirs.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from simulators.bank.errors import BankError
from simulators.bank.place import BankPlace

PACKAGE: Final = "mosquitto"
OWNER: Final = "nobody"
"""Who runs it when root asks for it."""
PROGRAM: Final = "/usr/sbin/mosquitto"
HOST: Final = "127.0.0.1"
UP: Final = "running"
STOP_S: Final = 10.0

SETTINGS: Final = """
per_listener_settings true
persistence false
log_dest stderr

listener {bank} {host}
allow_anonymous true

listener {tills} {host}
cafile {folder}/ca.pem
certfile {folder}/server.pem
keyfile {folder}/server-key.pem
require_certificate true
use_identity_as_username true
tls_version tlsv1.3
acl_file {folder}/acl
"""
RIGHTS: Final = """
pattern read opentill/%u
pattern read opentill/all
"""


class BrokerMissing(BankError):
    """Mosquitto is not installed, or does not start; the message names what mends it."""


class PrivateBroker:
    """A broker that is started at once; a context manager that ends and erases it."""

    def __init__(self, place: BankPlace) -> None:
        """place: whose tills may come in. Raises BrokerMissing."""
        program = shutil.which(PACKAGE) or PROGRAM
        if not Path(program).exists():
            raise BrokerMissing(f"Mosquitto is not installed: apt-get install {PACKAGE}")
        self._program = program
        self._folder = Path(tempfile.mkdtemp(prefix="opentill-mosquitto-"))
        self._bank_port, self._tills_port = _free_port(), _free_port()
        for path in (place.ca_certificate, place.server_certificate, place.server_key):
            shutil.copy(path, self._folder)
        (self._folder / "acl").write_text(RIGHTS, "ascii")
        ports = {"bank": self._bank_port, "tills": self._tills_port}
        settings = SETTINGS.format(folder=self._folder, host=HOST, **ports)
        (self._folder / "settings").write_text(settings, "ascii")
        self._owner = pwd.getpwnam(OWNER) if os.geteuid() == 0 else None
        if self._owner is not None:
            for path in (self._folder, *self._folder.iterdir()):
                os.chown(path, self._owner.pw_uid, self._owner.pw_gid)
        self._running: subprocess.Popen[str] | None = None
        self.start()

    @property
    def bank_url(self) -> str:
        """Where the bank publishes."""
        return f"mqtt://{HOST}:{self._bank_port}"

    @property
    def tills_url(self) -> str:
        """Where tills listen."""
        return f"mqtts://localhost:{self._tills_port}"

    def start(self) -> None:
        """Start it, again at the same ports. Raises BrokerMissing."""
        owner = self._owner
        self._running = subprocess.Popen(
            [self._program, "-c", self._folder / "settings"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self._folder,
            user=owner.pw_uid if owner else None,
            group=owner.pw_gid if owner else None,
            extra_groups=[] if owner else None,
        )
        said: list[str] = []
        for line in self._running.stdout or ():
            said.append(line.strip())
            if line.strip().endswith(UP):
                return
        self.close()
        raise BrokerMissing(f"Mosquitto does not start: {' '.join(said[-2:])}")

    def stop(self) -> None:
        """End it; start() has it back. Safe to call twice."""
        if self._running is None:
            return
        self._running.terminate()
        self._running.communicate(timeout=STOP_S)
        self._running = None

    def close(self) -> None:
        """End it for good, and erase its folder. Safe to call twice."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> PrivateBroker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _free_port() -> int:
    """Return a TCP port that nobody has now."""
    with socket.socket() as tried:
        tried.bind((HOST, 0))
        number: int = tried.getsockname()[1]
    return number
