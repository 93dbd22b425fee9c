"""Finds QR and Code 128 symbols in images, in stages.

A clean frame is read by one quick pass. What that misses gets a thorough
pass, then enhanced views: the region of the code enlarged, inverted, turned,
its contrast evened out. A live reader takes a few views per frame and goes
round them from frame to frame, so that no frame takes long.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy
import zxingcpp

from drivers.bars import read_bars
from drivers.enhancing import (
    IDENTITY,
    as_image,
    bent,
    enlarged,
    evened,
    inverted,
    plain,
    sharpened,
    softened,
    stretched,
    turned,
)
from drivers.errors import ImageUnreadable
from drivers.protocols import Symbol, Symbology
from drivers.qr_grids import mended_codes

if TYPE_CHECKING:
    from drivers.enhancing import Back, Draw
    from drivers.protocols import Image


_SYMBOLOGIES = {
    zxingcpp.BarcodeFormat.QRCode: Symbology.QR,
    zxingcpp.BarcodeFormat.Code128: Symbology.CODE_128,
}
# Asked for QR, zxing-cpp looks for Micro QR too, which checks itself so little
# that ghosts of it turn up in sharpened views; no wallet shows it.
_MODELS = [zxingcpp.BarcodeFormat.QRCodeModel1, zxingcpp.BarcodeFormat.QRCodeModel2]
_QR = zxingcpp.BarcodeFormats(_MODELS)
_CODE_128 = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.Code128])
_BOTH = zxingcpp.BarcodeFormats([*_MODELS, zxingcpp.BarcodeFormat.Code128])
_LOCAL = zxingcpp.Binarizer.LocalAverage
_GLOBAL = zxingcpp.Binarizer.GlobalHistogram

# OpenCV writes what it dislikes about a picture over the till's screen.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

TRACKED_FRAMES = 5
"""A code that was seen is looked for there again in this many frames."""
VOTES_FRAMES = 30
"""A doubtful bar code is forgotten after this many frames without another."""


@dataclass(frozen=True, slots=True)
class View:
    """One enhanced picture of a frame, and what is looked for in it."""

    name: str
    draw: Draw
    whole: bool = False
    """Of the whole frame; else of the region where the code seems to be."""
    formats: zxingcpp.BarcodeFormats = _BOTH
    binarizer: zxingcpp.Binarizer = _LOCAL
    is_faithful: bool = False
    """No pixel gained or lost meaning: as good as the plain passes."""

    def look(self, picture: Image, *, quick: bool) -> Iterator[tuple[str, Symbol]]:
        """Yield what this view shows of a picture, each with its witness."""
        pixels, back = self.draw(picture)
        found = _found(pixels, back, formats=self.formats, binarizer=self.binarizer, quick=False)
        yield from ((self.name, symbol) for symbol in found)


class BarProfiles:
    """Profiles across bars that are too blurred for edges; each is a witness."""

    whole = True
    is_faithful = False

    def look(self, picture: Image, *, quick: bool) -> Iterator[tuple[str, Symbol]]:
        """Yield what the profiles say."""
        for place, read in enumerate(read_bars(picture, quick=quick)):
            corners = tuple((round(x), round(y)) for x, y in read.corners)
            yield f"bars {place}", Symbol(Symbology.CODE_128, read.text.encode(), corners)


class MendedCodes:
    """QR codes that bend or are partly covered, drawn again whole."""

    whole = True
    is_faithful = False

    def look(self, picture: Image, *, quick: bool) -> Iterator[tuple[str, Symbol]]:
        """Yield what was mended."""
        for drawing, corners in mended_codes(picture, quick=quick):
            at = tuple((round(x), round(y)) for x, y in corners.tolist())
            for symbol in _found(drawing, IDENTITY, quick=True, formats=_QR):
                yield "mended", replace(symbol, corners=at)


class ZXingSymbolReader:
    """Satisfies drivers.protocols.SymbolReader with zxing-cpp.

    One reader belongs to one stream and one thread.
    """

    def __init__(self, *, thorough: bool = False) -> None:
        """thorough: take every view of every image, for single pictures.

        A live reader takes one round of views per frame.
        """
        # Frames are small: waking more threads costs more than they save.
        cv2.setNumThreads(1)
        self._thorough = thorough
        self._round = 0
        self._frame = 0
        self._votes: dict[tuple[Symbology, bytes], set[tuple[str, int]]] = {}
        self._voted_at: dict[tuple[Symbology, bytes], int] = {}
        self._seen: Sequence[Symbol] = ()
        """The codes of the last frame that had any, doubtful ones too."""
        self._seen_at = 0

    def read(self, image: Image) -> Sequence[Symbol]:
        """Return the codes that count in this image.

        image: height × width grey levels, or height × width × 3 blue, green,
        red. The bytes of a symbol are its own; no text decoding touches them.
        A Code 128 that only an enhanced view shows counts once two different
        views, or two different frames, agree on it.
        """
        frame = image if image.ndim == 2 else as_image(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
        self._frame += 1
        for quick in (True, False):
            found = _found(frame, IDENTITY, quick=quick)
            if found:
                self._note(found)
                return found
        if min(frame.shape) < 16:
            return ()
        return self._read_views(frame)

    def _read_views(self, frame: Image) -> Sequence[Symbol]:
        region, corner = self._region(frame)
        # The same still picture twice is one witness, not two.
        print_ = zlib.crc32(frame[::8, ::8].tobytes())
        turn = self._round
        self._forget_old_votes()
        for view in ALL_VIEWS if self._thorough else ROUNDS[turn]:
            picture = frame if view.whole else region
            if picture is None:
                continue
            accepted: dict[tuple[Symbology, bytes], Symbol] = {}
            for witness, symbol in view.look(picture, quick=not self._thorough):
                moved = symbol if view.whole else _moved(symbol, corner)
                self._note([moved])
                if (
                    symbol.symbology is Symbology.QR
                    or view.is_faithful
                    or self._is_agreed(symbol, witness, print_)
                ):
                    accepted.setdefault((symbol.symbology, symbol.data), moved)
            if accepted:
                return list(accepted.values())
        # A round that saw a doubtful code looks again at the next frame.
        if not any(at == self._frame for at in self._voted_at.values()):
            self._round = (turn + 1) % len(ROUNDS)
        return ()

    def _note(self, seen: Sequence[Symbol]) -> None:
        self._seen, self._seen_at = seen, self._frame

    def _region(self, frame: Image) -> tuple[Image | None, tuple[int, int]]:
        """Return the part of the frame to look at closely, and its left and top."""
        if self._thorough or not self._seen or self._frame - self._seen_at > TRACKED_FRAMES:
            return _busiest(frame)
        points = numpy.array([corner for symbol in self._seen for corner in symbol.corners])
        least, most = points.min(0), points.max(0)
        # A hand moves by less than half a code from frame to frame.
        margin = int((most - least).max()) // 2
        return _cut(frame, *(least - margin).tolist(), *(most + margin).tolist())

    def _is_agreed(self, symbol: Symbol, view: str, fingerprint: int) -> bool:
        key = (symbol.symbology, symbol.data)
        witnesses = self._votes.setdefault(key, set())
        witnesses.add((view, fingerprint))
        self._voted_at[key] = self._frame
        return len(witnesses) > 1

    def _forget_old_votes(self) -> None:
        for key, at in list(self._voted_at.items()):
            if self._thorough or self._frame - at > VOTES_FRAMES:
                del self._voted_at[key], self._votes[key]


def load_image(path: Path) -> Image:
    """Return a picture file as height × width × 3, blue, green, red.

    Raises ImageUnreadable if it cannot be opened or is no picture.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageUnreadable(f"{path}: {error.strerror}") from error
    try:
        image = cv2.imdecode(numpy.frombuffer(data, numpy.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise ImageUnreadable(f"{path}: {error.err}") from error
    if image is None:
        raise ImageUnreadable(f"{path}: not a picture, or a damaged one")
    return as_image(image)


def _found(
    pixels: Image,
    back: Back,
    *,
    quick: bool,
    formats: zxingcpp.BarcodeFormats = _BOTH,
    binarizer: zxingcpp.Binarizer = _LOCAL,
) -> list[Symbol]:
    """Return what zxing-cpp sees in one picture, each payload once.

    quick: upright or upside down, as large as it is, dark on light.
    """
    seen: dict[tuple[Symbology, bytes], Symbol] = {}
    for barcode in zxingcpp.read_barcodes(
        pixels,
        formats=formats,
        try_rotate=not quick,
        try_downscale=not quick,
        try_invert=not quick,
        binarizer=binarizer,
    ):
        if barcode.valid and barcode.bytes:
            symbology = _SYMBOLOGIES[barcode.format]
            symbol = Symbol(symbology, barcode.bytes, _corners(barcode.position, back))
            seen.setdefault((symbology, symbol.data), symbol)
    return list(seen.values())


def _corners(position: zxingcpp.Position, back: Back) -> tuple[tuple[int, int], ...]:
    points = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    placed = back @ numpy.array([[point.x, point.y, 1] for point in points]).T
    return tuple((round(x), round(y)) for x, y in placed.T.tolist())


def _moved(symbol: Symbol, corner: tuple[int, int]) -> Symbol:
    """Return a symbol of a region as a symbol of the frame."""
    left, top = corner
    return replace(symbol, corners=tuple((x + left, y + top) for x, y in symbol.corners))


def _busiest(frame: Image) -> tuple[Image | None, tuple[int, int]]:
    """Return the part of the frame with the densest edges, and its left and top.

    None if nothing in it has edges at all: an empty counter.
    """
    height, width = frame.shape
    step = max(1, round(max(height, width) / 320))
    small = cv2.resize(
        frame, (max(2, width // step), max(2, height // step)), interpolation=cv2.INTER_AREA
    )
    across = cv2.absdiff(small[:-1, 1:], small[:-1, :-1])
    down = cv2.absdiff(small[1:, :-1], small[:-1, :-1])
    density = cv2.blur(cv2.max(across, down).astype(numpy.float32), (13, 13))
    peak = float(density.max())
    if peak < 2:
        return None, (0, 0)
    dense = (density > 0.45 * peak).astype(numpy.uint8)
    _, _, boxes, _ = cv2.connectedComponentsWithStats(dense)
    # The first box is the background.
    box = max(boxes[1:].tolist(), key=lambda box: box[cv2.CC_STAT_AREA])
    left, top, wide, high = (step * side for side in box[:4])
    margin = int(0.15 * max(wide, high)) + 8 * step
    return _cut(frame, left - margin, top - margin, left + wide + margin, top + high + margin)


def _cut(
    frame: Image, left: int, top: int, right: int, bottom: int
) -> tuple[Image, tuple[int, int]]:
    """Return what of a box is in the frame, and its left and top."""
    left, top = max(0, left), max(0, top)
    return frame[top:bottom, left:right], (left, top)


def _turns(*degrees: float) -> Iterator[View]:
    for angle in degrees:
        yield View(f"turned {angle:g}", turned(angle), formats=_CODE_128)


# One round per live frame, each about as dear as the plain passes together.
# Sharpened Code 128 was seen to misread, so sharpening looks for QR only.
# QR needs no agreement: its error correction leaves nothing to doubt.
ROUNDS: tuple[tuple[View | BarProfiles | MendedCodes, ...], ...] = (
    (View("enlarged", enlarged),),
    (
        View("inverted", inverted, formats=_CODE_128),
        View("whole inverted", inverted, whole=True, formats=_CODE_128, is_faithful=True),
        View("lifted", bent(0.4)),
        View("global", plain, binarizer=_GLOBAL),
        View("opened", bent(8), formats=_CODE_128, binarizer=_GLOBAL),
    ),
    (View("whole sharpened", sharpened(2, 1.5), whole=True, formats=_QR), *_turns(22, -15)),
    tuple(_turns(45, -45, 30, -30)),
    (View("whole evened", evened, whole=True),),
    tuple(_turns(60, -60, 15, -22)),
    (View("doubled", stretched(2, 2)), *_turns(68, -68)),
    (
        View("whole opened", bent(8), whole=True, formats=_CODE_128, binarizer=_GLOBAL),
        View("evened", evened),
        View("whole lifted", bent(0.4), whole=True),
    ),
    (
        View("sharpened", sharpened(5, 2), formats=_QR, binarizer=_GLOBAL),
        View("sharpened finely", sharpened(2, 2), formats=_QR, binarizer=_GLOBAL),
        View("half opened", bent(4), formats=_QR),
        View("evened, global", evened, formats=_QR, binarizer=_GLOBAL),
        View("softened", softened, formats=_QR, binarizer=_GLOBAL),
    ),
    (BarProfiles(),),
    (MendedCodes(),),
    (
        View("widened", stretched(2, 1), formats=_QR),
        View("heightened", stretched(1, 2), formats=_QR),
    ),
    (
        View("whole global", plain, whole=True, formats=_QR, binarizer=_GLOBAL),
        View("whole sharpened widely", sharpened(5, 2), whole=True, formats=_QR, binarizer=_GLOBAL),
    ),
)
ALL_VIEWS = tuple(view for views in ROUNDS for view in views)
