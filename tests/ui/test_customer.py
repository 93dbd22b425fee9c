"""The customer's window, on the real socket."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.app import App
from textual.pilot import Pilot

from terminal.customer import CustomerPublisher, Phase, customer_view
from terminal.view import View
from ui.customer import CustomerApp
from ui.still import CODE, PRESENT, SHOP, VIEWS
from ui.widgets.canvas import Canvas
from ui.widgets.customer_panel import both_texts, paint_customer

SIZES = ((40, 36), (46, 40), (60, 24), (80, 24), (120, 40))


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Let the application work until something holds, ten seconds at most."""
    async with asyncio.timeout(10):
        while not holds():
            await pilot.pause()


async def test_the_window_waits_for_a_till_and_follows_it(
    tmp_path: Path, read_screen: Callable[[App[Any]], str]
) -> None:
    app = CustomerApp(tmp_path / "customer.sock", "en")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "No till here" in read_screen(app)
        publisher = CustomerPublisher(tmp_path / "customer.sock", lambda: SHOP, lambda: 0.0)
        publisher(PRESENT)
        await until(pilot, lambda: "Present card, phone or code" in read_screen(app))
        assert "请刷卡、碰手机或出示付款码" in read_screen(app)
        publisher(VIEWS["approved"])
        await until(pilot, lambda: "Paid. Thank you" in read_screen(app))
        publisher.close()
        await until(pilot, lambda: "No till here" in read_screen(app))


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("has_blocks", [True, False])
def test_nothing_is_cut_in_any_state(name: str, size: tuple[int, int], has_blocks: bool) -> None:
    canvas = Canvas(*size)
    paint_customer(canvas, customer_view(VIEWS[name], SHOP, 0.0), has_blocks=has_blocks)
    assert not canvas.clipped
    if not has_blocks:
        assert not set("".join(canvas.lines())) & set("▀▄█")


@pytest.mark.parametrize("name", VIEWS)
def test_both_languages_say_something(name: str) -> None:
    chinese, english = both_texts(customer_view(VIEWS[name], SHOP, 0.0))
    assert chinese != english
    assert english.isascii()


def test_the_shops_own_welcome_takes_the_place_of_ours() -> None:
    """What it has in one language only is said in our words in the other."""
    shop = replace(SHOP, welcome="Open till ten")
    chinese, english = both_texts(customer_view(View(), shop, 0.0))
    assert (chinese, english) == ("欢迎光临", "Open till ten")
    assert "ten" not in both_texts(customer_view(PRESENT, shop, 0.0))[1]


@pytest.mark.parametrize("size", [(46, 40), (80, 24), (60, 24), (120, 40)])
def test_the_code_can_be_scanned_from_the_panel(size: tuple[int, int]) -> None:
    """Read back by a decoder that knows nothing of this program."""
    import numpy
    import zxingcpp

    canvas = Canvas(*size)
    paint_customer(canvas, customer_view(CODE, SHOP, 0.0), has_blocks=True)
    # Four pixels a module; every cell holds two modules, one above the other.
    image = numpy.full((size[1] * 8, size[0] * 4), 128, dtype=numpy.uint8)
    for y in range(size[1]):
        x = 0
        for run, pen in canvas.runs(y):
            if (pen.ink, pen.paper) == ("#000000", "#FFFFFF"):
                for offset, glyph in enumerate(run):
                    left = (x + offset) * 4
                    cell = image[y * 8 : y * 8 + 8, left : left + 4]
                    cell[:4] = 0 if glyph in "█▀" else 255
                    cell[4:] = 0 if glyph in "█▄" else 255
            x += cell_len(run)
    assert CODE.code
    assert [found.text for found in zxingcpp.read_barcodes(image)] == [CODE.code.text]


def test_a_phase_without_words_does_not_exist() -> None:
    from ui.widgets.customer_panel import TEXTS

    assert set(TEXTS) == set(Phase)
