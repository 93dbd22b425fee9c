"""till qr: read payment codes from pictures and text, and make a shop's code."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import click

from drivers.errors import ImageUnreadable
from terminal.errors import TillError

if TYPE_CHECKING:
    from drivers.protocols import Image, SymbolReader
    from emv.qr.merchant import Field, Language, Tip
    from terminal.pictures.code_drawing import Level

PICTURES = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".tif", ".tiff"))
NOT_DONE = 30
"""Exit status: a picture could not be opened."""


class ImageTools(Protocol):
    """What the assembly puts into the click context for pictures."""

    def open_symbol_reader(self) -> SymbolReader:
        """Return a reader that takes its time over single pictures."""

    def load_image(self, path: Path) -> Image:
        """Return a picture file's pixels. Raises ImageUnreadable."""


@click.group()
def command() -> None:
    """Read payment codes, and make a shop's own.

    \b
    Examples:
      till qr decode photo.png
      till qr make --name "CORNER SHOP" --city SHANGHAI \\
          --account 26=example.opentill,01=898310154110001 --amount 345.60
    """


@command.command()
@click.argument("sources", nargs=-1, required=True, metavar="TEXT-OR-IMAGE...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.option(
    "--whole",
    is_flag=True,
    help="Also print a customer's EMV code as it is, card data included. For test codes.",
)
@click.pass_context
def decode(context: click.Context, sources: Sequence[str], as_json: bool, whole: bool) -> None:
    """Say what each picture or text holds: whose payment code, and its fields.

    A source is the name of a picture, or the text of a code; '-' reads one
    source per line from standard input. Each gives one line, in order. Card
    data is masked. The exit status is 30 if a picture could not be opened.

    \b
    Examples:
      till qr decode camera/*.png --json
      till qr decode 286789012345678901
      till qr decode hQVDUFYwMWEaTwegAAAAVVVVVw8SNFZ4kBI0WNGRIgESNF8=
    """
    # Imported here: `till --help` need not wait for it.
    from config import load_currencies, load_payment_codes
    from terminal.pictures.code_report import code_report, printable, report_line

    rules, currencies = load_payment_codes(), load_currencies()
    tools = cast("ImageTools | None", context.obj)
    reader: SymbolReader | None = None
    failed = False
    for source in _expand(sources):
        found: list[tuple[bytes, str | None]] = []
        error = ""
        if _is_picture(source):
            if tools is None:
                raise click.ClickException("this installation reads text only: no symbol reader")
            reader = reader or tools.open_symbol_reader()
            try:
                symbols = reader.read(tools.load_image(Path(source)))
            except ImageUnreadable as unreadable:
                error, failed = str(unreadable).removeprefix(f"{source}: "), True
            else:
                found = [(symbol.data, symbol.symbology.value) for symbol in symbols]
        else:
            found = [(source.encode("utf-8", "surrogateescape"), None)]
        reports = [
            code_report(data, symbology, rules, currencies, whole=whole)
            for data, symbology in found
        ]
        if as_json:
            is_text = not _is_picture(source)
            line = {"source": None if is_text else source, "symbols": reports, "error": error}
            click.echo(json.dumps(line, ensure_ascii=False))
            continue
        words = error or " | ".join(map(report_line, reports)) or "no QR code or Code 128 found"
        click.echo(f"{printable(source)}: {words}" if _is_picture(source) else words)
    if failed:
        context.exit(NOT_DONE)


@command.command()
@click.option("--name", help="The shop, at most 25 characters.")
@click.option("--city", help="Where it is, at most 15 characters.")
@click.option("--country", default="CN", show_default=True, help="Two letters, ISO 3166.")
@click.option("--category", default="5411", show_default=True, help="Four digits, ISO 18245.")
@click.option("--currency", default="CNY", show_default=True, help="Three letters, ISO 4217.")
@click.option("--amount", help="As in 345.60; without it the customer enters it.")
@click.option(
    "--account",
    "accounts",
    multiple=True,
    metavar="ID=VALUE",
    help="ID=VALUE for 02 to 25; ID=SCHEME,01=VALUE,... for 26 to 51. Repeatable.",
)
@click.option(
    "--additional", multiple=True, metavar="ID=VALUE", help="A field of template 62. Repeatable."
)
@click.option("--tip", help="'ask', 'fixed:5.00' or 'percent:5'.")
@click.option("--postal-code", help="At most 10 characters.")
@click.option("--name-zh", help="The shop in Chinese, at most 25 characters.")
@click.option("--city-zh", help="The city in Chinese, at most 15 characters.")
@click.option("--text", help="Draw this text as it stands; no other field is then used.")
@click.option("--level", type=click.Choice(["L", "M", "Q", "H"]), default="M", show_default=True)
@click.option("--png", type=click.Path(dir_okay=False, path_type=Path), help="Write a picture.")
@click.option("--draw/--no-draw", default=None, help="Draw it here; on a terminal by default.")
def make(
    name: str | None,
    city: str | None,
    country: str,
    category: str,
    currency: str,
    amount: str | None,
    accounts: Sequence[str],
    additional: Sequence[str],
    tip: str | None,
    postal_code: str | None,
    name_zh: str | None,
    city_zh: str | None,
    text: str | None,
    level: str,
    png: Path | None,
    draw: bool | None,
) -> None:
    """Make a merchant-presented EMV code: its text, then the code itself.

    \b
    Example:
      till qr make --name "CORNER SHOP" --city SHANGHAI --amount 345.60 \\
          --account 26=example.opentill,01=898310154110001 --png code.png
    """
    # Imported here: `till --help` need not wait for it.
    from config import load_currencies
    from emv.errors import MalformedData
    from emv.qr import merchant
    from terminal.money import currency_of, parse_amount, plain_amount
    from terminal.pictures.code_drawing import ansi_lines, png_bytes, qr_modules

    try:
        if text is None:
            if not name or not city or not accounts:
                raise click.UsageError("give --name, --city and --account, or --text")
            unit = currency_of(currency, load_currencies())
            if amount is not None:
                minor = parse_amount(amount, unit)
                amount = plain_amount(minor, unit.digits, grouped=False)
            text = merchant.build(
                accounts=[_account(value) for value in accounts],
                category=category,
                currency=unit.numeric,
                country=country,
                name=name,
                city=city,
                amount=amount,
                dynamic=amount is not None,
                tip=_tip(tip),
                postal_code=postal_code,
                additional=dict(_pair(value) for value in additional),
                language=_language(name_zh, city_zh),
            )
        modules = qr_modules(text, cast("Level", level))
    except (MalformedData, TillError) as error:
        raise click.UsageError(str(error)) from error
    click.echo(text)
    if draw or (draw is None and sys.stdout.isatty()):
        # color: keep the black and white when it goes into a file.
        click.echo("\n".join(ansi_lines(modules)), color=True)
    if png is not None:
        try:
            png.write_bytes(png_bytes(modules))
        except OSError as error:
            raise click.UsageError(f"{png}: cannot be written: {error.strerror}") from error


def _expand(sources: Sequence[str]) -> Iterator[str]:
    for source in sources:
        if source == "-":
            yield from (line.rstrip("\r\n") for line in sys.stdin)
        else:
            yield source


def _is_picture(source: str) -> bool:
    """Tell a file's name from the text of a code."""
    if "://" in source or "\0" in source or len(source) > 4096:
        return False
    path = Path(source)
    try:
        return path.suffix.lower() in PICTURES or path.is_file()
    except OSError:
        # A name longer than any file's is a code's text.
        return False


def _pair(value: str) -> tuple[str, str]:
    id, equals, content = value.partition("=")
    if not equals:
        raise click.UsageError(f"{value!r}: write ID=VALUE")
    return id, content


def _account(value: str) -> Field:
    from emv.qr import merchant

    id, content = _pair(value)
    if not (id.isascii() and id.isdigit() and 2 <= int(id) <= 51):
        raise click.UsageError(f"--account {id!r}: ids are 02 to 51")
    if int(id) < 26:
        return merchant.Field(id, content)
    scheme, *rest = content.split(",")
    inner: dict[str, Any] = {"00": scheme}
    inner.update(_pair(one) for one in rest)
    return merchant.template(id, inner)


def _tip(value: str | None) -> Tip | None:
    from emv.qr import merchant

    if value is None:
        return None
    kind, _, content = value.partition(":")
    match kind:
        case "ask" if not content:
            return merchant.Tip()
        case "fixed":
            return merchant.Tip(fixed=content)
        case "percent":
            return merchant.Tip(percent=content)
    raise click.UsageError(f"--tip {value!r}: write ask, fixed:5.00 or percent:5")


def _language(name: str | None, city: str | None) -> Language | None:
    from emv.qr import merchant

    if name is None:
        if city is not None:
            raise click.UsageError("--city-zh goes with --name-zh")
        return None
    return merchant.Language("ZH", name, city or "")
