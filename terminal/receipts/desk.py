"""Receipts on paper: one printer on one thread. No sale ever waits for it.

A receipt waits here until the printer can take it, and is written at the moment
it is printed: one that comes late says how the payment stands by then. Receipts
that wait are forgotten with the till; the payments are in the journal, and are
printed again from there.
"""

from __future__ import annotations

import enum
import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from drivers.errors import DriverError
from drivers.protocols import PrinterStatus, ReceiptPrinter
from terminal.batch.batch import Batch, BatchState
from terminal.errors import TillError
from terminal.events import DeviceHealth, InboxEvent
from terminal.messages import Message
from terminal.receipts.receipt import ReceiptWriter
from terminal.receipts.settlement import settlement_lines
from terminal.states import State
from terminal.view import PRESENTED, Kind, PaymentView, Readiness, Stage, View

log = logging.getLogger(__name__)

WATCH_S: Final = 5.0
"""How often an idle printer is asked how it is."""
RETRY_S: Final = 1.0
"""How soon one in trouble is asked again."""
CLOSE_S: Final = 5.0
WAITING_MAX: Final = 20
"""After a day without paper nobody wants all of that day's receipts."""
BEGUN_MAX: Final = 2
"""A printer that breaks off each receipt would use up its roll."""
KNOWN_MAX: Final = 200

_TAKEN: Final = frozenset({State.APPROVED, State.STORED, State.DEFERRED, State.VOIDED})
_HARMLESS: Final = frozenset({None, Message.PAPER_LOW})

Prints = Literal["always", "on-request", "never"]


class Slip(enum.Enum):
    """Whose paper it is."""

    CUSTOMER = "customer"
    MERCHANT = "merchant"
    SETTLEMENT = "settlement"
    """Of a batch that was closed."""


@dataclass(slots=True)
class _Job:
    """One slip that waits."""

    attempt: str
    slip: Slip
    batch: Batch | None = None
    """For a settlement slip."""
    begun: int = 0
    """How often some of it may have come out already."""

    @property
    def key(self) -> tuple[str, Slip]:
        """What makes two wishes one."""
        return self.attempt, self.slip

    def begin(self) -> None:
        """Note that the first byte leaves."""
        self.begun += 1


class ReceiptDesk:
    """Prints what is asked for, and by itself what the shop wants printed.

    Its calls return at once, from any thread; as an observer it takes each view.
    """

    def __init__(
        self,
        open_printer: Callable[[], ReceiptPrinter],
        name: str,
        writer: ReceiptWriter,
        post: Callable[[InboxEvent], None],
        *,
        prints: Prints,
        has_codes: bool,
    ) -> None:
        """name: what people call the printer. prints: what it prints by itself.

        has_codes: a QR code with the payment's identity stands below the lines.
        """
        self._open_printer = open_printer
        self._name = name
        self._writer = writer
        self._post = post
        self._prints = prints
        self._has_codes = has_codes
        self._printer: ReceiptPrinter | None = None
        self._trouble: Message | None = None
        self._told: tuple[Readiness, Message | None] | None = None
        self._changed = threading.Condition()
        self._jobs: deque[_Job] = deque(maxlen=WAITING_MAX)
        self._known: dict[str, set[tuple[State, Slip]]] = {}
        """Payments of this run, each with what was printed of it."""
        self._seen: tuple[str, State] | None = None
        self._closed: set[int] = set()
        """Batches that were closed in this run; they need not come in order."""
        self._is_drawer_wanted = False
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="printer-worker", daemon=True)

    def start(self) -> None:
        """Look for the printer, and begin to print."""
        self._thread.start()

    def __call__(self, view: View, /) -> None:
        """Take a view: its result may want a receipt, a batch that was closed its slip."""
        for batch in view.batches:
            if batch.state is BatchState.CLOSED:
                self._note_closed(batch)
        payment = view.payment
        if view.stage is not Stage.RESULT or payment is None:
            return
        seen, self._seen = self._seen, (payment.id, payment.state)
        if seen == self._seen:
            return
        with self._changed:
            self._know(payment.id)
            is_for_paper = payment.state in _TAKEN and payment.kind is not Kind.BALANCE
            if not is_for_paper or self._prints == "never":
                return
            if payment.signature and payment.kind in PRESENTED:
                self._add(payment.id, Slip.MERCHANT)
            if self._prints == "always":
                self._add(payment.id, Slip.CUSTOMER)

    def _note_closed(self, batch: Batch) -> None:
        if batch.number in self._closed:
            return
        self._closed.add(batch.number)
        if self._prints != "never":
            with self._changed:
                self._enqueue(_Job(f"batch {batch.number}", Slip.SETTLEMENT, batch))

    def print(self, attempt: str) -> None:
        """Print a payment's receipt; a copy says that it is one.

        Asked for again while it waits, it is printed once all the same.
        """
        with self._changed:
            self._add(attempt, Slip.CUSTOMER)

    def open_drawer(self) -> None:
        """Open the cash drawer now, or not at all."""
        with self._changed:
            self._is_drawer_wanted = True
            self._changed.notify_all()

    def close(self) -> None:
        """Print what can be printed now, and let the printer go. Safe to call twice."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)
        with self._changed:
            # What a slow printer has not taken by now is given up.
            self._jobs.clear()

    # --- what waits (under self._changed) -----------------------------------

    def _know(self, attempt: str) -> None:
        self._known.setdefault(attempt, set())
        if len(self._known) > KNOWN_MAX:
            del self._known[next(iter(self._known))]

    def _add(self, attempt: str, slip: Slip) -> None:
        self._enqueue(_Job(attempt, slip))

    def _enqueue(self, wanted: _Job) -> None:
        if any(job.key == wanted.key for job in self._jobs):
            return
        if len(self._jobs) == WAITING_MAX:
            log.warning("receipt of %s given up: too many wait", self._jobs[0].attempt)
        self._jobs.append(wanted)
        self._changed.notify_all()

    # --- the printer's thread -----------------------------------------------

    def _run(self) -> None:
        while self._wait():
            try:
                self._tell(self.turn())
            except DriverError as error:
                if self._trouble is not Message.PRINTER_LOST:
                    log.warning("%s: %s", self._name, error)
                self._tell(Message.PRINTER_LOST)
        if self._printer is not None:
            self._printer.close()

    def _wait(self) -> bool:
        """Wait until there is something to do; False once the desk closes."""
        with self._changed:
            if self._trouble not in _HARMLESS:
                self._changed.wait_for(lambda: self._closing or self._is_drawer_wanted, RETRY_S)
                return not self._closing
            self._changed.wait_for(
                lambda: self._jobs or self._is_drawer_wanted or self._closing,
                WATCH_S if self._told else 0,
            )
            return bool(self._jobs) or not self._closing

    def turn(self) -> Message | None:
        """Do what is wanted if the printer can; return what is wrong with it.

        On the printer's thread. Raises DriverError.
        """
        with self._changed:
            # A drawer that opens later than it was asked to opens for anybody.
            is_drawer_wanted, self._is_drawer_wanted = self._is_drawer_wanted, False
        if self._printer is None:
            self._printer = self._open_printer()
        trouble = trouble_of(self._printer.status())
        if trouble not in _HARMLESS:
            return trouble
        if is_drawer_wanted:
            log.info("the cash drawer is opened")
            self._printer.open_drawer()
        with self._changed:
            job = self._jobs.popleft() if self._jobs else None
        if job is not None:
            try:
                self._do(self._printer, job)
            except DriverError:
                self._put_back(job)
                raise
        return trouble

    def _do(self, printer: ReceiptPrinter, job: _Job) -> None:
        """Print one slip. Raises DriverError."""
        if job.batch is not None:
            self._do_settlement(printer, job, job.batch)
            return
        try:
            payment = self._writer.find(job.attempt)
            lines = self._writer.lines(
                payment,
                copy=bool(job.begun) or self._is_copy(payment, job.slip),
                columns=printer.columns,
                is_merchants=job.slip is Slip.MERCHANT,
            )
        except TillError as error:
            log.error("no receipt of %s: %s", job.attempt, error)
            return
        code = payment.id if self._has_codes else ""
        printer.print_lines(lines, code=code, on_begin=job.begin)
        with self._changed:
            if job.attempt in self._known:
                self._known[job.attempt].add((payment.state, job.slip))

    def _do_settlement(self, printer: ReceiptPrinter, job: _Job, batch: Batch) -> None:
        letterhead, is_copy = self._writer.letterhead, bool(job.begun)
        try:
            lines = settlement_lines(batch, letterhead, copy=is_copy, columns=printer.columns)
        except TillError as error:
            log.error("no slip of %s: %s", job.attempt, error)
            return
        printer.print_lines(lines, on_begin=job.begin)

    def _is_copy(self, payment: PaymentView, slip: Slip) -> bool:
        """What was printed before this run, nobody knows: it counts as printed."""
        with self._changed:
            printed = self._known.get(payment.id)
            return printed is None or (payment.state, slip) in printed

    def _put_back(self, job: _Job) -> None:
        if job.begun >= BEGUN_MAX:
            log.error("receipt of %s given up: the printer breaks it off", job.attempt)
            return
        with self._changed:
            later = [other for other in self._jobs if other.key != job.key]
            self._jobs = deque([job, *later][:WAITING_MAX], WAITING_MAX)

    def _tell(self, trouble: Message | None) -> None:
        self._trouble = trouble
        readiness = Readiness.READY if trouble in _HARMLESS else Readiness.FAULTY
        if self._told != (readiness, trouble):
            self._told = (readiness, trouble)
            self._post(DeviceHealth(self._name, "printer", readiness, trouble))


def trouble_of(status: PrinterStatus | None) -> Message | None:
    """Return what the cashier has to do for a printer; None if nothing."""
    if status is None:
        return None
    if status.is_cover_open:
        return Message.PRINTER_OPEN
    if status.is_paper_out:
        return Message.NO_PAPER
    if status.is_faulty or not status.is_online:
        return Message.PRINTER_STUCK
    return Message.PAPER_LOW if status.is_paper_low else None
