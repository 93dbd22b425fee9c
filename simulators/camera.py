"""A camera on loopback: frames of whatever is held before its lens, as MJPEG.

The picture is what a till's camera sees: a phone's screen, in a hand that
turns, tilts and trembles, under light that glares, through a lens that blurs
and a sensor that is noisy. One seed gives the same frames again. The stream
is multipart/x-mixed-replace over HTTP, which cv2.VideoCapture opens like any
network camera.
"""

from __future__ import annotations

import contextlib
import enum
import select
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import cv2
import numpy

if TYPE_CHECKING:
    from drivers.protocols import Image

BOUNDARY = "opentill-frame"
SHOWN_BYTES_MAX = 8 << 20
"""Largest picture that POST /show takes."""
LOOP_FRAMES = 8
"""A held picture trembles through this many different frames, over and over."""


@dataclass(frozen=True, slots=True)
class Scene:
    """How things are held before the lens, and what lens, light and sensor do.

    Angles are in degrees; each show turns by a seeded amount up to them.
    """

    width: int = 1280
    height: int = 720
    fill: float = 0.9
    """Share of the frame that the screen takes, in the direction it fills first."""
    turn_deg: float = 6.0
    """In the plane of the picture."""
    tilt_deg: float = 12.0
    """Out of it: this is what makes the perspective."""
    shake_px: float = 3.0
    """Hand tremor between frames."""
    defocus_px: float = 0.6
    """Sigma of the blur."""
    motion_px: int = 0
    """Length of a horizontal smear."""
    glare: float = 0.15
    """Strength of a light's reflection: 0 none, 1 a white hole."""
    noise: float = 3.0
    """Sigma in grey levels."""
    gain: float = 1.0
    """Exposure: below 1 darker, above 1 burnt out."""
    jpeg_quality: int = 85


SCENES = {
    "clear": Scene(turn_deg=2, tilt_deg=4, shake_px=1, defocus_px=0, glare=0, noise=1),
    "counter": Scene(),
    "dim": Scene(gain=0.25, noise=6, defocus_px=0.8),
    "glare": Scene(glare=0.8, tilt_deg=20),
    "shaky": Scene(shake_px=14, motion_px=4, turn_deg=25),
    "far": Scene(fill=0.5, defocus_px=0.8, noise=4),
}
"""Named scenes; 'counter' is the everyday one."""


class Fault(enum.StrEnum):
    """What can be wrong with the wire."""

    STALL = "stall"
    """Connections stay open and nothing comes."""
    CLOSE = "close"
    """Connections end, and new ones are dropped."""
    GARBAGE = "garbage"
    """Parts arrive, and what is in them is no picture."""


class Lens:
    """Turns a held picture into frames. Pure: the same seed gives the same frames."""

    def __init__(self, seed: int, scene: Scene) -> None:
        self._seed = seed
        self._scene = scene
        # One field of noise, rolled for each frame: drawing a new one each
        # time would cost more than everything else together.
        shape = (scene.height, scene.width)
        drawn = numpy.random.default_rng(seed).normal(0, scene.noise, shape)
        self._noise = drawn.astype(numpy.float32)
        self._counter = _counter_top(scene)

    def frame(self, held: Image | None, show: int, index: int) -> Image:
        """Return one frame, height × width × 3.

        held: the picture before the lens, None for an empty counter.
        show: counts what has been held so far; the way it is held follows
        from it. index: which frame of this show; the tremor follows from it.
        """
        scene = self._scene
        hold = numpy.random.default_rng((self._seed, show))
        tremor = numpy.random.default_rng((self._seed, show, index))
        picture: numpy.ndarray = self._counter
        if held is not None:
            picture = picture.copy()
            place = self._placement(held.shape[1], held.shape[0], hold, tremor)
            colour = cv2.cvtColor(held, cv2.COLOR_GRAY2BGR) if held.ndim == 2 else held
            cv2.warpPerspective(
                colour,
                place,
                (scene.width, scene.height),
                dst=picture,
                flags=cv2.INTER_AREA,
                borderMode=cv2.BORDER_TRANSPARENT,
            )
        if scene.motion_px > 1:
            picture = cv2.blur(picture, (scene.motion_px, 1))
        if scene.defocus_px > 0:
            picture = cv2.GaussianBlur(picture, (0, 0), scene.defocus_px)
        light = numpy.roll(self._noise, tuple(tremor.integers(0, 64, 2)), (0, 1))
        if scene.glare > 0:
            light = light + self._glare(hold)
        exposed = cv2.addWeighted(
            picture.astype(numpy.float32), scene.gain, cv2.merge([light] * 3), 1, 0
        )
        return numpy.clip(exposed, 0, 255).astype(numpy.uint8)

    def _placement(
        self, width: int, height: int, hold: numpy.random.Generator, tremor: numpy.random.Generator
    ) -> numpy.ndarray:
        """Return the homography from the held picture to the frame."""
        scene = self._scene
        scale = scene.fill * min(scene.width / width, scene.height / height)
        turn, tilt, yaw = numpy.radians(
            hold.uniform(-1, 1, 3) * (scene.turn_deg, scene.tilt_deg, scene.tilt_deg)
        )
        turn += tremor.normal(0, 0.002 * scene.shake_px)
        spin = numpy.array(
            [[numpy.cos(turn), -numpy.sin(turn)], [numpy.sin(turn), numpy.cos(turn)]]
        )
        corners = numpy.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (width / 2, height / 2)
        flat = corners * scale @ spin.T
        # Seen from about one and a half frame widths away.
        eye = 1.5 * scene.width
        depth = flat[:, 0] * numpy.sin(yaw) + flat[:, 1] * numpy.sin(tilt)
        seen = flat * (numpy.cos(yaw), numpy.cos(tilt)) * (eye / (eye + depth))[:, None]
        seen += numpy.array([scene.width / 2, scene.height / 2])
        seen += tremor.normal(0, scene.shake_px, 2)
        return cv2.getPerspectiveTransform(
            numpy.add(corners, (width / 2, height / 2)).astype(numpy.float32),
            seen.astype(numpy.float32),
        )

    def _glare(self, hold: numpy.random.Generator) -> numpy.ndarray:
        """Return the light of one reflection, in grey levels."""
        scene = self._scene
        x, y = hold.uniform(0.25, 0.75, 2) * (scene.width, scene.height)
        radius = 0.12 * scene.height
        across = numpy.exp(-((numpy.arange(scene.width) - x) ** 2) / (2 * radius**2))
        down = numpy.exp(-((numpy.arange(scene.height) - y) ** 2) / (2 * radius**2))
        light: numpy.ndarray = (255 * scene.glare * numpy.outer(down, across)).astype(numpy.float32)
        return light


def _counter_top(scene: Scene) -> Image:
    """Return the background: a grey counter, lighter at the far end."""
    column = numpy.linspace(120, 80, scene.height).astype(numpy.uint8)
    return numpy.repeat(column, scene.width * 3).reshape(scene.height, scene.width, 3)


class CameraSimulator:
    """A network camera on 127.0.0.1, and the hand that holds things before it."""

    def __init__(
        self,
        seed: int = 0,
        *,
        scene: Scene | None = None,
        frames_per_s: float = 15.0,
        port: int = 0,
    ) -> None:
        """port: 0 takes any free one. Starts to serve at once.

        Raises OSError if the port is taken.
        """
        self._scene = scene or SCENES["counter"]
        self._lens = Lens(seed, self._scene)
        self._interval_s = 1 / frames_per_s
        self._changed = threading.Condition()
        self._held: Image | None = None
        self._shows = 0
        self._loop: dict[int, bytes] = {}
        self._fault: Fault | None = None
        self._closed = False
        self._sent = 0
        self._connections: set[socket.socket] = set()
        self._server = _Server(("127.0.0.1", port), self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="camera-simulator", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """What cv2.VideoCapture opens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/stream"

    def show(self, image: Image | None) -> None:
        """Hold a picture before the lens; None takes it away.

        image: the phone's screen, as it would be photographed from the front.
        """
        with self._changed:
            self._held = None if image is None else image.copy()
            self._shows += 1
            self._loop = {}

    def stall(self) -> None:
        """Keep connections open and send nothing more."""
        self._set_fault(Fault.STALL)

    def drop(self) -> None:
        """End every connection, and drop new ones until resume()."""
        self._set_fault(Fault.CLOSE)

    def garbage(self) -> None:
        """Send parts that are no pictures."""
        self._set_fault(Fault.GARBAGE)

    def resume(self) -> None:
        """Mend the wire."""
        self._set_fault(None)

    @property
    def fault(self) -> Fault | None:
        """What is wrong with the wire now, if anything."""
        return self._fault

    @property
    def viewers(self) -> int:
        """How many streams are open: 0 when no till is looking."""
        return len(self._connections)

    @property
    def frames_sent(self) -> int:
        """How many frames have left, in all streams together."""
        return self._sent

    def wait_for(self, claim: Callable[[], bool], timeout_s: float) -> bool:
        """True once the claim about this camera holds, False when the time is up.

        claim: looks at viewers, frames_sent or fault, and nothing slow.
        """
        with self._changed:
            return self._changed.wait_for(claim, timeout_s)

    def close(self) -> None:
        """End every stream and stop serving. Safe to call twice."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
        self._hang_up()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def jpeg(self, index: int) -> bytes:
        """Return frame number index of what is held now, as JPEG."""
        with self._changed:
            place = index % LOOP_FRAMES if self._held is not None else 0
            cached = self._loop.get(place)
            held, loop = self._held, self._loop
            # The counter looks the same whenever it is empty.
            shows = self._shows if held is not None else 0
        if cached is not None:
            return cached
        frame = self._lens.frame(held, shows, place)
        quality = [cv2.IMWRITE_JPEG_QUALITY, self._scene.jpeg_quality]
        encoded = cv2.imencode(".jpg", frame, quality)[1].tobytes()
        # A show that came meanwhile has a dictionary of its own.
        loop[place] = encoded
        return encoded

    def stream(self, connection: socket.socket, send: Callable[[bytes], object]) -> None:
        """Send frames at the camera's pace until the far end or we hang up."""
        with self._changed:
            self._connections.add(connection)
            self._changed.notify_all()
        try:
            index = 0
            while not self._closed and self._fault is not Fault.CLOSE:
                if self._fault is not Fault.STALL:
                    garbage = self._fault is Fault.GARBAGE
                    body = b"\x00no picture\xff" * 64 if garbage else self.jpeg(index)
                    send(_part(body))
                    index += 1
                    self._count()
                elif _has_hung_up(connection):
                    break
                self._pause()
        finally:
            with self._changed:
                self._connections.discard(connection)
                self._changed.notify_all()

    def _count(self) -> None:
        with self._changed:
            self._sent += 1
            self._changed.notify_all()

    def _pause(self) -> None:
        """Wait for the next frame's time; a fault or the end comes sooner."""
        with self._changed:
            fault = self._fault
            self._changed.wait_for(
                lambda: self._closed or self._fault is not fault, self._interval_s
            )

    def _set_fault(self, fault: Fault | None) -> None:
        with self._changed:
            self._fault = fault
            self._changed.notify_all()
        if fault is Fault.CLOSE:
            self._hang_up()

    def _hang_up(self) -> None:
        with self._changed:
            connections = list(self._connections)
        for connection in connections:
            # The far end may have hung up first.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def _has_hung_up(connection: socket.socket) -> bool:
    """Say whether the viewer is gone; a stalled stream would not notice by sending."""
    if not select.select([connection], [], [], 0)[0]:
        return False
    return not connection.recv(1, socket.MSG_PEEK)


def _part(body: bytes) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body + b"\r\n"


class _Server(ThreadingHTTPServer):
    """Carries the camera to its handlers."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], camera: CameraSimulator) -> None:
        self.camera = camera
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    """GET /stream, GET /frame.jpg, POST /show, DELETE /show, POST /fault/VERB."""

    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Stream, or give one frame."""
        if self.path == "/stream":
            self._stream()
        elif self.path == "/frame.jpg":
            self._answer(200, self.server.camera.jpeg(0), "image/jpeg")
        else:
            self._answer(404, b"there is /stream and /frame.jpg\n")

    def do_POST(self) -> None:
        """Hold up the picture in the body, or break the wire."""
        camera = self.server.camera
        if self.path == "/show":
            self._show()
        elif self.path == "/fault/none":
            camera.resume()
            self._answer(204)
        elif self.path.removeprefix("/fault/") in set(Fault):
            camera._set_fault(Fault(self.path.removeprefix("/fault/")))
            self._answer(204)
        else:
            self._answer(404, f"there is /show and /fault/none|{'|'.join(Fault)}\n".encode())

    def do_DELETE(self) -> None:
        """Take away what is shown."""
        if self.path != "/show":
            self._answer(404, b"there is /show\n")
            return
        self.server.camera.show(None)
        self._answer(204)

    def _show(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > SHOWN_BYTES_MAX:
            self.close_connection = True
            self._answer(413, b"send a picture with its Content-Length, at most 8 MiB\n")
            return
        body = numpy.frombuffer(self.rfile.read(int(length)), numpy.uint8)
        image = cv2.imdecode(body, cv2.IMREAD_COLOR) if body.size else None
        if image is None:
            self._answer(422, b"the body is not a picture that can be read\n")
            return
        self.server.camera.show(image)  # type: ignore[arg-type]
        self._answer(204)

    def _stream(self) -> None:
        camera = self.server.camera
        self.close_connection = True
        if camera.fault is Fault.CLOSE:
            return
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        # The viewer hangs up whenever it has seen enough.
        with contextlib.suppress(ConnectionError):
            camera.stream(self.connection, self.wfile.write)

    def _answer(self, status: int, body: bytes = b"", kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a till polls this all day."""
