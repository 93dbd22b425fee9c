"""The register: who works here, in which role, with which secret.

What is kept of a secret is worth nothing without the pepper, a file in the
till's key folder.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from terminal.errors import NotAllowed, RegisterUnusable, SecretRefused, UnknownPerson
from terminal.people import one_time
from terminal.people.audit import AuditLine, AuditLog
from terminal.people.privileges import Role
from terminal.people.secrets import PEPPER_BYTES, Cost, SecretKeeper, check_secret
from terminal.people.store import PeopleStore, Row
from terminal.seams import Randomness
from terminal.security.files import write_file

PEPPER_FILE: Final = "people-pepper"
NAME: Final = re.compile(r"[\w.-]{1,32}")
CODE_ROLES: Final = frozenset({Role.SUPERVISOR, Role.SERVICE})
"""Those who sign in with a one-time code too."""

_FIELDS: Final = "name, called, role, must_change, code_key IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works here. Nothing secret."""

    name: str
    """What is typed to sign in; its case does not matter."""
    called: str
    """What screens and receipts show."""
    role: Role
    must_change: bool = False
    """The secret was given by another: it is replaced at the next sign-in."""
    has_code: bool = False

    @property
    def lacks_code(self) -> bool:
        """True if the role signs in with a one-time code and this person has none yet."""
        return self.role in CODE_ROLES and not self.has_code

    @property
    def is_ready(self) -> bool:
        """True if secret and code are their own, so that what they do counts as theirs."""
        return not self.must_change and not self.lacks_code


class Register:
    """The people of one till. Secrets take a fifth of a second each: argon2 is slow by intent."""

    def __init__(
        self,
        store: PeopleStore,
        log: AuditLog,
        keys: Path,
        random: Randomness,
        cost: Cost,
    ) -> None:
        """keys: the till's key folder, for the pepper. Raises RegisterUnusable."""
        pepper = _pepper(keys, random)
        self._store = store
        self._log = log
        self._random = random
        self._keeper = SecretKeeper(pepper, cost)
        self._code_key_key = hmac.digest(pepper, b"one-time code keys", hashlib.sha256)

    @property
    def is_empty(self) -> bool:
        """True until the first supervisor is there."""
        return not self.people()

    def people(self) -> Sequence[Person]:
        """Return everybody who works here, by name."""
        rows = self._store.read(
            f"SELECT {_FIELDS} FROM people WHERE NOT has_left ORDER BY name"  # noqa: S608
        )
        return [_person(row) for row in rows]

    def find(self, name: str) -> Person | None:
        """Return who has this name, None if nobody who works here has."""
        rows = self._store.read(
            f"SELECT {_FIELDS} FROM people WHERE name = ? AND NOT has_left",  # noqa: S608
            (key_of(name),),
        )
        return _person(rows[0]) if rows else None

    def person(self, name: str) -> Person:
        """Return who has this name. Raises UnknownPerson."""
        person = self.find(name)
        if person is None:
            raise UnknownPerson(f"Nobody called {name[:32]!r} works here")
        return person

    # --- coming, changing, going ----------------------------------------------

    def add(self, name: str, called: str, role: Role, secret: str, by: str) -> Person:
        """Take somebody in. The secret is for the first sign-in only, unless they chose it.

        called: what screens show; the name if empty. by: the name of who does
        it; the first supervisor does it for herself.
        Raises NotAllowed if the name is taken or cannot be one, SecretRefused.
        """
        if not NAME.fullmatch(name):
            raise NotAllowed("A name has 1 to 32 letters, digits, dots or dashes")
        key = key_of(name)
        check_secret(secret, role, key)
        if self._store.read("SELECT 1 FROM people WHERE name = ?", (key,)):
            raise NotAllowed(f"There is or was somebody called {name}: choose another name")
        self._write(
            "INSERT INTO people (name, called, role, secret, must_change) VALUES (?, ?, ?, ?, ?)",
            (key, called or name, role.value, self._keeper.keep(secret), key_of(by) != key),
            AuditLine("add", True, by, about=f"{key} as {role}"),
        )
        return self.person(key)

    def set_secret(self, name: str, secret: str, by: str) -> None:
        """Give somebody a new secret; one that another gave is to be changed.

        Raises UnknownPerson, SecretRefused.
        """
        person = self.person(name)
        check_secret(secret, person.role, person.name)
        is_own = key_of(by) == person.name
        if is_own and self.is_right(person.name, secret):
            raise SecretRefused("This is the secret you have: choose another")
        self._write(
            "UPDATE people SET secret = ?, must_change = ? WHERE name = ?",
            (self._keeper.keep(secret), not is_own, person.name),
            AuditLine("set_secret", True, by, about=person.name),
        )

    def set_code_key(self, name: str, key: bytes | None, by: str, step: int = 0) -> None:
        """Keep the key of somebody's authenticator app; None takes the app away.

        key: 20 bytes. step: of the code that showed the app to work; it is used up.
        Raises UnknownPerson.
        """
        person = self.person(name)
        self._write(
            "UPDATE people SET code_key = ?, code_step = ? WHERE name = ?",
            (None if key is None else self._seal(key), step, person.name),
            AuditLine("remove_app" if key is None else "set_app", True, by, about=person.name),
        )

    def remove(self, name: str, by: str) -> None:
        """Let somebody go; the name stays taken, for the audit log's sake.

        Raises UnknownPerson, and NotAllowed for the last supervisor.
        """
        person = self.person(name)
        supervisors = [each for each in self.people() if each.role is Role.SUPERVISOR]
        if supervisors == [person]:
            raise NotAllowed(f"{person.called} is the last supervisor: add another first")
        self._write(
            "UPDATE people SET has_left = 1 WHERE name = ?",
            (person.name,),
            AuditLine("remove", True, by, about=person.name),
        )

    # --- comparing --------------------------------------------------------------

    def is_right(self, name: str, secret: str) -> bool:
        """True if this is the secret of somebody who works here.

        It takes as long for a name that nobody has.
        """
        rows = self._store.read(
            "SELECT secret FROM people WHERE name = ? AND NOT has_left", (key_of(name),)
        )
        return self._keeper.is_right(rows[0][0] if rows else None, secret)

    def code_step(self, name: str, code: str, now_s: int) -> int | None:
        """Return the step of a right one-time code; None if it is wrong or was used.

        Somebody without an app has step 0, whatever the code.
        """
        ((sealed, last_step),) = self._store.read(
            "SELECT code_key, code_step FROM people WHERE name = ?", (key_of(name),)
        )
        if sealed is None:
            return 0
        return one_time.accepted_step(self._unseal(sealed), code, now_s, last_step)

    def _write(self, statement: str, values: tuple[Any, ...], line: AuditLine) -> None:
        with self._store.writing() as connection:
            connection.execute(statement, values)
            self._log.append_in(connection, line)

    def _seal(self, secret: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = self._random(12)
        return nonce + AESGCM(self._code_key_key).encrypt(nonce, secret, None)

    def _unseal(self, sealed: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            return AESGCM(self._code_key_key).decrypt(sealed[:12], sealed[12:], None)
        except InvalidTag:
            raise RegisterUnusable(
                f"{self._store.path}: one-time codes were kept under another pepper; "
                "restore the till's key folder"
            ) from None


def key_of(name: str) -> str:
    """Return a name as the register knows it."""
    return name.strip().casefold()[:32]


def _person(row: Row) -> Person:
    name, called, role, must_change, has_code = row
    return Person(name, called, Role(role), bool(must_change), bool(has_code))


def _pepper(keys: Path, random: Randomness) -> bytes:
    path = keys / PEPPER_FILE
    try:
        if not path.exists():
            keys.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_file(path, random(PEPPER_BYTES))
        pepper = path.read_bytes()
    except OSError as error:
        raise RegisterUnusable(f"{path}: {error.strerror}") from error
    if len(pepper) != PEPPER_BYTES:
        raise RegisterUnusable(f"{path}: {len(pepper)} bytes, must be {PEPPER_BYTES}")
    return pepper
