"""Several workers behind one address: processes that share a socket and a database, nothing else.

One that dies is replaced; what it was doing stands in the database or was
never done, and the till asks.
"""

from __future__ import annotations

import logging
import multiprocessing
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Semaphore

from simulators.bank.errors import BankError

STOP_S = 10.0
POLL_S = 0.2

log = logging.getLogger("simulators.bank")

Work = Callable[[Callable[[], None], threading.Event], None]
"""Serves until the event is set; calls the first argument once it accepts connections.
It goes to another process, so it is a function of a module, or a partial of one."""


class Workers:
    """A number of processes that do the same work until they are stopped."""

    def __init__(self, count: int, work: Work) -> None:
        self._count = count
        self._work = work
        # Each begins with an interpreter of its own: what a thread of ours
        # holds at that moment is not copied.
        self._context = multiprocessing.get_context("spawn")
        self._ready = self._context.Semaphore(0)
        self._running: list[SpawnProcess] = []
        self._stopping = threading.Event()

    @property
    def numbers(self) -> list[int]:
        """The process number of each."""
        return [each.pid for each in self._running if each.pid is not None]

    def run(self, on_ready: Callable[[], None]) -> None:
        """Start all, call on_ready once they accept connections, and keep their number.

        Returns after stop(). Raises BankError if one does not come up.
        """
        try:
            self._running = [self._start() for _ in range(self._count)]
            self._wait_until_ready()
            if not self._stopping.is_set():
                on_ready()
            while not self._stopping.is_set():
                wait([each.sentinel for each in self._running], timeout=POLL_S)
                self._replace_dead()
        finally:
            self._end()

    def stop(self) -> None:
        """Ask all to finish. Returns at once; safe from any thread and signal handler."""
        self._stopping.set()

    def _start(self) -> SpawnProcess:
        worker = self._context.Process(
            target=_work_until_told, args=(self._work, self._ready), daemon=True
        )
        worker.start()
        return worker

    def _wait_until_ready(self) -> None:
        ready = 0
        while ready < self._count and not self._stopping.is_set():
            if self._ready.acquire(timeout=POLL_S):
                ready += 1
            elif not all(each.is_alive() for each in self._running):
                raise BankError("a worker did not come up; its own lines say why")

    def _replace_dead(self) -> None:
        for place, each in enumerate(self._running):
            if not each.is_alive() and not self._stopping.is_set():
                log.warning("worker %s ended with %s and is replaced", each.pid, each.exitcode)
                self._running[place] = self._start()

    def _end(self) -> None:
        for each in self._running:
            each.terminate()
        for each in self._running:
            each.join(STOP_S)
            if each.is_alive():
                each.kill()
                each.join()


def _work_until_told(work: Work, ready: Semaphore) -> None:
    """Work in a process of its own; end when its starter is gone."""
    # A terminal sends it to all at once; the starter decides, and tells us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    over = threading.Event()
    starter = multiprocessing.parent_process()
    if starter is not None:

        def watch() -> None:
            starter.join()
            over.set()

        threading.Thread(target=watch, daemon=True).start()
    work(ready.release, over)
