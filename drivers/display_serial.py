"""A pole display on a serial line: two lines, by ESC/POS or CD5220 commands."""

from __future__ import annotations

import unicodedata
from typing import Final

from drivers.errors import DeviceLost, DeviceTimeout, OptionRefused
from drivers.protocols import Diagnosis, Health
from drivers.serial_port import SerialPort

COMMANDS: Final = ("escpos", "cd5220")
CHINESE: Final = ("none", "gb18030")

_OVERWRITE_ESCPOS: Final = b"\x1f\x01"
_CURSOR_OFF_ESCPOS: Final = b"\x1f\x43\x00"
_OVERWRITE_CD5220: Final = b"\x1b\x11"
_CURSOR_OFF_CD5220: Final = b"\x1b\x5f\x00"

# The wide form is in every Chinese character set, the narrow one in none.
_SUBSTITUTES: Final = {"¥": "￥"}


class SerialDisplay:
    """Satisfies drivers.protocols.CustomerDisplay."""

    def __init__(
        self,
        path: str,
        *,
        commands: str = "escpos",
        chinese: str = "none",
        columns: int = 20,
        baud: int = 9600,
        parity: str = "none",
        data_bits: int = 8,
        flow: str = "none",
        has_ready_line: bool = False,
    ) -> None:
        """path: of the line. commands: 'escpos' or 'cd5220', as the display is set.

        chinese: 'gb18030' where the display has those characters, else 'none'.
        has_ready_line: its cable carries DSR, so that a display that is off is
        noticed. Opens nothing yet. Raises OptionRefused, naming the option.
        """
        if commands not in COMMANDS:
            raise OptionRefused(f"commands {commands!r}: one of {', '.join(COMMANDS)}")
        if chinese not in CHINESE:
            raise OptionRefused(f"chinese {chinese!r}: one of {', '.join(CHINESE)}")
        if not 8 <= columns <= 40:
            raise OptionRefused(f"columns {columns}: 8 to 40")
        self._is_cd5220 = commands == "cd5220"
        self._can_show_chinese = chinese != "none"
        self._columns = columns
        self._has_ready_line = has_ready_line
        self._port = SerialPort(path, baud=baud, parity=parity, data_bits=data_bits, flow=flow)
        self._trouble = ""

    @property
    def columns(self) -> int:
        """How many cells a line has; a Chinese character takes two."""
        return self._columns

    @property
    def can_show_chinese(self) -> bool:
        """False: write to it in English, or the customer sees question marks."""
        return self._can_show_chinese

    def show(self, upper: str, lower: str) -> None:
        """Replace both lines; what does not fit is cut off.

        The modes are set each time: a display that was switched off and on
        has forgotten them, and no wire tells of it.
        Raises DeviceLost or DeviceTimeout.
        """
        first, second = self._line(upper), self._line(lower)
        if self._is_cd5220:
            job = _OVERWRITE_CD5220 + _CURSOR_OFF_CD5220
            job += b"\x1bQA" + first + b"\r" + b"\x1bQB" + second + b"\r"
        else:
            job = _OVERWRITE_ESCPOS + _CURSOR_OFF_ESCPOS
            job += b"\x1f\x24\x01\x01" + first + b"\x1f\x24\x01\x02" + second
        try:
            self._port.open()
            if self._has_ready_line and self._port.is_peer_ready() is False:
                raise DeviceTimeout(f"{self._port.path}: the display is switched off")
            self._port.write(job)
        except (DeviceLost, DeviceTimeout) as error:
            self._trouble = str(error)
            raise
        self._trouble = ""

    def diagnose(self) -> Diagnosis:
        """Say how the display was when it was last written to."""
        if self._trouble:
            where, _, why = self._trouble.partition(": ")
            return Diagnosis(Health.FAULTY, f"display at {where}: {why}", "check plug and switch")
        return Diagnosis(Health.READY, f"display at {self._port.path}")

    def close(self) -> None:
        """Let the line go. Safe to call twice."""
        self._port.close()

    def _line(self, text: str) -> bytes:
        """Return exactly as many cells as the line has, none of them a command."""
        line, cells = b"", 0
        for character in text:
            encoded = self._encoded(character)
            if cells + len(encoded) > self._columns:
                break
            line += encoded
            cells += len(encoded)
        return line.ljust(self._columns)

    def _encoded(self, character: str) -> bytes:
        """Return one byte a cell: in this character set bytes and cells agree."""
        if " " <= character <= "~":
            return character.encode("ascii")
        if unicodedata.combining(character):
            return b""
        if self._can_show_chinese:
            encoded = _SUBSTITUTES.get(character, character).encode("gb18030", "replace")
            if len(encoded) == 2:
                return encoded
        return b"?"
