"""The simulated display against what the command sets say, byte by byte."""

from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.display import DisplaySimulator


def after(data: bytes, *, has_chinese: bool = True) -> DisplaySimulator:
    display = DisplaySimulator(has_chinese=has_chinese)
    display.receive(data)
    return display


def test_letters_run_on_to_the_other_line() -> None:
    assert after(b"A" * 20 + b"B").lines == ("A" * 20, "B")


def test_escpos_moves_clears_and_hides() -> None:
    assert after(b"\x1f$\x03\x02x").lines == ("", "  x")
    assert after(b"abc\x0cd").lines == ("d", "")
    assert not after(b"\x1fC\x00").is_cursor_on
    assert after(b"\x1fC\x00\x1b@").is_cursor_on


def test_cd5220_writes_whole_lines() -> None:
    display = after(b"\x1bQAhello\r\x1bQBworld\r\x1bQBw\r")
    assert display.lines == ("hello", "w")


def test_a_command_may_come_in_pieces() -> None:
    display = DisplaySimulator()
    for byte in b"\x1f$\x01\x02" + "中".encode("gb18030") + b"\x1bQAup\r":
        display.receive(bytes((byte,)))
    assert display.lines == ("up", "中")


def test_overwriting_half_a_character_leaves_no_other_half() -> None:
    display = after("中".encode("gb18030") + b"\x1f$\x02\x01x")
    assert display.lines == (" x", "")


def test_a_display_without_chinese_shows_two_wrong_letters() -> None:
    assert after("中".encode("gb18030"), has_chinese=False).lines == ("??", "")


def test_unknown_commands_are_noted() -> None:
    assert after(b"\x1bz").unknown == [b"\x1bz"]


def test_the_picture_shows_both_lines() -> None:
    lines = after(b"hi\x1f$\x01\x02there").picture().splitlines()
    assert lines[1].startswith("| hi ")
    assert lines[2].startswith("| there ")


@given(st.lists(st.binary(max_size=40), max_size=6), st.booleans())
@settings(max_examples=100)
def test_whatever_comes_there_are_two_lines_of_twenty_cells(
    chunks: list[bytes], has_chinese: bool
) -> None:
    display = DisplaySimulator(has_chinese=has_chinese)
    for chunk in chunks:
        display.receive(chunk)
    assert [len(row) for row in display._cells] == [20, 20]
