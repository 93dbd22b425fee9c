"""What the bank sets: proved, tried on the shop, kept with the one before, or refused."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import config
from config.schema import Parameters, Settings
from simulators.bank import bench
from simulators.bank.parameters import ExceptionList, sign
from simulators.bank.trust.keys import Keys
from terminal.__main__ import main
from terminal.errors import ParametersRefused, UntrustedAnswer
from terminal.news.parameters import BEFORE, NEWEST, ParameterStore, read, refused
from terminal.people.audit import AuditLine
from terminal.security.keys import verifier_of
from tests.terminal.news.conftest import LIMIT, NOW_MS, Town, load


def test_the_newest_is_fetched_once_and_holds(town: Town) -> None:
    assert town.fetch() is None
    town.publish(LIMIT.format(111))
    town.publish(LIMIT.format(222))

    new = town.fetch()
    assert new is not None
    assert (new.version, new.amount_max_minor) == (2, 222)
    assert town.held() == new
    assert load(town.held()).shop.amount_max_minor == 222
    assert town.fetch() is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("amount_max_minor = -1\n", "amount_max_minor"),
        ("bank = 'https://evil.example'\n", "bank: unknown key"),
        ("nonsense", "broken TOML"),
        ("applications = []\n", "applications"),
        ("[[applications]]\naid = 'A000000003'\nlabel = 'V'\nkernel = 99\n", "kernel 99"),
        ("[offline.currencies.XYZ]\namount_max_minor = 1\nsum_max_minor = 1\n", "offline"),
    ],
)
def test_what_does_not_fit_is_refused_and_what_held_holds(town: Town, text: str, why: str) -> None:
    town.publish(LIMIT.format(111))
    held = town.fetch()
    town.publish(text)

    with pytest.raises(ParametersRefused, match=why):
        town.fetch()
    assert town.held() == held
    standing = refused(town.folder)
    assert standing is not None
    assert why in standing.why
    assert [(line.act, line.is_granted, line.why) for line in town.audit] == [
        ("parameters", True, ""),
        ("parameters", False, standing.why),
    ]
    town.publish(LIMIT.format(333))
    newest = town.fetch()
    assert newest is not None
    assert newest.version == 3
    assert refused(town.folder) is None


def test_what_does_not_fit_any_more_gives_way_to_the_one_before(town: Town) -> None:
    """The shop's file was changed after they were fetched."""
    for limit in (111, 222):
        town.publish(LIMIT.format(limit))
        town.fetch()

    def strict(given: Parameters | None) -> Settings:
        if given and given.amount_max_minor == 222:
            raise config.ConfigError("no longer")
        return load(given)

    found = ParameterStore(town.folder, town.keys.answer_key, strict).newest()
    assert found is not None
    assert found.version == 1


@pytest.mark.parametrize("spoilt", ["", "a.b", "a.b.c", "é.é.é"])
def test_a_document_that_is_spoilt_on_disk_gives_way_too(town: Town, spoilt: str) -> None:
    for limit in (111, 222):
        town.publish(LIMIT.format(limit))
        town.fetch()
    (town.folder / NEWEST).write_text(spoilt, "utf-8")

    found = town.held()
    assert found is not None
    assert found.version == 1
    (town.folder / BEFORE).unlink()
    assert town.held() is None


def test_a_kill_at_any_step_leaves_the_old_set_or_the_new(tmp_path: Path) -> None:
    place = bench.prepare(tmp_path, NOW_MS)
    key = Keys.load(place).answer
    folder = tmp_path / "till"
    folder.mkdir()
    shop = load(None)
    store = ParameterStore(folder, verifier_of(key.public_key()), lambda _given: shop)
    store.keep(sign(key, "version = 1\n"), no_note)
    newer = sign(key, "version = 2\n")

    left_behind = []
    for step in itertools.count(1):
        if not is_killed_at(step, lambda: store.keep(newer, no_note)):
            break
        held = store.newest()
        assert held is not None
        left_behind.append(held.version)
        for spare in set(folder.iterdir()) - {folder / NEWEST}:
            spare.unlink()
        (folder / NEWEST).write_text(sign(key, "version = 1\n"), "ascii")
    assert left_behind[0] == 1
    assert left_behind[-1] == 2
    assert set(left_behind) == {1, 2}


def no_note(_line: AuditLine) -> None:
    """The audit log has a test of its own."""


def is_killed_at(step: int, work: Callable[[], object]) -> bool:
    """Do the work in a child that is killed before its so-manieth look at a file."""
    child = os.fork()
    if child == 0:
        left = step

        def kill(event: str, _arguments: object) -> None:
            nonlocal left
            if event in ("open", "os.rename", "os.remove"):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(kill)
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_only_what_the_bank_signed_as_parameters_is_read(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = Keys.load(town.place).answer
    good = sign(key, "version = 1\n")
    assert read(good, town.keys.answer_key) == Parameters(version=1)

    head, text, signature = good.split(".")
    other = sign(key, "version = 2\n").split(".")[1]
    for forged in (f"{head}.{other}.{signature}", f"{head}.{text}.", f"{head}.{text}"):
        with pytest.raises(UntrustedAnswer):
            read(forged, town.keys.answer_key)
    monkeypatch.setattr("simulators.bank.parameters.TYPE", "another")
    with pytest.raises(UntrustedAnswer, match="no parameters"):
        read(sign(key, "version = 1\n"), town.keys.answer_key)


def test_a_list_of_cards_comes_with_its_key_and_only_the_newest_keys_stay(town: Town) -> None:
    for number in range(3):
        cards = ExceptionList(bytes([number]) * 32, (("4111111111111111", None),))
        bench.publish_parameters(town.place, "", NOW_MS, exceptions=cards)
        given = town.fetch()
        assert given is not None
        assert given.exceptions is not None
        assert given.exceptions.key == bytes([number]) * 32
    assert town.held() == given
    keys = list((town.folder / "keys").glob("exceptions-key-*"))
    assert len(keys) == 2
    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}

    for key in keys:
        key.write_text("00" * 32, "ascii")
    assert town.held() is None


class NoKey:
    algorithm = "ed25519"

    def is_signed(self, signature: bytes, message: bytes) -> bool:
        return False


@settings(max_examples=50)
@given(st.text(max_size=60))
def test_noise_is_refused(text: str) -> None:
    with pytest.raises(UntrustedAnswer):
        read(text, NoKey())


def test_a_live_shop_is_given_no_test_keys() -> None:
    tests = config.load_settings(overrides={"files.ca_keys": ["ca_keys_test.toml"]}).ca_keys
    live = config.BENCH.with_name("live.example.toml")

    with pytest.raises(config.ConfigError, match="no test keys"):
        config.load_settings(live, parameters=Parameters(version=1, ca_keys=tests))


def test_config_is_shown_with_who_said_so_and_updated_by_command(
    town: Town, tmp_path: Path
) -> None:
    shop = tmp_path / "shop.toml"
    text = config.BENCH.read_text("utf-8").replace("https://localhost:8443", town.url)
    shop.write_text(text, "utf-8")

    def till(*words: str) -> str:
        arguments = ["--home", str(tmp_path), "--shop", str(shop), "config", *words]
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == 0, done.output
        return done.stdout

    def line(name: str) -> list[str]:
        return next(each for each in till("show").splitlines() if each.startswith(name)).split()

    assert line("shop.amount_max_minor")[2:] == ["shop.toml"]
    assert "nothing newer" in till("update")
    town.publish(LIMIT.format(4321))
    assert "Version 1 holds" in till("update")
    assert line("shop.amount_max_minor")[1:] == ["4321", "the", "bank,", "version", "1"]
    assert line("shop.name ")[-1] == "shop.toml"
