"""New keys in time, over the real link: no gap, wherever the power fails; nobody revoked."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from simulators.bank import bench
from simulators.bank.trust.authority import Authority, certificate_pem
from simulators.bank.trust.credentials import LAST_MS
from terminal.bank.client import BankClient, Refusal, VerifiedAnswer
from terminal.bank.messages import Echo
from terminal.bank.renewing import RenewingClient
from terminal.errors import EnrolmentRefused, KeysUnusable, LinkNotSecure, NeverLeft
from terminal.security import succession
from terminal.security.folder import REVOKED, key_version
from terminal.security.keys import CERTIFICATES, TillKeys, load_keys
from terminal.security.renewal import is_due, keep_good, learn_revoked, renew
from terminal.security.upkeep import Upkeep

if TYPE_CHECKING:
    from tests.terminal.security.conftest import City


def private_keys(folder: Path) -> set[bytes]:
    return {path.read_bytes() for path in folder.glob("*-key.pem") if "bank" not in path.name}


def test_both_keys_are_new_and_the_till_is_the_same(city: City) -> None:
    folder = city.enrolled()
    before, old = private_keys(folder), load_keys(folder)

    renewed = renew(folder, city.client)

    assert renewed.till_id == old.till_id
    assert not before & private_keys(folder)
    assert not succession.next_folder(folder).exists()
    assert city.is_served(folder)


def test_the_old_keys_are_good_for_a_day_after_the_new_were_proved(
    city: City, tmp_path: Path
) -> None:
    """Whatever is under way with them is not shut out."""
    folder = city.enrolled()
    old = Path(shutil.copytree(folder, tmp_path / "old"))
    renew(folder, city.client)

    assert city.is_served(old)
    city.clock.moved_s = LAST_MS / 1000 + 1
    refusal = city.echo(load_keys(old))
    assert isinstance(refusal, Refusal)
    assert refusal.error == "certificate_unknown"
    assert city.is_served(folder)


def test_until_the_new_keys_are_proved_the_old_ones_are_the_tills(city: City) -> None:
    """The bank has certified the new ones, then its line is gone."""
    folder = city.enrolled()
    calls: list[TillKeys] = []

    def cut_after_certifying(keys: TillKeys) -> BankClient:
        calls.append(keys)
        client = city.client(keys)
        if len(calls) > 1:
            client.close()
        return client

    with pytest.raises(NeverLeft):
        renew(folder, cut_after_certifying)
    assert city.is_served(folder)
    assert is_due(folder, load_keys(folder), city.clock.wall_ms())

    city.clock.moved_s = LAST_MS / 1000 + 1
    assert city.is_served(folder)
    certified = (succession.next_folder(folder) / CERTIFICATES).read_bytes()
    renew(folder, city.client)
    assert (folder / CERTIFICATES).read_bytes() == certified
    assert city.is_served(folder)


def killed_at(step: int, folder: Path, city: City) -> bool:
    """Renew in a process that is killed at its nth write to disk; True if it was."""
    child = os.fork()
    if child == 0:
        sync, done = os.fsync, 0

        def sync_or_die(descriptor: int) -> None:
            nonlocal done
            if done == step:
                os.kill(os.getpid(), signal.SIGKILL)
            done += 1
            sync(descriptor)

        pytest.MonkeyPatch().setattr(os, "fsync", sync_or_die)
        with contextlib.suppress(BaseException):
            renew(folder, city.client)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.slow
def test_killed_at_any_step_the_till_is_served_and_can_renew(city: City) -> None:
    step = 0
    while killed_at(step, folder := city.enrolled(), city):
        assert city.is_served(folder), step
        renew(folder, city.client)
        assert city.is_served(folder), step
        step += 1
    assert step == 19  # nine files, the file and its folder each; and the folder they move to


def test_whoever_reads_while_keys_change_hands_sees_old_ones_or_new_ones(city: City) -> None:
    folder = city.enrolled()
    over = threading.Event()
    broken: list[str] = []

    def read_all_the_time() -> None:
        while not over.is_set():
            try:
                load_keys(folder)
            except KeysUnusable as error:
                broken.append(str(error))

    readers = [threading.Thread(target=read_all_the_time) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(3):
        renew(folder, city.client)
    over.set()
    for reader in readers:
        reader.join()
    assert broken == []


def test_new_keys_that_the_bank_forgot_are_forgotten_here_too(city: City, tmp_path: Path) -> None:
    folder = city.enrolled()
    waiting = succession.next_folder(folder)
    shutil.copytree(city.enrolled(), waiting)
    bench.revoke(city.place, "till", load_keys(waiting).till_id)

    with pytest.raises(EnrolmentRefused, match="does not take the new keys"):
        renew(folder, city.client)
    assert not waiting.exists()
    assert city.is_served(folder)


def test_it_is_time_in_the_last_thirty_days(city: City) -> None:
    folder = city.enrolled(days=90)
    keys, day_ms = load_keys(folder), 86_400_000

    assert not is_due(folder, keys, keys.expires_ms - 31 * day_ms)
    assert is_due(folder, keys, keys.expires_ms - 29 * day_ms)


def key_upkeep(city: City, folder: Path) -> Upkeep:
    """Return what renews keys beside the sales, once an hour."""

    def chore(open_client: Callable[[TillKeys], BankClient]) -> None:
        keep_good(folder, open_client, city.clock.wall_ms())

    return Upkeep("key-upkeep", chore, city.client, every_s=3600)


def test_a_running_tills_lane_goes_on_without_a_gap(city: City) -> None:
    """One lane asks again and again while the keys are renewed beside it."""
    folder = city.enrolled(days=20)
    held = [load_keys(folder)]
    versions = [key_version(folder)]

    def newest() -> TillKeys:
        if key_version(folder) != versions[-1]:
            versions.append(key_version(folder))
            held.append(load_keys(folder))
        return held[-1]

    upkeep = key_upkeep(city, folder)
    with closing(RenewingClient(lambda: city.client(newest()), newest)) as lane:
        assert isinstance(lane.call(Echo()), VerifiedAnswer)
        upkeep.start()
        while len(held) < 2:
            assert isinstance(lane.call(Echo()), VerifiedAnswer)
        assert isinstance(lane.call(Echo()), VerifiedAnswer)
    upkeep.close()
    assert held[0].certificates == held[1].certificates
    assert held[1].expires_ms > held[0].expires_ms


def test_a_closed_lane_stays_closed_when_keys_are_new(city: City) -> None:
    keys = [load_keys(city.enrolled())]
    lane = RenewingClient(lambda: city.client(keys[-1]), lambda: keys[-1])
    lane.close()
    keys.append(load_keys(city.enrolled()))

    with pytest.raises(NeverLeft):
        lane.call(Echo())


def test_keys_that_are_spoilt_under_a_lane_send_nothing(city: City) -> None:
    folder = city.enrolled()
    keys = load_keys(folder)
    answers = iter([keys])

    def spoilt() -> TillKeys:
        for each in answers:
            return each
        return load_keys(folder)

    lane = RenewingClient(lambda: city.client(keys), spoilt)
    (folder / CERTIFICATES).write_text("nonsense")

    with pytest.raises(LinkNotSecure, match=CERTIFICATES):
        lane.call(Echo())
    lane.close()


# --- revocation ---------------------------------------------------------------


def test_a_revoked_till_is_refused_at_once_and_cannot_renew_or_enrol_again(
    city: City, tmp_path: Path
) -> None:
    folder = city.enrolled()
    keys = load_keys(folder)
    with closing(city.client(keys)) as client:
        assert isinstance(client.call(Echo()), VerifiedAnswer)
        bench.revoke(city.place, "till", keys.till_id)
        refusal = client.call(Echo())

    assert isinstance(refusal, Refusal)
    assert (refusal.status, refusal.error) == (401, "certificate_revoked")
    with pytest.raises(EnrolmentRefused, match="revoked"):
        renew(folder, city.client)


def test_a_revoked_tills_code_is_dead_too(city: City) -> None:
    """Else it would ask once more by the code and the keys it has."""
    from terminal.security.enrolment import enrol

    folder = city.enrolled()
    number = load_keys(folder).till_id
    code = city.code(number)
    bench.revoke(city.place, "till", number)

    with pytest.raises(Exception, match="too old"):
        enrol(
            city.folder / "again",
            code,
            lambda asked: bench.enrol(city.place, asked, city.clock.wall_ms()),
        )


def test_a_revoked_bank_hears_nothing(quiet_city: City) -> None:
    """Somebody has the old server's key; its certificate would be good for years."""
    city = quiet_city
    folder = city.enrolled()
    with city.start():
        bench.replace_server(city.place, city.clock.wall_ms())
        keys = learn_revoked(folder, city.client)
        assert len(keys.revoked) == 1
        with pytest.raises(LinkNotSecure, match="revoked"):
            city.echo(keys)
    with city.start():
        assert isinstance(city.echo(keys), VerifiedAnswer)


def test_what_was_revoked_is_not_made_good_by_an_older_list(city: City) -> None:
    folder = city.enrolled()
    authority, now_ms = Authority.load(city.place), city.clock.wall_ms()
    newer = certificate_pem(authority.list_revoked([4711], now_ms))
    (folder / REVOKED).write_text(newer)

    with pytest.raises(EnrolmentRefused, match="older"):
        learn_revoked(folder, city.client)
    assert load_keys(folder).revoked == {4711}


@pytest.mark.parametrize("kind", ["another CA's", "no list"])
def test_a_list_that_is_not_the_cas_is_named(city: City, kind: str) -> None:
    folder = city.enrolled()
    stranger = Authority.create("stranger", city.clock.wall_ms())
    listed = certificate_pem(stranger.list_revoked([1], city.clock.wall_ms()))
    (folder / REVOKED).write_text(listed if kind == "another CA's" else "nonsense")

    with pytest.raises(KeysUnusable, match=REVOKED):
        load_keys(folder)


def test_an_upkeep_that_is_closed_ends(city: City) -> None:
    upkeep = key_upkeep(city, city.enrolled())
    before = threading.active_count()
    upkeep.start()
    upkeep.close()
    upkeep._thread.join(10)

    assert threading.active_count() <= before + 1
    assert not upkeep._thread.is_alive()
