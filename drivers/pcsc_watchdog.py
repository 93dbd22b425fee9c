"""Breaks off a PC/SC call that does not return, at no cost to those that do.

PC/SC has no timeout for a command to a card, and no way to cancel one.
Handing each to another thread costs a third of its time. Here the caller's
own thread makes it, and a watchdog that finds it late hangs up on pcscd.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")

TICK_S = 0.05
SOCKET_VARIABLE = "PCSCLITE_CSOCK_NAME"
SOCKET_USUAL = "/run/pcscd/pcscd.comm"

_opening = threading.Lock()


def open_with_line(establish: Callable[[], T]) -> tuple[T, int | None]:
    """Make a context; return it, and the descriptor of its line to pcscd.

    The library does not tell which it is: it is the one socket to pcscd that
    was not there before. None where that cannot be seen.
    """
    with _opening:
        before = _lines()
        made = establish()
        new = _lines() - before
    return made, new.pop() if len(new) == 1 else None


def _lines() -> set[int]:
    """Return the descriptors of this process's connections to a pcscd."""
    found = set()
    where = os.environ.get(SOCKET_VARIABLE, SOCKET_USUAL)
    try:
        listed = list(Path("/proc/self/fd").iterdir())
    except OSError:
        return set()
    for entry in listed:
        try:
            if str(entry.readlink()).startswith("socket:") and _peer(int(entry.name)) == where:
                found.add(int(entry.name))
        except OSError as error:
            log.debug("descriptor closed meanwhile: %s", error)
    return found


def _peer(descriptor: int) -> object:
    with socket.socket(fileno=os.dup(descriptor)) as copy:
        return copy.getpeername()


class Watchdog:
    """Looks after one line to pcscd. Safe to stop twice."""

    def __init__(self, line: int, patience_s: float) -> None:
        """line: a descriptor, which stays its owner's. patience_s: for one call."""
        self._line = os.dup(line)
        self._patience_ns = round(patience_s * 1e9)
        self._tick_s = min(TICK_S, patience_s / 4)
        self._since_ns = 0
        self._stopped = threading.Event()
        self._awake = threading.Event()
        self.has_bitten = False
        threading.Thread(target=self._run, name="pcsc-watchdog", daemon=True).start()

    def watch(self, is_awake: bool) -> None:
        """Be awake while a card is active, and cost nothing otherwise."""
        (self._awake.set if is_awake else self._awake.clear)()

    def guard(self, work: Callable[[], T]) -> T:
        """Make a call; if it is late, it ends with an error of its own and has_bitten."""
        self._since_ns = time.monotonic_ns()
        try:
            return work()
        finally:
            self._since_ns = 0

    def stop(self) -> None:
        """Look no longer."""
        self._stopped.set()
        self._awake.set()

    def _run(self) -> None:
        with socket.socket(fileno=self._line) as line:
            while self._awake.wait() and not self._stopped.wait(self._tick_s):
                since_ns = self._since_ns
                if since_ns and time.monotonic_ns() - since_ns > self._patience_ns:
                    self.has_bitten = True
                    try:
                        line.shutdown(socket.SHUT_RDWR)
                    except OSError as error:
                        log.debug("the line to pcscd has ended already: %s", error)
                    return
