"""The end of an enrolment: the bank lets the till go, and its keys leave the disk."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import Final

from terminal.bank.client import BankClient, Refusal
from terminal.errors import EnrolmentRefused
from terminal.security.files import sync_folder
from terminal.security.folder import TILL_ID
from terminal.security.hsm import erase_others
from terminal.security.keys import SIGNING_KEY, hardware_of

LEAVE_PATH: Final = "/v1/leave"

STAYS: Final = frozenset({"people-pepper"})
"""What else the key folder holds: people go on working here."""


def say_goodbye(client: BankClient) -> None:
    """Have the bank take these keys for nothing any more.

    Raises EnrolmentRefused, NeverLeft, AnswerLost; the till is enrolled then.
    """
    with closing(client):
        answer = client.ask(LEAVE_PATH, {})
    # One that is not known any more has left: an earlier answer was lost.
    if isinstance(answer, Refusal) and not answer.error.startswith("certificate_"):
        raise EnrolmentRefused(f"The bank does not let this till go: {answer.detail}")


def wipe(folder: Path) -> None:
    """Erase a till's keys. Cut off in the middle, it is done again. Raises OSError, KeysUnusable.

    The till's name goes last: until then the till counts as enrolled, and no
    key that was left over is taken for a new one.
    """
    token = hardware_of(folder) if (folder / SIGNING_KEY).exists() else None
    if token is not None:
        erase_others(token, ())
    paths = sorted(folder.iterdir(), key=lambda path: (path.name == TILL_ID, path.name))
    for path in paths:
        if path.name in STAYS:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
        sync_folder(folder)
