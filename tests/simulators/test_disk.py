"""A disk that does as it is told, under a real SQLite."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from simulators.disk import Disk, Operation, Platter


@pytest.fixture
def disk() -> Iterator[Disk]:
    with Disk() as opened:
        yield opened


def connect(folder: Path) -> apsw.Connection:
    connection = apsw.Connection(str(folder / "a.db"))
    connection.execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE IF NOT EXISTS t (x)"
    ).fetchall()
    return connection


def add(connection: apsw.Connection) -> None:
    connection.execute("INSERT INTO t VALUES (zeroblob(300))").fetchall()


def count(connection: apsw.Connection) -> int:
    return len(connection.execute("SELECT 1 FROM t").fetchall())


def test_a_sound_disk_keeps_what_was_asked_of_it(disk: Disk, tmp_path: Path) -> None:
    with closing(connect(tmp_path)) as connection:
        add(connection)

    platter = Platter()
    for operation in disk.operations:
        platter.take(operation)
    left = platter.without_power("kept", random.Random(0))
    assert left["a.db"] == (tmp_path / "a.db").read_bytes()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("full", apsw.FullError),
        ("short", apsw.FullError),
        ("broken", apsw.IOError),
        ("read-only", apsw.IOError),
    ],
)
def test_a_fault_lasts_until_it_is_mended(
    disk: Disk, tmp_path: Path, fault: str, error: type[apsw.Error]
) -> None:
    with closing(connect(tmp_path)) as connection:
        add(connection)
        disk.fail_after(1, fault)  # type: ignore[arg-type]
        for _ in range(2):
            with pytest.raises(error):
                add(connection)
        disk.mend()
        add(connection)
        assert count(connection) == 2


def test_a_disk_taken_away_leaves_the_system_its_own(tmp_path: Path) -> None:
    with Disk() as disk:
        pass
    with closing(connect(tmp_path)):
        assert disk.operations == []


def test_without_power_only_what_was_synced_is_certain() -> None:
    platter = Platter()
    for operation in (
        Operation("write", "a", 0, b"safe"),
        Operation("sync", "a"),
        Operation("write", "a", 4, b"lost"),
        Operation("write", "b", 2, b"b"),
        Operation("delete", "c"),
    ):
        platter.take(operation)
    chance = random.Random(0)
    assert platter.without_power("dropped", chance) == {"a": b"safe"}
    assert platter.without_power("kept", chance) == {"a": b"safelost", "b": b"\0\0b"}


def test_a_torn_write_is_whole_in_each_sector() -> None:
    platter = Platter()
    platter.take(Operation("write", "a", 100, b"x" * 2000))
    seen = set()
    for seed in range(20):
        found = platter.without_power("torn", random.Random(seed)).get("a", bytearray())
        for start in range(0, len(found), 512):
            written = found[max(start, 100) : start + 512]
            assert len(set(written)) <= 1, "half a sector was written"
        seen.add(bytes(found))
    assert len(seen) > 2


def test_a_sync_makes_earlier_deletions_last() -> None:
    platter = Platter({"old": bytearray(b"1")})
    platter.take(Operation("delete", "old"))
    assert "old" in platter.without_power("dropped", random.Random(0))
    platter.take(Operation("sync", "new"))
    assert "old" not in platter.without_power("dropped", random.Random(0))
