"""till sim printer: a receipt printer on a serial line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from simulators.commands.lines import line_options, plugged, serve


@click.command(
    "printer",
    epilog="\b\nExample:\n  till sim printer --link /tmp/printer --png /tmp/receipts\n"
    "  paper-out\n  paper-in",
)
@click.option(
    "--png",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write each receipt that is cut off to this folder, as receipt-0001.png.",
)
@click.option("--columns", type=click.IntRange(24, 80), default=32, show_default=True)
@click.option("--chinese/--no-chinese", default=True, show_default=True, help="Has GB18030.")
@line_options("printer")
def command(
    folder: Path | None,
    columns: int,
    chinese: bool,
    link: Path | None,
    home: Path | None,
    until_eof: bool,
    as_json: bool,
) -> None:
    """Run a receipt printer on a serial line of this machine.

    Prints the line's path, then each receipt as it is cut off. It interprets
    ESC/POS and answers status requests; a till opens it with driver "escpos".
    Words: paper-out, paper-low, paper-in, cover-open, cover-close, fault,
    repair; plug, unplug, silence, stuck, garbage, mend.
    """
    from simulators.printer import PrinterSimulator

    printer = PrinterSimulator(columns=columns, has_chinese=chinese)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    written = 0

    def look() -> dict[str, Any] | None:
        nonlocal written
        if len(printer.receipts) == written:
            return None
        paper = printer.receipts[written]
        written += 1
        facts: dict[str, Any] = {"receipt": written, "lines": paper.lines}
        if paper.codes:
            facts["codes"] = paper.codes
        if folder is not None:
            path = folder / f"receipt-{written:04}.png"
            path.write_bytes(printer.png(paper))
            facts["png"] = str(path)
        return facts

    with plugged(printer, "printer", link, home) as line:

        def then(deed: Callable[[], bytes | None]) -> Callable[[str], None]:
            def obey(_: str) -> None:
                line.send(deed() or b"")

            return obey

        words = {
            "paper-out": then(printer.end_paper),
            "paper-low": then(lambda: setattr(printer, "is_paper_low", True)),
            "paper-in": then(printer.load_paper),
            "cover-open": then(printer.open_cover),
            "cover-close": then(printer.close_cover),
            "fault": then(lambda: setattr(printer, "is_faulty", True)),
            "repair": then(lambda: setattr(printer, "is_faulty", False)),
        }
        serve(line, words, look, until_eof=until_eof, as_json=as_json)
