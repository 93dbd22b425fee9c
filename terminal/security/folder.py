"""What tells an enrolled till from another. Light: every start looks here first."""

from pathlib import Path
from typing import Final

TILL_ID: Final = "till-id"
"""The file that is written last."""

REVOKED: Final = "bank-revoked.pem"
"""The CA's list of certificates not to trust any more, once there was one."""

ENCRYPTED: Final = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"
"""How a private key's file begins that needs a passphrase."""


def is_enrolled(folder: Path) -> bool:
    """True if an enrolment was finished in this folder."""
    return (folder / TILL_ID).exists()


Version = tuple[int, ...]
"""Of a folder's keys: another one, and they were renewed."""


def key_version(folder: Path) -> Version:
    """Return what changes whenever keys were put in the place of others."""
    versions: list[int] = []
    for name in (TILL_ID, REVOKED):
        try:
            found = (folder / name).stat()
        except FileNotFoundError:
            continue
        versions += (found.st_ino, found.st_mtime_ns)
    return tuple(versions)
