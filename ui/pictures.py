"""Pictures of the till for the README: `python -m ui.pictures docs/pictures`."""

from __future__ import annotations

import asyncio
import html
import os
import re
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from rich.cells import cell_len

from ui.app import TillApp
from ui.still import SHOP, VIEWS, StillBench, StillTill
from ui.tokens import THEMES, Palette, colour
from ui.widgets.canvas import Canvas


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: its file, and how the till stands in it."""

    name: str
    view: str
    language: str = "en"
    theme: str = "dark"
    size: tuple[int, int] = (80, 24)
    keys: tuple[str, ...] = ()
    is_bench: bool = False


PICTURES = (
    Picture("sale", "sale"),
    Picture("present-zh", "present", "zh"),
    Picture("approved-zh", "approved", "zh"),
    Picture("approved", "approved"),
    Picture("declined", "declined"),
    Picture("unknown", "unknown"),
    Picture("code", "code"),
    Picture("payments", "sale", size=(120, 36), keys=("f2", "escape", "tab")),
    Picture("bench", "present", is_bench=True, keys=("b",)),
    Picture("customer", "code", size=(160, 36)),
    Picture("light", "sale", theme="light"),
    Picture("contrast-zh", "present", "zh", theme="contrast"),
)


CELL = (9, 19)
"""Width and height of a cell in a picture, in pixels."""

FONTS = "'JetBrains Mono','DejaVu Sans Mono',Menlo,Consolas,'Noto Sans Mono CJK SC',monospace"

# Which quarters of a cell a block fills: upper left, upper right, lower ones.
BLOCKS = {
    "▘": (1, 0, 0, 0), "▝": (0, 1, 0, 0), "▖": (0, 0, 1, 0), "▗": (0, 0, 0, 1),
    "▙": (1, 0, 1, 1), "▛": (1, 1, 1, 0), "▜": (1, 1, 0, 1), "▟": (0, 1, 1, 1),
    "▚": (1, 0, 0, 1), "▞": (0, 1, 1, 0), "▀": (1, 1, 0, 0), "▄": (0, 0, 1, 1),
    "█": (1, 1, 1, 1),
}  # fmt: skip


def svg(canvas: Canvas, palette: Palette) -> str:
    """Return a canvas as SVG: blocks as rectangles, so that no font can part them."""
    wide, high = CELL
    papers, blocks, texts = [], [], []
    for y in range(canvas.height):
        x = 0
        for run, pen in canvas.runs(y):
            paper, ink = colour(palette, pen.paper), colour(palette, pen.ink)
            columns = cell_len(run)
            if paper != palette["ground"]:
                papers.append(_box(x * wide, y * high, columns * wide, high, paper))
            if set(run) & set(BLOCKS):
                for number, glyph in enumerate(run):
                    blocks += _quarters((x + number) * wide, y * high, BLOCKS.get(glyph), ink)
            elif run.strip():
                texts += _texts(x, y, run, ink, is_bold=pen.bold)
            x += columns
    size = f"{canvas.width * wide} {canvas.height * high}"
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" '
            f'font-family="{FONTS}" font-size="15" shape-rendering="crispEdges">',
            f'<rect width="100%" height="100%" fill="{palette["ground"]}"/>',
            *papers,
            *blocks,
            *texts,
            "</svg>\n",
        )
    )


def _box(x: int, y: int, width: int, height: int, fill: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{fill}"/>'


def _quarters(x: int, y: int, quarters: tuple[int, ...] | None, ink: str) -> list[str]:
    wide, high = CELL
    across, down = (wide + 1) // 2, (high + 1) // 2
    if quarters is None:
        return []
    if quarters == BLOCKS["█"]:
        return [_box(x, y, wide, high, ink)]
    places = (
        (x, y, across, down),
        (x + across, y, wide - across, down),
        (x, y + down, across, high - down),
        (x + across, y + down, wide - across, high - down),
    )
    return [_box(*place, ink) for place, is_lit in zip(places, quarters, strict=True) if is_lit]


def _texts(x: int, y: int, run: str, ink: str, *, is_bold: bool) -> list[str]:
    """Return a run word by word, each as wide as its cells whatever the font."""
    wide, high = CELL
    weight = ' font-weight="bold"' if is_bold else ""
    texts = []
    for found in re.finditer(r"\S+(?: \S+)*", run):
        left = (x + cell_len(run[: found.start()])) * wide
        width = cell_len(found[0]) * wide
        texts.append(
            f'<text x="{left}" y="{y * high + 14}" textLength="{width}" fill="{ink}"{weight}>'
            f"{html.escape(found[0])}</text>"
        )
    return texts


async def draw(picture: Picture) -> str:
    """Return a picture as SVG."""
    bench = StillBench() if picture.is_bench else None
    till = StillTill(VIEWS[picture.view], replace(SHOP, is_bench=picture.is_bench), bench)
    app = TillApp(till, picture.language, picture.theme)
    if picture.view == "sale":
        app.desk.entry.items = [28_800]
        app.desk.entry.digits = "5760"
    async with app.run_test(size=picture.size) as pilot:
        await pilot.press(*picture.keys)
        await pilot.pause()
        return svg(app.picture(), THEMES[picture.theme])


def main(arguments: list[str]) -> int:
    """Write every picture into the folder named; return an exit status."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m ui.pictures FOLDER\n")
        return 2
    # The clock in a picture must not depend on where it is drawn.
    os.environ["TZ"] = "UTC"
    time.tzset()
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for picture in PICTURES:
        target = folder / f"{picture.name}.svg"
        target.write_text(asyncio.run(draw(picture)), encoding="utf-8")
        sys.stdout.write(f"{target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
