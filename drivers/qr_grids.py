"""Reads the modules of a QR code that bends, is partly covered, or is burnt out.

Where a code lies is known from its corners; its grid is then bent, as cloth
and paper bend, until the patterns that every code has lie where they should
and the other modules are as clearly dark or light as can be.

Source of the patterns: ISO/IEC 18004:2015, 6.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import cv2
import numpy
import zxingcpp

from drivers.qr_words import SIZES, fixed_modules, mended

if TYPE_CHECKING:
    from drivers.protocols import Image
    from drivers.qr_words import Floats, Modules

TRIES_MAX = 16
"""Places of one image that are looked at."""
OUTLINES_MAX = 6
"""Dark figures of one image, the largest first."""
LIKENESS_MIN = 0.5
"""Correlation of a grid's fixed patterns with those of a code of its size."""
KNOTS = 4
"""A grid is bent at this many points a side."""
QUIET = 4
"""Modules of white round a code that is drawn again."""
PIXELS = 4
"""Of a module that is drawn again, along a side."""

# Nine samples to a module, away from its edges.
_ACROSS, _DOWN = numpy.meshgrid((-0.25, 0, 0.25), (-0.25, 0, 0.25))

_CODE = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCodeModel2])
_BINARIZERS = (zxingcpp.Binarizer.LocalAverage, zxingcpp.Binarizer.GlobalHistogram)
_OPENED = (255 * (numpy.arange(256) / 255) ** 8).astype(numpy.uint8)


def mended_codes(image: Image, *, quick: bool) -> Iterator[tuple[Image, Floats]]:
    """Yield codes that could be mended, drawn again, each with its corners in the image.

    image: height × width grey levels. quick: bend little, and look only where
    the ordinary decoder saw a code: for live frames.
    """
    for corners in list(_places(image, quick=quick))[: 1 if quick else TRIES_MAX]:
        likeness, size = max((Grid(image, corners, size).likeness, size) for size in SIZES)
        if likeness < LIKENESS_MIN:
            continue
        for knots, least in ((2, 0.25),) if quick else ((2, 0.25), (KNOTS, 0.1)):
            grid = Grid(image, corners, size, knots)
            grid.fit(least)
            whole = mended(*grid.modules())
            if whole is not None:
                yield _drawn(whole), corners
                break


def _places(image: Image, *, quick: bool) -> Iterator[Floats]:
    """Yield the corners of what may be a code."""
    for binarizer in _BINARIZERS[: 1 if quick else None]:
        for seen in zxingcpp.read_barcodes(
            image, formats=_CODE, binarizer=binarizer, return_errors=True
        ):
            at = seen.position
            corners = (at.top_left, at.top_right, at.bottom_right, at.bottom_left)
            points = numpy.array([(corner.x, corner.y) for corner in corners], float)
            if cv2.contourArea(points.astype(numpy.float32)) > SIZES[0] ** 2:
                yield points
    if not quick:
        opened: Any = cv2.LUT(image, _OPENED)
        for picture in (image, opened):
            _, found = cv2.QRCodeDetector().detectMulti(picture)
            yield from () if found is None else numpy.asarray(found, float)
        yield from _outlined(opened)


def _outlined(opened: Image) -> Iterator[Floats]:
    """Yield dark figures of four corners, each four times: any may be the first.

    So a code is found of which a light has burnt out a finder pattern.
    """
    _, dark = cv2.threshold(opened, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    width = max(3, max(opened.shape) // 50)
    joined = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, numpy.ones((width, width), numpy.uint8))
    contours, _ = cv2.findContours(joined, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    for contour in sorted(contours, key=cv2.contourArea, reverse=True)[:OUTLINES_MAX]:
        hull = cv2.convexHull(contour)
        corners = cv2.approxPolyDP(hull, 0.05 * cv2.arcLength(hull, closed=True), closed=True)
        if len(corners) == 4 and cv2.contourArea(corners) > SIZES[0] ** 2:
            points = corners.reshape(4, 2).astype(float)
            # A hull runs clockwise in a picture, whose y points down.
            for turn in range(4):
                yield numpy.roll(points, turn, 0)


def _drawn(modules: Modules) -> Image:
    framed = numpy.pad(modules.astype(numpy.uint8) * 255, QUIET, constant_values=255)
    return framed.repeat(PIXELS, 0).repeat(PIXELS, 1)


class Grid:
    """A code's modules in an image: four corners, a size, and how it is bent."""

    def __init__(self, image: Image, corners: Floats, size: int, knots: int = 2) -> None:
        """corners: 4 × 2, clockwise from the first finder pattern's. knots: a side."""
        self._image = image
        self._size = size
        square = numpy.array([[0, 0], [size, 0], [size, size], [0, size]], numpy.float32)
        self._place = cv2.getPerspectiveTransform(square, corners.astype(numpy.float32))
        self._bend: Floats = numpy.zeros((knots, knots, 2))
        self._fixed = fixed_modules(size)
        self._is_fixed = ~numpy.isnan(self._fixed)
        self._signs = numpy.where(self._fixed[self._is_fixed] == 1, 1, -1)

    @property
    def likeness(self) -> float:
        """How much the fixed patterns look like those of a code: 1 at most."""
        seen = self._levels(self._bend)[self._is_fixed]
        return float(numpy.corrcoef(seen, self._signs)[0, 1]) if seen.std() else 0.0

    def fit(self, least: float) -> None:
        """Bend until nothing gets clearer, by half a module first, by the least at the end."""
        step, best = 0.5, self._clearness(self._bend)
        while step >= least:
            before = best
            for knot in numpy.ndindex(self._bend.shape):
                for way in (step, -step):
                    bend = self._bend.copy()
                    bend[knot] += way
                    clearness = self._clearness(bend)
                    if clearness > best + 1e-5:
                        best, self._bend = clearness, bend
            if best == before:
                step /= 2

    def modules(self) -> tuple[Modules, Floats]:
        """Return which modules are light, and how doubtful each is."""
        levels = self._levels(self._bend)
        middle, contrast = _surroundings(levels)
        return levels > middle, -numpy.abs(levels - middle) / contrast

    def _clearness(self, bend: Floats) -> float:
        levels = self._levels(bend)
        middle, contrast = _surroundings(levels)
        clear = numpy.clip((levels - middle) / contrast, -0.5, 0.5)
        right = float((clear[self._is_fixed] * self._signs).mean())
        return 3 * right + float(numpy.abs(clear[~self._is_fixed]).mean())

    def _levels(self, bend: Floats) -> Floats:
        """Return the mean grey level of every module."""
        size = self._size
        whole: Any = cv2.resize(bend, (size, size), interpolation=cv2.INTER_LINEAR)
        middles = numpy.arange(size) + 0.5
        x = (middles[None, :] + whole[..., 0])[..., None] + _ACROSS.ravel()
        y = (middles[:, None] + whole[..., 1])[..., None] + _DOWN.ravel()
        points = self._place @ numpy.stack([x.ravel(), y.ravel(), numpy.ones(x.size)])
        places = (points[:2] / points[2]).astype(numpy.float32).reshape(2, size, -1)
        samples: Any = cv2.remap(
            self._image, places[0], places[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return numpy.asarray(samples.reshape(size, size, -1).mean(2), float)


def _surroundings(levels: Floats) -> tuple[Floats, Floats]:
    """Return the middle between dark and light round each module, and their distance."""
    narrow = levels.astype(numpy.float32)
    window = numpy.ones((5, 5), numpy.uint8)
    light: Any = cv2.blur(cv2.dilate(narrow, window), (5, 5))
    dark: Any = cv2.blur(cv2.erode(narrow, window), (5, 5))
    return (light + dark) / 2, numpy.maximum(light - dark, 8)
