"""A text as a QR code: modules, lines for a text screen, a picture file.

Every module is drawn with its own black or white, so that the code reads
alike on dark and light screens.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Literal

from terminal.errors import CodeTooLong

QUIET_MODULES = 4
"""White that must surround the code. Source: ISO/IEC 18004, 6.3.8."""

Level = Literal["L", "M", "Q", "H"]
"""How much damage is repaired: about 7, 15, 25 and 30 percent."""
Modules = Sequence[Sequence[bool]]
"""Rows from the top; true is black."""

ON, OFF = "\x1b[38;5;16;48;5;231m", "\x1b[0m"
"""Black on white by colour number: names would follow the terminal's theme."""


def qr_modules(text: str, level: Level = "M", *, quiet: int = QUIET_MODULES) -> Modules:
    """Return the modules of the smallest QR code that holds a text.

    quiet: white modules on each side.
    Raises CodeTooLong if not even the largest holds it.
    """
    # Imported here: a till that shows no code need not wait for it.
    from qrcode.constants import (
        ERROR_CORRECT_H,
        ERROR_CORRECT_L,
        ERROR_CORRECT_M,
        ERROR_CORRECT_Q,
    )
    from qrcode.exceptions import DataOverflowError
    from qrcode.main import QRCode

    corrections = {
        "L": ERROR_CORRECT_L,
        "M": ERROR_CORRECT_M,
        "Q": ERROR_CORRECT_Q,
        "H": ERROR_CORRECT_H,
    }
    code = QRCode(error_correction=corrections[level], border=quiet)
    code.add_data(text)
    try:
        code.make(fit=True)
    except (DataOverflowError, ValueError) as error:
        # The library says ValueError for a version beyond 40.
        raise CodeTooLong(
            f"{len(text)} characters do not fit into a QR code of level {level}"
        ) from error
    return [[bool(module) for module in row] for row in code.get_matrix()]


def half_blocks(modules: Modules) -> list[str]:
    """Return lines of text, two rows of modules in each: black ink on white paper."""
    rows = [list(row) for row in modules]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    glyphs = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
    return [
        "".join(glyphs[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]


def ansi_lines(modules: Modules) -> list[str]:
    """Return the lines of half_blocks() with their colours for a terminal."""
    return [f"{ON}{line}{OFF}" for line in half_blocks(modules)]


def png_bytes(modules: Modules, scale: int = 8) -> bytes:
    """Return a black and white PNG picture.

    scale: pixels per module.
    Source: PNG Specification (ISO/IEC 15948), 11.2.
    """
    width, height = len(modules[0]) * scale, len(modules) * scale
    lines = bytearray()
    for row in modules:
        bits = "".join(("0" if module else "1") * scale for module in row)
        bits = bits.ljust((width + 7) // 8 * 8, "0")
        # Each line begins with its filter, 0 for none.
        line = b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
        lines += line * scale
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(bytes(lines), 9))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )
