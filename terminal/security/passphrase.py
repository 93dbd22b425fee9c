"""The passphrase of the till's private keys: where it is looked for.

The environment, a file that it names, systemd's credentials, and last a file
beside the key folder, which keeps the keys from whoever has a copy of that
folder alone. Each is chosen by who runs the till; docs/enrolment.md has more.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from terminal.errors import KeysUnusable
from terminal.security.files import check_private, write_file
from terminal.security.folder import ENCRYPTED

BESIDE: Final = "key-passphrase"
CHARACTERS_MIN: Final = 20


@dataclass(frozen=True, slots=True)
class Places:
    """Where whoever runs the till may put a secret of its keys."""

    variable: str
    file_variable: str
    credential: str

    @property
    def how(self) -> str:
        """What to do, for people."""
        return (
            f"set {self.variable}, name a file in {self.file_variable}, "
            f"or give systemd a credential {self.credential}"
        )

    def look_up(self) -> tuple[bytes, str] | None:
        """Return the secret and where it was found; None if it is in none of them.

        Raises KeysUnusable if it is in a file that cannot be read, or that others can read.
        """
        typed = os.environ.get(self.variable)
        if typed is not None:
            return typed.encode(), self.variable
        named = os.environ.get(self.file_variable)
        if named is not None:
            return _kept(Path(named))
        credentials = os.environ.get("CREDENTIALS_DIRECTORY")
        if credentials and (path := Path(credentials) / self.credential).exists():
            return _kept(path)
        return None


PLACES: Final = Places(
    "OPENTILL_KEY_PASSPHRASE", "OPENTILL_KEY_PASSPHRASE_FILE", "opentill-key-passphrase"
)
HOW: Final = PLACES.how


def find(folder: Path) -> bytes | None:
    """Return the passphrase of a key folder; None if there is none.

    Raises KeysUnusable if the one that is there cannot be read or is too short.
    """
    found = PLACES.look_up()
    beside = folder.parent / BESIDE
    if found is None and beside.exists():
        found = _kept(beside)
    return None if found is None else _checked(*found)


def check(folder: Path) -> None:
    """Raise KeysUnusable if keys in this folder need a passphrase, and there is none."""
    for path in folder.glob("*-key.pem"):
        try:
            is_encrypted = path.read_bytes().startswith(ENCRYPTED)
        except OSError as error:
            raise KeysUnusable(f"{path}: {error.strerror}") from None
        if is_encrypted and find(folder) is None:
            raise KeysUnusable(f"{path} is encrypted, and there is no passphrase: {HOW}")


def make_beside(folder: Path, secret: bytes) -> bytes:
    """Keep a new passphrase in a file beside the key folder; return it."""
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    passphrase = secret.hex().encode("ascii")
    write_file(folder.parent / BESIDE, passphrase)
    return passphrase


def _kept(path: Path) -> tuple[bytes, str]:
    check_private(path)
    try:
        return path.read_bytes().strip(), str(path)
    except OSError as error:
        raise KeysUnusable(f"{path}: {error.strerror}") from None


def _checked(passphrase: bytes, source: str) -> bytes:
    if len(passphrase) < CHARACTERS_MIN:
        raise KeysUnusable(
            f"{source}: a passphrase for keys has {CHARACTERS_MIN} characters or more; "
            "let a machine make one: openssl rand -hex 24"
        )
    return passphrase
