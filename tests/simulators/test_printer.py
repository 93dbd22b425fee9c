"""The simulated printer against what ESC/POS says, byte by byte."""

import numpy
from escpos.printer import Dummy
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.printer import PrinterSimulator


def after(data: bytes) -> PrinterSimulator:
    printer = PrinterSimulator()
    printer.receive(data)
    return printer


def test_it_prints_what_another_program_sends() -> None:
    other = Dummy()
    other.set(bold=True, align="center", double_height=True, double_width=True)
    other.text("TOTAL\n")
    other.set(bold=False, align="left", normal_textsize=True)
    other.text("thank you\n")
    other.qr("https://example.com", native=True, size=4)
    other.cut()
    printer = after(other.output)
    [paper] = printer.receipts
    assert [line for line in paper.lines if line] == ["TOTAL", "thank you"]
    assert paper.codes == ["https://example.com"]
    [title] = [row for row in paper.rows if row.text == "TOTAL"]
    assert (title.bold, title.scale, title.align) == (True, (2, 2), 1)
    assert printer.unknown == []


def test_a_status_question_overtakes_what_waits() -> None:
    printer = PrinterSimulator()
    printer.end_paper()
    assert printer.receive(b"waits\n\x10\x04\x04") == b"\x7e"
    assert printer.paper.lines == []
    printer.load_paper()
    assert printer.paper.lines == ["waits"]


def test_a_report_waits_for_its_turn() -> None:
    printer = PrinterSimulator()
    printer.is_cover_open = True
    assert printer.receive(b"x\n\x1dr\x01") == b""
    assert printer.close_cover() == b"\x00"


def test_paper_can_end_after_some_lines() -> None:
    printer = PrinterSimulator()
    printer.end_paper(after_lines=1)
    printer.receive(b"one\ntwo\n")
    assert printer.paper.lines == ["one"]
    assert printer.is_paper_out


def test_clearing_forgets_what_was_not_printed() -> None:
    printer = PrinterSimulator()
    printer.end_paper()
    printer.receive(b"lost\n" + b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08")
    printer.load_paper()
    printer.receive(b"kept\n")
    assert printer.paper.lines == ["kept"]


def test_long_lines_go_on_below() -> None:
    assert after(b"x" * 33 + b"\n").paper.lines == ["x" * 32, "x"]


def test_bold_double_text_is_drawn_larger_and_blacker() -> None:
    plain, loud = after(b"A\n"), after(b"\x1b!\x38A\n")
    assert (loud.picture() < 128).sum() > 3 * (plain.picture() < 128).sum()
    assert loud.picture().shape[0] > plain.picture().shape[0]


def test_dots_come_out_where_they_were_put() -> None:
    printer = after(b"\x1dv0\x00\x01\x00\x02\x00\x80\x01")
    picture = printer.picture()
    assert numpy.argwhere(picture == 0).tolist() == [[16, 16], [17, 23]]


@given(st.lists(st.binary(max_size=60), max_size=8))
@settings(max_examples=100, deadline=None)
def test_whatever_comes_it_goes_on(chunks: list[bytes]) -> None:
    printer = PrinterSimulator()
    for chunk in chunks:
        printer.receive(chunk)
    assert all(b"\n" not in line.encode() for line in printer.paper.lines)


@given(st.lists(st.binary(max_size=60), max_size=8))
@settings(max_examples=100, deadline=None)
def test_pieces_make_no_difference(chunks: list[bytes]) -> None:
    """But for the commands that overtake others: for them, when they come is the point."""
    chunks = [chunk.replace(b"\x10", b"x") for chunk in chunks]
    whole, pieces = PrinterSimulator(), PrinterSimulator()
    answer = whole.receive(b"".join(chunks))
    assert b"".join(pieces.receive(chunk) for chunk in chunks) == answer
    assert pieces.paper.lines == whole.paper.lines
    assert len(pieces.receipts) == len(whole.receipts)
