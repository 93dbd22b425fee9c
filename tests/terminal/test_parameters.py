"""What the bank sets: proved, tried on the shop, kept with the one before, or refused."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import config
from config.schema import Parameters, Settings
from simulators.bank import bench
from simulators.bank.parameters import sign
from simulators.bank.place import BankPlace
from simulators.bank.service import BankServer
from simulators.bank.trust.keys import Keys
from terminal import parameters
from terminal.__main__ import main
from terminal.bank.client import BankClient
from terminal.errors import ParametersRefused, UntrustedAnswer
from terminal.parameters import BEFORE, NEWEST, fetch, newest_that_fits, read
from terminal.seams import SystemClock
from terminal.security.enrolment import enrol
from terminal.security.keys import TillKeys

NOW_MS = time.time_ns() // 1_000_000
LIMIT = "amount_max_minor = {}\n"


def load(given: Parameters | None) -> Settings:
    return config.load_settings(parameters=given)


class Town:
    """A bank that runs, and a till's folder."""

    def __init__(self, home: Path) -> None:
        self.place: BankPlace = bench.prepare(home, NOW_MS)
        self.folder = home / "till"
        code = bench.issue_enrolment_code(
            self.place, "till", "till-1", NOW_MS, os.urandom, merchant="m"
        )
        self.keys: TillKeys = enrol(
            self.folder / "keys", code, lambda asked: bench.enrol(self.place, asked, NOW_MS)
        )
        self.url = ""

    def publish(self, text: str) -> int:
        return bench.publish_parameters(self.place, text, NOW_MS)

    def fetch(self, load: Callable[[Parameters | None], Settings] = load) -> Parameters | None:
        with closing(BankClient(self.url, self.keys, SystemClock(), os.urandom)) as client:
            return fetch(self.folder, client, self.keys.answer_key, load)

    def held(self) -> Parameters | None:
        return newest_that_fits(self.folder, self.keys.answer_key, load)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path)
    with BankServer(town.place, time.time, os.urandom) as server:
        town.url = server.url
        yield town


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
    town.publish(LIMIT.format(333))
    newest = town.fetch()
    assert newest is not None
    assert newest.version == 3


def test_what_does_not_fit_any_more_gives_way_to_the_one_before(town: Town) -> None:
    """The shop's file was changed after they were fetched."""
    for limit in (111, 222):
        town.publish(LIMIT.format(limit))
        town.fetch()

    def strict(given: Parameters | None) -> Settings:
        if given and given.amount_max_minor == 222:
            raise config.ConfigError("no longer")
        return load(given)

    found = newest_that_fits(town.folder, town.keys.answer_key, strict)
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


class NoKey:
    algorithm = "ed25519"

    def is_signed(self, signature: bytes, message: bytes) -> bool:
        return False


@settings(max_examples=50)
@given(st.text(max_size=60))
def test_noise_is_refused(text: str) -> None:
    with pytest.raises(UntrustedAnswer):
        parameters.read(text, NoKey())


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
