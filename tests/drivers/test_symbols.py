"""Finding codes in images: photographs, rendered frames, doubt and damage."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.pictures import MISLABELLED, UNREADABLE
from drivers.errors import ImageUnreadable
from drivers.protocols import Symbol, Symbology
from drivers.symbols import ROUNDS, ZXingSymbolReader, load_image

if TYPE_CHECKING:
    from drivers.protocols import Image


@pytest.fixture(scope="module")
def pictures(shared: Path) -> Path:
    return shared / "testdata" / "qr"


@pytest.fixture(scope="module")
def manifest(pictures: Path) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((pictures / "manifest.json").read_text())
    return [
        {**case, "text": MISLABELLED.get(case["file"], case["text"])}
        for case in cases
        if case["file"] != UNREADABLE
    ]


def written(kind: zxingcpp.BarcodeFormat, content: str | bytes, scale: int = 4) -> Image:
    """A flawless symbol, with its quiet zone, on white paper."""
    symbol = numpy.array(zxingcpp.create_barcode(content, kind).to_image(scale=scale))
    return numpy.pad(symbol, 60, constant_values=255)


def text(symbol: Symbol) -> str:
    try:
        content = symbol.data.decode()
    except UnicodeDecodeError:
        content = symbol.data.decode("shift-jis")
    return content.rstrip("\r\n")


def plainly(image: Image) -> list[str]:
    """What zxing-cpp reads by itself, limited to our two symbologies."""
    formats = zxingcpp.BarcodeFormats(
        [zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.Code128]
    )
    return [barcode.text.rstrip("\r\n") for barcode in zxingcpp.read_barcodes(image, formats)]


Counts = dict[tuple[str, str], tuple[int, int, int]]
"""By origin and kind: pictures, read by us, and read by the plain decoder."""


def counted(cases: Iterable[dict[str, Any]], pictures: Path) -> Counts:
    """Read every picture; nothing is misread, and nothing is seen where nothing is."""
    counts: Counts = {}
    for case in cases:
        image = load_image(pictures / case["file"])
        expected = case["text"].rstrip("\r\n")
        read = [text(symbol) for symbol in ZXingSymbolReader(thorough=True).read(image)]
        assert set(read) <= {expected}, f"{case['file']} was misread"
        if case["kind"] == "none":
            assert not read, f"a ghost in {case['file']}"
            continue
        key = case["file"].partition("/")[0], case["kind"]
        seen, ours, plain = counts.get(key, (0, 0, 0))
        counts[key] = seen + 1, ours + (expected in read), plain + (expected in plainly(image))
    return counts


def test_a_sample_of_frames_is_read_without_a_mistake(
    manifest: list[dict[str, Any]], pictures: Path
) -> None:
    for _, ours, plain in counted(random.Random(1).sample(manifest, 24), pictures).values():
        assert ours >= plain > 0


IS_SOAK = bool(os.environ.get("OPENTILL_SOAK"))

GOALS = {
    ("synth", "qr"): 0.94,
    ("real", "qr"): 0.975,
    ("synth", "code128"): 0.88,
    ("real", "code128"): 1.0,
}
"""Share of single pictures that are read."""


@pytest.mark.slow
def test_every_frame_is_read_without_a_mistake_and_nearly_all_are_read(
    manifest: list[dict[str, Any]], pictures: Path
) -> None:
    counts = counted(manifest, pictures)
    assert set(counts) == set(GOALS)
    for key, (seen, ours, plain) in counts.items():
        assert ours >= plain
        assert ours >= GOALS[key] * seen, f"{key}: {ours} of {seen}"


@pytest.mark.slow
def test_a_live_reader_reads_no_frame_wrong(manifest: list[dict[str, Any]], pictures: Path) -> None:
    """A rendered frame is held before it for two rounds, trembling a little."""
    noise = numpy.random.default_rng(7)
    rendered = [case for case in manifest if case["file"].startswith("synth")]
    held = rendered if IS_SOAK else random.Random(7).sample(rendered, len(rendered) // 4)
    for case in held:
        still = load_image(pictures / case["file"])
        reader = ZXingSymbolReader()
        for _ in range(2 * len(ROUNDS)):
            frame = cv2.add(still, noise.integers(0, 3, still.shape, numpy.uint8))
            read = [text(symbol) for symbol in reader.read(frame)]  # type: ignore[arg-type]
            assert set(read) <= {case["text"]}, f"{case['file']} was misread"
            if read:
                break


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=1, max_size=120))
def test_the_bytes_of_a_code_arrive_untouched(payload: bytes) -> None:
    """NUL, Latin-1 and bytes that are no text at all included."""
    image = written(zxingcpp.BarcodeFormat.QRCode, payload)
    assert [symbol.data for symbol in ZXingSymbolReader().read(image)] == [payload]


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 40).flatmap(
        lambda side: st.binary(min_size=side * side, max_size=side * side).map(
            lambda noise: numpy.frombuffer(noise, numpy.uint8).reshape(side, side)
        )
    )
)
def test_noise_of_any_size_holds_no_code(image: Image) -> None:
    assert ZXingSymbolReader(thorough=True).read(image) == ()


def test_an_inverted_image_is_read() -> None:
    """Wallets in dark mode show white on black."""
    for kind, symbology in (
        (zxingcpp.BarcodeFormat.QRCode, Symbology.QR),
        (zxingcpp.BarcodeFormat.Code128, Symbology.CODE_128),
    ):
        image = 255 - written(kind, "281234567890123456")
        (symbol,) = ZXingSymbolReader(thorough=True).read(image)
        assert (symbol.symbology, symbol.data) == (symbology, b"281234567890123456")


def test_two_codes_in_one_image_are_both_told() -> None:
    one = written(zxingcpp.BarcodeFormat.QRCode, "281234567890123456")
    other = written(zxingcpp.BarcodeFormat.QRCode, "134567890123456789")
    read = ZXingSymbolReader().read(numpy.hstack([one, other]))
    assert {symbol.data for symbol in read} == {b"281234567890123456", b"134567890123456789"}


def on_cloth(image: Image) -> Image:
    """The picture printed on cloth that hangs in folds."""
    height, width = image.shape
    y, x = numpy.mgrid[:height, :width].astype(numpy.float32)
    fold = 0.035 * width * numpy.sin(2 * numpy.pi * y / height + 0.5)
    sag = 0.03 * height * numpy.sin(numpy.pi * x / width)
    # cv2's own type is wider.
    return cv2.remap(  # type: ignore[return-value]
        image, x + fold, y + sag, cv2.INTER_LINEAR, borderValue=255
    )


def test_a_code_on_cloth_is_read() -> None:
    image = on_cloth(written(zxingcpp.BarcodeFormat.QRCode, "https://example.com/a/shirt", 8))
    assert plainly(image) == []
    (symbol,) = ZXingSymbolReader(thorough=True).read(image)
    assert symbol.data == b"https://example.com/a/shirt"
    dark = numpy.argwhere(image < 128)[:, ::-1]
    assert numpy.abs(numpy.min(symbol.corners, 0) - dark.min(0)).max() < 20
    assert numpy.abs(numpy.max(symbol.corners, 0) - dark.max(0)).max() < 20


def test_a_code_of_which_a_finder_pattern_has_burnt_out_is_read() -> None:
    image = written(zxingcpp.BarcodeFormat.QRCode, "281234567890123456", 10)
    dark = numpy.argwhere(image < 128)
    top, left = (dark.min(0) + 35).tolist()
    cv2.circle(image, (left, top), 27, 255, cv2.FILLED)
    assert plainly(image) == []
    (symbol,) = ZXingSymbolReader(thorough=True).read(image)
    assert symbol.data == b"281234567890123456"


def test_a_code_seen_at_a_sharp_slant_is_read() -> None:
    image = written(zxingcpp.BarcodeFormat.QRCode, "281234567890123456", 10)
    height, width = image.shape
    seen = numpy.array(
        [[0, 0], [0.22 * width, 0.35 * height], [0.22 * width, 0.75 * height], [0, height]],
        numpy.float32,
    )
    whole = numpy.array([[0, 0], [width, 0], [width, height], [0, height]], numpy.float32)
    place = cv2.getPerspectiveTransform(whole, seen)
    slanted: Any = cv2.warpPerspective(image, place, (width, height), borderValue=255)
    assert plainly(slanted) == []
    (symbol,) = ZXingSymbolReader(thorough=True).read(slanted)
    assert symbol.data == b"281234567890123456"


def test_other_symbologies_are_not_looked_for() -> None:
    image = written(zxingcpp.BarcodeFormat.EAN13, "4006381333931")
    assert plainly(image) == []
    assert ZXingSymbolReader(thorough=True).read(image) == ()


def test_corners_lie_on_the_code_whichever_view_found_it() -> None:
    """The plain pass, and a turned one whose points must be turned back."""
    for degrees in (0, 33):
        paper = numpy.full((600, 900), 255, numpy.uint8)
        symbol = written(zxingcpp.BarcodeFormat.Code128, "281234567890123456", 3)
        height, width = symbol.shape
        left, top = 600 - width // 2, 330
        paper[top : top + height, left : left + width] = symbol
        turn = cv2.getRotationMatrix2D((450, 300), degrees, 1)
        image = cv2.warpAffine(paper, turn, (900, 600), borderValue=255)
        if degrees:
            assert plainly(image) == []  # type: ignore[arg-type]
        (read,) = ZXingSymbolReader(thorough=True).read(image)  # type: ignore[arg-type]
        least, most = (
            numpy.array([left - 3, top - 3]),
            numpy.array([left + width, top + height]) + 3,
        )
        corners = numpy.array(read.corners)
        back = cv2.invertAffineTransform(turn) @ numpy.c_[corners, numpy.ones(4)].T
        assert (back.T - least).min() >= 0
        assert (most - back.T).min() >= 0


def test_a_code_is_looked_for_where_it_was_even_if_something_busier_is_in_view() -> None:
    """It moves away until only its enlargement can be read, at once, beside a pattern."""
    paper = numpy.full((720, 1280), 255, numpy.uint8)
    paper[:, 640:] = numpy.random.default_rng(1).integers(0, 256, (720, 640), numpy.uint8)
    near, far = paper.copy(), paper.copy()
    symbol = written(zxingcpp.BarcodeFormat.QRCode, "281234567890123456", 8)
    near[200 : 200 + len(symbol), 200 : 200 + len(symbol)] = symbol
    small = cv2.resize(symbol, None, fx=0.23, fy=0.23, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), 0.9)
    far[250 : 250 + len(small), 250 : 250 + len(small)] = small
    assert plainly(far) == []
    assert ZXingSymbolReader().read(far) == ()
    reader = ZXingSymbolReader()
    for frame in (near, far):
        (read,) = reader.read(frame)
        assert read.data == b"281234567890123456"
    assert min(x for x, _ in read.corners) >= 250
    assert max(x for x, _ in read.corners) <= 250 + len(small)


@pytest.fixture
def doubtful(pictures: Path) -> Image:
    """A tilted bar code that exactly one enhanced view can read."""
    return load_image(pictures / "synth/perspective/code128-10.jpg")


def test_one_view_of_a_bar_code_is_not_enough(doubtful: Image) -> None:
    """Nor is the same view of the same still picture, however often."""
    assert ZXingSymbolReader(thorough=True).read(doubtful) == ()
    reader = ZXingSymbolReader()
    assert not any(reader.read(doubtful) for _ in range(3 * len(ROUNDS)))


def test_two_frames_that_agree_on_a_bar_code_are_enough(
    doubtful: Image, manifest: list[dict[str, Any]]
) -> None:
    expected = next(c["text"] for c in manifest if c["file"] == "synth/perspective/code128-10.jpg")
    noise = numpy.random.default_rng(3)
    reader = ZXingSymbolReader()
    for _ in range(2 * len(ROUNDS)):
        frame = cv2.add(doubtful, noise.integers(0, 3, doubtful.shape, numpy.uint8))
        read = reader.read(frame)  # type: ignore[arg-type]
        if read:
            break
    assert [symbol.data.decode() for symbol in read] == [expected]


def test_a_damaged_picture_is_refused_and_named(
    tmp_path: Path, pictures: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """And nothing is written over the till's screen about it."""
    files = {"empty.png": b"", "text.png": b"no picture", "missing.png": None}
    for name, content in files.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(ImageUnreadable, match=name):
            load_image(tmp_path / name)
    with pytest.raises(ImageUnreadable, match="1x100"):
        load_image(pictures / UNREADABLE)
    assert capfd.readouterr() == ("", "")


def test_a_mislabelled_picture_holds_what_another_decoder_reads_too(pictures: Path) -> None:
    for file, content in MISLABELLED.items():
        soft = cv2.GaussianBlur(load_image(pictures / file), (0, 0), 1)
        assert cv2.QRCodeDetectorAruco().detectAndDecode(soft)[0] == content
