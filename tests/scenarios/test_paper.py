"""Whole sales with a printer and a display that fail: money never waits for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import pytest

from drivers.symbols import ZXingSymbolReader
from simulators.serial_line import Fault
from terminal.errors import BenchRefused
from terminal.messages import Message
from terminal.states import State
from terminal.view import Stage

PAID = (State.APPROVED, State.APPROVED)
WAIT_S = 30.0


def papers(counter: Any, count: int) -> list[str]:
    """Return all receipts once there are so many."""
    top = counter.shop.counter_top
    line = top._line("printer")
    assert line.wait_for(lambda: len(top._printer.receipts) >= count, WAIT_S)
    with line.changed:
        return [" ".join(paper.lines) for paper in top._printer.receipts]


def until_noticed(counter: Any, message: Message, *, is_there: bool = True) -> None:
    counter.until(lambda view: (message in [notice.message for notice in view.notices]) is is_there)


def until_shown(counter: Any, upper: str) -> None:
    line = counter.shop.counter_top._line("display")
    assert line.wait_for(lambda: counter.do("see:display").startswith(upper), WAIT_S)


def test_a_sale_is_on_paper_and_its_code_finds_it_again(counter: Any) -> None:
    sale = counter.pay()
    [paper] = papers(counter, 1)
    assert "APPROVED" in paper
    assert "411111" not in paper.replace("411111******1111", "")

    picture = cv2.imread(counter.do("see:receipt"))
    assert picture is not None
    [symbol] = ZXingSymbolReader(thorough=True).read(picture)  # type: ignore[arg-type]
    assert counter.till.payment(symbol.data.decode()).number == sale.number


def test_there_is_no_paper_to_see_before_the_first(counter: Any) -> None:
    with pytest.raises(BenchRefused, match="No receipt has come out yet"):
        counter.do("see:receipt")


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("fault:paper-out", Message.NO_PAPER),
        ("fault:printer-open", Message.PRINTER_OPEN),
        ("fault:printer-unplugged", Message.PRINTER_LOST),
    ],
)
def test_sales_go_on_and_their_receipts_come_later(
    counter: Any, fault: str, message: Message
) -> None:
    counter.do(fault)
    first = counter.pay()
    until_noticed(counter, message)
    counter.till.leave()
    second = counter.pay("wallet:alipay-qr")
    assert (first.state, second.state) == PAID

    counter.do(fault)
    both = papers(counter, 2)
    until_noticed(counter, message, is_there=False)
    assert len(both) == 2
    assert not any("COPY" in paper for paper in both)


def test_a_lost_display_is_named_and_follows_again(counter: Any) -> None:
    counter.do("fault:display-unplugged")
    sale = counter.pay()
    assert sale.state is State.APPROVED
    until_noticed(counter, Message.NO_DISPLAY)

    counter.do("fault:display-unplugged")
    until_noticed(counter, Message.NO_DISPLAY, is_there=False)
    until_shown(counter, "CNY 12.50 | ")


def test_money_given_back_is_on_paper_too(counter: Any) -> None:
    sale = counter.pay()
    counter.till.leave()
    refund = counter.till.refund(sale.id)
    counter.until(lambda view: view.stage is Stage.RESULT and view.payment.id == refund)
    _, paper = papers(counter, 2)
    assert "退货 REFUND" in paper


def test_the_drawer_opens_at_the_printer(counter: Any) -> None:
    counter.till.open_drawer()
    top = counter.shop.counter_top
    assert top._line("printer").wait_for(lambda: top._printer.drawer_openings == 1, WAIT_S)


def test_a_till_that_closes_prints_its_last_receipt_first(open_counter: Any) -> None:
    """A sale by one command ends as soon as its result is there."""
    counter = open_counter().until_ready()
    counter.pay()
    counter.till.close()
    assert len(counter.shop.counter_top._printer.receipts) == 1


def test_lines_of_the_shop_lie_in_its_folder(counter: Any) -> None:
    counter.pay()
    papers(counter, 1)
    assert Path(counter.home, "counter", "printer").is_symlink()


@pytest.mark.parametrize("device", ["printer", "display"])
@pytest.mark.parametrize("how", ["stuck", "silence", "garbage", "unplugged in mid-write"])
def test_whatever_a_line_does_the_next_sale_works(counter: Any, device: str, how: str) -> None:
    line = counter.shop.counter_top._line(device)
    if how.startswith("unplugged"):
        line.unplug_after(30)
    else:
        line.break_with(Fault(how))
    first = counter.pay()
    counter.till.leave()
    second = counter.pay("wallet:alipay-qr")
    assert (first.state, second.state) == PAID

    line.break_with(Fault.NONE)
    line.plug()
    assert len(papers(counter, 2)) == 2
    counter.until(lambda view: not view.notices)
    until_shown(counter, "CNY 12.50 | ")
