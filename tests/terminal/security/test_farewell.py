"""A till leaves its bank, and nothing that proved it stays on its disk."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from simulators.bank import bench
from terminal.bank.client import Refusal
from terminal.errors import EnrolmentRefused, KeysUnusable, NeverLeft
from terminal.security import enrolment, farewell, succession
from terminal.security.enrolment import enrol, enrol_again
from terminal.security.farewell import say_goodbye, wipe
from terminal.security.files import write_file
from terminal.security.folder import is_enrolled
from terminal.security.keys import load_keys, protect

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


def with_waiting_keys(city: City) -> Path:
    """Return a key folder in which a renewal and another enrolment were begun."""
    folder = city.enrolled()
    for waiting in (succession.next_folder(folder), succession.again_folder(folder)):
        waiting.mkdir()
        (waiting / "tls-key.pem").write_text("a key")
    return folder


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
    while killed_at(step, folder := with_waiting_keys(quiet_city)):
        left = list(folder.iterdir())
        assert bool(left) is is_enrolled(folder), left
        wipe(folder)
        assert not list(folder.iterdir())
        step += 1
    assert step == 9  # its seven files, and two folders of keys that waited


# --- enrolled again -------------------------------------------------------------


def again(city: City, folder: Path, code: str) -> None:
    enrol_again(folder, code, lambda asked: bench.enrol(city.place, asked, city.clock.wall_ms()))


def test_a_revoked_till_is_itself_again_by_a_code(city: City) -> None:
    folder = city.enrolled()
    till_id = load_keys(folder).till_id
    bench.revoke(city.place, "till", till_id)
    assert not city.is_served(folder)

    again(city, folder, city.code(till_id))

    assert load_keys(folder).till_id == till_id
    assert city.is_served(folder)
    assert not succession.again_folder(folder).exists()


def test_a_lost_passphrase_costs_a_code_and_nothing_else(city: City) -> None:
    folder = city.enrolled()
    till_id = load_keys(folder).till_id
    protect(folder, b"lost and never found again")
    with pytest.raises(KeysUnusable):
        load_keys(folder)

    again(city, folder, city.code(till_id))
    assert city.is_served(folder)


def test_another_tills_code_changes_nothing(city: City) -> None:
    folder = city.enrolled()
    with pytest.raises(EnrolmentRefused, match="The code is for till till-other"):
        again(city, folder, city.code("till-other"))

    assert city.is_served(folder)
    assert not is_enrolled(succession.again_folder(folder))


def test_killed_at_any_step_another_enrolment_goes_on_by_its_code(city: City) -> None:
    step = 0
    while True:
        folder = city.enrolled()
        till_id = load_keys(folder).till_id
        code = city.code(till_id)
        child = os.fork()
        if child == 0:
            done = 0

            def count(path: Path, content: bytes, step: int = step) -> None:
                nonlocal done
                if done == step:
                    os.kill(os.getpid(), signal.SIGKILL)
                done += 1
                write_file(path, content)

            patch = pytest.MonkeyPatch()
            for module in (enrolment, succession):
                patch.setattr(module, "write_file", count)
            again(city, folder, code)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            break
        again(city, folder, code)
        assert city.is_served(folder), step
        step += 1
    assert city.is_served(folder)
    assert step == 8  # the seven files of an enrolment, and the mark
