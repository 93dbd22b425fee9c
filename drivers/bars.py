"""Reads a Code 128 whose bars are too blurred or too pale to find edges in.

The light along the bars is averaged into one profile, which takes the noise
away, and in linear light, in which a lens blurs. Then no edge is looked for:
whole symbols are drawn, blurred and compared with the profile, and the best
likeness is taken if it is very like and its check character fits. What is
read here is doubtful until a second profile agrees.

Source: ISO/IEC 15417, 4.2 and 4.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import cv2
import numpy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drivers.protocols import Image

    Floats: TypeAlias = NDArray[numpy.float64]

# Bar and space widths in modules: one entry for each value, 103 to 105 start.
# fmt: off
_WIDTHS = [
    "212222", "222122", "222221", "121223", "121322", "131222", "122213", "122312", "132212",
    "221213", "221312", "231212", "112232", "122132", "122231", "113222", "123122", "123221",
    "223211", "221132", "221231", "213212", "223112", "312131", "311222", "321122", "321221",
    "312212", "322112", "322211", "212123", "212321", "232121", "111323", "131123", "131321",
    "112313", "132113", "132311", "211313", "231113", "231311", "112133", "112331", "132131",
    "113123", "113321", "133121", "313121", "211331", "231131", "213113", "213311", "213131",
    "311123", "311321", "331121", "312113", "312311", "332111", "314111", "221411", "431111",
    "111224", "111422", "121124", "121421", "141122", "141221", "112214", "112412", "122114",
    "122411", "142112", "142211", "241211", "221114", "413111", "241112", "134111", "111242",
    "121142", "121241", "114212", "124112", "124211", "411212", "421112", "421211", "212141",
    "214121", "412121", "111143", "111341", "131141", "114113", "114311", "411113", "411311",
    "113141", "114131", "311141", "411131", "211412", "211214", "211232",
]
# fmt: on
_STOP_WIDTHS = "2331112"
_START_A = 103

SAMPLES = 4
"""Samples of the profile per module."""
QUIET = 6
"""Modules of white that are compared on either side; the standard wants 10."""
SYMBOL = 11 * SAMPLES
LENGTHS = range(5, 23)
"""Characters from start to check character; a wallet's code has 11 to 15."""
TILTS = (1.0, 0.85, 1.18, 0.72, 1.4, 0.6, 1.65)
"""Module size at the end of the code to that at its start: the perspective."""
MODULE_PX_MIN = 1.1
LIKENESS_MIN = 0.94
"""Share of the profile's variance that the drawn code must explain. Right
readings were seen above 0.95; ghosts that satisfied the check, below 0.75."""
GAMMA = 2.2
"""Of sRGB, nearly: from grey levels to light."""

_LIGHT = ((numpy.arange(256) / 255) ** GAMMA).astype(numpy.float32)

# Spread of the lens and length of a smear, in modules.
_BLURS = tuple((sigma, 0.0) for sigma in (0.2, 0.35, 0.5, 0.65, 0.8, 0.95)) + tuple(
    (0.25, smear) for smear in (1.0, 1.5, 2.0, 2.5)
)
_SHARP, _SOFT = 1, 3
_GAINS = (1.0, 1.3, 1.7, 2.3, 3.0)
"""Exposure: above 1 white is burnt out, and bars look narrower than they are."""


@dataclass(frozen=True, slots=True)
class _Pose:
    """Where a code lies on its profile, and what lens and sensor did to it."""

    start: float
    end: float
    tilt: float
    length: int
    blur: int
    gain: float


@dataclass(frozen=True, slots=True)
class BarReading:
    """One profile's reading."""

    text: str
    likeness: float
    corners: tuple[tuple[float, float], ...]
    """Of the code in the image, clockwise from its first bar's top."""


def read_bars(image: Image, *, quick: bool) -> list[BarReading]:
    """Return what profiles across the bars say, two at most; each may be wrong.

    image: height × width grey levels.
    quick: one profile, one exposure, little perspective: for live frames.
    """
    readings: list[BarReading] = []
    for strip in _strips(image, 1 if quick else 2):
        for band in _BANDS[: 1 if quick else None]:
            read = _read_profile(strip.profile(band), quick=quick)
            if read is not None:
                text, likeness, start, end = read
                readings.append(BarReading(text, likeness, strip.corners(start, end)))
            if len(readings) > 1:
                return readings
    return readings


# ---- where bars are -----------------------------------------------------------

_BANDS = ((0.42, 0.58), (0.24, 0.4), (0.6, 0.76), (0.1, 0.22), (0.78, 0.9))
"""Shares of the height of the bars, each averaged into one profile. No two
overlap: two that agree are two witnesses."""


@dataclass(frozen=True, slots=True)
class _Strip:
    """A part of an image turned so that its bars stand upright."""

    pixels: Floats
    back: Floats
    """2 × 3: where a point of the strip lies in the image."""

    def profile(self, band: tuple[float, float]) -> Floats:
        """Return the mean of the rows of a band, leaned so that bars meet bars."""
        height, width = self.pixels.shape
        top = int(band[0] * height)
        rows = self.pixels[top : max(top + 4, int(band[1] * height))]
        best, sharpest = numpy.asarray(rows.mean(0), float), -1.0
        for lean in numpy.arange(-0.12, 0.121, 0.015):
            slant = numpy.array([[1, lean, -lean * len(rows) / 2], [0, 1, 0]], numpy.float32)
            leaned: Any = cv2.warpAffine(
                rows,
                slant,
                (width, len(rows)),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )
            mean = numpy.asarray(leaned.mean(0), float)
            sharpness = float((numpy.diff(mean) ** 2).sum())
            if sharpness > sharpest:
                best, sharpest = mean, sharpness
        return best

    def corners(self, start: float, end: float) -> tuple[tuple[float, float], ...]:
        """Return where a code on the profile lies in the image."""
        bottom = len(self.pixels)
        points = numpy.array(
            [[start, 0, 1], [end, 0, 1], [end, bottom, 1], [start, bottom, 1]], float
        )
        return tuple((float(x), float(y)) for x, y in points @ self.back.T)


def _strips(image: Image, most: int) -> Iterator[_Strip]:
    """Yield the places where many edges run one way, the largest first."""
    light: Any = cv2.LUT(image, _LIGHT)
    half = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    across = cv2.Sobel(half, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(half, cv2.CV_32F, 0, 1)
    window = (17, 17)
    xx, yy, xy = (
        numpy.asarray(cv2.blur(product, window))
        for product in (across * across, down * down, across * down)
    )
    energy = xx + yy
    one_way = numpy.sqrt((xx - yy) ** 2 + 4 * xy**2)
    # A few lines of the picture are far stronger than a pale code.
    strong = 0.04 * float(numpy.percentile(energy[::4, ::4], 99.5))
    chosen = ((one_way > 0.7 * energy) & (energy > strong)).astype(numpy.uint8)
    chosen = cv2.morphologyEx(chosen, cv2.MORPH_CLOSE, numpy.ones((9, 9), numpy.uint8))
    # The edge of a paper or a phone runs one way too, but is not wide.
    chosen = cv2.morphologyEx(chosen, cv2.MORPH_OPEN, numpy.ones((23, 23), numpy.uint8))
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(chosen)
    areas = boxes[:, cv2.CC_STAT_AREA]
    found = 0
    for label in (1 + numpy.argsort(-areas[1:]))[:6]:
        if found == most or areas[label] < 600:
            return
        part = labels == label
        angle = numpy.arctan2(2 * xy[part].sum(), (xx - yy)[part].sum()) / 2
        strip = _upright(light, 2 * numpy.argwhere(part)[:, ::-1].astype(float), float(angle))
        if strip is not None:
            found += 1
            yield strip


def _upright(light: NDArray[numpy.float32], points: Floats, angle: float) -> _Strip | None:
    cosine, sine = numpy.cos(angle), numpy.sin(angle)
    turn = numpy.array([[cosine, sine], [-sine, cosine]])
    turned = points @ turn.T
    least, most = numpy.percentile(turned, 1, 0), numpy.percentile(turned, 99, 0)
    width, height = (most - least).tolist()
    if width < 80 or height < 8:
        return None
    margin = int(0.16 * width) + 20
    corner = turn.T @ numpy.array([least[0] - margin, least[1]])
    back = numpy.hstack([turn.T, corner[:, None]])
    pixels: Any = cv2.warpAffine(
        light,
        back,
        (int(width) + 2 * margin, int(height)),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return _Strip(pixels, back)


# ---- one profile ----------------------------------------------------------------


def _read_profile(profile: Floats, *, quick: bool) -> tuple[str, float, float, float] | None:
    """Return text, likeness, and where the code starts and ends on the profile."""
    guesses: list[tuple[float, _Pose, Floats]] = []
    for start, end in _extents(profile)[: 1 if quick else 3]:
        levels = _levels(profile, start, end)
        if levels is None:
            continue
        for is_reversed in (False, True):
            line = levels[::-1] if is_reversed else levels
            ends = (len(line) - end, len(line) - start) if is_reversed else (start, end)
            for blur, gain in ((_SOFT, 1.0),) if quick else ((_SOFT, 1.0), (_SHARP, 1.7)):
                guesses += [
                    (misfit, pose, line)
                    for misfit, pose in _guesses(
                        line, *ends, blur, gain, TILTS[: 3 if quick else None]
                    )
                ]
    guesses.sort(key=lambda guess: guess[0])
    for _, guess, line in guesses[: 1 if quick else 3]:
        pose, values, likeness = _refine(line, guess, 8 if quick else 12)
        if likeness >= LIKENESS_MIN and _is_checked(values):
            text = _text(values)
            if text is not None:
                return text, likeness, pose.start, pose.end
    return None


def _extents(profile: Floats) -> list[tuple[float, float]]:
    """Return where a code may start and end: dark among white, wide before narrow."""
    smooth = numpy.convolve(profile, (0.25, 0.5, 0.25), "same")
    white = float(numpy.percentile(smooth, 97))
    found = set()
    for level in (0.7, 0.9):
        dark = numpy.flatnonzero(smooth < level * white)
        for gap in (10, 16, 24, 40):
            for run in numpy.split(dark, numpy.flatnonzero(numpy.diff(dark) > gap) + 1):
                if (
                    len(run)
                    and run[-1] - run[0] >= 90
                    and run[0] > 6
                    and run[-1] < len(profile) - 7
                    and (numpy.diff(run) > 1).sum() > 6
                ):
                    found.add((float(run[0]) + 0.7, float(run[-1]) + 0.3))
    return sorted(found, key=lambda ends: ends[0] - ends[1])


def _levels(profile: Floats, start: float, end: float) -> Floats | None:
    """Return the profile with the paper at 1 and the darkest bars near 0."""
    first, last = int(start), int(end) + 1
    beside = numpy.concatenate([profile[max(0, first - 12) : first], profile[last : last + 12]])
    white = float(numpy.median(beside))
    black = float(numpy.percentile(profile[first:last], 2))
    if white - black < 0.03:
        return None
    return numpy.clip((profile - black) / (white - black), -0.5, 1.05)


def _guesses(
    line: Floats, start: float, end: float, blur: int, gain: float, tilts: Sequence[float]
) -> list[tuple[float, _Pose]]:
    """Return how ill the best symbols fit, for every length and tilt."""
    poses = [
        _Pose(start, end, tilt, length, blur, gain)
        for length in LENGTHS
        if end - start >= MODULE_PX_MIN * (11 * length + 13)
        for tilt in tilts
    ]
    if not poses:
        return []
    sampled = [_sampled(line, pose)[QUIET * SAMPLES : -QUIET * SAMPLES] for pose in poses]
    symbols = numpy.concatenate(
        [code[: SYMBOL * pose.length] for code, pose in zip(sampled, poses, strict=True)]
    ).reshape(-1, SYMBOL)
    # All at once: one product of two matrices is what this costs.
    distances = _distances(symbols, blur, gain)
    ends = numpy.cumsum([pose.length for pose in poses])
    stop = _stop(blur, gain)
    guesses = []
    for code, pose, last in zip(sampled, poses, ends.tolist(), strict=True):
        own = distances[last - pose.length : last]
        misfit = own[0, _START_A:].min() + own[1:, :_START_A].min(1).sum()
        misfit += ((code[SYMBOL * pose.length :] - stop) ** 2).sum()
        guesses.append((float(misfit / (len(code) * code.var() + 1e-9)), pose))
    return sorted(guesses, key=lambda guess: guess[0])[:3]


def _refine(line: Floats, guess: _Pose, turns: int) -> tuple[_Pose, list[int], float]:
    """Move ends, tilt, blur and exposure while the drawn code gets more like the line."""
    pose = guess
    values, misfit = _fitted(line, pose)
    step = 0.5
    for turn in range(turns):
        module = step * (pose.end - pose.start) / (11 * pose.length + 13)
        tries = [
            replace(pose, start=pose.start + left * module, end=pose.end + right * module)
            for left, right in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1))
        ]
        tries += [replace(pose, tilt=pose.tilt * (1 + way * 0.12 * step)) for way in (1, -1)]
        if turn % 2:
            tries += [replace(pose, gain=gain) for gain in _GAINS]
        else:
            tries += [replace(pose, blur=blur) for blur in range(len(_BLURS))]
        before = misfit
        for attempt in tries:
            attempt_values, attempt_misfit = _fitted(line, attempt)
            if attempt_misfit < misfit - 1e-6:
                pose, values, misfit = attempt, attempt_values, attempt_misfit
        if misfit == before:
            if step < 0.1:
                break
            step /= 2
    return pose, values, 1 - misfit


def _fitted(line: Floats, pose: _Pose) -> tuple[list[int], float]:
    """Return the values that fit best, and the share of variance they leave."""
    code = _sampled(line, pose)
    inner = code[QUIET * SAMPLES :][: SYMBOL * pose.length].reshape(-1, SYMBOL)
    distances = _distances(inner, pose.blur, pose.gain)
    values = [
        _START_A + int(distances[0, _START_A:].argmin()),
        *distances[1:, :_START_A].argmin(1).tolist(),
    ]
    drawn = _drawn(values, pose.blur, pose.gain)
    # How bright the paper is and how dark the ink are not known beforehand.
    light, ink = code - code.mean(), drawn - drawn.mean()
    slope = float(light @ ink) / (float(ink @ ink) + 1e-9)
    left = light - max(0.0, slope) * ink
    return values, float(left @ left) / (float(light @ light) + 1e-9)


def _sampled(line: Floats, pose: _Pose) -> Floats:
    """Return the line's samples, SAMPLES to a module, quiet zones included."""
    modules = 11 * pose.length + 13
    place = (numpy.arange(-QUIET * SAMPLES, (modules + QUIET) * SAMPLES) + 0.5) / SAMPLES / modules
    # A plane seen at a slant: the module's size changes by a square.
    bend = 1 / numpy.sqrt(pose.tilt) - 1
    along = place * (1 + bend) / (1 + bend * place)
    pixels = pose.start + (pose.end - pose.start) * along
    return numpy.asarray(numpy.interp(pixels, numpy.arange(len(line)) + 0.5, line))


# ---- how symbols look -------------------------------------------------------------


def _modules(widths: str) -> list[float]:
    """Return 0 for each dark and 1 for each light module."""
    return [float(index % 2) for index, width in enumerate(widths) for _ in range(int(width))]


@cache
def _kernel(blur: int) -> Floats:
    sigma, smear = _BLURS[blur]
    at = numpy.arange(-3 * SAMPLES, 3 * SAMPLES + 1) / SAMPLES
    kernel = numpy.exp(-(at**2) / (2 * sigma**2))
    if smear:
        kernel = numpy.convolve(kernel, numpy.abs(at) <= smear / 2, "same")
    return numpy.asarray(kernel / kernel.sum())


def _seen(modules: Sequence[float], blur: int, gain: float) -> Floats:
    """Return modules as lens and sensor give them, SAMPLES to a module."""
    light = numpy.convolve(numpy.repeat(modules, SAMPLES), _kernel(blur), "same")
    return numpy.minimum(gain * light - (gain - 1), 1.0)


@cache
def _symbols(blur: int, gain: float) -> tuple[Floats, Floats]:
    """Return every symbol as seen, 106 × SYMBOL, and the square of each.

    What stands beside a symbol is not known, but that a space ends the one
    before it and a bar begins the next.
    """
    beside = [0.5] * 4
    seen = [
        _seen([*beside, 1.0, *_modules(widths), 0.0, *beside], blur, gain)[
            5 * SAMPLES : 16 * SAMPLES
        ]
        for widths in _WIDTHS
    ]
    symbols = numpy.array(seen)
    return symbols, (symbols**2).sum(1)


def _distances(pieces: Floats, blur: int, gain: float) -> Floats:
    """Return the squared distance of every piece to every symbol."""
    symbols, squares = _symbols(blur, gain)
    own = (pieces**2).sum(1)[:, None]
    return numpy.asarray(own - 2 * pieces @ symbols.T + squares)


@cache
def _stop(blur: int, gain: float) -> Floats:
    seen = _seen([1.0] * 5 + _modules(_STOP_WIDTHS) + [1.0] * 5, blur, gain)
    return seen[5 * SAMPLES : 18 * SAMPLES]


def _drawn(values: Sequence[int], blur: int, gain: float) -> Floats:
    """Return a whole code as seen, quiet zones included."""
    beside = [1.0] * (QUIET + 3)
    modules = [module for value in values for module in _ALL_MODULES[value]]
    seen = _seen([*beside, *modules, *_STOP_MODULES, *beside], blur, gain)
    return seen[3 * SAMPLES : -3 * SAMPLES]


_ALL_MODULES = [_modules(widths) for widths in _WIDTHS]
_STOP_MODULES = _modules(_STOP_WIDTHS)


# ---- what symbols mean --------------------------------------------------------------


def _is_checked(values: Sequence[int]) -> bool:
    weighted = sum(place * value for place, value in enumerate(values[:-1]))
    return (values[0] + weighted) % 103 == values[-1]


def _text(values: Sequence[int]) -> str | None:
    """Return the text of start, data and check character; None if it is not plain.

    Function characters and shifts are left to the ordinary decoder: payment
    codes have none.
    """
    letters = "ABC"[values[0] - _START_A]
    text = ""
    for value in values[1:-1]:
        if letters == "C" and value < 100:
            text += f"{value:02d}"
        elif letters != "C" and value < 96:
            text += chr(value + 32 if letters == "B" or value < 64 else value - 64)
        elif (letters, value) in _SWITCHES:
            letters = _SWITCHES[letters, value]
        else:
            return None
    return text or None


_SWITCHES = {
    ("A", 99): "C",
    ("A", 100): "B",
    ("B", 99): "C",
    ("B", 101): "A",
    ("C", 100): "B",
    ("C", 101): "A",
}
