"""The ways to a receipt printer: a serial line, a network socket, USB.

Each carries bytes both ways, opens when it is first used and again after it
was lost, and fails as DeviceLost or DeviceTimeout only.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from drivers.errors import DeviceLost, DeviceTimeout, OptionRefused

PORT_RAW: Final = 9100
"""Where network printers take raw bytes."""


class Link(Protocol):
    """Bytes to a printer and back."""

    @property
    def path(self) -> str:
        """What people call it."""

    def open(self) -> None:
        """Take it, if it is not held yet. Raises DeviceLost, naming the remedy."""

    def write(self, data: bytes) -> None:
        """Send all of it. Raises DeviceLost, or DeviceTimeout if it is not taken."""

    def read(self, bytes_max: int, timeout_s: float) -> bytes:
        """Return what has come, as soon as anything has; empty when the time is up.

        Raises DeviceLost.
        """

    def discard_input(self) -> None:
        """Forget what has come and was not read. Raises DeviceLost."""

    def close(self) -> None:
        """Let it go; the next use takes it again. Safe to call twice."""


def open_link(address: str, *, write_timeout_s: float, **serial_options: Any) -> Link:
    """Return the way to an address. It is not opened yet.

    address: 'tcp:HOST' or 'tcp:HOST:PORT', '/dev/usb/lp0' and its like, or
    the path of a serial line.
    serial_options: of SerialPort; for a serial line only.
    Raises OptionRefused.
    """
    is_network = address.startswith("tcp:")
    is_serial = not is_network and not address.startswith("/dev/usb/")
    if is_serial:
        # pyserial is not needed, and so not loaded, for the other ways.
        from drivers.serial_port import SerialPort

        return SerialPort(address, write_timeout_s=write_timeout_s, **serial_options)
    if serial_options:
        names = ", ".join(sorted(serial_options))
        raise OptionRefused(f"{names}: for serial lines, and {address} is none")
    if is_network:
        return NetworkLink(address, write_timeout_s)
    return FileLink(address, write_timeout_s)


class NetworkLink:
    """A printer that listens for raw bytes on the network."""

    def __init__(self, address: str, timeout_s: float) -> None:
        """address: 'tcp:HOST' or 'tcp:HOST:PORT'. Raises OptionRefused."""
        self.path = address
        self._timeout_s = timeout_s
        self._socket: socket.socket | None = None
        try:
            parts = urlsplit(f"//{address.removeprefix('tcp:')}")
            self._where = (parts.hostname or "", parts.port or PORT_RAW)
        except ValueError as error:
            raise OptionRefused(f"address {address!r}: {error}") from error
        if not self._where[0]:
            raise OptionRefused(f"address {address!r}: no host")

    def open(self) -> None:
        """Connect, if it is not connected yet. Raises DeviceLost."""
        self._open()

    def write(self, data: bytes) -> None:
        """Send all of it. Raises DeviceLost or DeviceTimeout."""
        connection = self._open()
        try:
            connection.settimeout(self._timeout_s)
            connection.sendall(data)
        except TimeoutError as error:
            self.close()
            raise DeviceTimeout(f"{self.path}: takes no more bytes; is it stuck?") from error
        except OSError as error:
            self.close()
            raise DeviceLost(f"{self.path}: {error.strerror or 'connection lost'}") from error

    def read(self, bytes_max: int, timeout_s: float) -> bytes:
        """Return what has come, or nothing in time. Raises DeviceLost."""
        connection = self._open()
        try:
            # A time of zero would make the socket refuse instead of look.
            connection.settimeout(max(timeout_s, 0.001))
            data = connection.recv(bytes_max)
        except TimeoutError:
            return b""
        except OSError as error:
            self.close()
            raise DeviceLost(f"{self.path}: {error.strerror or 'connection lost'}") from error
        if not data:
            self.close()
            raise DeviceLost(f"{self.path}: the printer has hung up")
        return data

    def discard_input(self) -> None:
        """Forget what has come. Raises DeviceLost."""
        while self.read(4096, 0.0):
            pass

    def close(self) -> None:
        """Hang up. Safe to call twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _open(self) -> socket.socket:
        if self._socket is None:
            try:
                self._socket = socket.create_connection(self._where, self._timeout_s)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                raise DeviceLost(
                    f"{self.path}: no connection; see that the printer is on and its address right"
                ) from error
        return self._socket


class FileLink:
    """A USB printer behind the kernel's own driver: a file that takes bytes."""

    def __init__(self, path: str, write_timeout_s: float) -> None:
        """path: such as '/dev/usb/lp0'."""
        self.path = path
        self._write_timeout_s = write_timeout_s
        self._file: int | None = None

    def open(self) -> None:
        """Take the file, if it is not held yet. Raises DeviceLost."""
        self._open()

    def write(self, data: bytes) -> None:
        """Send all of it. Raises DeviceLost or DeviceTimeout."""
        file = self._open()
        deadline = time.monotonic() + self._write_timeout_s
        left = memoryview(data)
        while left:
            wait_s = deadline - time.monotonic()
            if wait_s <= 0 or not select.select([], [file], [], wait_s)[1]:
                self.close()
                raise DeviceTimeout(f"{self.path}: takes no more bytes; is it stuck?")
            with self._lost():
                try:
                    left = left[os.write(file, left) :]
                except BlockingIOError:
                    continue

    def read(self, bytes_max: int, timeout_s: float) -> bytes:
        """Return what has come, or nothing in time. Raises DeviceLost."""
        file = self._open()
        if not select.select([file], [], [], timeout_s)[0]:
            return b""
        with self._lost():
            try:
                data = os.read(file, bytes_max)
            except BlockingIOError:
                return b""
        if not data and not Path(self.path).exists():
            self.close()
            raise DeviceLost(f"{self.path}: unplugged")
        return data

    def discard_input(self) -> None:
        """Forget what has come. Raises DeviceLost."""
        while self.read(4096, 0.0):
            pass

    def close(self) -> None:
        """Let the file go. Safe to call twice."""
        if self._file is not None:
            file, self._file = self._file, None
            with contextlib.suppress(OSError):
                os.close(file)

    def _open(self) -> int:
        if self._file is None:
            try:
                self._file = os.open(self.path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
            except OSError as error:
                remedy = {
                    errno.EACCES: "not allowed: add this user to the group 'lp' and log in again",
                    errno.EBUSY: "in use: end the other program that has it",
                }.get(error.errno or 0, "not there: plug it in and switch it on")
                raise DeviceLost(f"{self.path}: {remedy}") from error
        return self._file

    @contextlib.contextmanager
    def _lost(self) -> Iterator[None]:
        try:
            yield
        except BlockingIOError:
            raise
        except OSError as error:
            self.close()
            raise DeviceLost(f"{self.path}: unplugged") from error
