"""Signing in: who is this, and how often may a stranger guess."""

from __future__ import annotations

from typing import Final

import apsw

from terminal.errors import SignInLocked, SignInRefused
from terminal.people.audit import AuditLine, AuditLog
from terminal.people.lock import Moment, Tries, after_wrong, anchored, locked_for_s
from terminal.people.register import Person, Register, key_of
from terminal.people.store import PeopleStore, Row
from terminal.seams import Clock

STRANGERS_MAX: Final = 1000
"""Names of nobody whose wrong tries are remembered."""


class SignIn:
    """The door. It does not tell who works here: a stranger's name locks like any other."""

    def __init__(
        self, register: Register, store: PeopleStore, log: AuditLog, clock: Clock, boot: str
    ) -> None:
        """boot: names this switching-on of the machine."""
        self._register = register
        self._store = store
        self._log = log
        self._clock = clock
        self._boot = boot

    def __call__(self, name: str, secret: str, code: str = "", *, face: str = "") -> Person:
        """Return who this is, if name, secret and, where they have an app, code are right.

        face: where it was asked, for the audit log.
        Raises SignInLocked after too many wrong tries, else SignInRefused.
        """
        key = key_of(name)
        left_s = self._count(key)
        if left_s:
            self._log.append(AuditLine("sign_in", False, key, face=face, why="locked"))
            raise SignInLocked(f"Too many wrong tries: wait {_in_words(left_s)}")
        step = None
        if self._register.is_right(key, secret):
            step = self._register.code_step(key, code, self._clock.wall_ms() // 1000)
        person = None if step is None else self._let_in(key, step, face)
        if person is None:
            self._log.append(AuditLine("sign_in", False, key, face=face, why="wrong"))
            raise SignInRefused("Name, secret or code is wrong")
        return person

    def _let_in(self, key: str, step: int, face: str) -> Person | None:
        """Return who comes in; None if the code was used while it was looked at."""
        person = self._register.person(key)
        with self._store.writing() as connection:
            connection.execute(
                "UPDATE people SET code_step = ? WHERE name = ? AND (code_step < ? OR ? = 0)",
                (step, key, step, step),
            )
            if not connection.changes():
                return None
            connection.execute("DELETE FROM tries WHERE name = ?", (key,))
            line = AuditLine("sign_in", True, person.name, person.role, face=face)
            self._log.append_in(connection, line)
        return person

    def _count(self, key: str) -> float:
        """Count a try as wrong before it is looked at; return how long it is locked, in seconds.

        One that is cut short, by a power cut or on purpose, was a try too.
        """
        now = Moment(self._boot, self._clock.monotonic())
        with self._store.writing() as connection:
            tries = anchored(_tries(connection, key), now)
            left_s = locked_for_s(tries, now)
            _keep(connection, key, tries if left_s else after_wrong(tries, now))
        return left_s


def _tries(connection: apsw.Connection, key: str) -> Tries:
    rows: list[Row] = connection.execute(
        "SELECT wrong, lock_s, boot, uptime_s FROM tries WHERE name = ?", (key,)
    ).fetchall()
    if not rows:
        return Tries()
    wrong, lock_s, boot, uptime_s = rows[0]
    return Tries(wrong, lock_s, None if boot is None else Moment(boot, uptime_s))


def _keep(connection: apsw.Connection, key: str, tries: Tries) -> None:
    at = tries.locked_at
    connection.execute("DELETE FROM tries WHERE name = ?", (key,))
    connection.execute(
        "INSERT INTO tries VALUES (?, ?, ?, ?, ?)",
        (key, tries.wrong, tries.lock_s, at and at.boot, at and at.uptime_s),
    )
    connection.execute(
        "DELETE FROM tries WHERE name NOT IN (SELECT name FROM people) "
        "AND rowid <= (SELECT max(rowid) FROM tries) - ?",
        (STRANGERS_MAX,),
    )


def _in_words(left_s: float) -> str:
    seconds = int(left_s) + 1
    return f"{seconds} seconds" if seconds <= 90 else f"{-(-seconds // 60)} minutes"
