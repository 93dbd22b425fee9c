"""A bank that runs, and tills that it has taken in; one clock for both that can be set on."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from simulators.bank import bench
from simulators.bank.place import BankPlace
from simulators.bank.service import BankServer
from terminal.bank.client import BankClient, Refusal, VerifiedAnswer
from terminal.bank.messages import Echo
from terminal.security.enrolment import enrol
from terminal.security.keys import TillKeys, load_keys

NUMBERS = itertools.count(1)


@dataclass
class MovedClock:
    """The machine's clock, and what it was moved by."""

    moved_s: float = 0.0

    def monotonic(self) -> float:
        return time.monotonic()

    def wall_ms(self) -> int:
        return int((time.time() + self.moved_s) * 1000)


@dataclass
class City:
    """A bank on loopback, and how tills come to it."""

    place: BankPlace
    folder: Path
    clock: MovedClock = field(default_factory=MovedClock)
    url: str = ""

    def start(self) -> BankServer:
        """Return the bank, not yet serving."""
        server = BankServer(self.place, lambda: self.clock.wall_ms() / 1000, os.urandom)
        self.url = server.url
        return server

    def code(self, till: str, days: int = 90) -> str:
        return bench.issue_enrolment_code(
            self.place,
            "till",
            till,
            self.clock.wall_ms(),
            os.urandom,
            merchant="m",
            certificate_days=days,
        )

    def enrolled(self, days: int = 90) -> Path:
        """Take a new till in; return its key folder."""
        number = next(NUMBERS)
        folder = self.folder / f"keys-{number}"
        code = self.code(f"till-{number}", days)
        enrol(folder, code, lambda asked: bench.enrol(self.place, asked, self.clock.wall_ms()))
        return folder

    def client(self, keys: TillKeys) -> BankClient:
        return BankClient(self.url, keys, self.clock, os.urandom)

    def echo(self, keys: TillKeys) -> VerifiedAnswer | Refusal:
        with closing(self.client(keys)) as client:
            return client.call(Echo())

    def is_served(self, folder: Path) -> bool:
        """Whether the bank takes the keys of this folder."""
        return isinstance(self.echo(load_keys(folder)), VerifiedAnswer)


@pytest.fixture
def quiet_city(tmp_path: Path) -> City:
    """A city whose bank does not serve yet."""
    clock = MovedClock()
    return City(bench.prepare(tmp_path / "bank", clock.wall_ms()), tmp_path, clock)


@pytest.fixture
def city(quiet_city: City) -> Iterator[City]:
    with quiet_city.start():
        yield quiet_city


OpenClient = Callable[[TillKeys], BankClient]
