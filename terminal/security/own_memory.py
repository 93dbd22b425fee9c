"""Keeps this process's memory to itself: PINs that pass through it, keys that stay."""

from __future__ import annotations

import ctypes
import resource
import sys
from typing import Final

# Source: Linux, prctl(2).
_PR_SET_DUMPABLE: Final = 4


def keep_private() -> None:
    """Leave no core file, and let no other process of this user look in or attach.

    A process that this one starts begins anew: the second holds for this one alone.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
