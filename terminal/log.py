"""The till's log: a file beside the journal, for whoever mends the till.

What goes in is ours alone: identities, states, reasons. Card data never
reaches it, because nothing that logs ever holds any.
"""

from __future__ import annotations

import logging
import os
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

BYTES_MAX = 1_000_000
FILES_KEPT = 3


class PrivateFileHandler(RotatingFileHandler):
    """A file that its owner alone can read."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return TextIOWrapper(
            os.fdopen(descriptor, "ab"), encoding=self.encoding, line_buffering=True
        )


def write_log(folder: Path) -> None:
    """Write what happens from here on into folder/till.log, and onto no screen."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handler = PrivateFileHandler(
        folder / "till.log", maxBytes=BYTES_MAX, backupCount=FILES_KEPT, encoding="utf-8"
    )
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s")
    )
    # A full disk must not break the screen as well.
    logging.raiseExceptions = False
    root = logging.getLogger("terminal")
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    root.propagate = False
