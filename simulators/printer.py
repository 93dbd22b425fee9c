"""A receipt printer: interprets ESC/POS and puts it on paper, as text and as dots."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from drivers.protocols import Image

CELL: Final = 12
PENDING_MAX: Final = 1 << 20
CLEAR: Final = b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"
"""DLE DC4 8: forget what was not printed."""
CLEARED: Final = b"\x37\x25\x00"


@dataclass(frozen=True, slots=True)
class Row:
    """What one line feed brought out: text, or dots."""

    text: str = ""
    bold: bool = False
    scale: tuple[int, int] = (1, 1)
    """How many times as wide and as high as usual."""
    align: int = 0
    """0 left, 1 centre, 2 right."""
    dots: Any = None
    """A picture in the place of text: rows of bool, True is black."""


@dataclass(slots=True)
class Paper:
    """One receipt, from cut to cut."""

    rows: list[Row] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    """What its QR codes hold."""

    @property
    def lines(self) -> list[str]:
        """Its text, line by line, without the spaces behind it."""
        return [row.text.rstrip() for row in self.rows if row.dots is None]


class PrinterSimulator:
    """A printer without its wire; serve it with simulators.serial_line."""

    def __init__(
        self,
        *,
        columns: int = 32,
        has_chinese: bool = True,
        has_qr: bool = True,
        receipts_max: int | None = None,
    ) -> None:
        """columns: cells of 12 dots a line. has_chinese: two bytes above 80 in
        Chinese mode are one GB18030 character. receipts_max: how many that were
        cut off are kept; None: all.
        """
        self.columns = columns
        self.width_dots = columns * CELL
        self._has_chinese = has_chinese
        self._has_qr = has_qr
        self._unread = bytearray()
        """The beginning of a command that overtakes others, if it is one."""
        self._pending = bytearray()
        self.paper = Paper()
        """What hangs out of it."""
        self.receipts: list[Paper] = []
        """What was cut off, the last at the end."""
        self._receipts_max = receipts_max
        self.unknown: list[bytes] = []
        """Commands it does not know, for whoever tests a driver."""
        self.drawer_openings = 0
        self.is_paper_out = False
        self.is_paper_low = False
        self.is_cover_open = False
        self.is_faulty = False
        self._paper_ends_after: int | None = None
        self._answer = bytearray()
        self._reset()

    # ---- what happens to it -----------------------------------------------

    def end_paper(self, after_lines: int = 0) -> None:
        """Let the roll run out, now or after so many more lines."""
        if after_lines:
            self._paper_ends_after = after_lines
        else:
            self.is_paper_out = True

    def load_paper(self) -> bytes:
        """Put in a new roll; what waited is printed now. Returns what it then answers."""
        self.is_paper_out = self.is_paper_low = False
        return self.receive(b"")

    def open_cover(self) -> None:
        """Open the cover; nothing is printed until it is closed."""
        self.is_cover_open = True

    def close_cover(self) -> bytes:
        """Close the cover; what waited is printed now. Returns what it then answers."""
        self.is_cover_open = False
        return self.receive(b"")

    # ---- the wire -----------------------------------------------------------

    def receive(self, data: bytes) -> bytes:
        """Take what a till sent; return what it answers."""
        self._pending += self._obey_at_once(data)
        while self._pending and self._can_print:
            used = self._step()
            if not used:
                break
            del self._pending[:used]
        # A real one stops taking bytes here; the wire is where that is simulated.
        del self._pending[PENDING_MAX:]
        answer = bytes(self._answer)
        self._answer.clear()
        return answer

    @property
    def _can_print(self) -> bool:
        return not (self.is_paper_out or self.is_cover_open or self.is_faulty)

    def _obey_at_once(self, data: bytes) -> bytes:
        """Obey the commands that overtake the others, and return the rest.

        Source: Epson, ESC/POS Command Reference, DLE EOT and DLE DC4.
        """
        self._unread += data
        rest = bytearray()
        while self._unread:
            if len(self._unread) < len(CLEAR) and CLEAR.startswith(self._unread):
                break
            if self._unread.startswith(b"\x10\x04"):
                if len(self._unread) < 3:
                    break
                self._tell(self._unread[2])
                del self._unread[:3]
            elif self._unread.startswith(CLEAR):
                self._pending.clear()
                rest.clear()
                self._reset()
                self._answer += CLEARED
                del self._unread[: len(CLEAR)]
            else:
                rest.append(self._unread.pop(0))
        return bytes(rest)

    def _tell(self, which: int) -> None:
        status = {
            1: 0x08 * (not self._can_print),
            2: 0x04 * self.is_cover_open | 0x20 * self.is_paper_out | 0x40 * self.is_faulty,
            3: 0x08 * self.is_faulty,
            4: 0x0C * (self.is_paper_low or self.is_paper_out) | 0x60 * self.is_paper_out,
        }.get(which)
        if status is not None:
            self._answer.append(0x12 | status)

    # ---- one command after the other ---------------------------------------

    def _reset(self) -> None:
        self._line = ""
        self._align = 0
        self._bold = False
        self._scale = (1, 1)
        self._is_chinese = False
        self._qr = b""
        self._qr_scale = 3

    def _step(self) -> int:
        """Obey one command or take one character; return the bytes it took, 0 for too few."""
        head = self._pending[0]
        if head == 0x0A:
            self._feed()
            return 1
        if head in (0x1B, 0x1C, 0x1D):
            return self._command()
        if head < 0x20:
            if head != 0x0D:
                self.unknown.append(bytes((head,)))
            return 1
        if head >= 0x80 and self._is_chinese and self._has_chinese:
            if len(self._pending) < 2:
                return 0
            character = bytes(self._pending[:2]).decode("gb18030", "replace")
            self._put(character if len(character) == 1 else "\ufffd")
            return 2
        # Without Chinese the upper half is some code page's graphics.
        self._put(chr(head) if head < 0x80 else "▒")
        return 1

    def _command(self) -> int:
        if len(self._pending) < 2:
            return 0
        name = bytes(self._pending[:2])
        if name == b"\x1d(":
            return self._function()
        if name == b"\x1dv":
            return self._raster()
        if name == b"\x1dV":
            return self._cut()
        command = self._commands().get(name)
        if command is None:
            self.unknown.append(name)
            return 2
        obey, size = command
        if len(self._pending) < 2 + size:
            return 0
        obey(bytes(self._pending[2 : 2 + size]))
        return 2 + size

    def _commands(self) -> dict[bytes, tuple[Callable[[bytes], None], int]]:
        """The commands with a fixed number of parameter bytes."""
        return {
            b"\x1b@": (lambda _: self._reset(), 0),
            b"\x1ba": (self._set_align, 1),
            b"\x1bE": (self._set_bold, 1),
            b"\x1b!": (self._set_mode, 1),
            b"\x1bd": (self._feed_lines, 1),
            b"\x1bJ": (lambda _: self._feed(), 1),
            b"\x1bt": (lambda _: None, 1),
            b"\x1bR": (lambda _: None, 1),
            b"\x1b2": (lambda _: None, 0),
            b"\x1b3": (lambda _: None, 1),
            b"\x1bp": (self._kick, 3),
            b"\x1c&": (lambda _: self._set_chinese(True), 0),
            b"\x1c.": (lambda _: self._set_chinese(False), 0),
            b"\x1d!": (self._set_scale, 1),
            b"\x1dr": (self._report, 1),
        }

    def _feed_lines(self, count: bytes) -> None:
        for _ in range(count[0]):
            self._feed()

    def _set_align(self, value: bytes) -> None:
        self._align = value[0] & 0x03 if value[0] & 0x03 < 3 else 0

    def _set_bold(self, value: bytes) -> None:
        self._bold = bool(value[0] & 1)

    def _set_mode(self, value: bytes) -> None:
        self._bold = bool(value[0] & 0x08)
        self._scale = (1 + bool(value[0] & 0x20), 1 + bool(value[0] & 0x10))

    def _set_scale(self, value: bytes) -> None:
        self._scale = (1 + (value[0] >> 4 & 0x07), 1 + (value[0] & 0x07))

    def _set_chinese(self, is_on: bool) -> None:
        self._is_chinese = is_on

    def _kick(self, _: bytes) -> None:
        self.drawer_openings += 1

    def _report(self, which: bytes) -> None:
        if which[0] in (1, 49):
            self._answer.append(0x03 * self.is_paper_low)

    def _function(self) -> int:
        """GS ( k: the QR code functions; others are passed over."""
        if len(self._pending) < 5:
            return 0
        size = 5 + int.from_bytes(self._pending[3:5], "little")
        if len(self._pending) < size:
            return 0
        body = bytes(self._pending[5:size])
        if self._pending[2:3] != b"k" or body[:1] != b"\x31" or not self._has_qr:
            self.unknown.append(bytes(self._pending[:3]))
            return size
        function, parameters = body[1], body[2:]
        if function == 0x43:
            self._qr_scale = parameters[0]
        elif function == 0x50:
            self._qr = parameters[1:]
        elif function == 0x51 and self._qr:
            self._draw_qr()
        return size

    def _draw_qr(self) -> None:
        import numpy
        import qrcode

        code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=0)
        code.add_data(self._qr)
        code.make(fit=True)
        scale = self._qr_scale
        dots = numpy.kron(numpy.array(code.get_matrix(), bool), numpy.ones((scale, scale), bool))
        if dots.shape[1] > self.width_dots:
            # Too wide for the paper: a real one prints nothing either.
            return
        self.paper.codes.append(self._qr.decode("utf-8", "replace"))
        self._out(Row(dots=dots, align=self._align))

    def _raster(self) -> int:
        """GS v 0: rows of dots."""
        if len(self._pending) < 8:
            return 0
        width = int.from_bytes(self._pending[4:6], "little")
        height = int.from_bytes(self._pending[6:8], "little")
        size = 8 + width * height
        if len(self._pending) < size:
            return 0
        if width and height:
            import numpy

            rows = numpy.frombuffer(bytes(self._pending[8:size]), numpy.uint8)
            dots = numpy.unpackbits(rows.reshape(height, width), axis=1).astype(bool)
            self._out(Row(dots=dots[:, : self.width_dots], align=self._align))
        return size

    def _cut(self) -> int:
        if len(self._pending) < 3:
            return 0
        size = 4 if self._pending[2] in (65, 66, 97, 98, 103, 104) else 3
        if len(self._pending) < size:
            return 0
        if self._line:
            self._feed()
        self.receipts.append(self.paper)
        if self._receipts_max is not None:
            del self.receipts[: -self._receipts_max]
        self.paper = Paper()
        return size

    # ---- paper --------------------------------------------------------------

    def _put(self, character: str) -> None:
        if _cells(self._line + character) * self._scale[0] > self.columns:
            self._feed()
        self._line += character

    def _feed(self) -> None:
        line, self._line = self._line, ""
        self._out(Row(line, self._bold, self._scale, self._align))

    def _out(self, row: Row) -> None:
        self.paper.rows.append(row)
        if self._paper_ends_after is not None:
            self._paper_ends_after -= 1
            if self._paper_ends_after <= 0:
                self._paper_ends_after = None
                self.is_paper_out = True

    def picture(self, paper: Paper | None = None) -> Image:
        """Return a receipt as grey levels, one dot a pixel; the last cut off if not named."""
        from simulators.paper import draw

        return draw(paper or (self.receipts[-1] if self.receipts else self.paper), self.width_dots)

    def png(self, paper: Paper | None = None) -> bytes:
        """Return a receipt as a PNG file."""
        import cv2

        data: bytes = cv2.imencode(".png", self.picture(paper))[1].tobytes()
        return data


def _cells(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WFA" else 1 for each in text)
