"""The canvas: nothing is cut in silence, and every row keeps its width."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from ui.widgets.canvas import Canvas, cut, pad, wrap

TEXT = st.text(alphabet=st.sampled_from("abc ,.请卡码。、 "), max_size=40)


@given(TEXT, st.integers(-3, 12), st.integers(-2, 4))
@settings(max_examples=150)
def test_rows_keep_their_width_whatever_is_written(text: str, x: int, y: int) -> None:
    canvas = Canvas(9, 3)
    canvas.put(x, y, text)
    for row in range(3):
        assert cell_len("".join(run for run, _ in canvas.runs(row))) == 9


@given(TEXT)
@settings(max_examples=150)
def test_what_is_cut_is_remembered(text: str) -> None:
    canvas = Canvas(9, 1)
    canvas.put(0, 0, text)
    assert bool(canvas.clipped) == (cell_len(text) > 9 and bool(text.strip()))


@given(TEXT, st.integers(4, 20))
@settings(max_examples=150)
def test_wrapped_lines_fit_and_lose_nothing_but_spaces(text: str, width: int) -> None:
    words = [word for word in text.split() if cell_len(word) > width]
    lines = wrap(text, width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    if not words:
        assert all(cell_len(line) <= width for line in lines)


def test_a_line_never_begins_with_a_closing_mark() -> None:
    assert wrap("请刷卡。请扫码", 6)[1][0] != "。"


def test_a_wide_character_is_not_halved_at_the_edge() -> None:
    canvas = Canvas(3, 1)
    canvas.put(0, 0, "码码")
    assert canvas.lines() == ["码"]
    assert canvas.clipped == ["码码"]


def test_a_part_writes_on_its_whole_and_reports_what_it_cut() -> None:
    canvas = Canvas(10, 2)
    part = canvas.part(4, 1, 4, 1)
    part.put(0, 0, "abcdef")
    assert canvas.lines() == ["", "    abcd"]
    assert canvas.clipped == ["abcdef"]


def test_a_bitmap_takes_half_as_many_lines_as_pixels() -> None:
    canvas = Canvas(3, 2)
    canvas.bitmap(0, 0, ("##", "# ", " #"), "ink")
    assert canvas.lines() == ["█▀", " ▀"]


@pytest.mark.parametrize(("text", "shown"), [("Mastercard", "Maste.."), ("Visa", "Visa")])
def test_a_shortened_text_says_so(text: str, shown: str) -> None:
    assert cut(text, 7) == shown


def test_chinese_is_padded_by_columns() -> None:
    assert cell_len(pad("银行", 6)) == 6
