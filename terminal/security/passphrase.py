"""The passphrase of the till's private keys: where it is looked for.

The environment, a file that it names, systemd's credentials, and last a file
beside the key folder, which keeps the keys from whoever has a copy of that
folder alone. Each is chosen by who runs the till; docs/enrolment.md has more.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from terminal.errors import KeysUnusable
from terminal.security.files import check_private, write_file
from terminal.security.folder import ENCRYPTED

VARIABLE: Final = "OPENTILL_KEY_PASSPHRASE"
FILE_VARIABLE: Final = "OPENTILL_KEY_PASSPHRASE_FILE"
CREDENTIAL: Final = "opentill-key-passphrase"
BESIDE: Final = "key-passphrase"
CHARACTERS_MIN: Final = 20

HOW: Final = (
    f"set {VARIABLE}, name a file in {FILE_VARIABLE}, or give systemd a credential {CREDENTIAL}"
)


def find(folder: Path) -> bytes | None:
    """Return the passphrase of a key folder; None if there is none.

    Raises KeysUnusable if the one that is there cannot be read or is too short.
    """
    typed = os.environ.get(VARIABLE)
    if typed is not None:
        return _checked(typed.encode(), VARIABLE)
    named = os.environ.get(FILE_VARIABLE)
    if named is not None:
        return _kept(Path(named))
    for path in _usual_files(folder):
        if path.exists():
            return _kept(path)
    return None


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


def _usual_files(folder: Path) -> list[Path]:
    beside = folder.parent / BESIDE
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    return [Path(credentials) / CREDENTIAL, beside] if credentials else [beside]


def _kept(path: Path) -> bytes:
    check_private(path)
    try:
        return _checked(path.read_bytes().strip(), str(path))
    except OSError as error:
        raise KeysUnusable(f"{path}: {error.strerror}") from None


def _checked(passphrase: bytes, source: str) -> bytes:
    if len(passphrase) < CHARACTERS_MIN:
        raise KeysUnusable(
            f"{source}: a passphrase for keys has {CHARACTERS_MIN} characters or more; "
            "let a machine make one: openssl rand -hex 24"
        )
    return passphrase
