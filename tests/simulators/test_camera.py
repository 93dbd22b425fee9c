"""The simulated camera: frames, its HTTP door, and its faults.

tests/drivers/test_scanner_camera.py opens the same stream as the till does.
"""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import cv2
import numpy
import pytest

from simulators.camera import BOUNDARY, SCENES, CameraSimulator, Fault, Lens
from simulators.phone_screen import draw_screen

if TYPE_CHECKING:
    from drivers.protocols import Image

LONG_S = 20.0


@pytest.fixture
def camera() -> Iterator[CameraSimulator]:
    simulator = CameraSimulator(seed=1, frames_per_s=60)
    yield simulator
    simulator.close()


@pytest.fixture
def phone() -> Image:
    return draw_screen("Phone", (96, 96, 96), ["281234567890123456"])


def ask(camera: CameraSimulator, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    address = urlsplit(camera.url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=LONG_S)
    connection.request(method, path, body, {"content-type": "image/png"})
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


@pytest.mark.parametrize("scene", SCENES)
def test_one_seed_gives_the_same_frames_again(scene: str, phone: Image) -> None:
    one, other, third = (Lens(seed, SCENES[scene]) for seed in (5, 5, 6))
    frame = one.frame(phone, 1, 0)
    assert (frame == other.frame(phone, 1, 0)).all()
    assert (frame != third.frame(phone, 1, 0)).any(), "another seed holds it otherwise"
    assert (frame != one.frame(phone, 1, 1)).any(), "a hand trembles"
    assert (frame != one.frame(phone, 2, 0)).any(), "nobody holds a phone the same way twice"
    assert frame.shape == (720, 1280, 3)


def test_what_is_shown_is_in_the_next_frame_and_gone_when_taken_away(
    camera: CameraSimulator, phone: Image
) -> None:
    empty = camera.jpeg(0)
    camera.show(phone)
    held = camera.jpeg(0)
    camera.show(None)
    picture = cv2.imdecode(numpy.frombuffer(held, numpy.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert picture.max() > 230, "a white screen"
    assert camera.jpeg(0) == empty


def test_a_picture_is_held_up_over_http(camera: CameraSimulator, phone: Image) -> None:
    assert ask(camera, "POST", "/show", cv2.imencode(".png", phone)[1].tobytes())[0] == 204
    status, frame = ask(camera, "GET", "/frame.jpg")
    assert (status, frame) == (200, camera.jpeg(0))
    assert ask(camera, "DELETE", "/show")[0] == 204
    assert ask(camera, "GET", "/frame.jpg")[1] != frame


def test_what_is_no_picture_is_refused(camera: CameraSimulator) -> None:
    before = camera.jpeg(0)
    assert ask(camera, "POST", "/show", b"no picture")[0] == 422
    assert ask(camera, "POST", "/show", b"")[0] == 422
    assert ask(camera, "POST", "/nowhere")[0] == 404
    assert ask(camera, "GET", "/nowhere")[0] == 404
    assert camera.jpeg(0) == before


def test_a_picture_that_is_too_large_is_not_even_read(camera: CameraSimulator) -> None:
    address = urlsplit(camera.url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=LONG_S)
    connection.putrequest("POST", "/show")
    connection.putheader("content-length", str(1 << 40))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_the_stream_is_parts_with_their_length(camera: CameraSimulator) -> None:
    address = urlsplit(camera.url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=LONG_S)
    connection.request("GET", "/stream")
    response = connection.getresponse()
    assert response.headers["content-type"] == f"multipart/x-mixed-replace; boundary={BOUNDARY}"
    for _ in range(3):
        assert response.readline() == f"--{BOUNDARY}\r\n".encode()
        assert response.readline() == b"Content-Type: image/jpeg\r\n"
        name, length = response.readline().split(b": ")
        assert (name, response.readline()) == (b"Content-Length", b"\r\n")
        body = response.read(int(length))
        assert body.startswith(b"\xff\xd8")
        assert body.endswith(b"\xff\xd9")
        assert response.readline() == b"\r\n"
    assert camera.viewers == 1
    response.close()
    connection.close()
    assert camera.wait_for(lambda: camera.viewers == 0, LONG_S)


def test_a_viewer_who_leaves_a_stalled_stream_is_noticed(camera: CameraSimulator) -> None:
    address = urlsplit(camera.url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=LONG_S)
    camera.stall()
    connection.request("GET", "/stream")
    response = connection.getresponse()
    assert camera.wait_for(lambda: camera.viewers == 1, LONG_S)
    response.close()
    connection.close()
    assert camera.wait_for(lambda: camera.viewers == 0, LONG_S)


def test_faults_are_switched_over_http(camera: CameraSimulator) -> None:
    for fault in Fault:
        assert ask(camera, "POST", f"/fault/{fault}")[0] == 204
        assert camera.fault is fault
    assert ask(camera, "POST", "/fault/none")[0] == 204
    assert camera.fault is None
    assert ask(camera, "POST", "/fault/unheard-of")[0] == 404


def test_only_this_machine_can_look(camera: CameraSimulator) -> None:
    assert urlsplit(camera.url).hostname == "127.0.0.1"


def test_closing_ends_the_streams_and_frees_the_port(camera: CameraSimulator) -> None:
    address = urlsplit(camera.url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=LONG_S)
    connection.request("GET", "/stream")
    response = connection.getresponse()
    camera.close()
    while response.read1(1 << 16):
        pass
    connection.close()
    camera.close()
    CameraSimulator(port=address.port or 0).close()
