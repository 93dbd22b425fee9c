"""A folder for secrets: readable by its owner only, written whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from simulators.card.errors import KeysUnusable

FOLDER_MODE = 0o700
FILE_MODE = 0o600
LOCK_NAME = ".lock"


class PrivateFolder:
    """One folder of small files, shared by every process of its owner."""

    def __init__(self, path: Path) -> None:
        """path: made when something is first written."""
        self.path = path

    def read(self, name: str) -> bytes | None:
        """Return a file's content, None if there is none.

        Raises KeysUnusable, naming the file, if it cannot be read.
        """
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unusable(self.path / name, error) from error

    def write(self, name: str, content: bytes) -> None:
        """Replace a file. After a power cut the old or the new one stands.

        Call it under locked(). Raises KeysUnusable, naming the file.
        """
        target = self.path / name
        fresh = target.with_name(f".{name}.new")
        try:
            _write_through(fresh, content)
            fresh.replace(target)
            _sync_folder(self.path)
        except OSError as error:
            raise _unusable(target, error) from error

    def read_or_make(self, name: str, make: Callable[[], bytes]) -> bytes:
        """Return a file's content, made now if there is none.

        Of two processes that begin at once, one makes it and both read it.
        Raises KeysUnusable, naming the file.
        """
        content = self.read(name)
        if content is None:
            with self.locked():
                content = self.read(name)
                if content is None:
                    content = make()
                    self.write(name, content)
        return content

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other process and thread out of locked() meanwhile.

        Raises KeysUnusable if the folder cannot be made or locked.
        """
        try:
            _make_folder(self.path)
            lock = os.open(self.path / LOCK_NAME, os.O_RDWR | os.O_CREAT, FILE_MODE)
        except OSError as error:
            raise _unusable(self.path, error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _make_folder(path: Path) -> None:
    """Make a folder and those above it, each closed to everyone else."""
    for folder in reversed((path, *path.parents)):
        if not folder.exists():
            folder.mkdir(mode=FOLDER_MODE, exist_ok=True)


def _write_through(path: Path, content: bytes) -> None:
    """Write a file and wait until the disk has it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    """Wait until the disk has the folder's new names."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unusable(path: Path, error: OSError) -> KeysUnusable:
    return KeysUnusable(f"{path}: {error.strerror or error}")
