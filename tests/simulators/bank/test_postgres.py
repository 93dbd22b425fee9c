"""A server of one's own comes, is nobody else's, and goes."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from simulators.bank import postgres
from simulators.bank.postgres import PostgresMissing, PrivatePostgres

pytestmark = pytest.mark.wire


def test_it_listens_on_no_port_runs_unprivileged_and_leaves_nothing() -> None:
    with PrivatePostgres() as server, psycopg.connect(server.url) as connection:
        asked = "SELECT current_setting('listen_addresses'), current_setting('data_directory')"
        row = connection.execute(asked).fetchone()
        assert row is not None
        addresses, data = row
        assert addresses == ""
        owner = Path(data).stat().st_uid
        assert owner != 0
        assert owner == os.geteuid() or os.geteuid() == 0
    server.close()
    assert not Path(data).parent.exists()


def test_it_ends_with_whoever_started_it() -> None:
    """A test run that is killed leaves no server behind."""
    program = (
        "from simulators.bank.postgres import PrivatePostgres as P; import time\n"
        "server = P(); print(server.url, flush=True); time.sleep(600)"
    )
    starter = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    url = starter.stdout.readline().strip()
    with psycopg.connect(url) as connection:
        starter.kill()
        starter.wait()
        # The server says goodbye to this connection when it goes.
        assert select.select([connection.fileno()], [], [], 60)[0]
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_without_its_programs_the_package_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(postgres, "DEBIAN", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PostgresMissing, match="apt-get install postgresql"):
        PrivatePostgres()


def test_why_it_does_not_start_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    programs = tmp_path / "15" / "bin"
    programs.mkdir(parents=True)
    tmp_path.chmod(0o755)
    broken = programs / "initdb"
    broken.write_text("#!/bin/sh\necho 'initdb: the disk is full'; exit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(postgres, "DEBIAN", tmp_path)
    monkeypatch.setattr(postgres, "OWNER", "root")
    with pytest.raises(PostgresMissing, match="the disk is full"):
        PrivatePostgres()
