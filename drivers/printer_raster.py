"""Text and codes as dots, for printers that have no Chinese characters."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy

from drivers import escpos_commands
from drivers.errors import DeviceUnavailable

if TYPE_CHECKING:
    from drivers.protocols import Image

CELL_DOTS: Final = 12
LINE_DOTS: Final = 30
"""A line of 24 dots and the space below it, as printers feed."""
_BASELINE: Final = 20
_SIZE: Final = 20
_QUIET_MODULES: Final = 4
_DARK: Final = 140
"""Grey below which a dot is black: fine strokes would break at the middle."""


def text_dots(text: str, columns: int, width_dots: int) -> bytes:
    """Return one line, LINE_DOTS high, each character in its own cells."""
    canvas: Image = numpy.full((LINE_DOTS, width_dots), 255, numpy.uint8)
    left = 0
    for character in escpos_commands.fitted(text, columns):
        cells = escpos_commands.cells_of(character)
        right = left + cells * CELL_DOTS
        if right > width_dots:
            break
        if cells and character.isprintable() and character != " ":
            canvas[:, left:right] = _glyph(character, cells)
        left = right
    return _packed(canvas)


def qr_dots(text: str, width_dots: int, module_dots: int) -> bytes:
    """Return a QR code in the middle, as large as module_dots or the paper allows.

    Raises ValueError if the text is too long for the paper or for any code.
    """
    import qrcode
    from qrcode.exceptions import DataOverflowError

    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=_QUIET_MODULES)
    code.add_data(text)
    try:
        code.make(fit=True)
    except (DataOverflowError, ValueError) as error:
        raise ValueError("too long for a QR code") from error
    modules = numpy.array(code.get_matrix(), bool)
    scale = min(module_dots, width_dots // modules.shape[0])
    if scale < 2:
        raise ValueError("too long for a QR code on this paper")
    dark = numpy.kron(modules, numpy.ones((scale, scale), bool))
    canvas: Image = numpy.full((dark.shape[0], width_dots), 255, numpy.uint8)
    left = (width_dots - dark.shape[1]) // 2
    canvas[:, left : left + dark.shape[1]][dark] = 0
    return _packed(canvas)


def check_fonts() -> None:
    """Raise DeviceUnavailable if this OpenCV has no Chinese characters."""
    if not hasattr(cv2, "FontFace"):
        raise DeviceUnavailable("printing Chinese as a picture needs OpenCV 5")


@functools.lru_cache(maxsize=2000)
def _glyph(character: str, cells: int) -> Any:
    """Draw a character in the font inside OpenCV, so that no system font is needed."""
    width = cells * CELL_DOTS
    face = _face()
    (_, _, drawn, _) = cv2.getTextSize((999, LINE_DOTS), character, (0, 0), face, _SIZE)
    room = max(width, drawn + 2)
    glyph: Image = numpy.full((LINE_DOTS, room), 255, numpy.uint8)
    cv2.putText(glyph, character, ((room - drawn) // 2, _BASELINE), (0,), face, _SIZE)
    # The font is proportional and paper is a grid: an M is made narrower.
    return cv2.resize(glyph, (width, LINE_DOTS), interpolation=cv2.INTER_AREA)


@functools.cache
def _face() -> Any:
    return cv2.FontFace("uni")


def _packed(canvas: Image) -> bytes:
    return numpy.packbits(canvas < _DARK, axis=1).tobytes()
