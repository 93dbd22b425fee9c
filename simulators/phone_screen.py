"""Draws a wallet's screen: its name, its code, and that it is not money."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy
import qrcode
import qrcode.constants
from qrcode.exceptions import DataOverflowError

from simulators import code128

if TYPE_CHECKING:
    from drivers.protocols import Image

WIDTH, HEIGHT = 720, 840
"""The part of a phone's screen that is held before a camera, in pixels."""
_BOX = 560
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_screen(
    brand: str,
    colour: tuple[int, int, int],
    codes: Sequence[str],
    *,
    symbol: str = "qr",
    is_dark: bool = False,
) -> Image:
    """Return the screen, HEIGHT × WIDTH × 3 in blue, green, red.

    brand: ASCII, written on top. colour: blue, green, red of the top bar.
    codes: one, or two side by side. symbol: 'qr' or 'code128'.
    is_dark: white on black, as wallets draw it in dark mode.
    Raises ValueError if a code does not fit the screen or its symbol.
    """
    screen = numpy.full((HEIGHT, WIDTH, 3), 255, numpy.uint8)
    draw = _qr if symbol == "qr" else _bars
    width = (WIDTH - 20 * (len(codes) + 1)) // len(codes)
    for place, code in enumerate(codes):
        picture = draw(code, min(width, 680 if symbol == "code128" else _BOX))
        left = 20 + place * (width + 20) + (width - picture.shape[1]) // 2
        top = 110 + (_BOX - picture.shape[0]) // 2
        screen[top : top + picture.shape[0], left : left + picture.shape[1]] = picture[:, :, None]
    if symbol == "code128":
        _write(screen, " ".join(codes), 690, 0.9, (0, 0, 0))
    if is_dark:
        screen = cv2.bitwise_not(screen)  # type: ignore[assignment]
    screen[:90] = colour
    _write(screen, brand, 60, 1.3, (255, 255, 255))
    _write(screen, "SIMULATED - NOT MONEY", 800, 0.8, (128, 128, 128))
    return screen


def _qr(text: str, side_max: int) -> Image:
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=4)
    code.add_data(text)
    too_dense = f"{len(text)} characters make a QR code too dense for this screen"
    try:
        code.make(fit=True)
    except (ValueError, DataOverflowError) as error:
        raise ValueError(too_dense) from error
    dark = numpy.array(code.get_matrix(), dtype=bool)
    scale = side_max // len(dark)
    if scale < 2:
        raise ValueError(too_dense)
    return _enlarge(dark, scale, scale)


def _bars(text: str, width_max: int) -> Image:
    quiet = [False] * 10
    dark = numpy.array([[*quiet, *code128.modules(text), *quiet]])
    scale = width_max // dark.shape[1]
    if scale < 2:
        raise ValueError(f"{len(text)} characters make a bar code too dense for this screen")
    return _enlarge(dark, scale, 180)


def _enlarge(dark: numpy.ndarray, across: int, down: int) -> Image:
    return numpy.kron(numpy.where(dark, 0, 255), numpy.ones((down, across))).astype(numpy.uint8)


def _write(
    screen: Image, text: str, baseline: int, scale: float, colour: tuple[int, int, int]
) -> None:
    (width, _), _ = cv2.getTextSize(text, _FONT, scale, 2)
    place = ((WIDTH - width) // 2, baseline)
    cv2.putText(screen, text, place, _FONT, scale, colour, 2, cv2.LINE_AA)
