"""Files that only their owner reads, written whole or not at all."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from terminal.errors import KeysUnusable


def write_file(path: Path, content: bytes) -> None:
    """Put content in a file that only its owner reads; all of it is on disk, or nothing."""
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def check_private(path: Path) -> None:
    """Raise KeysUnusable, naming the file, if it is not there or others can read it."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise KeysUnusable(f"{path}: {error.strerror}; enrol again") from None
    if stat.S_IMODE(mode) & 0o077:
        raise KeysUnusable(f"{path}: others can read it; chmod 600 it, and enrol again if they did")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other threads and processes that ask for the same from this folder meanwhile."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Put a folder's own entries on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
