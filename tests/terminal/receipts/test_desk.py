"""Receipts through the real driver onto simulated paper, and all that goes wrong."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from config import BENCH, load_settings
from drivers.printer_escpos import EscposPrinter
from drivers.protocols import PrinterStatus
from simulators.printer import PrinterSimulator
from simulators.serial_line import Fault, SerialLine
from terminal.batch.batch import Batch, BatchState, Means, Total
from terminal.errors import UnknownPayment
from terminal.events import DeviceHealth, InboxEvent
from terminal.messages import Message
from terminal.receipts import desk as desk_module
from terminal.receipts.desk import BEGUN_MAX, KNOWN_MAX, WAITING_MAX, ReceiptDesk, trouble_of
from terminal.receipts.receipt import Letterhead, ReceiptWriter
from terminal.states import State
from terminal.view import Kind, Medium, PaymentView, Readiness, Stage, View

SETTINGS = load_settings(BENCH)
LETTERHEAD = Letterhead.of(SETTINGS.shop, SETTINGS.currencies, datetime.UTC)
SALE = PaymentView(
    id="018f0000-0000-7000-8000-000000000001",
    number=7,
    kind=Kind.SALE,
    state=State.APPROVED,
    amount_minor=1250,
    currency="CNY",
    created_ms=1_795_507_200_000,
    updated_ms=1_795_507_201_000,
    medium=Medium.CARD,
    brand="Visa",
    masked_pan="411111******1111",
)
COPY = "COPY / 重打印"
MERCHANTS = "商户存根 MERCHANT COPY"
WAIT_S = 20.0


@dataclass
class Bench:
    """A desk, the printer on its line, and what the desk says of it."""

    line: SerialLine
    sim: PrinterSimulator
    desk: ReceiptDesk
    payments: dict[str, PaymentView]
    told: list[DeviceHealth] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def post(self, event: InboxEvent) -> None:
        assert isinstance(event, DeviceHealth)
        with self.changed:
            self.told.append(event)
            self.changed.notify_all()

    def ends(self, payment: PaymentView) -> None:
        """A payment has its result, on the till's screen."""
        self.payments[payment.id] = payment
        self.desk(View(stage=Stage.RESULT, payment=payment))

    def until_told(self, trouble: Message | None) -> None:
        with self.changed:
            assert self.changed.wait_for(
                lambda: self.told and self.told[-1].trouble is trouble, WAIT_S
            ), self.told

    def until_printed(self, count: int) -> list[list[str]]:
        """Wait for so many receipts, and for all that is to follow them."""
        assert self.line.wait_for(lambda: len(self.sim.receipts) >= count, WAIT_S)
        return self.papers()

    def papers(self) -> list[list[str]]:
        """Close the desk, which prints what can be printed; return all paper."""
        self.desk.close()
        with self.line.changed:
            return [paper.lines for paper in self.sim.receipts]

    def does(self, deed: Callable[[], bytes | None]) -> None:
        with self.line.changed:
            answer = deed()
        if answer:
            self.line.send(answer)


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Bench]]:
    monkeypatch.setattr(desk_module, "RETRY_S", 0.05)
    monkeypatch.setattr(desk_module, "WATCH_S", 0.1)
    benches: list[Bench] = []

    def make_bench(sim: PrinterSimulator | None = None, **changes: Any) -> Bench:
        sim = sim or PrinterSimulator()
        line = SerialLine(sim, tmp_path / f"printer{len(benches)}")
        payments: dict[str, PaymentView] = {}

        def find(key: str) -> PaymentView:
            if key not in payments:
                raise UnknownPayment(key)
            return payments[key]

        def open_printer() -> EscposPrinter:
            return EscposPrinter(str(line.link), write_timeout_s=0.3, print_timeout_s=0.6)

        wishes: dict[str, Any] = {"prints": "always", "has_codes": True, **changes}
        bench: Bench
        desk = ReceiptDesk(
            open_printer,
            "Paper",
            ReceiptWriter(find, lambda: LETTERHEAD),
            lambda event: bench.post(event),
            **wishes,
        )
        bench = Bench(line, sim, desk, payments)
        benches.append(bench)
        desk.start()
        return bench

    yield make_bench
    for bench in benches:
        bench.line.break_with(Fault.NONE)
        bench.desk.close()
        bench.line.close()


def test_each_payment_taken_is_printed_once(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.ends(SALE)
    bench.desk(View(stage=Stage.RESULT, payment=SALE, open_count=3))
    bench.desk(View())

    [lines] = bench.until_printed(1)
    assert "交易成功 APPROVED" in " ".join(lines)
    assert COPY not in " ".join(lines)
    assert bench.sim.receipts[0].codes == [SALE.id]


@pytest.mark.parametrize("state", [State.DECLINED, State.UNKNOWN, State.CANCELLED])
def test_what_was_not_taken_is_printed_when_asked_for(
    make: Callable[..., Bench], state: State
) -> None:
    bench = make()
    bench.ends(replace(SALE, state=state))
    bench.ends(replace(SALE, id="other"))
    bench.desk.print(SALE.id)

    first, second = bench.papers()
    assert "交易成功" in " ".join(first)
    assert "NOT A PROOF OF PAYMENT" in " ".join(second)
    assert COPY not in " ".join(second)


def test_an_answer_that_comes_late_is_no_copy(make: Callable[..., Bench]) -> None:
    """A paper that says "not confirmed" was asked for before the bank had answered."""
    bench = make()
    bench.ends(replace(SALE, state=State.UNKNOWN))
    bench.desk.print(SALE.id)
    assert bench.line.wait_for(lambda: len(bench.sim.receipts) == 1, WAIT_S)
    bench.ends(SALE)

    unknown, approved = bench.until_printed(2)
    assert "NOT CONFIRMED" in " ".join(unknown)
    assert "APPROVED" in " ".join(approved)
    assert COPY not in " ".join(unknown + approved)


def test_on_request_the_first_is_no_copy_and_the_second_is(make: Callable[..., Bench]) -> None:
    bench = make(prints="on-request", has_codes=False)
    bench.ends(SALE)
    for count in (1, 2):
        bench.desk.print(SALE.id)
        assert bench.line.wait_for(lambda: len(bench.sim.receipts) == count, WAIT_S)  # noqa: B023

    first, second = bench.papers()
    assert COPY not in " ".join(first)
    assert COPY in " ".join(second)
    assert not bench.sim.receipts[0].codes


CLOSED = Batch(
    number=128,
    state=BatchState.CLOSED,
    day="2026-11-23",
    totals=(Total(Kind.SALE, Means.CARD, "Visa", "CNY", 2, 2500, "Lin Mei"),),
    digest="",
    bank=(Total(Kind.SALE, Means.CARD, "Visa", "CNY", 2, 2500),),
)


def test_a_closed_batch_has_its_slip_once_whatever_the_order(make: Callable[..., Bench]) -> None:
    bench = make(prints="on-request")
    for number in (128, 128, 127, 128):
        bench.desk(View(batches=(replace(CLOSED, number=number),)))
    bench.desk(View(batches=(replace(CLOSED, number=129, state=BatchState.CLOSING),)))

    papers = [" ".join(lines) for lines in bench.papers()]
    assert [("128" in paper, "127" in paper) for paper in papers] == [(True, False), (False, True)]
    assert all("日终结算 CLOSE OF DAY" in paper and COPY not in paper for paper in papers)


def test_a_shop_that_prints_nothing_prints_no_slip(make: Callable[..., Bench]) -> None:
    bench = make(prints="never")
    bench.desk(View(batches=(CLOSED,)))
    assert bench.papers() == []


def test_what_an_earlier_run_may_have_printed_is_a_copy(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.payments[SALE.id] = SALE
    bench.desk.print(SALE.id)

    [lines] = bench.papers()
    assert COPY in " ".join(lines)


@pytest.mark.parametrize(
    ("prints", "expected"), [("always", [True, False]), ("on-request", [True]), ("never", [])]
)
def test_what_a_customer_signs_stays_in_the_shop(
    make: Callable[..., Bench], prints: str, expected: list[bool]
) -> None:
    bench = make(prints=prints)
    bench.ends(replace(SALE, signature=True))

    papers = bench.papers()
    assert [MERCHANTS in " ".join(lines) for lines in papers] == expected
    assert all(any(line.startswith("____") for line in lines) for lines in papers)
    assert COPY not in " ".join(line for lines in papers for line in lines)


@pytest.mark.parametrize(
    ("breaks", "mends", "trouble"),
    [
        ("end_paper", "load_paper", Message.NO_PAPER),
        ("open_cover", "close_cover", Message.PRINTER_OPEN),
    ],
)
def test_a_receipt_waits_for_whoever_sees_to_the_printer(
    make: Callable[..., Bench], breaks: str, mends: str, trouble: Message
) -> None:
    bench = make()
    bench.until_told(None)
    if breaks == "open_cover":
        bench.does(lambda: setattr(bench.sim, "is_cover_open", True))
    else:
        bench.does(bench.sim.end_paper)
    bench.until_told(trouble)
    assert bench.told[-1].readiness is Readiness.FAULTY
    bench.ends(SALE)
    for _ in range(5):
        bench.desk.print(SALE.id)
    bench.does(getattr(bench.sim, mends))

    [lines] = bench.until_printed(1)
    # Nothing of it had been printed before.
    assert COPY not in " ".join(lines)
    assert bench.told[-1].trouble is None


def test_paper_that_ends_in_the_middle_leaves_one_whole_receipt(
    make: Callable[..., Bench],
) -> None:
    bench = make()
    bench.until_told(None)
    bench.does(lambda: bench.sim.end_paper(after_lines=6))
    bench.ends(SALE)
    bench.until_told(Message.NO_PAPER)
    assert not bench.sim.receipts
    bench.does(bench.sim.load_paper)

    [lines] = bench.until_printed(1)
    # Six lines of the first hang before it: it is the second try, and says so.
    assert COPY in " ".join(lines)
    assert "交易成功 APPROVED" in " ".join(lines)


def test_a_late_receipt_says_how_the_payment_stands_by_then(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.does(bench.sim.end_paper)
    bench.until_told(Message.NO_PAPER)
    bench.ends(SALE)
    bench.payments[SALE.id] = replace(SALE, state=State.VOIDED)
    bench.does(bench.sim.load_paper)

    [lines] = bench.until_printed(1)
    assert "VOIDED" in " ".join(lines)
    assert "NOT A PROOF OF PAYMENT" in " ".join(lines)


@pytest.mark.parametrize("after_bytes", [None, 4, 40, 200])
def test_an_unplugged_printer_prints_when_it_is_back(
    make: Callable[..., Bench], after_bytes: int | None
) -> None:
    """None: pulled while nothing was printed; else in the middle of what is sent."""
    bench = make()
    bench.until_told(None)
    if after_bytes is None:
        bench.line.unplug()
    else:
        bench.line.unplug_after(after_bytes)
    bench.ends(SALE)
    bench.until_told(Message.PRINTER_LOST)
    bench.line.plug()

    lines = bench.until_printed(1)[-1]
    assert "交易成功 APPROVED" in " ".join(lines)


@pytest.mark.parametrize("fault", [Fault.SILENCE, Fault.STUCK, Fault.GARBAGE])
def test_a_printer_that_makes_no_sense_is_named_and_then_prints(
    make: Callable[..., Bench], fault: Fault
) -> None:
    bench = make()
    bench.until_told(None)
    bench.line.break_with(fault)
    bench.ends(SALE)
    bench.until_told(Message.PRINTER_LOST)
    bench.line.break_with(Fault.NONE)

    assert len(bench.until_printed(1)) == 1


def test_a_printer_that_never_ends_a_receipt_does_not_use_up_its_roll(
    make: Callable[..., Bench],
) -> None:
    class Mute(PrinterSimulator):
        """Does not know the command that asks whether all is printed."""

        def _report(self, which: bytes) -> None:
            del which

    bench = make(Mute())
    bench.ends(SALE)
    assert bench.line.wait_for(lambda: len(bench.sim.receipts) == BEGUN_MAX, WAIT_S)
    bench.until_told(None)
    # Were it still wanted, it would be printed before the desk closes.
    first, second = bench.papers()
    assert COPY not in " ".join(first)
    assert COPY in " ".join(second)


def test_a_drawer_opens_now_or_not_at_all(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.until_told(None)
    bench.desk.open_drawer()
    assert bench.line.wait_for(lambda: bench.sim.drawer_openings == 1, WAIT_S)

    bench.does(bench.sim.end_paper)
    bench.until_told(Message.NO_PAPER)
    came = bench.line.came
    bench.desk.open_drawer()
    # Two rounds of questions later it has been looked at, and forgotten.
    assert bench.line.wait_for(lambda: bench.line.came >= came + 24, WAIT_S)
    bench.does(bench.sim.load_paper)
    bench.until_told(None)
    bench.papers()
    assert bench.sim.drawer_openings == 1


def test_only_so_many_receipts_wait(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.does(bench.sim.end_paper)
    bench.until_told(Message.NO_PAPER)
    for number in range(WAITING_MAX + 5):
        bench.ends(replace(SALE, id=f"sale {number}", number=number))
    bench.does(bench.sim.load_paper)

    papers = bench.until_printed(WAITING_MAX)
    assert len(papers) == WAITING_MAX
    assert any(line.endswith(str(WAITING_MAX + 4)) for line in papers[-1])


def test_memory_stays_flat_over_many_payments() -> None:
    desk = ReceiptDesk(
        lambda: pytest.fail("never started"),
        "Paper",
        ReceiptWriter({SALE.id: SALE}.__getitem__, lambda: LETTERHEAD),
        lambda _: None,
        prints="on-request",
        has_codes=True,
    )
    for number in range(3 * KNOWN_MAX):
        desk(View(stage=Stage.RESULT, payment=replace(SALE, id=str(number))))
    assert len(desk._known) == KNOWN_MAX


def test_a_payment_nobody_knows_holds_nothing_up(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.desk.print("lost")
    bench.ends(SALE)
    assert len(bench.until_printed(1)) == 1


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (None, None),
        (PrinterStatus(), None),
        (PrinterStatus(is_paper_low=True), Message.PAPER_LOW),
        (PrinterStatus(is_paper_out=True, is_paper_low=True), Message.NO_PAPER),
        (PrinterStatus(is_cover_open=True, is_paper_out=True), Message.PRINTER_OPEN),
        (PrinterStatus(is_faulty=True), Message.PRINTER_STUCK),
        (PrinterStatus(is_online=False), Message.PRINTER_STUCK),
    ],
)
def test_what_a_printer_says_becomes_what_to_do(
    status: PrinterStatus | None, message: Message | None
) -> None:
    assert trouble_of(status) is message


def test_a_printer_that_is_away_fills_no_log(
    make: Callable[..., Bench], caplog: pytest.LogCaptureFixture
) -> None:
    bench = make()
    bench.until_told(None)
    bench.line.unplug()
    bench.until_told(Message.PRINTER_LOST)
    bench.ends(SALE)
    bench.line.plug()
    bench.until_printed(1)
    assert len(caplog.records) == 1
