"""A till leaves its bank, and nothing that proved it stays on its disk."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from simulators.bank import bench
from terminal.bank.client import Refusal
from terminal.errors import NeverLeft
from terminal.security import farewell
from terminal.security.enrolment import enrol
from terminal.security.farewell import say_goodbye, wipe
from terminal.security.folder import is_enrolled
from terminal.security.keys import load_keys

if TYPE_CHECKING:
    from tests.terminal.security.conftest import City


def test_a_till_that_left_is_served_no_more_and_can_be_taken_in_again(city: City) -> None:
    folder = city.enrolled()
    keys = load_keys(folder)
    (folder / "people-pepper").write_bytes(bytes(32))
    say_goodbye(city.client(keys))

    assert isinstance(city.echo(keys), Refusal)
    say_goodbye(city.client(keys))
    wipe(folder)
    assert [path.name for path in folder.iterdir()] == ["people-pepper"]
    code = city.code(keys.till_id)
    enrol(folder, code, lambda asked: bench.enrol(city.place, asked, city.clock.wall_ms()))
    assert city.is_served(folder)


def test_a_bank_that_cannot_be_reached_leaves_the_till_enrolled(quiet_city: City) -> None:
    folder = quiet_city.enrolled()
    quiet_city.url = "https://127.0.0.1:9"

    with pytest.raises(NeverLeft):
        say_goodbye(quiet_city.client(load_keys(folder)))
    assert load_keys(folder).till_id


def killed_at(step: int, folder: Path) -> bool:
    """Wipe in a process that is killed after its nth file; True if it was."""
    child = os.fork()
    if child == 0:
        done = 0

        def count(_folder: Path) -> None:
            nonlocal done
            if done == step:
                os.kill(os.getpid(), signal.SIGKILL)
            done += 1

        pytest.MonkeyPatch().setattr(farewell, "sync_folder", count)
        wipe(folder)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_killed_at_any_step_it_is_enrolled_until_all_is_gone(quiet_city: City) -> None:
    step = 0
    while killed_at(step, folder := quiet_city.enrolled()):
        left = list(folder.iterdir())
        assert bool(left) is is_enrolled(folder), left
        wipe(folder)
        assert not list(folder.iterdir())
        step += 1
    assert step == 7
