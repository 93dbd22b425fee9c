"""A camera as a scanner: any source that cv2.VideoCapture opens.

A thread of its own grabs frames and keeps only the newest, because capture
queues otherwise fall seconds behind. Frames are decoded by whoever waits for
symbols. The camera is open only between start() and stop().
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from drivers.errors import DeviceLost
from drivers.protocols import Diagnosis, Health, Sight, Symbol

if TYPE_CHECKING:
    import cv2

    from drivers.protocols import Image, SymbolReader

_MANUAL_EXPOSURE, _APERTURE_PRIORITY = 1, 3
"""Values of V4L2_CID_EXPOSURE_AUTO, which OpenCV hands through as they are."""

RETRY_MIN_S = 0.1
RETRY_MAX_S = 5.0


class CameraScanner:
    """Satisfies drivers.protocols.Camera over a camera, a file or a stream."""

    def __init__(
        self,
        source: int | str,
        *,
        width: int = 1280,
        height: int = 720,
        frames_per_s: int = 15,
        exposure: int | None = None,
        open_timeout_s: float = 2.0,
        read_timeout_s: float = 1.0,
    ) -> None:
        """source: a device number, a device path, a file, or a URL.

        width, height, frames_per_s: what a device is asked for; bar codes
        need 1280 × 720 or more. exposure: in 0.1 ms, for a camera whose own
        choice burns out bright screens; None leaves it to the camera. The two
        timeouts: silence after which a source counts as lost and is opened
        again, in seconds.
        Opens nothing yet; OpenCV too is loaded with the first start().
        """
        self._source = source
        self._label = _label(source)
        self._is_file = isinstance(source, str) and Path(source).is_file()
        self._asked = (width, height, frames_per_s)
        self._exposure = exposure
        self._open_timeout_s = open_timeout_s
        self._read_timeout_s = read_timeout_s
        self._changed = threading.Condition()
        self._wanted = False
        self._closed = False
        self._session = 0
        """Counts stops; a frame of an earlier session is never delivered."""
        self._frame: Image | None = None
        self._size = ""
        self._alive_at = 0.0
        """Monotonic time of the last frame, or of the attempt to get one."""
        self._fault = ""
        """Why the last opening or reading failed; empty while all is well."""
        self._worked = False
        """It has given a picture once."""
        self._flowing = False
        """It has given a picture since the last start()."""
        self._reader: SymbolReader | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look. Returns at once; safe to call twice."""
        with self._changed:
            if self._wanted or self._closed:
                return
            self._wanted = True
            self._fault = ""
            self._flowing = False
            self._alive_at = time.monotonic()
            if self._thread is None:
                self._thread = threading.Thread(target=self._grab, name="camera", daemon=True)
                self._thread.start()
                # A thread inside OpenCV while Python goes down aborts the process.
                atexit.register(self.close)
            self._changed.notify_all()

    def stop(self) -> None:
        """Close the camera, and forget what was seen. Safe to call twice."""
        with self._changed:
            self._wanted = False
            self._session += 1
            self._frame = None
            self._reader = None
            self._changed.notify_all()

    def close(self) -> None:
        """Let the camera go for good. Safe to call twice."""
        self.stop()
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            thread, self._thread = self._thread, None
        if thread is not None:
            atexit.unregister(self.close)
            # A device may hold its reading thread for longer than we care to wait.
            thread.join(self._open_timeout_s + self._read_timeout_s)

    def wait_for_symbols(self, timeout_s: float) -> Sequence[Symbol]:
        """Return the codes of the next frame that has any, or nothing in time.

        One thread at a time. Returns nothing, at once, when stop() is called.
        Raises DeviceLost if the time is up and the camera gives no frames; it
        is being reopened all the while.
        """
        deadline = time.monotonic() + timeout_s
        with self._changed:
            session = self._session
        while True:
            sight = self._look(session, max(0.0, deadline - time.monotonic()))
            if sight is None or sight.symbols or time.monotonic() >= deadline:
                return sight.symbols if sight else ()

    def look(self, timeout_s: float) -> Sight | None:
        """Return the next frame and what was read in it; None if none comes in time.

        As wait_for_symbols(), for those who show the picture too.
        Raises DeviceLost if the camera gives no frames.
        """
        with self._changed:
            session = self._session
        return self._look(session, timeout_s)

    def _look(self, session: int, timeout_s: float) -> Sight | None:
        with self._changed:
            self._changed.wait_for(
                lambda: self._frame is not None or self._ended(session), timeout_s
            )
            if self._ended(session):
                return None
            frame, self._frame = self._frame, None
            reader = self._reader
            self._changed.notify_all()
        if frame is None:
            self._complain()
            return None
        if reader is None:
            reader = self._new_reader(session)
        began = time.monotonic()
        symbols = reader.read(frame)
        sight = Sight(frame, symbols, 1e3 * (time.monotonic() - began))
        with self._changed:
            return None if self._ended(session) else sight

    def diagnose(self) -> Diagnosis:
        """Say how the camera is, without opening it."""
        with self._changed:
            trouble = self._trouble()
            if self._closed:
                return Diagnosis(Health.ABSENT, f"{self._label}: closed")
            if trouble:
                return Diagnosis(
                    Health.FAULTY if self._worked else Health.ABSENT,
                    f"{self._label}: {trouble}",
                    "check that it is plugged in and that no other program uses it"
                    if isinstance(self._source, int) or self._source.startswith("/dev/")
                    else "check the address, and that what serves it is running",
                )
            if not (self._flowing if self._wanted else self._worked):
                return Diagnosis(Health.STARTING, f"{self._label}: no picture yet")
            state = "on" if self._wanted else "off until a sale opens"
            return Diagnosis(Health.READY, f"{self._label}: {self._size}, {state}")

    def _ended(self, session: int) -> bool:
        return self._closed or self._session != session

    def _trouble(self) -> str:
        """Return what is wrong now; a source may be silent inside its own read."""
        silent_s = time.monotonic() - self._alive_at
        limit_s = self._read_timeout_s + (0 if self._flowing else self._open_timeout_s)
        if not self._fault and self._wanted and not self._is_file and silent_s > limit_s:
            return f"no picture for {silent_s:.0f} s"
        return self._fault

    def _complain(self) -> None:
        with self._changed:
            trouble = self._trouble()
        if trouble:
            raise DeviceLost(f"{self._label}: {trouble}")

    def _new_reader(self, session: int) -> SymbolReader:
        from drivers.symbols import ZXingSymbolReader  # loads OpenCV, so not before it is needed

        reader = ZXingSymbolReader()
        with self._changed:
            if not self._ended(session):
                self._reader = reader
        return reader

    # ---- the grabbing thread ------------------------------------------------

    def _grab(self) -> None:
        """Open, read, and open again, whenever frames are wanted."""
        delay_s = RETRY_MIN_S
        while self._await_start():
            seen = False
            with closing(self._frames()) as frames:
                for session, frame in frames:
                    seen = True
                    if not self._publish(session, frame):
                        break
            delay_s = RETRY_MIN_S if seen else min(2 * delay_s, RETRY_MAX_S)
            if not (seen and self._is_file):  # a file that ended starts again
                with self._changed:
                    self._changed.wait_for(lambda: self._closed or not self._wanted, delay_s)

    def _await_start(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._wanted or self._closed)
            return not self._closed

    def _frames(self) -> Generator[tuple[int, Image], None, None]:
        """Yield frames, each with the session it was asked for in, until one fails."""
        # FFmpeg inside OpenCV writes its complaints over the till's screen; this
        # is its own switch, read once, and -8 is its AV_LOG_QUIET.
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
        # A device that is silent holds its reader for ten seconds otherwise.
        silence_s = max(1, round(self._read_timeout_s))
        os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(silence_s))
        try:
            import cv2
        except ImportError as error:
            self._fail(f"OpenCV cannot be loaded: {error}")
            return
        capture = self._open()
        try:
            if not capture.isOpened():
                self._fail("cannot be opened")
                return
            while True:
                with self._changed:
                    session = self._session
                try:
                    # isOpened() stays true after a stream has ended: only read() tells.
                    good, frame = capture.read()
                except cv2.error as error:
                    self._fail(f"a frame cannot be read: {error.err}")
                    return
                if not good:
                    self._fail("no more pictures come")
                    return
                yield session, frame  # type: ignore[misc]  # cv2's own type is wider
        finally:
            capture.release()

    def _open(self) -> cv2.VideoCapture:
        import cv2

        # OpenCV writes what it dislikes over the till's screen.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        source = self._source
        if isinstance(source, int) or source.startswith("/dev/"):
            capture = cv2.VideoCapture(source)
            # What a camera cannot do it declines, and goes on as it is.
            for wish, value in self._wishes():
                capture.set(wish, value)
            return capture
        if self._is_file:
            return cv2.VideoCapture(source)
        return cv2.VideoCapture(
            source,
            cv2.CAP_FFMPEG,
            [
                cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
                int(1000 * self._open_timeout_s),
                cv2.CAP_PROP_READ_TIMEOUT_MSEC,
                int(1000 * self._read_timeout_s),
            ],
        )

    def _wishes(self) -> list[tuple[int, float]]:
        """Return what a device is asked for: cv2's properties in the order to set them."""
        import cv2

        width, height, frames_per_s = self._asked
        # Compressed, since raw 1280 × 720 does not fit through USB 2 at this
        # pace, and one frame deep, since an old frame is worth nothing.
        wishes: list[tuple[int, float]] = [
            (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),
            (cv2.CAP_PROP_FRAME_WIDTH, width),
            (cv2.CAP_PROP_FRAME_HEIGHT, height),
            (cv2.CAP_PROP_FPS, frames_per_s),
            (cv2.CAP_PROP_BUFFERSIZE, 1),
            (cv2.CAP_PROP_AUTOFOCUS, 1),
            # A phone's screen is bright: bars that are burnt out cannot be mended.
            (cv2.CAP_PROP_BACKLIGHT, 0),
            # Some cameras take manual exposure only after automatic was set.
            (cv2.CAP_PROP_AUTO_EXPOSURE, _APERTURE_PRIORITY),
        ]
        if self._exposure is not None:
            wishes += [
                (cv2.CAP_PROP_AUTO_EXPOSURE, _MANUAL_EXPOSURE),
                (cv2.CAP_PROP_EXPOSURE, self._exposure),
            ]
        return wishes

    def _publish(self, session: int, frame: Image) -> bool:
        """Make a frame the newest. False when frames are no longer wanted."""
        with self._changed:
            self._fault = ""
            self._worked = self._flowing = True
            self._alive_at = time.monotonic()
            self._size = f"{frame.shape[1]}×{frame.shape[0]}"
            if session == self._session:
                self._frame = frame
                self._changed.notify_all()
                if self._is_file:
                    # A file is not paced: without this, most of it goes unseen.
                    self._changed.wait_for(lambda: self._frame is None or self._ended(session))
            return self._wanted and not self._closed

    def _fail(self, why: str) -> None:
        with self._changed:
            self._fault = why
            self._changed.notify_all()


def _label(source: int | str) -> str:
    """Return what people call the source; an address without its password."""
    if isinstance(source, int):
        return f"camera {source}"
    address = urlsplit(source)
    if address.scheme and address.hostname:
        return f"camera at {address.scheme}://{address.hostname}:{address.port or ''}".rstrip(":")
    return f"camera {source}"
