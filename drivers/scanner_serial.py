"""A hand scanner on a serial line: text, then an end mark."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Final

from drivers.errors import DeviceLost, OptionRefused
from drivers.protocols import Diagnosis, Health, Symbol, Symbology
from drivers.serial_port import SerialPort

CODE_BYTES_MAX: Final = 4296
"""What the largest QR code holds. Source: ISO/IEC 18004:2015, table 7."""
CHUNK: Final = 4096
RAW_BYTES_MAX: Final = CODE_BYTES_MAX + 64
"""With prefix and AIM identifier."""
SILENCE_S: Final = 0.25
"""A scanner that was cut off in mid-code begins afresh after this, in seconds."""

# How scanners name what they read, where they are set to. Any modifier follows.
# Source: ISO/IEC 15424.
_AIM: Final = {b"]Q": Symbology.QR, b"]C": Symbology.CODE_128}
_AIM_BYTES: Final = 3


class Cutter:
    """Cuts a stream of bytes into codes, in bounded memory whatever comes."""

    def __init__(self, prefix: bytes, suffix: bytes) -> None:
        """prefix: what every code begins with. suffix: its end; empty means silence."""
        self._prefix = prefix
        self._suffix = suffix
        self._held = bytearray()
        self._is_overflowing = False

    @property
    def held_bytes(self) -> int:
        """How much of an unfinished code is kept."""
        return len(self._held)

    def feed(self, data: bytes) -> list[bytes]:
        """Return the codes that are complete now, without prefix and suffix."""
        if not self._suffix:
            self._hold(data)
            return []
        *ended, rest = (bytes(self._held) + data).split(self._suffix)
        self._held.clear()
        codes = []
        for raw in ended:
            # What an endless code has left behind ends with it.
            if not self._is_overflowing:
                codes += self._code(raw)
            self._is_overflowing = False
        self._hold(rest)
        return codes

    def pause(self) -> list[bytes]:
        """Say that nothing came for a while; return the code that silence ends."""
        raw, self._held = bytes(self._held), bytearray()
        was_overflowing, self._is_overflowing = self._is_overflowing, False
        return [] if self._suffix or was_overflowing else self._code(raw)

    def forget(self) -> None:
        """Drop what is unfinished."""
        self._held.clear()
        self._is_overflowing = False

    def _hold(self, data: bytes) -> None:
        keep = max(len(self._suffix) - 1, 0)
        if self._is_overflowing or len(self._held) + len(data) > RAW_BYTES_MAX + keep:
            self._is_overflowing = True
            # A suffix may be split between two reads.
            self._held[:] = data[len(data) - keep :] if keep else b""
            return
        self._held += data

    def _code(self, raw: bytes) -> list[bytes]:
        if not raw.startswith(self._prefix):
            return []
        code = raw[len(self._prefix) :]
        return [code] if 0 < len(code) <= CODE_BYTES_MAX else []


class SerialScanner:
    """Satisfies drivers.protocols.Scanner over a serial line."""

    def __init__(
        self,
        path: str,
        *,
        baud: int = 9600,
        parity: str = "none",
        data_bits: int = 8,
        flow: str = "none",
        prefix: str = "",
        suffix: str = "\r\n",
        symbology: str = "qr",
    ) -> None:
        r"""path: of the line. prefix, suffix: as the scanner is set; "" for none.

        A suffix of "\r\n" also takes "\r" or "\n" alone. Without a suffix, a
        code ends with silence. symbology: 'qr' or 'code128'; what a code counts
        as when the scanner sends no AIM identifier ("]Q1", "]C0") before it.
        Opens nothing yet. Raises OptionRefused, naming the option.
        """
        try:
            self._symbology = Symbology(symbology)
        except ValueError:
            known = ", ".join(each.value for each in Symbology)
            raise OptionRefused(f"symbology {symbology!r}: one of {known}") from None
        self._any_end = suffix == "\r\n"
        self._cutter = Cutter(
            _bytes("prefix", prefix), b"\n" if self._any_end else _bytes("suffix", suffix)
        )
        self._port = SerialPort(path, baud=baud, parity=parity, data_bits=data_bits, flow=flow)
        self._on = threading.Event()
        self._trouble = ""

    def start(self) -> None:
        """Begin to look; what was scanned before counts for nothing."""
        if self._on.is_set():
            return
        self._cutter.forget()
        self._trouble = ""
        try:
            self._port.discard_input()
        except DeviceLost as lost:
            # Whoever waits for symbols is told; the line is tried again then.
            self._trouble = str(lost)
        self._on.set()

    def stop(self) -> None:
        """Stop looking, and forget what was seen. Safe to call twice."""
        self._on.clear()
        self._cutter.forget()
        self._port.cancel_read()

    def wait_for_symbols(self, timeout_s: float) -> Sequence[Symbol]:
        """Return the codes that were scanned, or nothing in time.

        Raises DeviceLost if the line is gone; each call tries it again.
        """
        deadline = time.monotonic() + timeout_s
        while self._on.is_set():
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                break
            wait_s = min(left_s, SILENCE_S) if self._cutter.held_bytes else left_s
            try:
                data = self._port.read(CHUNK, wait_s)
            except DeviceLost as lost:
                self._trouble = str(lost)
                self._cutter.forget()
                raise
            self._trouble = ""
            if not self._on.is_set():
                break
            codes = self._cutter.feed(self._with_one_end(data)) if data else self._cutter.pause()
            symbols = [symbol for code in codes for symbol in self._symbol(code)]
            if symbols:
                return symbols
        return ()

    def diagnose(self) -> Diagnosis:
        """Say how the scanner is, without touching it."""
        if self._trouble:
            lost, _, remedy = self._trouble.partition(": ")
            return Diagnosis(Health.ABSENT, f"scanner at {lost}", remedy)
        state = "on" if self._on.is_set() else "off until a sale opens"
        return Diagnosis(Health.READY, f"scanner at {self._port.path}: {state}")

    def close(self) -> None:
        """Let the line go. Safe to call twice."""
        self.stop()
        self._port.close()

    def _with_one_end(self, data: bytes) -> bytes:
        return data.replace(b"\r", b"\n") if self._any_end else data

    def _symbol(self, code: bytes) -> list[Symbol]:
        """Return a code in the form that counts; none for forms that nobody pays with."""
        if code[:1] == b"]" and len(code) > _AIM_BYTES:
            symbology = _AIM.get(code[:2])
            return [] if symbology is None else [Symbol(symbology, code[_AIM_BYTES:])]
        return [Symbol(self._symbology, code)]


def _bytes(option: str, text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise OptionRefused(f"{option} {text!r}: a character that no scanner sends") from None
