"""A wire between a till and its bank that fails on command.

It carries bytes and knows nothing of TLS or HTTP; counts are of bytes on
the wire, in each connection, since the fault was switched on.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal

HOST = "127.0.0.1"

CHUNK = 65_536

GARBAGE = bytes(range(256)) * 4

LINGER_NOT = struct.pack("ii", 1, 0)
"""Makes close() reset the connection."""

Way = Literal["request", "answer"]


@dataclass(frozen=True, slots=True)
class Fault:
    """How the wire is now; all off is a sound one."""

    is_cut: bool = False
    is_deaf: bool = False
    delay_s: float = 0.0
    garbage: bytes = b""
    way: Way | None = None
    """Which direction is cut, or held back, after bytes_max."""
    bytes_max: int = 0
    is_held: bool = False
    """What comes after bytes_max waits for the next verb, where it would be cut."""
    mangle: Callable[[bytes], bytes] | None = None
    """What is done to the piece after bytes_max, where it would be cut."""
    drip_s: float = 0.0
    """How long each byte waits for the one before it."""


class FaultProxy:
    """A loopback port that leads to another one, soundly until told otherwise.

    Each verb replaces the fault before it and holds until the next. Verbs may
    be called from any thread.
    """

    def __init__(self, upstream_port: int | Callable[[], int]) -> None:
        """upstream_port: the bank's, on 127.0.0.1; or what waits until the bank
        is up and returns it, so that a till may come up before its bank.
        """
        self._upstream_port = upstream_port if callable(upstream_port) else lambda: upstream_port
        self._lock = threading.Lock()
        self._fault = Fault()
        self._connections: set[_Connection] = set()
        self._changed = threading.Event()
        self._holding = threading.Event()
        self._listener: socket.socket | None = None
        self.port = 0
        self._listen()

    @property
    def url(self) -> str:
        """What the till is told to talk to."""
        return f"https://{HOST}:{self.port}"

    def heal(self) -> None:
        """Carry everything, as at the start."""
        self._become(Fault())

    def refuse(self) -> None:
        """Drop every connection; new ones are refused, as by a dead host's port."""
        self._stop_listening()
        self._become(Fault(is_cut=True), listen=False)
        self._drop_all()

    def cut(self) -> None:
        """Drop every connection; new ones are dropped as soon as they are made."""
        self._become(Fault(is_cut=True))
        self._drop_all()

    def cut_after(self, way: Way, bytes_max: int) -> None:
        """Carry bytes_max more bytes of a connection's request or answer, then hang up.

        The other direction flows until then.
        """
        self._become(Fault(way=way, bytes_max=bytes_max))

    def hold_after(self, way: Way, bytes_max: int) -> None:
        """Carry bytes_max more bytes of a connection's request or answer, and keep the rest.

        The next verb decides about what is kept, though its sender be gone by then.
        """
        self._become(Fault(way=way, bytes_max=bytes_max, is_held=True))

    def wait_until_holding(self, timeout_s: float) -> bool:
        """Return True once hold_after keeps something back, False when the time is up."""
        return self._holding.wait(timeout_s)

    def mangle_after(self, way: Way, bytes_max: int, mangle: Callable[[bytes], bytes]) -> None:
        """Carry bytes_max more bytes of a connection's request or answer, and mangle what is next.

        mangle: given the rest of the piece that these bytes end in, returns
        what is carried in its place. Everything behind it flows as it is.
        """
        self._become(Fault(way=way, bytes_max=bytes_max, mangle=mangle))

    def drip(self, way: Way, pause_s: float) -> None:
        """Carry one direction a byte at a time."""
        self._become(Fault(way=way, drip_s=pause_s))

    def delay(self, delay_s: float) -> None:
        """Hold each piece back for this long, in both directions."""
        self._become(Fault(delay_s=delay_s))

    def swallow(self) -> None:
        """Accept everything and carry nothing: a black hole."""
        self._become(Fault(is_deaf=True))

    def answer_garbage(self, garbage: bytes = GARBAGE) -> None:
        """Answer whatever arrives with these bytes, and hang up."""
        self._become(Fault(garbage=garbage))

    def close(self) -> None:
        """Take the wire away. Safe to call twice."""
        self._stop_listening()
        self._become(Fault(is_cut=True), listen=False)
        self._drop_all()

    def __enter__(self) -> FaultProxy:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _become(self, fault: Fault, *, listen: bool = True) -> None:
        with self._lock:
            self._fault = fault
            for connection in self._connections:
                connection.carried = {"request": 0, "answer": 0}
            # Whoever waits out a delay goes on by the new rule.
            self._changed.set()
            self._changed = threading.Event()
            self._holding.clear()
        if listen and self._listener is None:
            self._listen()

    def _listen(self) -> None:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, self.port))
        listener.listen()
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _stop_listening(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            # Closing alone does not wake a thread that waits in accept.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                fault = self._fault
            if fault.is_cut:
                _reset(near)
                continue
            threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        """Lead one connection to the bank, and carry its requests."""
        try:
            far = socket.create_connection((HOST, self._upstream_port()))
        except OSError:
            # The bank itself is down: the till shall see no more than that.
            _reset(near)
            return
        connection = _Connection(near, far)
        with self._lock:
            self._connections.add(connection)
        answers = (connection, "answer", far, near)
        threading.Thread(target=self._pump, args=answers, daemon=True).start()
        self._pump(connection, "request", near, far)

    def _pump(
        self, connection: _Connection, way: Way, source: socket.socket, target: socket.socket
    ) -> None:
        """Carry one direction of one connection until either end is gone."""
        try:
            while data := source.recv(CHUNK):
                if not self._carry(connection, way, data, target):
                    break
        except OSError:
            pass  # An end is gone, which is how a connection ends here.
        connection.hang_up()
        with self._lock:
            self._connections.discard(connection)

    def _carry(self, connection: _Connection, way: Way, data: bytes, target: socket.socket) -> bool:
        """Treat one piece by the fault of the moment; False to hang up."""
        with self._lock:
            fault, changed = self._fault, self._changed
        if fault.is_held and fault.way == way:
            left = fault.bytes_max - connection.carried[way]
            if len(data) > left:
                target.sendall(data[:left])
                data = data[left:]
                self._holding.set()
                changed.wait()
                fault = self._now()
        elif fault.delay_s:
            changed.wait(fault.delay_s)
            fault = self._now()
        if fault.is_cut:
            return False
        if fault.is_deaf:
            return True
        if fault.garbage:
            connection.near.sendall(fault.garbage)
            return False
        if fault.way == way and fault.drip_s:
            for place in range(len(data)):
                if changed.wait(fault.drip_s):
                    # A new verb decides about the rest.
                    return self._carry(connection, way, data[place:], target)
                target.sendall(data[place : place + 1])
            return True
        if fault.way == way and not fault.is_held:
            left = fault.bytes_max - connection.carried[way]
            if fault.mangle is None and len(data) >= left:
                target.sendall(data[:left])
                return False
            if fault.mangle is not None and 0 <= left < len(data):
                data = data[:left] + fault.mangle(data[left:])
        with self._lock:
            connection.carried[way] += len(data)
        target.sendall(data)
        return True

    def _now(self) -> Fault:
        with self._lock:
            return self._fault

    def _drop_all(self) -> None:
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            connection.drop()


class _Connection:
    """Both ends of one connection, and how much it has carried since the last verb."""

    def __init__(self, near: socket.socket, far: socket.socket) -> None:
        self.near = near
        self.far = far
        self.carried: dict[Way, int] = {"request": 0, "answer": 0}
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def hang_up(self) -> None:
        """Close both ends; what was sent still arrives."""
        for end in (self.near, self.far):
            # A thread may wait in recv, which closing alone does not wake.
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def drop(self) -> None:
        """Close both ends; what is still on its way is lost."""
        for end in (self.near, self.far):
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        self.hang_up()


def _reset(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
    end.close()
