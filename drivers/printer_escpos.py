"""A receipt printer that speaks ESC/POS, on a serial line, the network or USB."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from drivers import escpos_commands as commands
from drivers.errors import (
    DeviceGarbled,
    DeviceNotReady,
    DeviceTimeout,
    DriverError,
    OptionRefused,
)
from drivers.printer_links import open_link
from drivers.protocols import Diagnosis, Health, PrinterStatus

CHINESE: Final = ("gb18030", "raster")
CODES: Final = ("native", "raster")
COLUMNS_DEFAULT: Final = 32
QR_MODULE_DOTS: Final = 6
STATUS_S: Final = 0.5
"""Silence after which a printer counts as off, in seconds."""
CHUNK: Final = 1024


class EscposPrinter:
    """Satisfies drivers.protocols.ReceiptPrinter. Safe to use from several threads."""

    def __init__(
        self,
        address: str,
        *,
        model: str = "",
        columns: int | None = None,
        width_dots: int | None = None,
        chinese: str = "gb18030",
        codes: str | None = None,
        has_cutter: bool | None = None,
        has_status: bool = True,
        drawer_pin: int = 2,
        write_timeout_s: float = 5.0,
        print_timeout_s: float = 15.0,
        **serial_options: Any,
    ) -> None:
        """address: a serial line's path, '/dev/usb/lp0', or 'tcp:HOST[:9100]'.

        model: a name that python-escpos knows, instead of the next ones.
        columns: cells a line, 32 on 58 mm paper and 48 on 80 mm.
        width_dots: 12 a cell if absent. chinese: 'gb18030' where the printer
        has the characters, 'raster' to send every line as a picture.
        codes: 'native' where the printer draws QR codes, or 'raster'.
        has_cutter: False for a tear-off edge. has_status: False for a printer
        or a cable that never answers. drawer_pin: 2 or 5.
        write_timeout_s: how long it may refuse bytes. print_timeout_s: how
        long a whole receipt may take. serial_options: baud, parity, data_bits,
        stop_bits, flow. Opens nothing yet.
        Raises OptionRefused, naming the option, or DeviceUnavailable.
        """
        if chinese not in CHINESE:
            raise OptionRefused(f"chinese {chinese!r}: one of {', '.join(CHINESE)}")
        if codes not in (None, *CODES):
            raise OptionRefused(f"codes {codes!r}: one of {', '.join(CODES)}")
        if drawer_pin not in (2, 5):
            raise OptionRefused(f"drawer_pin {drawer_pin!r}: 2 or 5")
        has_qr, has_drawer = True, True
        if model:
            from drivers.printer_models import find_model

            known = find_model(model)
            columns = columns or known.columns
            width_dots = width_dots or known.width_dots
            has_qr, has_drawer = known.has_qr, known.has_drawer
            has_cutter = known.has_cutter if has_cutter is None else has_cutter
            if "raster" in (chinese, codes) and not known.has_raster:
                raise OptionRefused(f"model {model!r} prints no pictures: not chinese = 'raster'")
        self._columns = columns or COLUMNS_DEFAULT
        self._width_dots = width_dots or 12 * self._columns
        if not 24 <= self._columns <= 80 or not 192 <= self._width_dots <= 1024:
            raise OptionRefused("columns 24 to 80, width_dots 192 to 1024")
        self._is_raster = chinese == "raster"
        self._is_native_qr = has_qr if codes is None else codes == "native"
        self._has_drawer = has_drawer
        self._has_cutter = has_cutter is not False
        self._has_status = has_status
        self._drawer_pin = drawer_pin
        self._print_timeout_s = print_timeout_s
        if self._is_raster:
            from drivers.printer_raster import check_fonts

            check_fonts()
        self._link = open_link(address, write_timeout_s=write_timeout_s, **serial_options)
        self._lock = threading.RLock()
        self._trouble = ""
        self._has_leftovers = False
        """A job was broken off: the printer may hold some of it."""
        self._reports = 0
        """Answers to REPORT_PAPER that came."""

    @property
    def columns(self) -> int:
        """How many cells a line has."""
        return self._columns

    def print_lines(
        self, lines: Sequence[str], *, code: str = "", on_begin: Callable[[], None] | None = None
    ) -> None:
        """Print the lines, a QR code below them if there is one, and cut.

        on_begin: called just before the first byte leaves; if it is never
        called, nothing of this receipt is on paper.
        Returns once the paper is out, as far as the printer tells.
        Raises DeviceNotReady if a person must see to it, DeviceLost or
        DeviceTimeout; then the paper may be half printed, and what was not
        printed is never printed later. Raises ValueError if the code is too
        long for the paper.
        """
        job = self._job(lines, code)
        with self._lock:
            self._run(job, self._print_timeout_s, on_begin)

    def open_drawer(self) -> None:
        """Open the cash drawer at the printer. Raises as print_lines does."""
        if not self._has_drawer:
            raise DeviceNotReady(f"{self._link.path}: this model has no socket for a drawer")
        with self._lock:
            self._run(commands.kick_drawer(self._drawer_pin), self._print_timeout_s)

    def status(self) -> PrinterStatus | None:
        """Return what the printer says of itself; None if it never says anything.

        Raises DeviceLost or DeviceTimeout.
        """
        if not self._has_status:
            return None
        with self._lock:
            try:
                status = self._ask()
            except DriverError as error:
                self._trouble = str(error)
                raise
            self._trouble = ""
            return status

    def diagnose(self) -> Diagnosis:
        """Say how the printer is; one that answers is asked, which disturbs nothing.

        While it prints, it is not waited for.
        """
        name = f"printer at {self._link.path}"
        if not self._lock.acquire(blocking=False):
            return Diagnosis(Health.READY, f"{name}: printing")
        try:
            status = self.status()
        except DriverError as error:
            why = str(error).removeprefix(f"{self._link.path}: ")
            return Diagnosis(Health.ABSENT, f"{name}: {why}", "check plug, switch, and speed")
        finally:
            self._lock.release()
        if status is None:
            if self._trouble:
                return Diagnosis(Health.FAULTY, f"{name}: {self._trouble}", "check plug and switch")
            return Diagnosis(Health.READY, f"{name}: tells nothing of itself")
        what, remedy = _trouble_of(status)
        if what:
            return Diagnosis(Health.FAULTY, f"{name}: {what}", remedy)
        if status.is_paper_low:
            return Diagnosis(Health.READY, f"{name}: paper is low", "have a new roll at hand")
        return Diagnosis(Health.READY, name)

    def close(self) -> None:
        """Let the printer go. Safe to call twice."""
        with self._lock:
            self._link.close()

    def _job(self, lines: Sequence[str], code: str) -> bytes:
        job = bytearray(commands.INIT)
        if self._is_raster:
            from drivers.printer_raster import text_dots

            width_bytes = (self._width_dots + 7) // 8
            for line in lines:
                dots = text_dots(line, self._columns, self._width_dots)
                job += commands.raster(dots, width_bytes)
        else:
            job += commands.CHINESE_ON
            for line in lines:
                job += commands.text_line(line, self._columns)
        if code:
            # Cameras want white round a code.
            job += commands.text_line("", self._columns) + self._code(code)
        job += commands.FEED_AND_CUT if self._has_cutter else commands.FEED_TO_TEAR
        return bytes(job)

    def _code(self, text: str) -> bytes:
        if self._is_native_qr:
            drawn = commands.qr_code(text, QR_MODULE_DOTS)
            return commands.ALIGN_CENTRE + drawn + commands.ALIGN_LEFT
        from drivers.printer_raster import qr_dots

        dots = qr_dots(text, self._width_dots, QR_MODULE_DOTS)
        return commands.raster(dots, (self._width_dots + 7) // 8)

    def _run(
        self, job: bytes, timeout_s: float, on_begin: Callable[[], None] | None = None
    ) -> None:
        """Send a job and wait until it is done. Raises DriverError."""
        try:
            if self._has_status:
                self._refuse_unless_ready(self._ask())
            else:
                # A printer that is not there is noticed before the job begins.
                self._link.open()
            self._drop_leftovers()
            if on_begin is not None:
                on_begin()
            self._has_leftovers = True
            for start in range(0, len(job), CHUNK):
                self._link.write(job[start : start + CHUNK])
            if self._has_status:
                self._await_end(timeout_s)
            self._has_leftovers = False
            self._trouble = ""
        except DriverError as error:
            self._trouble = str(error).removeprefix(f"{self._link.path}: ")
            # A printer that cannot be reached now is told before its next job.
            with contextlib.suppress(DriverError):
                self._drop_leftovers()
            raise

    def _drop_leftovers(self) -> None:
        """Have the printer forget a job that was broken off.

        Else it would come out once the paper is in, behind the receipt that
        was printed again instead.
        """
        if not self._has_leftovers:
            return
        self._link.write(commands.CLEAR_BUFFER)
        if self._has_status:
            # Its answer says that the order has arrived, and clears the way.
            self._ask(is_fresh=False)

    def _await_end(self, timeout_s: float) -> None:
        """Wait for the answer that is given in its turn, behind all that is printed."""
        self._link.discard_input()
        self._reports = 0
        self._link.write(commands.REPORT_PAPER)
        deadline = time.monotonic() + timeout_s
        while not self._reports:
            if time.monotonic() >= deadline:
                raise DeviceTimeout(f"{self._link.path}: does not finish; is paper jammed in it?")
            if self._listen(STATUS_S) is None and not self._reports:
                # Silent while it prints, or because it cannot: only it knows. One
                # that is too busy to say is waited for.
                with contextlib.suppress(DeviceTimeout):
                    self._refuse_unless_ready(self._ask(is_fresh=False))

    def _ask(self, *, is_fresh: bool = True) -> PrinterStatus:
        """Return what the printer says of itself. Raises DeviceLost or DeviceTimeout.

        is_fresh: what it said before counts for nothing.
        """
        if is_fresh:
            self._link.discard_input()
        return commands.read_status(
            *(self._answer_to(which) for which in commands.STATUS_QUESTIONS)
        )

    def _answer_to(self, which: int) -> int:
        self._link.write(commands.ask_status(which))
        deadline = time.monotonic() + STATUS_S
        has_spoken = False
        while (left_s := deadline - time.monotonic()) > 0:
            heard = self._link.read(1, left_s)
            if not heard:
                break
            if commands.is_status(heard[0]):
                return heard[0]
            has_spoken = True
            self._reports += commands.is_paper_report(heard[0])
        if has_spoken:
            raise DeviceGarbled(
                f"{self._link.path}: answers what nobody asked; is its speed right?"
            )
        raise DeviceTimeout(f"{self._link.path}: says nothing; is it switched on?")

    def _listen(self, timeout_s: float) -> int | None:
        """Count the next thing it says; None if it says nothing."""
        heard = self._link.read(1, timeout_s)
        if not heard:
            return None
        self._reports += commands.is_paper_report(heard[0])
        return heard[0]

    def _refuse_unless_ready(self, status: PrinterStatus) -> None:
        what, remedy = _trouble_of(status)
        if what:
            raise DeviceNotReady(f"{self._link.path}: {what}; {remedy}")


def _trouble_of(status: PrinterStatus) -> tuple[str, str]:
    """Return what is wrong and what mends it, empty if nothing is."""
    if status.is_faulty:
        return "cutter or head is faulty", "clear the paper's way, switch it off and on"
    if status.is_cover_open:
        return "cover is open", "close it"
    if status.is_paper_out:
        return "paper is out", "put in a new roll"
    if not status.is_online:
        return "offline", "press its feed key, or switch it off and on"
    return "", ""
