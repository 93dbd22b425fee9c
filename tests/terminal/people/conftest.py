"""A till's people in a folder of their own, with a clock that stands and cheap secrets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from terminal.people.audit import AuditLog
from terminal.people.guard import Guard
from terminal.people.register import Person, Register
from terminal.people.secrets import Cost
from terminal.people.sign_in import SignIn
from terminal.people.store import PeopleStore

CHEAP = Cost(memory_kib=8, passes=1)
"""The least that argon2 takes: what is tested here does not depend on it."""


class StillClock:
    """Stands until it is pushed; the date can be set apart from it."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.unix_ms = 1_795_500_000_000

    def monotonic(self) -> float:
        return self.seconds

    def wall_ms(self) -> int:
        return self.unix_ms


@dataclass
class Staff:
    """Everything about people, as one till process has it."""

    folder: Path
    clock: StillClock
    boot: str = "first"
    store: PeopleStore = field(init=False)

    def __post_init__(self) -> None:
        self.store = PeopleStore(self.folder)
        self.log = AuditLog(self.store, self.clock)
        self.register = Register(self.store, self.log, self.folder / "keys", os.urandom, cost=CHEAP)
        self.sign_in = SignIn(self.register, self.store, self.log, self.clock, self.boot)
        self.guard = Guard(self.log)

    def restarted(self, boot: str | None = None) -> Staff:
        """Return the staff as another process sees them; boot: the machine was off between."""
        self.store.close()
        if boot is not None:
            self.clock.seconds = 5.0
        return Staff(self.folder, self.clock, boot or self.boot)

    def ready(self, name: str, role: Any, secret: str = "Right-9-horse") -> Person:
        """Take somebody in who has chosen a secret and, where due, an app."""
        person = self.register.add(name, "", role, secret, by=name)
        if person.lacks_code:
            self.register.set_code_key(name, os.urandom(20), by=name)
        return self.register.person(name)


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def staff(tmp_path: Path, clock: StillClock) -> Iterator[Staff]:
    staff = Staff(tmp_path, clock)
    yield staff
    staff.store.close()
