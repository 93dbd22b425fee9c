"""ESC/POS as bytes: what is sent to a receipt printer, and what its answers mean.

Source: Epson, ESC/POS Command Reference.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from drivers.protocols import PrinterStatus

INIT: Final = b"\x1b@"
ALIGN_LEFT: Final = b"\x1ba\x00"
ALIGN_CENTRE: Final = b"\x1ba\x01"
CHINESE_ON: Final = b"\x1c&"
CHINESE_OFF: Final = b"\x1c."
FEED_AND_CUT: Final = b"\x1dVB\x00"
FEED_TO_TEAR: Final = b"\n\n\n\n"
CLEAR_BUFFER: Final = b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"
"""DLE DC4 8: forgets all that was received and not printed, the fault over."""
REPORT_PAPER: Final = b"\x1dr\x01"
"""GS r 1: answered in its turn, so its answer says that all before it was done."""

STATUS_QUESTIONS: Final = (1, 2, 3, 4)
"""The printer, why it is offline, its faults, its paper."""

# The wide form is in every Chinese character set, the narrow one in none.
_SUBSTITUTES: Final = {"¥": "￥"}
_QR_BYTES_MAX: Final = 2953


def ask_status(which: int) -> bytes:
    """Return DLE EOT: answered at once, whatever waits to be printed."""
    return bytes((0x10, 0x04, which))


def is_status(answer: int) -> bool:
    """Say whether a byte can be an answer to DLE EOT: four of its bits are fixed."""
    return answer & 0b1001_0011 == 0b0001_0010


def is_paper_report(answer: int) -> bool:
    """Say whether a byte can be an answer to GS r 1."""
    return answer & 0b1001_0000 == 0


def read_status(printer: int, offline: int, fault: int, paper: int) -> PrinterStatus:
    """Return what the four answers to DLE EOT say."""
    return PrinterStatus(
        is_online=not printer & 0x08,
        is_cover_open=bool(offline & 0x04),
        is_paper_out=bool(paper & 0x60) or bool(offline & 0x20),
        is_paper_low=bool(paper & 0x0C),
        is_faulty=bool(fault & 0x68),
    )


def kick_drawer(pin: int) -> bytes:
    """Return a pulse of 50 ms. pin: 2 or 5, of the drawer's plug."""
    return bytes((0x1B, 0x70, 0 if pin == 2 else 1, 25, 250))


def text_line(text: str, columns: int) -> bytes:
    """Return a line in GB18030, with its line feed, no control code inside.

    What has no form of two bytes is in no printer, and becomes '?'.
    """
    return b"".join(_encoded(character) for character in fitted(text, columns)) + b"\n"


def fitted(text: str, columns: int) -> str:
    """Return the text with wide signs for narrow ones, and still in its columns.

    The wider yen sign takes its cell from a gap, so that sums stay in line.
    """
    line = "".join(_SUBSTITUTES.get(character, character) for character in text)
    while line != text and cells(line) > columns and "  " in line:
        line = line.replace("  ", " ", 1)
    return line


def cells(text: str) -> int:
    """Return how many cells a text takes, a Chinese character two."""
    return sum(cells_of(character) for character in text)


def cells_of(character: str) -> int:
    """Return 0, 1 or 2. Source: Unicode Standard Annex 11."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F", "A") else 1


def qr_code(text: str, module_dots: int) -> bytes:
    """Return a QR code of model 2 and level M, drawn by the printer.

    Raises ValueError if the text is too long for one, or holds control codes.
    """
    if not text.isprintable():
        raise ValueError("control codes do not belong in a printed code")
    data = text.encode()
    if len(data) > _QR_BYTES_MAX:
        raise ValueError("too long for a QR code")

    def function(number: int, parameters: bytes) -> bytes:
        body = bytes((0x31, number)) + parameters
        return b"\x1d(k" + len(body).to_bytes(2, "little") + body

    return (
        function(0x41, b"\x32\x00")
        + function(0x43, bytes((module_dots,)))
        + function(0x45, b"\x31")
        + function(0x50, b"\x30" + data)
        + function(0x51, b"\x30")
    )


def raster(rows: bytes, width_bytes: int) -> bytes:
    """Return a picture. rows: its dots, eight a byte, the highest bit leftmost, 1 black.

    Printers obey DLE EOT, ENQ and DC4 (which opens the drawer) even among
    dots, so where dots would spell one, a dot is added.
    """
    height = len(rows) // width_bytes
    for urgent in (b"\x10\x04", b"\x10\x05", b"\x10\x14"):
        rows = rows.replace(urgent, b"\x11" + urgent[1:])
    return b"\x1dv0\x00" + width_bytes.to_bytes(2, "little") + height.to_bytes(2, "little") + rows


def _encoded(character: str) -> bytes:
    if " " <= character <= "~":
        return character.encode("ascii")
    if cells_of(character) == 0:
        return b""
    encoded = character.encode("gb18030", "replace")
    return encoded if len(encoded) == 2 else b"?" * cells_of(character)
