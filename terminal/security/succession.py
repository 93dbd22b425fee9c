"""How new keys take the place of old ones: all of them or none, wherever the power fails.

The new ones are gathered in a folder of their own. Once a mark says that the
bank takes them, they move; a start that finds the mark goes on moving.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from terminal.security.files import alone, sync_folder, write_file
from terminal.security.folder import REVOKED, TILL_ID

NEXT: Final = "next"
AGAIN: Final = "again"
PROVED: Final = "proved"


def next_folder(folder: Path) -> Path:
    """Return where new keys are gathered below a key folder."""
    return folder / NEXT


def adopt(folder: Path) -> None:
    """Put the new keys, which the bank has just taken, in place of the old."""
    write_file(next_folder(folder) / PROVED, b"")
    with alone(folder):
        settle(folder)


def again_folder(folder: Path) -> Path:
    """Return where the keys of another enrolment are gathered below a key folder."""
    return folder / AGAIN


def adopt_again(folder: Path) -> None:
    """Put the keys of another enrolment in place of the old, and of any that were to be next."""
    write_file(again_folder(folder) / PROVED, b"")
    with alone(folder):
        # Its CA may be another one, whose list this is not.
        (folder / REVOKED).unlink(missing_ok=True)
        discard(folder)
        again_folder(folder).rename(next_folder(folder))
        settle(folder)


def settle(folder: Path) -> None:
    """Finish what adopt() began, alone in the folder. Does nothing where it was never called."""
    waiting = next_folder(folder)
    mark = waiting / PROVED
    if not mark.exists():
        return
    # The till's name moves last: whoever watches it sees finished keys.
    names = sorted((path.name for path in waiting.iterdir()), key=lambda name: name == TILL_ID)
    for name in names:
        if name != PROVED:
            (waiting / name).replace(folder / name)
    sync_folder(folder)
    mark.unlink()
    waiting.rmdir()


def discard(folder: Path) -> None:
    """Forget new keys that the bank does not take."""
    shutil.rmtree(next_folder(folder), ignore_errors=True)
