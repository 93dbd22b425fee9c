"""Ask the terminal how wide it draws a half block.

Half blocks are East-Asian-ambiguous: a terminal set up for Chinese may give
them two columns, and large words and codes would fall apart.
"""

from __future__ import annotations

import os
import re
import select
import sys
import termios
import tty

ANSWER_S = 0.1
"""How long a terminal may take to say where its cursor is."""

_ASIAN = ("zh", "ja", "ko")


def may_be_wide(language: str) -> bool:
    """True where a terminal is likely to be set up for wide ambiguous glyphs.

    Elsewhere nothing is asked: a terminal that does not answer would cost
    every start the waiting time.
    """
    names = ("LC_ALL", "LC_CTYPE", "LANG")
    settings = [os.environ.get(name, "") for name in names]
    return language in _ASIAN or any(setting.startswith(_ASIAN) for setting in settings)


def blocks_are_narrow(language: str) -> bool:
    """Return False only if the terminal says that a half block takes two columns."""
    return not may_be_wide(language) or block_columns() in (None, 1)


def block_columns() -> int | None:
    """Return how many columns a half block takes; None if the terminal does not tell."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return None
    return _measured_width("▀")


def _measured_width(glyph: str) -> int | None:
    """Print a glyph, ask for the cursor (CSI 6n), and wipe it; None without an answer."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        sys.stdout.write(f"\r{glyph}\x1b[6n")
        sys.stdout.flush()
        answer = b""
        while not answer.endswith(b"R") and select.select([descriptor], [], [], ANSWER_S)[0]:
            answer += os.read(descriptor, 32)
        sys.stdout.write("\r  \r")
        sys.stdout.flush()
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
    found = re.search(rb"\x1b\[\d+;(\d+)R", answer)
    return int(found[1]) - 1 if found else None
