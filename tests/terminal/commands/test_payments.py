"""A receipt of the journal on the shop's own printer, with no till open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import config
from simulators.printer import PrinterSimulator
from simulators.serial_line import SerialLine
from terminal.__main__ import main
from terminal.events import Entry
from terminal.journal import Journal
from terminal.seams import SystemClock
from terminal.states import State
from terminal.view import Kind, PaymentView

SALE = PaymentView(
    id="018f0000-0000-7000-8000-000000000001",
    number=7,
    kind=Kind.SALE,
    state=State.AWAITING_TENDER,
    amount_minor=1250,
    currency="CNY",
    created_ms=1_795_507_200_000,
    updated_ms=1_795_507_201_000,
)


@pytest.fixture
def show(tmp_path: Path) -> Callable[..., Result]:
    """`till show 7` in a shop whose journal has one sale, with these devices."""
    journal = Journal(tmp_path / "till", SystemClock())
    journal.append((Entry(SALE, None),))
    journal.close()

    def run(devices: str, *arguments: str) -> Result:
        shop = tmp_path / "shop.toml"
        example = config.BENCH.with_name("live.example.toml").read_text("utf-8")
        shop.write_text(f"{example}\n{devices}", "utf-8")
        command = ["--home", str(tmp_path), "--shop", str(shop), "show", "7", *arguments]
        return CliRunner().invoke(main, command)

    return run


def printer_at(link: Path) -> str:
    options = f'{{ address = "{link}", columns = 48 }}'
    return f'[[devices.printers]]\nname = "Paper"\ndriver = "escpos"\noptions = {options}\n'


def test_a_payment_of_the_journal_is_printed_as_a_copy(
    show: Callable[..., Result], tmp_path: Path
) -> None:
    sim = PrinterSimulator(columns=48)
    with SerialLine(sim, tmp_path / "printer") as line:
        done = show(printer_at(line.link), "--print")

    assert (done.exit_code, done.stdout) == (0, "Payment 7 is printed.\n"), done.output
    [paper] = sim.receipts
    assert "COPY / 重打印" in " ".join(paper.lines)
    assert paper.codes == [SALE.id]
    assert "-" * 48 in paper.lines


def test_a_printer_out_of_paper_is_named_with_the_next_step(
    show: Callable[..., Result], tmp_path: Path
) -> None:
    sim = PrinterSimulator()
    sim.end_paper()
    with SerialLine(sim, tmp_path / "printer") as line:
        refused = show(printer_at(line.link), "--print")

    assert refused.exit_code != 0
    assert "paper is out; put in a new roll" in str(refused.exception)


def test_a_shop_without_a_printer_says_where_to_name_one(show: Callable[..., Result]) -> None:
    refused = show("", "--print")

    assert refused.exit_code == 30
    assert "This shop has no printer: name one in devices.printers" in refused.stderr
