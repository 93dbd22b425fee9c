"""The numbers of a till's requests, and a copy of the till that uses them too."""

from __future__ import annotations

import multiprocessing
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from terminal.bank.client import VerifiedAnswer
from terminal.security.counter import BLOCK, FILE, RequestCounter
from terminal.security.keys import TillKeys, load_keys
from terminal.security.renewal import renew

if TYPE_CHECKING:
    from tests.terminal.security.conftest import City


def take(folder: Path, count: int) -> list[int]:
    counter = RequestCounter(folder)
    return [counter.take() for _ in range(count)]


def test_no_number_comes_twice_through_restarts_threads_and_processes(tmp_path: Path) -> None:
    shared = RequestCounter(tmp_path)
    with ThreadPoolExecutor(4) as lanes:
        numbers = list(lanes.map(lambda _: shared.take(), range(3 * BLOCK)))
    numbers += take(tmp_path, 3) + take(tmp_path, BLOCK + 1)
    with multiprocessing.get_context("fork").Pool(2) as processes:
        for taken in processes.starmap(take, [(tmp_path, 100)] * 4):
            numbers += taken
    numbers += [shared.take() for _ in range(3)]

    assert len(set(numbers)) == len(numbers)


def test_beside_another_process_numbers_still_rise(tmp_path: Path) -> None:
    """Far behind, they would look like a copy's."""
    till, highest = RequestCounter(tmp_path), -1
    for _ in range(50):
        for number in (till.take(), *take(tmp_path, 2), till.take()):
            assert number > highest
            highest = number


def test_it_writes_once_for_a_block(tmp_path: Path) -> None:
    counter = RequestCounter(tmp_path)
    counter.take()
    written = (tmp_path / FILE).stat().st_mtime_ns
    for _ in range(BLOCK - 1):
        counter.take()

    assert (tmp_path / FILE).stat().st_mtime_ns == written
    assert counter.take() == BLOCK


def notice(city: City, keys: TillKeys) -> str | None:
    reply = city.echo(keys)
    assert isinstance(reply, VerifiedAnswer)
    return reply.answer.notice


def test_two_tills_with_the_same_keys_are_noticed(city: City, tmp_path: Path) -> None:
    folder = city.enrolled()
    till = load_keys(folder)
    assert notice(city, till) is None
    copied = load_keys(Path(shutil.copytree(folder, tmp_path / "copy")))

    assert {notice(city, till) for _ in range(BLOCK)} == {None}
    assert notice(city, copied) == "cloned"
    assert notice(city, till) == "cloned"


def test_restarts_and_renewals_are_the_same_till(city: City) -> None:
    folder = city.enrolled()
    for _ in range(3):
        assert notice(city, load_keys(folder)) is None
        renew(folder, city.client)
        assert notice(city, load_keys(folder)) is None


@pytest.mark.parametrize("spoil", ["nonsense", "a folder"])
def test_a_counter_that_is_spoilt_stops_no_request(city: City, spoil: str) -> None:
    folder = city.enrolled()
    if spoil == "nonsense":
        (folder / FILE).write_text("x")
    else:
        (folder / FILE).mkdir()

    assert notice(city, load_keys(folder)) is None
