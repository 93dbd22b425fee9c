"""What somebody writes beside a decision, for the journal and for paper."""

from __future__ import annotations

import re
from typing import Final

from terminal.errors import NotAllowed

NOTE_MAX: Final = 100
"""What fits on three lines of the narrowest receipt."""


def checked_note(text: str) -> str:
    """Return a note as it is kept: on one line. Raises NotAllowed, saying what is wrong."""
    note = " ".join(text.split())
    if not note:
        raise NotAllowed("Say how it was settled: a note is needed")
    if len(note) > NOTE_MAX:
        raise NotAllowed(f"A note has at most {NOTE_MAX} characters")
    if re.search(r"[0-9][0-9 -]{10,}[0-9]", note):
        raise NotAllowed("A note holds no card number")
    return note
