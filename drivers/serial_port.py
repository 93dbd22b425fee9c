"""A serial line that fails in two ways only: lost, or too slow.

pyserial reports an unplugged line as SerialException, as a bare OSError or as
termios.error, depending on the call. Here all three are DeviceLost.
"""

from __future__ import annotations

import contextlib
import errno
import termios
import threading
from collections.abc import Iterator

import serial

from drivers.errors import DeviceLost, DeviceTimeout, OptionRefused

PARITIES = {"none": "N", "even": "E", "odd": "O"}
FLOWS = ("none", "rts-cts", "xon-xoff")

# What the system says when a line cannot be opened, and what mends it.
_REMEDIES = {
    errno.ENOENT: "not there: plug it in, or name another path",
    errno.EACCES: "not allowed: add this user to the group 'dialout' and log in again",
    errno.EPERM: "not allowed: add this user to the group 'dialout' and log in again",
    errno.EBUSY: "in use: end the other program that has it",
    errno.EWOULDBLOCK: "in use: end the other program that has it",
    errno.ENOTTY: "not a serial line: name another path",
    errno.EIO: "nothing answers there: plug it in again",
    errno.ENXIO: "nothing answers there: plug it in again",
}


class SerialPort:
    """One line, opened when it is first used, and again after it was lost."""

    def __init__(
        self,
        path: str,
        *,
        baud: int = 9600,
        data_bits: int = 8,
        parity: str = "none",
        stop_bits: int = 1,
        flow: str = "none",
        write_timeout_s: float = 2.0,
    ) -> None:
        """path: such as '/dev/ttyUSB0'; better a name below /dev/serial/by-id.

        baud: bits per second, as the device is set. parity: 'none', 'even' or
        'odd'. flow: 'none', 'rts-cts' or 'xon-xoff'. write_timeout_s: how long
        a device may refuse to take bytes. Opens nothing yet.
        Raises OptionRefused, naming the option.
        """
        if parity not in PARITIES:
            raise OptionRefused(f"parity {parity!r}: one of {', '.join(PARITIES)}")
        if flow not in FLOWS:
            raise OptionRefused(f"flow {flow!r}: one of {', '.join(FLOWS)}")
        if not write_timeout_s > 0:
            raise OptionRefused("write_timeout_s: must be above 0, or a stuck device is for ever")
        self.path = path
        self._closed = threading.Event()
        self._line = serial.Serial(exclusive=True)
        try:
            self._line.port = path
            self._line.baudrate = baud
            self._line.bytesize = data_bits
            self._line.parity = PARITIES[parity]
            self._line.stopbits = stop_bits
            self._line.rtscts = flow == "rts-cts"
            self._line.xonxoff = flow == "xon-xoff"
            self._line.write_timeout = write_timeout_s
            self._line.timeout = 0.0
        except (ValueError, TypeError) as error:
            raise OptionRefused(f"{path}: {error}") from error

    @property
    def is_open(self) -> bool:
        """Whether the line is held."""
        return bool(self._line.is_open)

    def open(self) -> None:
        """Take the line, if it is not held yet. Raises DeviceLost, naming the remedy."""
        if self._line.is_open:
            return
        with self._translated():
            self._line.open()

    def write(self, data: bytes) -> None:
        """Send all of it. Raises DeviceLost; DeviceTimeout if the device takes no more."""
        self.open()
        with self._translated():
            self._line.write(data)

    def read(self, bytes_max: int, timeout_s: float) -> bytes:
        """Return what has come, as soon as anything has; empty when the time is up.

        Raises DeviceLost.
        """
        self.open()
        with self._translated():
            if self._line.timeout != timeout_s:
                self._line.timeout = timeout_s
            first: bytes = self._line.read(1)
            if not first:
                return b""
            rest: bytes = self._line.read(min(bytes_max - 1, self._line.in_waiting))
            return first + rest

    def cancel_read(self) -> None:
        """Let a read() that waits in another thread return at once."""
        if self._line.is_open:
            with contextlib.suppress(DeviceLost), self._translated():
                self._line.cancel_read()

    def discard_input(self) -> None:
        """Forget what has come and was not read. Raises DeviceLost."""
        self.open()
        with self._translated():
            self._line.reset_input_buffer()

    def is_peer_ready(self) -> bool | None:
        """Return whether the device holds DSR; None where the line has no such wire.

        Raises DeviceLost.
        """
        self.open()
        try:
            return bool(self._line.dsr)
        except OSError as error:
            # Adapters and ptys without modem control say so here.
            if error.errno in (errno.ENOTTY, errno.EINVAL):
                return None
            raise self._lost(error) from error

    def close(self) -> None:
        """Let the line go; the next use takes it again. Safe to call twice."""
        with contextlib.suppress(OSError, termios.error):
            self._line.close()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except serial.SerialTimeoutException as error:
            # What is still queued would reach the device after the next text.
            with contextlib.suppress(OSError, termios.error):
                self._line.reset_output_buffer()
            raise DeviceTimeout(f"{self.path}: takes no more bytes; is it stuck?") from error
        except (serial.SerialException, OSError, termios.error) as error:
            raise self._lost(error) from error
        except TypeError as error:
            # pyserial reads from a line that another thread has just closed.
            if self._line.is_open:
                raise
            raise DeviceLost(f"{self.path}: closed") from error

    def _lost(self, error: Exception) -> DeviceLost:
        was_open = self._line.is_open
        self.close()
        if was_open:
            return DeviceLost(f"{self.path}: unplugged")
        # pyserial keeps the system's own error behind its own, or in its text.
        causes = (error, error.__cause__, error.__context__)
        numbers = [cause.errno for cause in causes if isinstance(cause, OSError) and cause.errno]
        numbers += [cause.args[0] for cause in causes if isinstance(cause, termios.error)]
        number = next((number for number in numbers if number in _REMEDIES), None)
        remedy = _REMEDIES[number] if number else "cannot be opened: see that it is plugged in"
        return DeviceLost(f"{self.path}: {remedy}")
