"""Where the journal ended, in a small file beside it: what is cut off its end shows.

A chain cannot tell that its last moves are gone. The mark is written behind
each commit, so it is never ahead of what is on disk; after a power cut it may
be behind, which is no fault. A whole folder put back brings its old mark with
it: that shows by the ends that the bank keeps, see terminal/chains.py.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import Final

from terminal.chains import End

log = logging.getLogger(__name__)

# One width, so that each mark overwrites the one before it whole.
_FORM: Final = re.compile(rb"([0-9]{20}) ([0-9a-f]{64})\n")


def read_mark(path: Path) -> End | None:
    """Return where the journal ended; None if nobody has marked it, or the mark is torn.

    Raises OSError if the file is there and cannot be read.
    """
    try:
        found = _FORM.fullmatch(path.read_bytes())
    except FileNotFoundError:
        return None
    return End(int(found[1]), bytes.fromhex(found[2].decode())) if found else None


class Mark:
    """The mark in the hands of the till that writes the journal."""

    def __init__(self, path: Path) -> None:
        """Open or make it. Raises OSError."""
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)

    def set(self, end: End) -> None:
        """Note where the journal ends now.

        The move itself is safe by now: a disk that does not take the mark
        costs no sale, and leaves the one before it.
        """
        try:
            os.pwrite(self._file, b"%020d %b\n" % (end.length, end.digest.hex().encode()), 0)
        except OSError as error:
            log.warning("%s was not written: %s", self._path, error.strerror)

    def close(self) -> None:
        """Let it go. Safe to call twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
