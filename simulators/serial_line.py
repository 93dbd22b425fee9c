"""The far end of a serial line: a pty, and a device behind it that can fail.

The number of a pty is another at each start, so a link with a fixed name leads
to it. Unplugged, the link is gone and so are both ends.
"""

from __future__ import annotations

import contextlib
import enum
import os
import selectors
import threading
import tty
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol

CHUNK = 4096
GARBAGE = bytes(range(128, 256))


class Fault(enum.Enum):
    """How the line is now."""

    NONE = "none"
    SILENCE = "silence"
    """It takes bytes, does nothing and answers nothing."""
    STUCK = "stuck"
    """It takes no bytes."""
    GARBAGE = "garbage"
    """It answers, and nothing that anybody asked."""


class Peripheral(Protocol):
    """A device without its wire."""

    def receive(self, data: bytes) -> bytes:
        """Take what came; return what the device answers at once."""


class SerialLine:
    """Serves one device on a pty until it is closed."""

    def __init__(self, device: Peripheral, link: Path) -> None:
        """link: the path that leads to the pty; replaced if it is a link already.

        Raises FileExistsError if something else stands there.
        """
        self._device = device
        self.link = link
        self.changed = threading.Condition()
        """Notified after each thing that came, and held while the device works."""
        self.came = 0
        """How many bytes came, read or not."""
        self._fault = Fault.NONE
        self._unplug_after: int | None = None
        self._outgoing = bytearray()
        self._session: _Session | None = None
        self.plug()

    def __enter__(self) -> SerialLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def is_plugged(self) -> bool:
        """Whether the till finds it."""
        with self.changed:
            return self._session is not None

    @property
    def fault(self) -> Fault:
        """How the line is now."""
        return self._fault

    def plug(self) -> None:
        """Put the plug in, at a fresh pty. Nothing happens if it is in."""
        with self.changed:
            if self._session is not None:
                return
            self._outgoing.clear()
            self._session = _Session(self)

    def unplug(self) -> None:
        """Pull the plug. Safe to call twice."""
        with self.changed:
            session, self._session = self._session, None
        if session is not None:
            session.end()

    def unplug_after(self, bytes_max: int) -> None:
        """Pull the plug once so many bytes more have come, in the middle of what is sent."""
        with self.changed:
            self._unplug_after = bytes_max

    def break_with(self, fault: Fault) -> None:
        """Break the line, or mend it with Fault.NONE."""
        with self.changed:
            self._fault = fault
            if self._session is not None:
                self._session.wake()

    def send(self, data: bytes) -> None:
        """Send what the till did not ask for. Lost if the plug is out or the line is silent."""
        with self.changed:
            if self._session is None or self._fault in (Fault.SILENCE, Fault.STUCK):
                return
            self._outgoing += GARBAGE if self._fault is Fault.GARBAGE else data
            self._session.wake()

    def wait_for(self, claim: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until something that came has made a claim true."""
        with self.changed:
            return self.changed.wait_for(claim, timeout_s)

    def close(self) -> None:
        """Take the device away for good. Safe to call twice."""
        self.unplug()

    # ---- called by the session's thread, under self.changed ------------------

    def _came(self, data: bytes) -> bool:
        """Hand bytes to the device. False: the plug is to be pulled now."""
        self.came += len(data)
        is_last = False
        if self._unplug_after is not None:
            is_last = len(data) >= self._unplug_after
            data = data[: self._unplug_after]
            self._unplug_after = None if is_last else self._unplug_after - len(data)
        if self._fault is not Fault.SILENCE:
            answer = self._device.receive(data)
            if self._fault is Fault.GARBAGE:
                answer = GARBAGE
            self._outgoing += answer
        self.changed.notify_all()
        return not is_last

    def _left(self, session: _Session) -> None:
        """A session is over, and its pty closed."""
        if self._session is session:
            self._session = None
        self.changed.notify_all()


class _Session:
    """One pty, from plugging in to pulling out."""

    def __init__(self, line: SerialLine) -> None:
        self._line = line
        self._master, self._slave = os.openpty()
        # Held open ourselves: without it each close by the till is an error here.
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._wake_reader, self._wake_writer = os.pipe()
        os.set_blocking(self._wake_reader, False)
        os.set_blocking(self._wake_writer, False)
        self._ending = False
        self._ended = False
        try:
            _link(os.ttyname(self._slave), line.link)
        except OSError:
            self._close()
            raise
        self._thread = threading.Thread(target=self._serve, name="serial line", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Let the thread look again at what there is to do."""
        if not self._ended:
            # A full pipe wakes it just as well.
            with contextlib.suppress(BlockingIOError):
                os.write(self._wake_writer, b"w")

    def end(self) -> None:
        """Close both ends."""
        with self._line.changed:
            self._ending = True
            self.wake()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_reader, selectors.EVENT_READ)
            watched = 0
            while True:
                with self._line.changed:
                    if self._ending:
                        break
                    wanted = 0 if self._line.fault is Fault.STUCK else selectors.EVENT_READ
                    if self._line._outgoing:
                        wanted |= selectors.EVENT_WRITE
                if wanted != watched:
                    if watched:
                        selector.unregister(self._master)
                    if wanted:
                        selector.register(self._master, wanted)
                    watched = wanted
                ready = {key.fd: events for key, events in selector.select()}
                if self._wake_reader in ready:
                    os.read(self._wake_reader, CHUNK)
                with self._line.changed:
                    if not self._carry(ready.get(self._master, 0)):
                        break
        with self._line.changed:
            self._close()
            self._line._left(self)

    def _carry(self, events: int) -> bool:
        """Move bytes both ways. False: the plug is to be pulled."""
        outgoing = self._line._outgoing
        if events & selectors.EVENT_WRITE and outgoing:
            try:
                del outgoing[: os.write(self._master, outgoing[:CHUNK])]
            except BlockingIOError:
                return True
        if events & selectors.EVENT_READ and self._line.fault is not Fault.STUCK:
            try:
                return self._line._came(os.read(self._master, CHUNK))
            except BlockingIOError:
                return True
        return True

    def _close(self) -> None:
        self._ended = True
        for descriptor in (self._master, self._slave, self._wake_reader, self._wake_writer):
            os.close(descriptor)
        if self._line.link.is_symlink():
            self._line.link.unlink()


def _link(target: str, link: Path) -> None:
    """Lead a path to the pty, in one step, in the place of an older link only."""
    link.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if link.exists() and not link.is_symlink():
        raise FileExistsError(f"{link} is not a link; name another path")
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)
