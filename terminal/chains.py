"""The till's two chains of hashes, the journal's moves and the audit log, and their ends.

A chain tells by itself what was altered, moved or taken out of its middle. That
its tail was cut off, or grown anew from there, tells only an end that somebody
else has kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class End:
    """How long a chain is, and the hash of its last link."""

    length: int
    digest: bytes


class Chain(Protocol):
    """What can be held against an end that was kept of it."""

    def end(self) -> End:
        """Return where it ends now."""

    def check_through(self, end: End) -> None:
        """Check that it still goes through here. Raises TillError."""


@dataclass(frozen=True, slots=True)
class Chains:
    """Both chains of one till, from any thread."""

    journal: Chain
    audit: Callable[[], Chain]
    """Opens the log if nobody has yet."""
