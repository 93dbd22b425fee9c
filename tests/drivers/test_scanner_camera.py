"""The camera scanner over real streams and files, opened by cv2.VideoCapture."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import cv2
import numpy
import pytest
import zxingcpp

from drivers.errors import DeviceLost
from drivers.protocols import Health, Symbology
from drivers.scanner_camera import CameraScanner
from simulators.camera import CameraSimulator

if TYPE_CHECKING:
    from drivers.protocols import Image

PROJECT = Path(__file__).parent.parent.parent
LONG_S = 20.0
"""Nothing here takes this long unless it is broken."""
CODE, OTHER = "281234567890123456", "134567890123456789"


def screen(content: str) -> Image:
    """A phone's screen with one QR code on it."""
    barcode = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.QRCode)
    return numpy.pad(numpy.array(barcode.to_image(scale=8)), 60, constant_values=255)


@pytest.fixture
def camera() -> Iterator[CameraSimulator]:
    simulator = CameraSimulator(seed=1, frames_per_s=30)
    yield simulator
    simulator.close()


@pytest.fixture
def scanner(camera: CameraSimulator) -> Iterator[CameraScanner]:
    driver = CameraScanner(camera.url, open_timeout_s=1.0, read_timeout_s=0.3)
    yield driver
    driver.close()


def drain(scanner: CameraScanner) -> None:
    """Take what is still under way, until the scanner complains."""
    while True:
        scanner.wait_for_symbols(1.0)


def look_until_lost(scanner: CameraScanner) -> None:
    while True:
        scanner.look(1.0)


def read_until(scanner: CameraScanner, expected: str) -> list[str]:
    """Return what was delivered, up to and with the code that is expected."""
    delivered: list[str] = []
    while expected not in delivered:
        symbols = scanner.wait_for_symbols(LONG_S)
        assert symbols, f"{expected} never came"
        delivered += [symbol.data.decode() for symbol in symbols]
    return delivered


def test_a_code_before_the_lens_is_delivered(
    camera: CameraSimulator, scanner: CameraScanner
) -> None:
    scanner.start()
    camera.show(screen(CODE))
    (symbol,) = scanner.wait_for_symbols(LONG_S)
    assert (symbol.symbology, symbol.data) == (Symbology.QR, CODE.encode())
    assert len(symbol.corners) == 4


def test_a_look_gives_the_frame_too_code_or_none(
    camera: CameraSimulator, scanner: CameraScanner
) -> None:
    scanner.start()
    sight = scanner.look(LONG_S)
    assert sight is not None
    assert (sight.frame.shape, sight.symbols) == ((720, 1280, 3), ())
    camera.show(screen(CODE))
    while not sight.symbols:
        sight = scanner.look(LONG_S)
        assert sight is not None
    assert [symbol.data for symbol in sight.symbols] == [CODE.encode()]
    assert sight.read_ms > 0
    scanner.stop()
    scanner.start()
    camera.stall()
    with pytest.raises(DeviceLost):
        look_until_lost(scanner)


def test_an_empty_counter_delivers_nothing_and_is_healthy(
    camera: CameraSimulator, scanner: CameraScanner
) -> None:
    assert scanner.diagnose().health is Health.STARTING
    scanner.start()
    sent = camera.frames_sent
    assert camera.wait_for(lambda: camera.frames_sent > sent + 3, LONG_S)
    assert scanner.wait_for_symbols(0.2) == ()
    assert scanner.diagnose().health is Health.READY
    assert "1280×720, on" in scanner.diagnose().summary


def test_a_slow_consumer_gets_the_newest_frame(
    camera: CameraSimulator, scanner: CameraScanner
) -> None:
    """Thirty frames went by unread: none of them may be delivered now."""
    scanner.start()
    camera.show(screen(CODE))
    read_until(scanner, CODE)
    unread = camera.frames_sent + 30
    assert camera.wait_for(lambda: camera.frames_sent > unread, LONG_S)
    camera.show(screen(OTHER))
    settled = camera.frames_sent + 5
    assert camera.wait_for(lambda: camera.frames_sent > settled, LONG_S)
    assert read_until(scanner, OTHER) == [OTHER]


def test_the_camera_is_open_only_while_it_is_wanted(
    camera: CameraSimulator, scanner: CameraScanner
) -> None:
    assert camera.viewers == 0
    scanner.start()
    scanner.start()
    assert camera.wait_for(lambda: camera.viewers == 1, LONG_S)
    scanner.stop()
    assert camera.wait_for(lambda: camera.viewers == 0, LONG_S)
    scanner.stop()
    scanner.start()
    assert camera.wait_for(lambda: camera.viewers == 1, LONG_S)
    scanner.close()
    assert camera.wait_for(lambda: camera.viewers == 0, LONG_S)
    scanner.close()
    assert scanner.wait_for_symbols(LONG_S) == ()
    assert scanner.diagnose().health is Health.ABSENT


def test_a_code_of_the_last_sale_is_forgotten(
    camera: CameraSimulator, scanner: CameraScanner
) -> None:
    """The last customer's phone must not pay for the next one."""
    scanner.start()
    camera.show(screen(CODE))
    read_until(scanner, CODE)
    unread = camera.frames_sent + 3
    assert camera.wait_for(lambda: camera.frames_sent > unread, LONG_S)
    scanner.stop()
    camera.show(screen(OTHER))
    scanner.start()
    assert read_until(scanner, OTHER) == [OTHER]


def test_a_frame_that_was_on_its_way_when_the_sale_ended_is_dropped(
    camera: CameraSimulator, scanner: CameraScanner
) -> None:
    """Handed over by hand, since a real one is too rare to wait for."""
    scanner.start()
    earlier = scanner._session
    scanner.stop()
    scanner.start()
    scanner._publish(earlier, screen(CODE))
    assert scanner.wait_for_symbols(0.2) == ()
    scanner._publish(scanner._session, screen(CODE))
    assert read_until(scanner, CODE) == [CODE]


def test_stopping_wakes_whoever_waits(camera: CameraSimulator, scanner: CameraScanner) -> None:
    scanner.start()
    results: list[object] = []
    waiter = Thread(target=lambda: results.append(scanner.wait_for_symbols(10 * LONG_S)))
    waiter.start()
    assert camera.wait_for(lambda: camera.viewers == 1, LONG_S)
    scanner.stop()
    waiter.join(LONG_S)
    assert results == [()]


@pytest.mark.parametrize("fault", ["stall", "drop", "garbage"])
def test_a_broken_stream_is_told_and_recovers(
    camera: CameraSimulator,
    scanner: CameraScanner,
    fault: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Silence, a closed connection and rubbish; and nothing over the screen."""
    scanner.start()
    camera.show(screen(CODE))
    read_until(scanner, CODE)
    getattr(camera, fault)()
    with pytest.raises(DeviceLost, match=r"127\.0\.0\.1"):
        drain(scanner)
    diagnosis = scanner.diagnose()
    assert diagnosis.health is Health.FAULTY
    assert diagnosis.remedy
    camera.show(screen(OTHER))
    camera.resume()
    assert OTHER in read_on(scanner, OTHER)
    assert scanner.diagnose().health is Health.READY
    assert capfd.readouterr() == ("", "")


def read_on(scanner: CameraScanner, expected: str) -> list[str]:
    """Keep asking, as the till does while a camera is lost."""
    for _ in range(20):
        try:
            symbols = [symbol.data.decode() for symbol in scanner.wait_for_symbols(1.0)]
        except DeviceLost:
            continue
        if expected in symbols:
            return symbols
    return []


def test_a_missing_camera_is_absent_until_it_appears() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    scanner = CameraScanner(f"http://user:secret@127.0.0.1:{port}/stream", open_timeout_s=1.0)
    scanner.start()
    with pytest.raises(DeviceLost, match="cannot be opened") as lost:
        scanner.wait_for_symbols(0.5)
    assert "secret" not in str(lost.value)
    assert scanner.diagnose().health is Health.ABSENT
    camera = CameraSimulator(port=port)
    try:
        camera.show(screen(CODE))
        assert CODE in read_on(scanner, CODE)
    finally:
        scanner.close()
        camera.close()


def test_a_program_that_forgets_to_close_still_ends_well(camera: CameraSimulator) -> None:
    """A capturing thread must not abort the process on its way out."""
    code = (
        "import sys; from drivers.scanner_camera import CameraScanner\n"
        "scanner = CameraScanner(sys.argv[1]); scanner.start()\n"
        "scanner.wait_for_symbols(20)"
    )
    camera.show(screen(CODE))
    ran = subprocess.run(
        [sys.executable, "-c", code, camera.url],
        cwd=PROJECT,
        timeout=3 * LONG_S,
        capture_output=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_no_device_of_that_number_is_absent_with_a_remedy() -> None:
    scanner = CameraScanner(97)
    scanner.start()
    with pytest.raises(DeviceLost, match="camera 97: cannot be opened"):
        scanner.wait_for_symbols(0.5)
    assert "plugged in" in scanner.diagnose().remedy
    scanner.close()


class Device:
    """Stands in for cv2.VideoCapture of a camera, since none is on this machine."""

    def __init__(self, source: int) -> None:
        self.asked: list[tuple[int, float]] = []

    def set(self, wish: int, value: float) -> bool:
        self.asked.append((wish, value))
        return False  # a camera that can do none of it still serves


@pytest.mark.parametrize("exposure", [None, 80])
def test_a_device_is_asked_for_what_codes_need(
    exposure: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The frame's form before its size, since drivers set sizes per form."""
    monkeypatch.setattr(cv2, "VideoCapture", Device)
    device: Any = CameraScanner("/dev/video0", exposure=exposure)._open()

    mjpg = float(cv2.VideoWriter.fourcc(*"MJPG"))
    assert device.asked[:3] == [
        (cv2.CAP_PROP_FOURCC, mjpg),
        (cv2.CAP_PROP_FRAME_WIDTH, 1280),
        (cv2.CAP_PROP_FRAME_HEIGHT, 720),
    ]
    settled = dict(device.asked)
    assert settled[cv2.CAP_PROP_BUFFERSIZE] == 1
    assert settled[cv2.CAP_PROP_AUTOFOCUS] == 1
    assert settled[cv2.CAP_PROP_BACKLIGHT] == 0
    assert settled[cv2.CAP_PROP_AUTO_EXPOSURE] == (3 if exposure is None else 1)
    assert settled.get(cv2.CAP_PROP_EXPOSURE) == exposure


def test_every_frame_of_a_file_is_looked_at(tmp_path: Path) -> None:
    """A file comes as fast as it can be read; none of its frames is dropped."""
    film = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"MJPG"), 15, (400, 400))
    codes = [f"code {number}" for number in range(20)]
    for code in codes:
        frame = numpy.full((400, 400, 3), 90, numpy.uint8)
        drawn = screen(code)
        frame[: drawn.shape[0], : drawn.shape[1]] = drawn[:, :, None]
        writer.write(frame)
    writer.release()
    scanner = CameraScanner(str(film))
    scanner.start()
    assert read_until(scanner, codes[-1]) == codes
    assert read_until(scanner, codes[-1]) == codes, "a file that ended starts again"
    scanner.close()
