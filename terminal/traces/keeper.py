"""Keeps traces on a thread of its own: no payment waits for one, none fails by one."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from pathlib import Path

from emv.conversation import Kernel
from emv.entry_point import Transaction
from emv.outcome import Outcome
from terminal.seams import Clock
from terminal.traces.folder import Bounds, TraceFolder
from terminal.traces.recording import Recording, witnessed
from terminal.traces.trace import Interface

log = logging.getLogger(__name__)

WAITING_MAX = 32
"""Conversations that may wait to be written; what comes beyond is not kept."""
CLOSE_S = 5.0


Witness = Callable[[Kernel[Outcome], str, Interface, Transaction, bool], Kernel[Outcome]]
"""Returns a kernel that is written down as it runs, or the kernel itself.

Besides the kernel: the attempt's identity, where the card is, what it is
asked to pay, and whether the tap goes on with the one before.
"""


class TraceKeeper:
    """Writes down what was recorded, and deletes what is beyond the bounds."""

    def __init__(self, till_folder: Path, bounds: Bounds, clock: Clock) -> None:
        self._folder = TraceFolder(till_folder)
        self._bounds = bounds
        self._clock = clock
        self._waiting: queue.Queue[Recording | None] = queue.Queue(WAITING_MAX)
        self._thread = threading.Thread(target=self._run, name="trace-keeper", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def close(self) -> None:
        """Write what waits, and end."""
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join(CLOSE_S)

    def witness(self, reader: str, *, whole: bool) -> Witness:
        """Return what writes down the conversations of one reader.

        reader: what people call it. whole: its cards are simulated, and nothing
        of them is hidden.
        """

        def watch(
            kernel: Kernel[Outcome],
            attempt: str,
            interface: Interface,
            transaction: Transaction,
            restarts: bool,
        ) -> Kernel[Outcome]:
            started_ms = self._clock.wall_ms()
            recording = Recording(
                attempt, reader, interface, started_ms, transaction, whole, restarts
            )
            return witnessed(kernel, recording, self.keep)

        return watch

    def keep(self, recording: Recording) -> None:
        """Have a conversation written down. Returns at once; one too many is not kept."""
        if not self._thread.is_alive():
            # Nobody writes, as where a till runs in virtual time.
            return
        try:
            self._waiting.put_nowait(recording)
        except queue.Full:
            log.warning("trace of %s is not kept: too many wait", recording.attempt)

    def _run(self) -> None:
        self._prune()
        while (recording := self._waiting.get()) is not None:
            try:
                self._folder.write(recording.trace())
            except OSError as error:
                # The sale is in the journal; its story is not worth a word to the cashier.
                log.warning("trace of %s is not kept: %s", recording.attempt, error)
            self._prune()

    def _prune(self) -> None:
        try:
            self._folder.prune(self._bounds, self._clock.wall_ms())
        except OSError as error:
            log.warning("old traces are not deleted: %s", error)


def unwitnessed(kernel: Kernel[Outcome], *_about: object) -> Kernel[Outcome]:
    """Return the kernel itself: nobody writes it down."""
    return kernel
