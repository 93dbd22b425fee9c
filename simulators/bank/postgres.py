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
UP = "up"

# Starts a server and keeps it while its own input is open: it ends with whoever
# started it, even if that is killed. What went wrong is the last line of a log.
KEEP = """
programs=$1 data=$2/data log=$2/log options=$3
{ "$programs/initdb" -D "$data" --username=bank --encoding=UTF8 --locale=C --auth=trust \\
    && "$programs/pg_ctl" start -D "$data" --wait -l "$2/server" -o "$options"
} >"$log" 2>&1 || { tail -n 1 "$log"; exit 1; }
echo up
cat >/dev/null
"$programs/pg_ctl" stop -D "$data" --wait --mode=immediate >>"$log" 2>&1
cd / && rm -rf "$2"
"""


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
        # Its socket's whole path may have 107 letters, so not below a test's own folder.
        self._folder = Path(tempfile.mkdtemp(prefix="opentill-postgres-"))
        if owner:
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
        settings = {"listen_addresses": "", "unix_socket_directories": str(self._folder)}
        if not is_durable:
            settings |= {"fsync": "off", "synchronous_commit": "off"}
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        self._keeper = subprocess.Popen(
            ["sh", "-c", KEEP, "keep", self._programs, self._folder, options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=self._folder,
            user=owner.pw_uid if owner else None,
            group=owner.pw_gid if owner else None,
            extra_groups=[] if owner else None,
        )
        said = self._keeper.stdout.readline().strip() if self._keeper.stdout else ""
        if said != UP:
            self.close()
            raise PostgresMissing(f"PostgreSQL does not start: {said}")

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
        if self._keeper.returncode is None:
            self._keeper.communicate()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> PrivatePostgres:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _programs() -> Path:
    """Return where the server's programs are, of the newest version there is."""
    versions = [place for place in DEBIAN.glob("*/bin") if (place / "initdb").exists()]
    if versions:
        return max(versions, key=lambda place: float(place.parent.name))
    found = shutil.which("initdb")
    if found is None:
        raise PostgresMissing(f"PostgreSQL is not installed: apt-get install {PACKAGE}")
    return Path(found).parent
