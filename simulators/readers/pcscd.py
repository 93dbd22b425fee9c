"""A pcscd of one's own: unprivileged, on its own socket, gone afterwards.

The daemon's socket is bound here and handed to it the way systemd does;
clients find it by PCSCLITE_CSOCK_NAME. libpcsclite remembers the first path
it is given, so a process has one of these.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from simulators.readers.errors import NotInstalled, ReaderSimulatorError

SOCKET_VARIABLE = "PCSCLITE_CSOCK_NAME"
DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
REMEDY = "apt-get install pcscd vsmartcard-vpcd gcc libc6-dev"
RECONNECT = Path(__file__).with_name("vpcd_reconnect.c")
START_S = 10.0
STOP_S = 5.0

# Becomes pcscd: its socket is its third descriptor, LISTEN_PID its own number,
# and it does not outlive the thread that started it (PR_SET_PDEATHSIG is 1).
_BECOME = """
import ctypes, os, signal, sys
door, owner, shim, *command = sys.argv[1:]
if owner:
    os.setgroups([])
    os.setgid(int(owner))
    os.setuid(int(owner))
ctypes.CDLL(None).prctl(1, signal.SIGTERM)
os.dup2(int(door), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LD_PRELOAD=shim)
os.execv(command[0], command)
"""


class Reader(Protocol):
    """What pcscd is told of a virtual reader."""

    @property
    def name(self) -> str:
        """What it is called; pcscd puts a number behind it."""

    @property
    def port(self) -> int:
        """Where vpcd looks for its card, on loopback: here and one further."""


@dataclass(frozen=True, slots=True)
class Place:
    """A virtual reader whose cards are held by somebody else."""

    name: str
    port: int


R = TypeVar("R", bound=Reader)


class Pcscd(Generic[R]):
    """A pcscd with virtual readers. Starts at once; a context manager that closes it."""

    def __init__(self, readers: Sequence[R]) -> None:
        """readers: in the order pcscd shall count them; a change of the list
        counts from the next start on.

        Raises NotInstalled, naming the packages, or ReaderSimulatorError if
        it does not come up.
        """
        self._program = _program()
        self.readers = list(readers)
        self._folder = Path(tempfile.mkdtemp(prefix="opentill-pcscd-"))
        self._owner = _owner()
        self.socket = self._folder / "pcscd.comm"
        self._daemon: subprocess.Popen[bytes] | None = None
        try:
            self._shim = _compile(self._folder)
            self.start()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Pcscd[R]:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    @property
    def pid(self) -> int | None:
        """The daemon's process, None while it is down."""
        return None if self._daemon is None else self._daemon.pid

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs in its environment to find this pcscd."""
        return {SOCKET_VARIABLE: str(self.socket)}

    def start(self) -> None:
        """Start the daemon; return when it serves. Raises ReaderSimulatorError."""
        if self._daemon is not None:
            return
        configuration = self._configure()
        self.socket.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as door, self._log.open("wb") as log:
            door.bind(str(self.socket))
            door.listen(16)
            self._give_away()
            self._daemon = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", "-c", _BECOME),
                    *(str(door.fileno()), str(self._owner or ""), str(self._shim)),
                    *(self._program, "-f", "-c", str(configuration)),
                ],
                pass_fds=[door.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait_until_it_serves()

    def kill(self) -> None:
        """End it as a crash does: no goodbye to anybody."""
        if self._daemon is not None:
            self._daemon.kill()
            self._daemon.wait()
            self._daemon = None

    def restart(self) -> None:
        """Kill it and start it again on the same socket."""
        self.kill()
        self.start()

    def close(self) -> None:
        """End it and remove all it made. Safe to call twice."""
        daemon, self._daemon = self._daemon, None
        if daemon is not None:
            daemon.terminate()
            try:
                daemon.wait(STOP_S)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _configure(self) -> Path:
        """Write what pcscd reads; return its folder, absolute as it has to be."""
        folder = self._folder / "reader.conf.d"
        folder.mkdir(exist_ok=True)
        entries = []
        for number, reader in enumerate(self.readers):
            # Two readers on one copy of the driver share its variables.
            driver = self._folder / f"libifdvpcd{number}.so"
            shutil.copyfile(DRIVER.resolve(), driver)
            entries.append(
                f'FRIENDLYNAME "{reader.name}"\n'
                f"DEVICENAME 127.0.0.1:{reader.port:#x}\n"
                f"LIBPATH {driver}\nCHANNELID {reader.port:#x}\n"
            )
        (folder / "vpcd").write_text("\n".join(entries), "ascii")
        return folder

    def _give_away(self) -> None:
        """Let the daemon's user at what it needs, and nobody else."""
        if self._owner is not None:
            for path in (self._folder, *self._folder.rglob("*")):
                os.chown(path, self._owner, -1)

    def _wait_until_it_serves(self) -> None:
        """Wait until the daemon takes a connection and says which version it speaks.

        The first context of this process must not be made before: it would
        wait for the daemon, and the daemon may be waiting for our cards.
        """
        daemon = self._daemon
        deadline = time.monotonic() + START_S
        # Version 4.4 of the protocol: length and command, then major, minor, result.
        hello = (12).to_bytes(4, "little") + (0x11).to_bytes(4, "little")
        hello += (4).to_bytes(4, "little") * 2 + (0).to_bytes(4, "little")
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(START_S)
            client.connect(str(self.socket))
            try:
                client.sendall(hello)
                answered = client.recv(12)
            except OSError:
                answered = b""
        if not answered or time.monotonic() > deadline:
            status = daemon.poll() if daemon is not None else None
            said = self._log.read_text("utf-8", "replace")[-400:]
            self.kill()
            raise ReaderSimulatorError(f"pcscd did not come up (status {status}): {said}")


def _program() -> str:
    program = shutil.which("pcscd") or shutil.which("pcscd", path="/usr/sbin:/sbin")
    if program is None or not DRIVER.exists():
        missing = "pcscd" if program is None else "vpcd, its virtual reader,"
        raise NotInstalled(f"{missing} is not installed: {REMEDY}")
    return program


def _owner() -> int | None:
    """Return whom to run as. root's private daemon would delete the system's pid file."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def _compile(folder: Path) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise NotInstalled(f"a C compiler is not installed: {REMEDY}")
    made = folder / "vpcd_reconnect.so"
    result = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", str(made), str(RECONNECT)],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise NotInstalled(f"the C compiler fails: {result.stderr.strip()[:300]}; {REMEDY}")
    return made
