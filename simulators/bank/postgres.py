"""A PostgreSQL of one's own: unprivileged, in a folder, on a socket file, gone afterwards.

It never touches a server that the machine runs: no port, no system folder.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from simulators.bank.errors import BankError

PACKAGE = "postgresql"
DEBIAN = Path("/usr/lib/postgresql")
"""Debian keeps the server's programs of each version below this."""
OWNER = "nobody"
"""Who runs it when root asks for it: the server refuses to be root."""
START_S = 30


class PostgresMissing(BankError):
    """PostgreSQL is not installed, or does not start; the message names what mends it."""


class PrivatePostgres:
    """A server that is started at once; a context manager that ends and erases it."""

    def __init__(self, *, is_durable: bool = False) -> None:
        """is_durable: wait for the disk at each commit, as a bank's server does.

        Raises PostgresMissing.
        """
        self._programs = _programs()
        owner = pwd.getpwnam(OWNER) if os.geteuid() == 0 else None
        self._user = owner.pw_uid if owner else None
        self._group = owner.pw_gid if owner else None
        # Its socket's whole path may have 107 letters, so not below a test's own folder.
        self._folder = Path(tempfile.mkdtemp(prefix="opentill-postgres-"))
        if owner:
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
        self._data = self._folder / "data"
        try:
            self._run("initdb", "--username=bank", "--encoding=UTF8", "--locale=C", "--auth=trust")
            settings = {"listen_addresses": "", "unix_socket_directories": str(self._folder)}
            if not is_durable:
                settings |= {"fsync": "off", "synchronous_commit": "off"}
            options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
            log = str(self._folder / "log")
            self._run("pg_ctl", "start", "--wait", f"--timeout={START_S}", "-l", log, "-o", options)
        except PostgresMissing:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    @property
    def url(self) -> str:
        """Where its database is, as --database takes it."""
        return f"postgresql://bank@/postgres?host={self._folder}"

    def clear(self) -> None:
        """Empty the database, as if the server were new."""
        import psycopg

        with psycopg.connect(self.url) as connection:
            connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")

    def close(self) -> None:
        """End the server and erase its folder. Safe to call twice."""
        if self._folder.exists():
            self._run("pg_ctl", "stop", "--wait", "--mode=immediate")
            shutil.rmtree(self._folder)

    def __enter__(self) -> PrivatePostgres:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, program: str, *arguments: str) -> None:
        said = self._folder / "said"
        # A file, since the server keeps its starter's output open.
        with said.open("wb") as output:
            done = subprocess.run(
                [self._programs / program, *arguments, f"--pgdata={self._data}"],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                check=False,
                user=self._user,
                group=self._group,
                extra_groups=[] if self._user is not None else None,
            )
        if done.returncode:
            lines = said.read_text("utf-8", "replace").strip().splitlines()
            raise PostgresMissing(f"{program} failed: {lines[-1] if lines else done.returncode}")


def _programs() -> Path:
    """Return where the server's programs are, of the newest version there is."""
    versions = [place for place in DEBIAN.glob("*/bin") if (place / "initdb").exists()]
    if versions:
        return max(versions, key=lambda place: float(place.parent.name))
    found = shutil.which("initdb")
    if found is None:
        raise PostgresMissing(f"PostgreSQL is not installed: apt-get install {PACKAGE}")
    return Path(found).parent
