"""`till decode`: card data objects and logs of cards in words."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from config import ConfigError
from config.cards import CAKey
from config.loader import read_table
from config.schema import CAKeysFile
from emv import describe, dialogue, dol, masking, tlv
from emv.apdu import COMMAND_NAMES, CommandAPDU
from emv.dialogue import Exchange
from emv.errors import MalformedData
from terminal.commands.place import Place
from terminal.decoding import apdu_log, certificates, html


class Undecodable(click.ClickException):
    """The input is not what it should be; the message says where."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Decoded:
    """What came of the input, for every way to print it."""

    text: str
    plain: list[dict[str, object]]
    html: list[str]
    card: Mapping[int, bytes]
    """Every object of the card by its tag; of repeated ones the last."""


@click.command(name="decode")
@click.argument("hex_digits", metavar="[HEX...|-]", nargs=-1)
@click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Read the digits, or the log, from a file.",
)
@click.option("--tag", metavar="TAG", help="HEX is the value of this object: 95, 9F38, 8E ...")
@click.option("--dol", "wanted", metavar="HEX", help="HEX is what this data object list asked for.")
@click.option(
    "--kernel",
    type=click.IntRange(1, 8),
    help="Read tags as this kernel does, where kernels differ.",
)
@click.option(
    "--certificates", "opens", is_flag=True, help="Open certificates, by the shop's CA keys."
)
@click.option(
    "--ca-keys",
    "key_files",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Open certificates, by the CA keys of this TOML file too.",
)
@click.option("--whole", is_flag=True, help="Mask nothing. For test cards only.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of an indented tree.")
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a page to share to this file.",
)
@click.pass_context
def command(
    context: click.Context,
    hex_digits: tuple[str, ...],
    path: Path | None,
    tag: str | None,
    wanted: str | None,
    kernel: int | None,
    opens: bool,
    key_files: tuple[Path, ...],
    whole: bool,
    as_json: bool,
    page: Path | None,
) -> None:
    """Show EMV data objects, or a log of commands and answers, in words.

    Card numbers, tracks, names and PIN data are masked. HEX may have spaces
    in it; - reads it from standard input. A log may come from
    GlobalPlatformPro, scriptor, pcscd, opensc-tool, nfcpy, libnfc or a
    Proxmark ("hf 14a apdu", "trace list"), or be lines of hex digits after
    >> and <<, or in turns without any mark.

    \b
    Examples:
      till decode 77 0E 82 02 20 20 95 05 80 40 00 00 00 9F 36 00
      till decode --kernel 3 --json 9F6C023080
      till decode --tag 95 8000008000
      till decode --dol 9F02069F3704 00000000520012345678
      till decode --file card.log --certificates --html card.html
    """
    digits = _input(hex_digits, path)
    try:
        decoded = _decode(digits, tag, wanted, kernel, whole=whole)
    except MalformedData as fault:
        raise Undecodable(str(fault)) from fault
    opened: list[str] = []
    if opens or key_files:
        keys = _ca_keys(context, key_files, of_shop=opens)
        opened = certificates.describe(decoded.card, keys, whole=whole)
    if page is not None:
        body = [*decoded.html, *html.lines("Certificates", opened)]
        page.write_text(html.page("Card data", body, whole=whole), "utf-8")
    elif as_json:
        plain: Any = {"decoded": decoded.plain, "certificates": opened} if opened else decoded.plain
        click.echo(json.dumps(plain, ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join([decoded.text, *opened]))


def _input(hex_digits: tuple[str, ...], path: Path | None) -> str:
    """Return what is to be decoded, from wherever it comes."""
    if path is not None and hex_digits:
        raise click.UsageError("HEX or --file, not both")
    if path is not None:
        return path.read_text("utf-8", "replace")
    if not hex_digits:
        raise click.UsageError("nothing to decode: give HEX, - or --file")
    digits = " ".join(hex_digits)
    return sys.stdin.read() if digits == "-" else digits


def _decode(
    text: str, tag: str | None, wanted: str | None, kernel: int | None, *, whole: bool
) -> Decoded:
    """Return the input in words. Raises MalformedData."""
    if tag is not None and wanted is not None:
        raise click.UsageError("--tag or --dol, not both")
    if tag is None and wanted is None and _is_log(text):
        return _conversation(apdu_log.read_log(text), kernel, whole=whole)
    data = _parse_hex(text)
    if tag is not None:
        number, end = dol.read_tag(_parse_hex(tag), 0)
        if 2 * end != len("".join(tag.split())):
            raise MalformedData(f"--tag: more than one tag in {tag}")
        nodes: Sequence[tlv.Node] = (tlv.Node(number, data, None, 0),)
    elif wanted is not None:
        nodes = _asked_for(_parse_hex(wanted), data)
    else:
        nodes = tlv.decode(data)
    described = describe.describe(nodes, kernel=kernel, show=masking.openly if whole else None)
    card = {node.tag: node.value for node in tlv.walk(nodes) if node.children is None}
    text = describe.as_text(described)
    return Decoded(text, describe.as_plain(described), [html.objects(described)], card)


def _is_log(text: str) -> bool:
    """True for a log: by its marks, or as lines of digits of which the first is a command."""
    if apdu_log.looks_like_log(text):
        return True
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        first = CommandAPDU.parse(_parse_hex(lines[0]))
    except (MalformedData, IndexError):
        return False
    return len(lines) > 1 and first.ins in COMMAND_NAMES


def _conversation(exchanges: Sequence[Exchange], kernel: int | None, *, whole: bool) -> Decoded:
    told = dialogue.tell(exchanges, whole=whole, kernel=kernel)
    return Decoded(
        dialogue.as_text(told),
        dialogue.as_plain(told),
        html.conversation(told),
        dialogue.objects_in(exchanges),
    )


def _asked_for(wanted: bytes, data: bytes) -> tuple[tlv.Node, ...]:
    """Return the values of a list apart. Raises MalformedData if it is not as long as asked."""
    nodes = dol.split_filled(wanted, data)
    end = sum(len(node.value) for node in nodes)
    if end != len(data):
        raise MalformedData(f"the list asks for {end} bytes, and these are {len(data)}")
    return nodes


def _ca_keys(context: click.Context, files: Iterable[Path], *, of_shop: bool) -> list[CAKey]:
    """Return the keys to try: the shop's, and those of files."""
    keys: list[CAKey] = []
    place = context.find_object(Place)
    if of_shop and place is not None:
        keys += place.card_settings().ca_keys
    try:
        for path in files:
            keys += read_table(path, CAKeysFile).ca_keys
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    return keys


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
