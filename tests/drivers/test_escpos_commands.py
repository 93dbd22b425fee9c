"""ESC/POS bytes against python-escpos, and against what printers do with them."""

import pytest
from escpos.printer import Dummy
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import escpos_commands as commands


def test_a_qr_code_is_asked_for_as_another_program_does() -> None:
    other = Dummy()
    other.qr("https://example.com/pay?x=1", native=True, size=6, ec=1, center=False)
    assert commands.qr_code("https://example.com/pay?x=1", 6) in other.output


def test_a_picture_is_sent_as_another_program_does() -> None:
    from PIL import Image

    other = Dummy()
    dots = bytes((0xAA, 0x0F) * 24)
    other.image(
        Image.frombytes("1", (16, 24), bytes(b ^ 0xFF for b in dots)), impl="bitImageRaster"
    )
    assert other.output == commands.raster(dots, 2)


@pytest.mark.parametrize("pin", [2, 5])
def test_the_drawer_is_kicked_at_the_pin_another_program_kicks(pin: int) -> None:
    other = Dummy()
    other.cashdraw(pin)
    # It writes the socket as a digit for one pin, which printers take as well.
    assert other.output[2] & 1 == commands.kick_drawer(pin)[2]
    assert other.output[:2] == commands.kick_drawer(pin)[:2]


def test_chinese_is_two_bytes_a_character() -> None:
    assert commands.text_line("消费 SALE", 32) == "消费 SALE\n".encode("gb18030")


def test_the_yen_sign_is_the_one_that_printers_have() -> None:
    assert commands.text_line("¥1.00", 32) == b"\xa3\xa41.00\n"


def test_the_wider_yen_sign_keeps_sums_in_their_columns() -> None:
    line = "TOTAL" + " " * 20 + "¥ 12.50"
    assert commands.cells(line) == 32
    assert commands.cells(commands.fitted(line, 32)) == 32
    assert commands.fitted(line, 32).endswith("￥ 12.50")


@given(st.text(max_size=60))
@settings(max_examples=150)
def test_no_text_commands_the_printer(text: str) -> None:
    line = commands.text_line(text, 32)
    assert line.endswith(b"\n")
    assert all(byte >= 0x20 for byte in line[:-1])
    # A lone half of a character would swallow the line feed or a command.
    assert line.decode("gb18030").endswith("\n")


@given(st.binary(max_size=400))
@settings(max_examples=150)
def test_no_picture_holds_an_urgent_command(dots: bytes) -> None:
    dots += bytes(-len(dots) % 4) + b"\x10\x14\x01\x00" + b"\x10\x04\x01\x10"
    sent = commands.raster(dots, 4)[8:]
    assert len(sent) == len(dots)
    for urgent in (b"\x10\x04", b"\x10\x05", b"\x10\x14"):
        assert urgent not in sent


@pytest.mark.parametrize(
    ("answers", "claim"),
    [
        ((0x12, 0x12, 0x12, 0x12), "is_online"),
        ((0x1A, 0x16, 0x12, 0x12), "is_cover_open"),
        ((0x1A, 0x32, 0x12, 0x7E), "is_paper_out"),
        ((0x12, 0x12, 0x12, 0x1E), "is_paper_low"),
        ((0x1A, 0x52, 0x1A, 0x12), "is_faulty"),
    ],
)
def test_the_status_bits_mean_what_the_manual_says(
    answers: tuple[int, int, int, int], claim: str
) -> None:
    assert all(commands.is_status(answer) for answer in answers)
    assert not any(commands.is_paper_report(answer) for answer in answers)
    assert getattr(commands.read_status(*answers), claim)


@pytest.mark.parametrize("text", ["a\x10\x14b", "x" * 3000])
def test_a_code_that_cannot_be_printed_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="code"):
        commands.qr_code(text, 6)
