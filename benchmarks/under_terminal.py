"""A program on a terminal of its own, whose screen can be read and keys pressed."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence

ROWS, COLUMNS = 24, 80

Cell = tuple[str, str]
"""Character and style, the style as the program wrote it."""
Cells = tuple[tuple[Cell, ...], ...]
BLANK: Cell = (" ", "")
_PIECE = re.compile(
    r"\x1b\[(?P<numbers>[0-9;]*)(?P<verb>[Hm])|\x1b\[[<=>?]?[0-9;]*[ $]?[@-~]"
    r"|\x1b\].*?(?:\x07|\x1b\\)|(?P<text>[^\x00-\x1f]+)|(?P<control>[\r\n])",
    re.DOTALL,
)
_TAKES_SCREEN = b"\x1b[?1049h"
_CAN_FRAMES_BE_WHOLE = b"\x1b[?2026$p"
_FRAMES_CAN_BE_WHOLE = b"\x1b[?2026;2$y"
_FRAME_ENDS = b"\x1b[?2026l"


class UnderTerminal:
    """A running program; leave its `with` block, and it has ended."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """environment: added to this process's own.

        Python is left to its own settings, so that it keeps what it has compiled.
        """
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("PYTHON")
        }
        self._heard = b""
        """Since the last whole frame."""
        self.screen = Screen()
        """Its last whole frame."""
        self._has_screen = False
        self._is_over = False
        self._changed = threading.Condition()
        self._terminal, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        # What is typed shows when the program shows it, not before.
        modes = termios.tcgetattr(inside)
        modes[3] &= ~termios.ECHO
        termios.tcsetattr(inside, termios.TCSANOW, modes)
        self.began = time.perf_counter()
        """By time.perf_counter()."""
        self._process = subprocess.Popen(
            command,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            env={**inherited, "TERM": "xterm-256color", "LANG": "C.UTF-8", **environment},
            start_new_session=True,
        )
        os.close(inside)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> UnderTerminal:
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.terminate()
        self._process.wait()
        # Those it started are not to run on into the next one's time.
        while _is_there(self._process.pid):
            time.sleep(0.01)
        self._listener.join()
        os.close(self._terminal)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._terminal, keys.encode())

    def wait_for_screen(self, timeout_s: float) -> None:
        """Return once the program has taken the whole screen, and reads keys.

        Raises TimeoutError, and ChildProcessError if the program ends instead.
        """
        if not self._wait_for(lambda: self._has_screen, timeout_s):
            raise TimeoutError(f"{self._process.args!r} has taken no screen")

    def wait_for(self, claim: Callable[[Screen], bool], timeout_s: float) -> bool:
        """True once the claim about the screen holds, False when the time is up.

        The claim sees whole frames only.
        Raises ChildProcessError if the program ends instead.
        """
        return self._wait_for(lambda: claim(self.screen), timeout_s)

    def cpu_s(self) -> float:
        """Return the CPU time of the program, without those it started, in seconds.

        Source: Linux, the clock of another process as clock_getcpuclockid(3) names it.
        """
        return time.clock_gettime(~self._process.pid << 3 | 2)

    def _wait_for(self, claim: Callable[[], bool], timeout_s: float) -> bool:
        with self._changed:
            is_so = self._changed.wait_for(lambda: self._is_over or claim(), timeout_s)
            if self._is_over:
                raise ChildProcessError(f"{self._process.args!r} ended: {self._heard.decode()}")
            return is_so

    def _listen(self) -> None:
        while not self._is_over:
            try:
                heard = os.read(self._terminal, 1 << 16)
            except OSError:
                # So Linux says that nobody holds the other end.
                heard = b""
            if _CAN_FRAMES_BE_WHOLE in heard:
                os.write(self._terminal, _FRAMES_CAN_BE_WHOLE)
            with self._changed:
                self._has_screen |= _TAKES_SCREEN in heard
                self._is_over = not heard
                frames, ending, rest = (self._heard + heard).rpartition(_FRAME_ENDS)
                if ending:
                    self.screen.draw(frames.decode())
                self._heard = rest
                self._changed.notify_all()


def _is_there(group: int) -> bool:
    """Say whether any process of a group lives."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


class Screen:
    """As much of a terminal as Textual asks for: cells, a cursor, a style."""

    def __init__(self) -> None:
        self._cells: list[list[Cell]] = [[BLANK] * COLUMNS for _ in range(ROWS)]
        self._row = self._column = 0
        self._style = ""

    def cells(self, rows: range) -> Cells:
        """Return what stands in these rows, the first being 0."""
        return tuple(tuple(self._cells[row]) for row in rows)

    def text(self) -> str:
        """Return what can be read on it."""
        return "\n".join("".join(sign for sign, _ in row).rstrip() for row in self._cells)

    def draw(self, frame: str) -> None:
        """Take what a program has written."""
        for piece in _PIECE.finditer(frame):
            if piece["text"]:
                for sign in piece["text"]:
                    if self._row < ROWS and self._column < COLUMNS:
                        self._cells[self._row][self._column] = (sign, self._style)
                    self._column += 1
            elif piece["verb"] == "m":
                numbers = piece["numbers"]
                self._style = "" if numbers in ("", "0") else f"{self._style};{numbers}"
            elif piece["verb"] == "H":
                row, _, column = piece["numbers"].partition(";")
                self._row, self._column = int(row or 1) - 1, int(column or 1) - 1
            elif piece["control"] == "\r":
                self._column = 0
            elif piece["control"] == "\n":
                self._row += 1
