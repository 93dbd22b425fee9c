"""A drawn code is read back, from the picture and from the screen's characters."""

import cv2
import numpy
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal.errors import CodeTooLong
from terminal.pictures.code_drawing import OFF, ON, ansi_lines, half_blocks, png_bytes, qr_modules


def read_png(content: bytes) -> bytes:
    """Read with two libraries that the drawing knows nothing of."""
    image = cv2.imdecode(numpy.frombuffer(content, numpy.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    (symbol,) = zxingcpp.read_barcodes(image)
    return bytes(symbol.bytes)


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=60))
def test_a_picture_is_read_back_to_the_byte(text: str) -> None:
    assert read_png(png_bytes(qr_modules(text), scale=4)) == text.encode()


def test_lines_of_half_blocks_are_read_back() -> None:
    """The characters a terminal shows, painted as it paints them."""
    lines = half_blocks(qr_modules("286789012345678901", "L"))
    upper, lower = {" ": 0, "▀": 1, "▄": 0, "█": 1}, {" ": 0, "▀": 0, "▄": 1, "█": 1}
    rows = []
    for line in lines:
        rows += [[upper[glyph] for glyph in line], [lower[glyph] for glyph in line]]
    image = numpy.repeat(numpy.repeat(255 - 255 * numpy.array(rows, numpy.uint8), 6, 0), 6, 1)

    (symbol,) = zxingcpp.read_barcodes(image)

    assert symbol.text == "286789012345678901"


def test_a_short_link_fits_a_small_screen() -> None:
    """53 characters at level L are version 3: 29 modules and the quiet zone."""
    lines = half_blocks(qr_modules("HTTPS://PAY.OPENTILL.EXAMPLE/9F3K-2M7Q-8XRT-5LWP", "L"))

    assert len(lines) <= 19
    assert {len(line) for line in lines} == {37}


def test_every_line_brings_its_own_black_and_white() -> None:
    lines = ansi_lines(qr_modules("1"))

    assert all(line.startswith(ON) and line.endswith(OFF) for line in lines)
    # The quiet zone is drawn, not left to the screen's own background.
    assert set(lines[0].removeprefix(ON).removesuffix(OFF)) == {" "}


def test_a_text_too_long_for_any_code_is_refused() -> None:
    with pytest.raises(CodeTooLong, match="4000 characters do not fit"):
        qr_modules("x" * 4000)
