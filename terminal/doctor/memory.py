"""Keys, journal and disk: what the till keeps in its folder."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from terminal.doctor.lines import Group, Line
from terminal.doctor.wording import Matter
from terminal.errors import JournalUnavailable, KeysUnusable, TillError
from terminal.security.folder import is_enrolled

if TYPE_CHECKING:
    from terminal.security.keys import TillKeys

WHOLE_BYTES_MAX = 64_000_000
"""A larger journal takes longer to read in whole than anybody waits."""
LOW_BYTES = 500_000_000
FULL_BYTES = 20_000_000
ENDING_MS = 30 * 86_400_000
"""A certificate that ends within thirty days should be renewed."""


def keys(folder: Path, now_ms: int, *, is_bench: bool) -> Iterator[Line]:
    """Look at the till's keys and its certificate."""
    if not is_enrolled(folder):
        code = Matter.KEYS_TO_BE_MADE if is_bench else Matter.KEYS_MISSING
        yield Line(Group.KEYS, "keys", code, {"folder": str(folder)})
        return
    open_to_others = [path for path in sorted(folder.glob("*-key.pem")) if _is_open(path)]
    for path in open_to_others:
        yield Line(Group.KEYS, path.name, Matter.KEYS_OPEN, {"path": str(path)})
    try:
        loaded = load(folder)
    except KeysUnusable as error:
        if not open_to_others:
            yield Line(Group.KEYS, "keys", Matter.KEYS_UNUSABLE, {"why": str(error)})
        return
    yield Line(Group.KEYS, "keys", Matter.KEYS_GOOD, {"till": loaded.till_id})
    if loaded.passphrase is None:
        yield Line(Group.KEYS, "keys", Matter.KEYS_UNPROTECTED)
    yield _certificate(loaded.expires_ms, now_ms)


def load(folder: Path) -> TillKeys:
    """Return the till's keys. Raises KeysUnusable."""
    from terminal.security.keys import load_keys

    return load_keys(folder)


def _certificate(expires_ms: int, now_ms: int) -> Line:
    if expires_ms <= now_ms:
        code = Matter.CERTIFICATE_EXPIRED
    elif expires_ms - now_ms < ENDING_MS:
        code = Matter.CERTIFICATE_ENDS
    else:
        code = Matter.CERTIFICATE_GOOD
    date = datetime.fromtimestamp(expires_ms / 1000, UTC).date().isoformat()
    return Line(Group.KEYS, "certificate", code, {"date": date})


def _is_open(path: Path) -> bool:
    """Say whether others may use a key; of the bank's keys only the public half is here."""
    try:
        return not path.name.startswith("bank-") and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
    except OSError:
        return False


def journal(folder: Path) -> Iterator[Line]:
    """Open the journal beside whoever writes it, and check that it holds."""
    import apsw

    from terminal.journal import JournalReader

    yield Line(Group.JOURNAL, "database", Matter.SQLITE, {"version": apsw.sqlite_lib_version()})
    path = folder / "journal.db"
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        yield Line(Group.JOURNAL, "journal", Matter.JOURNAL_TO_BE_MADE)
        return
    except OSError as error:
        facts = {"why": f"{path}: {error.strerror}"}
        yield Line(Group.JOURNAL, "journal", Matter.JOURNAL_UNREADABLE, facts)
        return
    try:
        reader = JournalReader(folder)
        try:
            if size > WHOLE_BYTES_MAX:
                reader.check_end()
                code, facts = Matter.JOURNAL_END_HOLDS, {"size": str(size // 1_000_000)}
            else:
                code, facts = Matter.JOURNAL_HOLDS, {"count": str(reader.verify())}
        finally:
            reader.close()
    except JournalUnavailable as error:
        yield Line(Group.JOURNAL, "journal", Matter.JOURNAL_UNREADABLE, {"why": str(error)})
    except TillError as error:
        yield Line(Group.JOURNAL, "journal", Matter.JOURNAL_DAMAGED, {"why": str(error)})
    else:
        yield Line(Group.JOURNAL, "journal", code, facts)


def disk(folder: Path) -> Iterator[Line]:
    """Look at the room that is left where the journal grows."""
    place = _existing(folder)
    facts = {"folder": str(place)}
    if not os.access(place, os.W_OK | os.X_OK):
        user = pwd.getpwuid(os.geteuid()).pw_name
        yield Line(Group.JOURNAL, "folder", Matter.HOME_NOT_WRITABLE, {**facts, "user": user})
    free = shutil.disk_usage(place).free
    facts["free"] = str(free // 1_000_000)
    if free < FULL_BYTES:
        code = Matter.DISK_FULL
    else:
        code = Matter.DISK_LOW if free < LOW_BYTES else Matter.DISK_ROOM
    yield Line(Group.JOURNAL, "disk", code, facts)


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest above it that this user can see."""
    # Not Path.exists(), which raises where a folder between may not be entered.
    return next(path for path in (folder, *folder.parents) if os.path.exists(path))  # noqa: PTH110
