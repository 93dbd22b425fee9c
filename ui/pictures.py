"""Pictures of the till for the README: `python -m ui.pictures docs/pictures`."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from ui.app import TillApp
from ui.still import SHOP, VIEWS, StillBench, StillTill


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
        return app.export_screenshot(title="OpenTill")


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
