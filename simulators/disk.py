"""The disk under a till's databases: it keeps what was asked of it, fails on command, loses power.

While a Disk is in use, every SQLite file that this process opens through apsw
goes through it to the real file below.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Literal

import apsw

SECTOR_BYTES: Final = 512
"""What a disk writes whole or not at all."""

SYSTEM_VFS: Final = "unix"

Kind = Literal["write", "sync", "truncate", "delete"]
Fault = Literal["full", "broken", "read-only", "short"]
"""No room; errors, of reads too; mounted read-only; half of each write, then no room."""

Fate = Literal["dropped", "kept", "mixed", "torn"]
"""What becomes of unsynced writes: all lost, all safe, each one or the other, each sector so."""

FATES: Final[Sequence[Fate]] = ("dropped", "kept", "mixed", "torn")


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that SQLite asked of the disk."""

    kind: Kind
    file: str
    """Its name, without the folder."""
    offset: int = 0
    """Of a write; a truncation's new size."""
    data: bytes = b""


class Disk(apsw.VFS):
    """A disk to open databases on, as a context. Those opened within are closed within."""

    def __init__(self, name: str = "opentill-disk") -> None:
        """name: unlike that of any other disk in use."""
        super().__init__(name, SYSTEM_VFS)
        self._name = name
        self._fault: Fault | None = None
        self._good = 0
        self.operations: list[Operation] = []
        """Everything that was done, in order."""
        self.asked = 0
        """How many operations were asked for since the last verb, done or not."""

    def fail_after(self, good: int, fault: Fault) -> None:
        """Do so many operations more, and none after them until mend()."""
        self._fault, self._good, self.asked = fault, good, 0

    def mend(self) -> None:
        """Work again. Counts operations from here."""
        self._fault, self.asked = None, 0

    def __enter__(self) -> Disk:
        apsw.set_default_vfs(self._name)
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        apsw.set_default_vfs(SYSTEM_VFS)
        self.unregister()

    @contextmanager
    def chosen(self) -> Iterator[None]:
        """Have databases opened within be on this disk, among others that are in use."""
        apsw.set_default_vfs(self._name)
        try:
            yield
        finally:
            apsw.set_default_vfs(SYSTEM_VFS)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> DiskFile:
        """Open a file of SQLite's."""
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        return DiskFile(self, path, flags)

    def xDelete(self, name: str, sync: bool) -> None:
        """Take a file away."""
        self.allow("delete")
        super().xDelete(name, sync)
        self.operations.append(Operation("delete", Path(name).name))

    def allow(self, kind: Kind | Literal["read"]) -> None:
        """Count an operation; raise what SQLite is told if it fails."""
        if kind != "read":
            self.asked += 1
        if self._fault is None or self.asked <= self._good:
            return
        if kind == "read" and self._fault != "broken":
            return
        raise _error(kind, self._fault)

    @property
    def writes_half(self) -> bool:
        """True if the write that fails now leaves half of it on the disk."""
        return self._fault == "short"


class DiskFile(apsw.VFSFile):
    """One file on a Disk."""

    def __init__(self, disk: Disk, path: str | None, flags: list[int]) -> None:
        self._disk = disk
        self._name = Path(path or "temporary").name
        self._is_read_only = bool(flags[0] & apsw.SQLITE_OPEN_READONLY)
        super().__init__(SYSTEM_VFS, path, flags)

    def xLock(self, level: int) -> None:
        """Lock, as far as a file can be that is open for reading only."""
        # SQLite tries it on closing, and takes the system's refusal for a no;
        # through here that refusal would come out as an error of close().
        if self._is_read_only and level > apsw.SQLITE_LOCK_SHARED:
            raise apsw.BusyError
        super().xLock(level)

    def xRead(self, amount: int, offset: int) -> bytes:
        """Read so many bytes."""
        self._disk.allow("read")
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:
        """Write all of it, or fail."""
        try:
            self._disk.allow("write")
        except apsw.FullError:
            if self._disk.writes_half:
                super().xWrite(data[: len(data) // 2], offset)
            raise
        super().xWrite(data, offset)
        self._disk.operations.append(Operation("write", self._name, offset, bytes(data)))

    def xTruncate(self, size: int) -> None:
        """Cut the file."""
        self._disk.allow("truncate")
        super().xTruncate(size)
        self._disk.operations.append(Operation("truncate", self._name, size))

    def xSync(self, flags: int) -> None:
        """Make what was written last."""
        self._disk.allow("sync")
        super().xSync(flags)
        self._disk.operations.append(Operation("sync", self._name))


_EXTENDED = {
    "read": apsw.SQLITE_IOERR_READ,
    "write": apsw.SQLITE_IOERR_WRITE,
    "truncate": apsw.SQLITE_IOERR_TRUNCATE,
    "sync": apsw.SQLITE_IOERR_FSYNC,
    "delete": apsw.SQLITE_IOERR_DELETE,
}


def _error(kind: str, fault: Fault) -> Exception:
    """Return what SQLite's own file layer makes of such a fault. Source: SQLite, os_unix.c."""
    if fault in ("full", "short") and kind == "write":
        return apsw.exception_for(apsw.SQLITE_FULL)
    return apsw.exception_for(_EXTENDED[kind])


@dataclass
class Platter:
    """What the power leaves of the files when it goes after some operation.

    As on file systems with a journal, a sync of any file makes the deletions
    before it last.
    """

    safe: dict[str, bytearray] = field(default_factory=dict)
    waiting: list[Operation] = field(default_factory=list)
    """Not synced yet."""

    def take(self, operation: Operation) -> None:
        """Go one operation on."""
        if operation.kind != "sync":
            self.waiting.append(operation)
            return
        still = []
        for other in self.waiting:
            if other.file == operation.file or other.kind == "delete":
                _apply(self.safe, other)
            else:
                still.append(other)
        self.waiting = still
        self.safe.setdefault(operation.file, bytearray())

    def without_power(self, fate: Fate, chance: random.Random) -> Mapping[str, bytearray]:
        """Return the files as they are found afterwards."""
        found = {name: bytearray(content) for name, content in self.safe.items()}
        for operation in self.waiting:
            for part in _survivors(operation, fate, chance):
                _apply(found, part)
        return found


def _survivors(operation: Operation, fate: Fate, chance: random.Random) -> Iterator[Operation]:
    """Give what is left of one unsynced operation."""
    if fate == "torn" and operation.kind == "write":
        start = operation.offset
        while start < operation.offset + len(operation.data):
            end = start - start % SECTOR_BYTES + SECTOR_BYTES
            data = operation.data[start - operation.offset : end - operation.offset]
            if chance.random() < 0.5:
                yield Operation("write", operation.file, start, data)
            start = end
    elif fate == "kept" or (fate != "dropped" and chance.random() < 0.5):
        yield operation


def _apply(files: dict[str, bytearray], operation: Operation) -> None:
    if operation.kind == "delete":
        files.pop(operation.file, None)
        return
    content = files.setdefault(operation.file, bytearray())
    if operation.kind == "truncate":
        del content[operation.offset :]
    else:
        content.extend(bytes(max(0, operation.offset - len(content))))
        content[operation.offset : operation.offset + len(operation.data)] = operation.data
