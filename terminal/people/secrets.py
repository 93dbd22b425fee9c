"""How a secret is kept, and which secrets are refused.

argon2id over the secret keyed with the till's pepper: a stolen register is
worth nothing without the pepper, which is a file of its own. A cashier's few
digits would fall in seconds otherwise. Source: RFC 9106; RFC 2104.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from terminal.errors import SecretRefused
from terminal.people.privileges import Role

if TYPE_CHECKING:
    from argon2 import PasswordHasher

PEPPER_BYTES: Final = 32

SECRET_CHARACTERS_MIN: Final = {
    Role.CASHIER: 4,
    Role.SUPERVISOR: 8,
    Role.SERVICE: 8,
    Role.AUDITOR: 8,
}
SECRET_CHARACTERS_MAX: Final = 128


@dataclass(frozen=True, slots=True)
class Cost:
    """What one try costs whoever guesses. Source: RFC 9106, 4."""

    memory_kib: int = 64 * 1024
    passes: int = 3
    lanes: int = 1


STANDARD_COST: Final = Cost()
BENCH_COST: Final = Cost(memory_kib=1024, passes=1)
"""A simulated shop's secrets are told to everybody, and its till starts at once."""


class SecretKeeper:
    """Turns secrets into what may be kept of them, and compares."""

    def __init__(self, pepper: bytes, cost: Cost) -> None:
        """pepper: 32 bytes that stand nowhere beside the register."""
        self._pepper = pepper
        self._cost = cost
        self._hasher: PasswordHasher | None = None
        self._nobodys: str | None = None

    def keep(self, secret: str) -> str:
        """Return what is kept of a secret, in argon2's own text form."""
        return self._argon2().hash(self._peppered(secret))

    def is_right(self, kept: str | None, secret: str) -> bool:
        """True if the secret is the one behind what was kept.

        kept: None for somebody who does not exist; that takes as long as a
        wrong secret, so that time does not tell who works here.
        """
        from argon2.exceptions import VerifyMismatchError

        if self._nobodys is None:
            self._nobodys = self.keep("nobody's")
        try:
            self._argon2().verify(kept or self._nobodys, self._peppered(secret))
        except VerifyMismatchError:
            return False
        return kept is not None

    def _peppered(self, secret: str) -> bytes:
        return hmac.digest(self._pepper, secret.encode("utf-8", "surrogatepass"), hashlib.sha256)

    def _argon2(self) -> PasswordHasher:
        from argon2 import PasswordHasher, Type

        if self._hasher is None:
            cost = self._cost
            self._hasher = PasswordHasher(cost.passes, cost.memory_kib, cost.lanes, type=Type.ID)
        return self._hasher


def check_secret(secret: str, role: Role, name: str) -> None:
    """Raise SecretRefused if somebody of this role could lose it to a guess."""
    least = SECRET_CHARACTERS_MIN[role]
    if not least <= len(secret) <= SECRET_CHARACTERS_MAX:
        raise SecretRefused(
            f"The secret of a {role} has {least} to {SECRET_CHARACTERS_MAX} characters"
        )
    if secret.casefold() == name.casefold():
        raise SecretRefused("The secret is the name: choose another")
    if not is_hard_to_guess(secret):
        raise SecretRefused("The secret is one character over and over, or a row: choose another")


def is_hard_to_guess(secret: str) -> bool:
    """False for one character over and over, and for a row up or down."""
    steps = {ord(after) - ord(before) for before, after in itertools.pairwise(secret)}
    return len(steps) > 1 or not steps <= {-1, 0, 1}
