"""Large figures: the shapes, the sizes, and when none fits."""

import pytest

from ui.money import plain_amount
from ui.widgets.canvas import Canvas
from ui.widgets.figures import SEGMENTS, SIZES, best_size, draw_amount


def drawn(text: str, width: int, height: int) -> list[str]:
    """The figures with whole cells as '#', as the design draws them."""
    canvas = Canvas(width, height)
    draw_amount(canvas, 0, 0, width, height, unit="¥", text=text, ink="ink", align="left")
    assert not canvas.clipped
    return [
        "".join(
            "#" * len(run) if pen.paper == "ink" else run for run, pen in canvas.runs(y)
        ).rstrip()
        for y in range(height)
    ]


def test_the_design_s_own_picture() -> None:
    assert drawn("345.60", 50, 5) == [
        "¥ #####▙  ▟▙  ▟▙  ▟#####      ▟#####  ▟####▙",
        "      ##  ##  ##  ##          ##      ##  ##",
        "  ######  ▜#####  ▜####▙      #####▙  ##  ##",
        "      ##      ##      ##      ##  ##  ##  ##",
        "  #####▛      ▜▛  #####▛  ##  ▜####▛  ▜####▛",
    ]


def test_no_two_digits_look_alike_in_any_size() -> None:
    for size in SIZES:
        shapes = {tuple(drawn(digit, size.columns + 2, size.rows)) for digit in "0123456789"}
        assert len(shapes) == 10, size


def test_thousands_are_a_gap() -> None:
    plain, parted = drawn("1234", 30, 5)[0], drawn("1,234", 30, 5)[0]
    assert len(parted) > len(plain)
    assert "," not in parted


@pytest.mark.parametrize(("columns", "rows"), [(20, 9), (200, 4)])
def test_figures_that_could_be_misread_are_not_drawn(columns: int, rows: int) -> None:
    assert best_size("99,999.99", columns, rows) is None
    canvas = Canvas(columns, rows)
    draw_amount(canvas, 0, 0, columns, rows, unit="¥", text="99,999.99", ink="ink")
    assert "¥99,999.99" in "\n".join(canvas.lines())
    assert not canvas.clipped


def test_the_largest_size_that_fits_is_taken() -> None:
    assert best_size("345.60", 110, 12) is SIZES[0]
    assert best_size("345.60", 70, 7) is SIZES[3]


def test_every_character_of_an_amount_has_a_shape() -> None:
    for digits in (0, 2, 3):
        text = plain_amount(-1_234_567_890, digits)
        assert set(text) <= set(SEGMENTS) | {",", "."}
