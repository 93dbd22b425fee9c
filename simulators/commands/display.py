"""till sim display: a pole display on a serial line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from simulators.commands.lines import line_options, plugged, serve


@click.command(
    "display",
    epilog="\b\nExample:\n  till sim display --link /tmp/display\n"
    "  printf 'TOTAL 12.50' > /tmp/display",
)
@click.option("--columns", type=click.IntRange(8, 40), default=20, show_default=True)
@click.option("--chinese/--no-chinese", default=True, show_default=True, help="Has GB18030.")
@line_options("display")
def command(
    columns: int,
    chinese: bool,
    link: Path | None,
    home: Path | None,
    until_eof: bool,
    as_json: bool,
) -> None:
    """Run a pole display on a serial line of this machine.

    Prints the line's path, then its two lines whenever they change. It
    understands ESC/POS and CD5220 commands; a till opens it with driver
    "display-serial". Words: plug, unplug, silence, stuck, garbage, mend.
    """
    from simulators.display import DisplaySimulator

    display = DisplaySimulator(columns, has_chinese=chinese)

    def look() -> dict[str, Any]:
        return {"lines": list(display.lines)} if as_json else {"picture": display.picture()}

    with plugged(display, "display", link, home) as line:
        serve(line, {}, look, until_eof=until_eof, as_json=as_json)
