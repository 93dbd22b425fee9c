"""A thread that makes calls which may never return, so that nobody else hangs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from drivers.errors import DeviceTimeout

T = TypeVar("T")


class Lane:
    """Makes calls one after the other, each on its own one thread.

    A call that is late is left behind, and the lane with it: whoever gave up
    waiting makes a new lane. last_rites then runs once the late call is over.
    """

    def __init__(self, name: str, last_rites: Callable[[], None]) -> None:
        """last_rites: gives back what the lane's calls took, when it ends."""
        self._calls: SimpleQueue[Callable[[], Any] | None] = SimpleQueue()
        self._results: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        self._last_rites = last_rites
        self.ended = threading.Event()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def call(self, work: Callable[[], T], patience_s: float | None = None) -> T:
        """Return what the work returns, or raise what it raises.

        patience_s: None waits as long as it takes.
        Raises DeviceTimeout when the time is up; the lane is then used up.
        """
        self._calls.put(work)
        try:
            value, error = self._results.get(timeout=patience_s)
        except Empty:
            self.end()
            raise DeviceTimeout(f"no answer within {patience_s:g} s") from None
        if error is not None:
            raise error
        result: T = value
        return result

    def end(self) -> None:
        """Let the thread end after the call it makes. Safe to call twice."""
        self._calls.put(None)

    def _run(self) -> None:
        while (work := self._calls.get()) is not None:
            try:
                outcome: tuple[Any, BaseException | None] = (work(), None)
            except BaseException as error:  # raised again by whoever called
                outcome = (None, error)
            self._results.put(outcome)
        self._last_rites()
        self.ended.set()
