"""Pictures of a frame in which a code may be easier to see than in the frame itself.

Each is drawn with the way back: where a point of it lies in the frame.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import cv2
import numpy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drivers.protocols import Image

    Back: TypeAlias = NDArray[numpy.float64]
    """2 × 3: where a point of a picture lies in the frame."""
    Draw: TypeAlias = Callable[[Image], tuple[Image, Back]]

REGION_PIXELS_MAX = 500_000
"""A larger region is enlarged twice, not three times."""

IDENTITY: Back = numpy.array([[1.0, 0, 0], [0, 1.0, 0]])


def as_image(pixels: Any) -> Image:
    """Return the pixels; cv2's own type is wider than what it returns."""
    image: Image = pixels
    return image


def enlarged(image: Image) -> tuple[Image, Back]:
    """For codes far away: zxing-cpp wants two pixels to a module."""
    times = 3 if image.size < REGION_PIXELS_MAX else 2
    large = cv2.resize(image, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
    return as_image(large), IDENTITY / times


def stretched(wide: float, high: float) -> Draw:
    """For codes seen at a slant: their width or their height is given back."""

    def draw(image: Image) -> tuple[Image, Back]:
        large = cv2.resize(image, None, fx=wide, fy=high, interpolation=cv2.INTER_CUBIC)
        return as_image(large), IDENTITY / (wide, high, 1)

    return draw


def plain(image: Image) -> tuple[Image, Back]:
    """As it is, for another binarizer."""
    return image, IDENTITY


def inverted(image: Image) -> tuple[Image, Back]:
    """Dark for light: wallets in dark mode."""
    return as_image(cv2.bitwise_not(image)), IDENTITY


def bent(gamma: float) -> Draw:
    """Below 1 lifts the shadows, above 1 opens the highlights."""
    table = (255 * (numpy.arange(256) / 255) ** gamma).astype(numpy.uint8)
    return lambda image: (as_image(cv2.LUT(image, table)), IDENTITY)


def evened(image: Image) -> tuple[Image, Back]:
    """The contrast of each neighbourhood made alike: for pale or shaded codes."""
    mean = cv2.blur(image, (31, 31))
    spread = cv2.blur(cv2.absdiff(image, mean), (31, 31)).astype(numpy.float32) + 2
    difference = cv2.subtract(image, mean, dtype=cv2.CV_32F)
    scaled = cv2.divide(difference, spread, scale=40)
    middle = numpy.full(image.shape, 127, numpy.uint8)
    return as_image(cv2.add(scaled, middle, dtype=cv2.CV_8U)), IDENTITY


def sharpened(sigma: float, strength: float) -> Draw:
    """sigma: of the blur that is taken away, in pixels."""

    def draw(image: Image) -> tuple[Image, Back]:
        soft = cv2.GaussianBlur(image, (0, 0), sigma)
        sharp = cv2.addWeighted(image, 1 + strength, soft, -strength, 0)
        return as_image(sharp), IDENTITY

    return draw


def softened(image: Image) -> tuple[Image, Back]:
    """Without the grain of moiré and noise."""
    return as_image(cv2.GaussianBlur(image, (0, 0), 1)), IDENTITY


def turned(degrees: float) -> Draw:
    """Code 128 is looked for along rows and columns only. degrees: against the clock."""

    def draw(image: Image) -> tuple[Image, Back]:
        height, width = image.shape
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
        cosine, sine = abs(turn[0, 0]), abs(turn[0, 1])
        wide, high = int(height * sine + width * cosine), int(height * cosine + width * sine)
        turn[0, 2] += (wide - width) / 2
        turn[1, 2] += (high - height) / 2
        pixels = cv2.warpAffine(image, turn, (wide, high), borderValue=255)
        return as_image(pixels), numpy.asarray(cv2.invertAffineTransform(turn))

    return draw
