"""till sim scanner: a hand scanner on a serial line."""

from __future__ import annotations

from pathlib import Path

import click

from simulators.commands.lines import line_options, plugged, serve


@click.command(
    "scanner",
    epilog="\b\nExample:\n  till sim scanner --link /tmp/scanner\n"
    "  scan 281234567890123456\n  scan128 281234567890123456\n  unplug",
)
@click.option("--prefix", default="", help=r"Before each code; \x02 and the like are understood.")
@click.option("--suffix", default=r"\r\n", show_default=True, help="After each code.")
@click.option("--aim", is_flag=True, help="Name the printed form before each code.")
@line_options("scanner")
def command(
    prefix: str,
    suffix: str,
    aim: bool,
    link: Path | None,
    home: Path | None,
    until_eof: bool,
    as_json: bool,
) -> None:
    """Run a hand scanner on a serial line of this machine.

    Prints the line's path; a till opens it with driver "scanner-serial".
    Then it reads words: 'scan TEXT' and 'scan128 TEXT' scan a code as QR or
    Code 128, 'endless' sends a megabyte without an end; plug, unplug, silence,
    stuck, garbage and mend break the line and mend it.
    """
    from simulators.scanner import ScannerSimulator

    scanner = ScannerSimulator(_bytes(prefix), _bytes(suffix), sends_aim=aim)
    with plugged(scanner, "scanner", link, home) as line:
        words = {
            "scan": lambda text: line.send(scanner.scan(_some(text), "qr")),
            "scan128": lambda text: line.send(scanner.scan(_some(text), "code128")),
            "endless": lambda _: line.send(scanner.endless()),
        }
        serve(line, words, lambda: None, until_eof=until_eof, as_json=as_json)


def _some(text: str) -> str:
    if not text:
        raise ValueError("say what to scan")
    return text


def _bytes(text: str) -> bytes:
    r"""Return text as bytes, with \r, \n, \t and \x02 and the like understood."""
    return text.encode("latin-1", "backslashreplace").decode("unicode_escape").encode("latin-1")
