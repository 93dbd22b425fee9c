"""Traces on disk: private, within bounds, and never in anybody's way."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

import config
from config.schema import Device
from emv.conversation import Kernel, exchange
from emv.entry_point import Transaction
from emv.outcome import Outcome, Status
from terminal.assembly.devices import drivers
from terminal.checkout.media import _trace_keeper, _witness
from terminal.errors import NotAllowed
from terminal.seams import SystemClock
from terminal.traces.folder import MS_PER_DAY, Bounds, TraceFolder
from terminal.traces.keeper import WAITING_MAX, TraceKeeper
from terminal.traces.recording import Recording

SALE = Transaction(100, 156, 2, datetime.date(2026, 11, 24))
AMPLE = Bounds(100, MS_PER_DAY, 10**6)
FIRST, SECOND = "01a20e6a-eebe-7fdd-8ef5-8caa47bda1aa", "01a20e6b-1bc0-7dc5-95b6-d578fc2dbf16"


def kernel() -> Kernel[Outcome]:
    yield from exchange(bytes.fromhex("00A4040007A000000003101000"))
    return Outcome(Status.DECLINED)


def recording(attempt: str = FIRST) -> Recording:
    return Recording(attempt, "Counter reader", "contactless", 0, SALE, whole=True)


@pytest.fixture
def folder(tmp_path: Path) -> TraceFolder:
    return TraceFolder(tmp_path)


def test_what_is_written_is_read_again_in_its_order(folder: TraceFolder) -> None:
    one, other = recording().trace(), recording(SECOND).trace()
    for trace in (one, other, one):
        folder.write(trace)

    assert folder.of(FIRST) == [one, one]
    assert folder.attempts() == [SECOND, FIRST]


def test_nobody_else_can_read_it(folder: TraceFolder, tmp_path: Path) -> None:
    folder.write(recording().trace())

    assert (tmp_path / "traces").stat().st_mode & 0o777 == 0o700
    [path] = (tmp_path / "traces").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("more", [1, 4])
def test_the_oldest_go_beyond_a_count(folder: TraceFolder, more: int) -> None:
    for number in range(more + 3):
        folder.write(recording(f"{number:08}-0000-7000-8000-000000000000").trace())

    folder.prune(Bounds(3, MS_PER_DAY, 10**6), SystemClock().wall_ms())

    assert [attempt[:8] for attempt in folder.attempts()] == [
        f"{number:08}" for number in range(more + 2, more - 1, -1)
    ]


def test_the_oldest_go_beyond_a_size_and_an_age(folder: TraceFolder, tmp_path: Path) -> None:
    for attempt in (FIRST, SECOND):
        folder.write(recording(attempt).trace())
    _, second = sorted((tmp_path / "traces").iterdir())
    now_ms = SystemClock().wall_ms()

    folder.prune(Bounds(9, MS_PER_DAY, second.stat().st_size), now_ms)
    assert folder.attempts() == [SECOND]
    os.utime(second, ns=(0, (now_ms - MS_PER_DAY - 1000) * 1_000_000))
    folder.prune(AMPLE, now_ms)
    assert folder.attempts() == []


def test_a_number_that_was_pruned_is_not_given_twice(folder: TraceFolder, tmp_path: Path) -> None:
    for _ in range(3):
        folder.write(recording().trace())
    (tmp_path / "traces" / f"{FIRST}.001.json").unlink()

    folder.write(recording().trace())

    assert len(folder.of(FIRST)) == 3


def test_a_draft_of_a_till_that_was_cut_off_is_gone(folder: TraceFolder, tmp_path: Path) -> None:
    folder.write(recording().trace())
    (tmp_path / "traces" / f"{SECOND}.001.draft").write_bytes(b"{")

    assert folder.attempts() == [FIRST]
    folder.prune(AMPLE, SystemClock().wall_ms())
    assert len(list((tmp_path / "traces").iterdir())) == 1


def test_a_file_that_is_no_trace_is_named(folder: TraceFolder, tmp_path: Path) -> None:
    folder.write(recording().trace())
    [path] = (tmp_path / "traces").iterdir()
    path.write_text("{}")

    with pytest.raises(NotAllowed, match=f"{path.name}: This is no trace of this till"):
        folder.of(FIRST)


@pytest.fixture
def keep(tmp_path: Path) -> Callable[..., TraceKeeper]:
    def start(bounds: Bounds = AMPLE) -> TraceKeeper:
        keeper = TraceKeeper(tmp_path, bounds, SystemClock())
        keeper.start()
        return keeper

    return start


def test_a_conversation_is_kept_when_it_ends(
    keep: Callable[..., TraceKeeper], folder: TraceFolder
) -> None:
    keeper = keep()
    talk = keeper.witness("Counter reader", whole=True)(kernel(), FIRST, "contact", SALE, False)

    next(talk)
    talk.close()
    keeper.close()

    [trace] = folder.of(FIRST)
    assert (trace.interface, trace.status) == ("contact", "")


def test_what_grew_old_while_the_till_was_off_goes_at_its_start(
    keep: Callable[..., TraceKeeper], folder: TraceFolder, tmp_path: Path
) -> None:
    folder.write(recording().trace())
    [path] = (tmp_path / "traces").iterdir()
    os.utime(path, ns=(0, 0))

    keep().close()

    assert folder.attempts() == []


def test_a_disk_that_takes_nothing_is_no_reason_to_fail(
    keep: Callable[..., TraceKeeper], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "traces").write_text("a file where the folder should be")
    keeper = keep()

    keeper.keep(recording())
    keeper.keep(recording(SECOND))
    keeper.close()

    assert f"trace of {FIRST} is not kept" in caplog.text
    assert f"trace of {SECOND} is not kept" in caplog.text


def test_too_many_at_once_wait_for_nothing(
    tmp_path: Path, folder: TraceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call returns at once, though nothing is written meanwhile."""
    keeper = TraceKeeper(tmp_path, AMPLE, SystemClock())
    monkeypatch.setattr(keeper._thread, "is_alive", lambda: True)

    for _ in range(WAITING_MAX + 5):
        keeper.keep(recording())

    assert keeper._waiting.qsize() == WAITING_MAX
    monkeypatch.undo()
    keeper.start()
    keeper.close()
    assert len(folder.of(FIRST)) == WAITING_MAX


@pytest.mark.parametrize(
    ("driver", "masks", "whole"),
    [
        ("simulated", "real-cards", True),
        ("simulated", "all-cards", False),
        ("pcsc", "real-cards", False),
        ("nfc", "real-cards", False),
    ],
)
def test_only_a_simulated_reader_is_kept_whole(
    tmp_path: Path, folder: TraceFolder, driver: str, masks: str, whole: bool
) -> None:
    """A bench shop's real reader may have anybody's card on it."""
    bench = config.load_settings(config.BENCH)
    settings = msgspec.structs.replace(
        bench, traces=msgspec.structs.replace(bench.traces, masks=masks)
    )
    keeper = _trace_keeper(settings, tmp_path, SystemClock())
    assert keeper is not None
    keeper.start()
    device = Device(name="Counter reader", driver=driver)
    witness = _witness(keeper, settings, drivers(None), device)

    talk = witness(kernel(), FIRST, "contactless", SALE, False)
    next(talk)
    talk.close()
    keeper.close()

    [trace] = folder.of(FIRST)
    assert trace.whole is whole


def test_a_shop_may_keep_none(tmp_path: Path) -> None:
    bench = config.load_settings(config.BENCH)
    none = msgspec.structs.replace(bench, traces=msgspec.structs.replace(bench.traces, count_max=0))

    assert _trace_keeper(none, tmp_path, SystemClock()) is None
