"""Code 128 as drawn is read back by a reader that others wrote."""

import numpy
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators import code128


def read_back(text: str) -> list[bytes]:
    line = numpy.where([False] * 10 + code128.modules(text) + [False] * 10, 0, 255)
    image = numpy.kron(line, numpy.ones((40, 3))).astype(numpy.uint8)
    formats = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.Code128])
    return [barcode.bytes for barcode in zxingcpp.read_barcodes(image, formats)]


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40))
def test_any_printable_text_reads_back(text: str) -> None:
    assert read_back(text) == [text.encode()]


@settings(max_examples=80, deadline=None)
@given(st.text("0123456789", min_size=1, max_size=32))
def test_any_digits_read_back(digits: str) -> None:
    assert read_back(digits) == [digits.encode()]


def test_digits_are_packed_two_to_a_character() -> None:
    """18 digits: start, nine pairs and check of 11 modules, stop of 13."""
    assert len(code128.modules("281234567890123456")) == 11 * 11 + 13


@pytest.mark.parametrize("text", ["", "支付", "tab\t"])
def test_what_the_symbol_cannot_carry_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        code128.modules(text)
