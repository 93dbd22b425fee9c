"""Reading bar codes by likeness: blurred, smeared, pale; and never wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.bars import read_bars

if TYPE_CHECKING:
    from drivers.protocols import Image

CODE_128 = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.Code128])


def photographed(text: str, *, blur: float = 0.0, noise: int = 0, turn: float = 0.0) -> Image:
    """A code of 4-pixel modules, printed by zxing-cpp, on grey round white paper.

    blur: sigma in pixels, in linear light. noise: grey levels. turn: degrees.
    """
    symbol = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128)
    bars = numpy.array(symbol.to_image(scale=4, add_quiet_zones=False))
    bars = numpy.repeat(bars[:1], 140, 0)
    paper = numpy.full((500, bars.shape[1] + 300), 255, numpy.uint8)
    paper[180:320, 150 : 150 + bars.shape[1]] = bars
    middle = (paper.shape[1] / 2, 250)
    rotation = cv2.getRotationMatrix2D(middle, turn, 0.85)
    picture: Any = cv2.warpAffine(
        paper, rotation, (paper.shape[1], 500), flags=cv2.INTER_AREA, borderValue=120
    )
    if blur:
        light = (picture / 255) ** 2.2
        picture = 255 * cv2.GaussianBlur(light, (0, 0), blur) ** (1 / 2.2)
    grain = numpy.random.default_rng(1).normal(0, noise, picture.shape) if noise else 0
    pixels: Image = numpy.clip(picture + grain, 0, 255).astype(numpy.uint8)
    return pixels


def texts(image: Image, *, quick: bool = False) -> list[str]:
    return [reading.text for reading in read_bars(image, quick=quick)]


@pytest.mark.parametrize("turn", [0, 14, -40, 180])
def test_a_blurred_code_is_read_by_two_profiles_where_edges_are_lost(turn: float) -> None:
    image = photographed("281234567890123456", blur=2.4, noise=2, turn=turn)
    assert not zxingcpp.read_barcodes(image, CODE_128)
    assert texts(image) == ["281234567890123456"] * 2


def test_a_live_frame_is_read_by_one_profile() -> None:
    image = photographed("6212345678901234567", blur=2.2, noise=2, turn=5)
    assert texts(image, quick=True) == ["6212345678901234567"]


@settings(max_examples=25, deadline=None)
@given(
    st.text(st.sampled_from("0123456789ABXYabxy -/"), min_size=4, max_size=16),
    st.floats(0, 4),
    st.floats(-8, 8),
)
def test_a_code_is_read_right_or_not_at_all(text: str, blur: float, turn: float) -> None:
    """Up to blurs in which nobody can read."""
    assert set(texts(photographed(text, blur=blur, noise=3, turn=turn), quick=True)) <= {text}


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_stripes_that_are_no_code_are_not_read(seed: int) -> None:
    """Bars and spaces of random widths, with quiet zones like a code's."""
    chance = numpy.random.default_rng(seed)
    widths = chance.integers(1, 5, 79)
    row = numpy.repeat(numpy.arange(79) % 2 * 255, 3 * widths).astype(numpy.uint8)
    image = numpy.full((300, len(row) + 240), 255, numpy.uint8)
    image[80:220, 120 : 120 + len(row)] = row
    assert texts(image) == []


def test_corners_lie_on_the_code() -> None:
    reading = read_bars(photographed("281234567890123456", blur=2, noise=1), quick=False)[0]
    corners = numpy.array(reading.corners)
    # Modules of 4 pixels, 150 from the left, all of it 0.85 as large about the middle.
    width = 4 * 134
    left = (150 - (width + 300) / 2) * 0.85 + (width + 300) / 2
    assert numpy.abs(corners[[0, 3], 0] - left).max() < 6
    assert numpy.abs(corners[[1, 2], 0] - (left + 0.85 * width)).max() < 6


def test_an_empty_or_flat_picture_holds_nothing() -> None:
    assert texts(numpy.full((720, 1280), 90, numpy.uint8)) == []
    assert texts(numpy.zeros((16, 16), numpy.uint8)) == []
