"""A bank that sets something, and a till's folder."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import config
from config.schema import Parameters, Settings
from simulators.bank import bench
from simulators.bank.place import BankPlace
from simulators.bank.service import BankServer
from terminal.bank.client import BankClient
from terminal.news.parameters import ParameterStore
from terminal.people.audit import AuditLine
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
        self.audit: list[AuditLine] = []

    def publish(self, text: str) -> int:
        return bench.publish_parameters(self.place, text, NOW_MS)

    @property
    def store(self) -> ParameterStore:
        return ParameterStore(self.folder, self.keys.answer_key, load)

    def client(self) -> BankClient:
        return BankClient(self.url, self.keys, SystemClock(), os.urandom)

    def fetch(self) -> Parameters | None:
        with closing(self.client()) as client:
            return self.store.fetch(client, self.audit.append)

    def held(self) -> Parameters | None:
        return self.store.newest()


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path)
    with BankServer(town.place, time.time, os.urandom) as server:
        town.url = server.url
        yield town
