"""From a frame to a payment code, beside plain zxing-cpp on the same frame."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import cv2
import numpy
import zxingcpp

import config
from benchmarks.harness import Bar, Row, in_turns, row, spread
from benchmarks.pictures import all_pictures, texts
from drivers.symbols import ROUNDS, ZXingSymbolReader
from emv.qr.payment_code import classify
from simulators.camera import SCENES, Lens
from simulators.phone_screen import draw_screen

if TYPE_CHECKING:
    from drivers.protocols import Image

CODE = "281234567890123456"
SEED = 1
PICTURES = 150
LOOKS = 2 * len(ROUNDS)
"""Frames of one picture that a live reader gets before it is taken away."""
LIVE_MS_MAX = 33
PARTS = 7
"""The looks are dealt to as many hands, to see how far a percentile can be believed."""

PEER = "plain zxing-cpp"
FORMATS = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.Code128])


def measure() -> list[Row]:
    """Measure a flawless frame, then a sample of what a camera sees."""
    return [_clean_frame(), *_live_frames()]


def _clean_frame() -> Row:
    frame = Lens(SEED, SCENES["clear"]).frame(draw_screen("Alipay", (200, 90, 20), [CODE]), 1, 0)
    rules = config.load_payment_codes()
    reader = ZXingSymbolReader()

    def scan() -> None:
        (symbol,) = reader.read(frame)
        code = classify(symbol.data, symbol.symbology.value, rules)
        if code.text != CODE or not code.can_pay:
            raise ValueError("the clean frame was not read as its payment code")

    samples = in_turns(scan, lambda: read_plainly(frame), rounds=41, batch=10)
    height, width, _ = frame.shape
    return row(
        f"clean {width} × {height} frame to payment code", samples.scaled(1e3), "ms", PEER, Bar(3)
    )


class Watcher:
    """Counts what one way of reading makes of the sample."""

    def __init__(self) -> None:
        self.taken_ms: list[float] = []
        """Of each look."""
        self.misread = 0
        """Looks that gave a code which is not in the picture."""
        self.read = 0
        """Pictures whose code was found."""

    def looks(self, read: Callable[[Image], set[str]], frame: Image, expected: str) -> bool:
        """Take one look; return True once the code is found."""
        began = time.process_time()
        found = read(frame)
        self.taken_ms.append((time.process_time() - began) * 1e3)
        self.misread += not found <= {expected}
        self.read += expected in found
        return expected in found


def _live_frames() -> list[Row]:
    """Hold each picture before both, trembling as in a hand, until it is read or taken away."""
    live, plain = Watcher(), Watcher()
    for picture in random.Random(SEED).sample(all_pictures(), PICTURES):
        expected, still = picture.text, picture.load()
        reader = ZXingSymbolReader()
        noise = numpy.random.default_rng(SEED)
        is_read = isread_plainly = False
        for _ in range(LOOKS):
            frame = _trembling(still, noise)
            if not is_read:
                is_read = live.looks(partial(read_live, reader), frame, expected)
            if not isread_plainly:
                isread_plainly = plain.looks(read_plainly, frame, expected)
    slowest, slowest_plain = p95(live.taken_ms), p95(plain.taken_ms)
    return [
        Row(
            name=f"any live frame, 95th percentile of {len(live.taken_ms)}",
            value=slowest,
            unit="ms",
            peer=PEER,
            peer_value=slowest_plain,
            ratio=slowest / slowest_plain,
            bar=Bar(LIVE_MS_MAX).text("ms"),
            better="lower",
            spread=spread([p95(live.taken_ms[part::PARTS]) for part in range(PARTS)]),
            met=slowest <= LIVE_MS_MAX,
        ),
        Row(
            name=f"misread in {len(live.taken_ms)} live frames",
            value=live.misread,
            unit="frames",
            peer=PEER,
            peer_value=plain.misread,
            ratio=None,
            bar=Bar(0).text("frames"),
            better="lower",
            spread=0.0,
            met=live.misread == 0,
        ),
        Row(
            name=f"codes read of {PICTURES} pictures",
            value=live.read,
            unit="pictures",
            peer=PEER,
            peer_value=plain.read,
            ratio=live.read / plain.read,
            bar="≥ 1×",
            better="higher",
            spread=0.0,
            met=live.read >= plain.read,
        ),
    ]


def _trembling(still: Image, noise: numpy.random.Generator) -> Image:
    # cv2's own type is wider.
    return cv2.add(still, noise.integers(0, 3, still.shape, numpy.uint8))  # type: ignore[return-value]


def read_live(reader: ZXingSymbolReader, frame: Image) -> set[str]:
    """Return what our reader reads."""
    return texts(symbol.data for symbol in reader.read(frame))


def read_plainly(frame: Image) -> set[str]:
    """Return what zxing-cpp reads by itself, limited to our two forms."""
    return texts(found.bytes for found in zxingcpp.read_barcodes(frame, formats=FORMATS))


def p95(values: Sequence[float]) -> float:
    """Return the 95th percentile."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]
