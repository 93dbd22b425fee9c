"""A till that crashes leaves nothing behind, and nobody without rights reads along."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from terminal.security.own_memory import keep_private

PR_SET_DUMPABLE = 4


def leave_open() -> None:
    """As a process is that nobody told anything."""
    # Who gave up root's rights is private already, until another program begins in it.
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)


@pytest.mark.parametrize(("told", "is_seen"), [(leave_open, True), (keep_private, False)])
def test_another_process_of_the_same_user_does_not_see_in(
    as_nobody: Callable[[Callable[[], Any]], Any], told: Callable[[], None], is_seen: bool
) -> None:
    def look_into_a_child() -> bool:
        ready, say = os.pipe()
        child = os.fork()
        if child == 0:
            told()
            os.write(say, b"!")
            signal.pause()
        os.read(ready, 1)
        try:
            with Path(f"/proc/{child}/mem").open("rb"):
                return True
        except PermissionError:
            return False
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    assert as_nobody(look_into_a_child) is is_seen


def test_it_leaves_no_core_file(as_nobody: Callable[[Callable[[], Any]], Any]) -> None:
    def limits() -> tuple[int, int]:
        keep_private()
        return resource.getrlimit(resource.RLIMIT_CORE)

    assert as_nobody(limits) == (0, 0)
