"""`till decode`: card data objects in words."""

from __future__ import annotations

import json
import sys

import click

from emv import describe, tlv
from emv.errors import MalformedData


class Undecodable(click.ClickException):
    """The input is not what it should be; the message says where."""

    exit_code = 2


@click.command(name="decode")
@click.argument("hex_digits", metavar="HEX...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of an indented tree.")
@click.option(
    "--kernel",
    type=click.IntRange(1, 8),
    help="Read tags as this kernel does, where kernels differ.",
)
def command(hex_digits: tuple[str, ...], as_json: bool, kernel: int | None) -> None:
    """Show EMV data objects (TLV) as a tree, with names and bit meanings.

    Card numbers, tracks, names and PIN data are masked. HEX may have spaces
    in it; - reads it from standard input.

    \b
    Example:
      till decode 77 0E 82 02 20 20 95 05 80 40 00 00 00 9F 36 00
      till decode --kernel 3 --json 9F6C023080
    """
    digits = "".join(hex_digits)
    if digits == "-":
        digits = sys.stdin.read()
    try:
        nodes = tlv.decode(_parse_hex(digits))
    except MalformedData as fault:
        raise Undecodable(str(fault)) from fault
    described = describe.describe(nodes, kernel=kernel)
    if as_json:
        click.echo(json.dumps(describe.as_plain(described), ensure_ascii=False, indent=2))
    else:
        click.echo(describe.as_text(described))


def _parse_hex(text: str) -> bytes:
    """Return the bytes behind hex digits, white space left out.

    Raises MalformedData naming the byte's offset; never the input itself.
    """
    digits = "".join(text.split())
    if not digits:
        raise MalformedData("nothing to decode")
    for at, digit in enumerate(digits):
        if digit not in "0123456789abcdefABCDEF":
            raise MalformedData(f"not a hex digit in the byte at offset {at // 2}")
    if len(digits) % 2:
        raise MalformedData(f"half a byte at offset {len(digits) // 2}: one hex digit is missing")
    return bytes.fromhex(digits)
