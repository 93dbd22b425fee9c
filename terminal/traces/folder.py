"""The folder of traces beside the journal: written whole, private, within bounds."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from terminal.errors import NotAllowed
from terminal.traces.trace import Trace, decode, encode

FOLDER = "traces"
_NAME = re.compile(r"(?P<attempt>[0-9a-f-]{36})\.(?P<number>[0-9]{3})\.json")
MS_PER_DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept, whatever is reached first. The oldest goes."""

    count_max: int
    """Traces; 0 keeps none."""
    age_max_ms: int
    bytes_max: int


class TraceFolder:
    """The traces of one till. Attempts sort by the time they were made, and so do the files."""

    def __init__(self, till_folder: Path) -> None:
        self._path = till_folder / FOLDER

    def write(self, trace: Trace) -> None:
        """Keep a trace. Raises OSError."""
        self._path.mkdir(mode=0o700, exist_ok=True)
        there = self._files(trace.attempt)
        number = int(there[-1].name[-8:-5]) + 1 if there else 1
        path = self._path / f"{trace.attempt}.{number:03}.json"
        draft = path.with_suffix(".draft")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(encode(trace))
        draft.replace(path)

    def prune(self, bounds: Bounds, now_ms: int) -> None:
        """Delete what is beyond the bounds, and drafts of a till that was cut off.

        Raises OSError.
        """
        for draft in self._path.glob("*.draft"):
            draft.unlink()
        files = self._files()
        sizes = [path.stat() for path in files]
        total, oldest_ms = 0, now_ms - bounds.age_max_ms
        for newer, (path, status) in enumerate(zip(reversed(files), reversed(sizes), strict=True)):
            total += status.st_size
            is_old = status.st_mtime_ns // 1_000_000 < oldest_ms
            if newer >= bounds.count_max or total > bounds.bytes_max or is_old:
                path.unlink()

    def attempts(self) -> list[str]:
        """Return the attempts that have a trace, newest first."""
        return list(dict.fromkeys(path.name[:36] for path in reversed(self._files())))

    def of(self, attempt: str) -> Sequence[Trace]:
        """Return the conversations of one attempt, in their order.

        Raises NotAllowed for a file that is no trace, or cannot be read.
        """
        return [self._read(path) for path in self._files(attempt)]

    @staticmethod
    def _read(path: Path) -> Trace:
        try:
            return decode(path.read_bytes())
        except (NotAllowed, OSError) as error:
            raise NotAllowed(f"{path.name}: {error}") from error

    def _files(self, attempt: str = "") -> list[Path]:
        """Return the files, oldest first: all of them, or one attempt's."""
        if not self._path.is_dir():
            return []
        found = (path for path in self._path.iterdir() if _NAME.fullmatch(path.name))
        return sorted(path for path in found if path.name.startswith(attempt))
