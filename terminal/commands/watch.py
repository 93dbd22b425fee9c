"""Waits, without polling, until the till looks as a script needs it."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from terminal.till import Till
from terminal.view import View


class Watch:
    """The views of a till, one after the other."""

    def __init__(self, till: Till) -> None:
        self._last = till.view()
        self._views: queue.SimpleQueue[View] = queue.SimpleQueue()

    def push(self, view: View) -> None:
        """Take a view; the till calls this."""
        self._views.put(view)

    def until(
        self, holds: Callable[[View], bool], timeout_s: float, *, fresh: bool = False
    ) -> View | None:
        """Return the first view for which it holds; None if none comes in time.

        fresh: only a view not looked at before counts.
        """
        if not fresh and holds(self._last):
            return self._last
        deadline = time.monotonic() + timeout_s
        while (left_s := deadline - time.monotonic()) > 0:
            try:
                self._last = self._views.get(timeout=left_s)
            except queue.Empty:
                return None
            if holds(self._last):
                return self._last
        return None


@contextmanager
def watching(till: Till) -> Iterator[Watch]:
    """Watch a till for as long as the block runs."""
    watch = Watch(till)
    unsubscribe = till.subscribe(watch.push)
    try:
        yield watch
    finally:
        unsubscribe()
