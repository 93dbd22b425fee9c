"""The people of a simulated shop: a cashier and two supervisors, who know their secrets by heart.

They are made at first use and kept in the state directory, so that a screen
can show what a person would have in mind. The one-time codes are computed
here, apart from the till that checks them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

CODE_STEP_S: Final = 30
FILE: Final = "people.json"

# Name, what they are called, role, and how their secret begins.
_PEOPLE: Final = (
    ("01", "Lin Mei", "cashier", ""),
    ("00", "Wang Fang", "supervisor", "bench-"),
    ("99", "Zhao Lei", "supervisor", "bench-"),
)


@dataclass(frozen=True, slots=True)
class SimulatedPerson:
    """Somebody who works in the simulated shop, and what is in their mind and pocket."""

    name: str
    called: str
    role: str
    secret: str
    code_key: str = ""
    """Of their authenticator app, in hex; empty for who has none."""

    def code(self, now_s: int) -> str:
        """Return what the app shows now. Source: RFC 6238, 4; RFC 4226, 5.3."""
        if not self.code_key:
            return ""
        counter = (now_s // CODE_STEP_S).to_bytes(8, "big")
        digest = hmac.digest(bytes.fromhex(self.code_key), counter, hashlib.sha1)
        start = digest[-1] & 0x0F
        number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFF_FFFF
        return f"{number % 1_000_000:06}"


class SimulatedPeople:
    """The shop's people, in a file that only its owner reads."""

    def __init__(self, home: Path, random: Callable[[int], bytes]) -> None:
        """home: the state directory."""
        self._path = home / "shop" / FILE
        self._random = random

    def all(self) -> Sequence[SimulatedPerson]:
        """Return everybody; none before they were hired."""
        if not self._path.exists():
            return ()
        return [SimulatedPerson(**values) for values in json.loads(self._path.read_text("utf-8"))]

    def find(self, name: str) -> SimulatedPerson | None:
        """Return who has this name in the shop."""
        return next((person for person in self.all() if person.name == name), None)

    def hire(self, take_in: Callable[[SimulatedPerson], None]) -> None:
        """Bring everybody to the till's register.

        take_in: takes a person in, app and all.
        """
        hired = []
        for name, called, role, beginning in _PEOPLE:
            # Digits for a cashier, as everywhere; nothing that runs in a row.
            number = 1000 + int.from_bytes(self._random(2), "big") % 9000
            secret = f"{beginning}{number}{number % 89 + 10}"
            code_key = self._random(20).hex() if role == "supervisor" else ""
            hired.append(SimulatedPerson(name, called, role, secret, code_key))
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = self._path.with_suffix(".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump([asdict(person) for person in hired], file)
        temporary.replace(self._path)
        for person in hired:
            take_in(person)
