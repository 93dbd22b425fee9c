"""till qr: through click, with the real symbol reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy
import pytest
import zxingcpp
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from config import load_currencies, load_payment_codes
from drivers.protocols import SymbolReader
from drivers.symbols import ZXingSymbolReader, load_image
from emv.qr import consumer, merchant
from terminal.commands.qr import command
from terminal.pictures.code_drawing import png_bytes, qr_modules
from terminal.pictures.code_report import code_report, mask_card_numbers, report_line

if TYPE_CHECKING:
    from drivers.protocols import Image

PAN = "4761739001010119"
TRACK_2 = bytes.fromhex(PAN + "D31122011234567F")
AID = bytes.fromhex("A0000000031010")


class Tools:
    """What the assembly hands in, with the real reader."""

    def open_symbol_reader(self) -> SymbolReader:
        return ZXingSymbolReader(thorough=True)

    def load_image(self, path: Path) -> Image:
        return load_image(path)


def till(*arguments: str, given: str = "") -> Result:
    return CliRunner().invoke(command, arguments, obj=Tools(), input=given)


def picture(folder: Path, text: str, name: str = "code.png") -> str:
    file = folder / name
    file.write_bytes(png_bytes(qr_modules(text)))
    return str(file)


def consumer_code() -> str:
    application = consumer.Template({0x4F: AID, 0x50: b"VISA", 0x57: TRACK_2})
    common = consumer.Template({0x5A: bytes.fromhex(PAN), 0x5F20: b"DOE/JANE"})
    return consumer.build([application], common)


def test_a_wallet_code_is_read_from_a_picture(tmp_path: Path) -> None:
    source = picture(tmp_path, "286789012345678901")
    result = till("decode", source)

    assert result.output == (f"{source}: qr; wallet code, Alipay, 18 digits; 286789012345678901\n")
    assert result.exit_code == 0


def test_a_bar_code_is_read_from_a_picture(tmp_path: Path) -> None:
    pixels = zxingcpp.write_barcode_to_image(
        zxingcpp.create_barcode("134567890123456789", zxingcpp.BarcodeFormat.Code128),
        scale=4,
    )
    image = numpy.pad(numpy.array(pixels), 40, constant_values=255)
    modules = [[bool(value < 128) for value in row] for row in image]
    file = tmp_path / "bar.png"
    file.write_bytes(png_bytes(modules, scale=1))

    (symbol,) = json.loads(till("decode", str(file), "--json").output)["symbols"]

    assert symbol["symbology"] == "code128"
    assert symbol["kind"] == "wallet"
    assert symbol["wallet"] == "wechat"


def test_each_source_gives_one_line_in_order(tmp_path: Path) -> None:
    good = picture(tmp_path, "hello\nworld")
    blank = str(tmp_path / "blank.png")
    Path(blank).write_bytes(png_bytes([[False] * 64] * 64))
    broken = str(tmp_path / "broken.png")
    Path(broken).write_bytes(b"no picture")
    missing = str(tmp_path / "missing.jpg")

    result = till("decode", good, blank, broken, missing, "286789012345678901")

    assert result.output.splitlines() == [
        f"{good}: qr; not a payment code: text; hello\\nworld",
        f"{blank}: no QR code or Code 128 found",
        f"{broken}: not a picture, or a damaged one",
        f"{missing}: No such file or directory",
        "text; wallet code, Alipay, 18 digits; 286789012345678901",
    ]
    assert result.exit_code == 30


def test_sources_come_from_standard_input() -> None:
    result = till("decode", "-", "--json", given="286789012345678901\n134567890123456789\n")

    lines = [json.loads(line) for line in result.output.splitlines()]
    assert [line["symbols"][0]["wallet"] for line in lines] == ["alipay", "wechat"]


def test_a_shops_code_is_shown_with_its_fields(shared: Path) -> None:
    cases = json.loads((shared / "vectors/qr/qr_mpm.json").read_text())["vectors"]
    example = next(case for case in cases if case["name"] == "emvco-spec-example")

    (symbol,) = json.loads(till("decode", example["payload"], "--json").output)["symbols"]

    assert symbol["kind"] == "merchant"
    assert symbol["merchant"]["currency"] == "CNY"
    assert symbol["merchant"]["amount"] == "23.72"
    assert [field["id"] for field in symbol["merchant"]["fields"]] == [
        field["id"] for field in example["fields"]
    ]
    line = till("decode", example["payload"]).output
    assert "BEST TRANSPORT, BEIJING, CN; CNY 23.72; account 29 00=D15600000000" in line


def test_a_customers_code_is_shown_without_card_data() -> None:
    for arguments in (["decode", consumer_code()], ["decode", consumer_code(), "--json"]):
        output = till(*arguments).output

        assert "476173******0119" in output
        assert "A0000000031010" in output
        for secret in (PAN, "D3112", "DOE", b"DOE".hex(), consumer_code()):
            assert secret not in output


def test_a_customers_code_is_printed_whole_only_when_asked() -> None:
    (symbol,) = json.loads(till("decode", consumer_code(), "--json", "--whole").output)["symbols"]

    assert symbol["text"] == consumer_code()


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_damaged_customers_code_shows_no_card_data(cut: int, noise: int) -> None:
    code = consumer_code()
    for text in (code[: len(consumer.HEAD) + cut], code + chr(noise)):
        report = code_report(text.encode(), "qr", load_payment_codes(), load_currencies())
        shown = report_line(report) + json.dumps(report)
        assert PAN not in shown
        assert "DOE" not in shown
        assert code[12:40] not in shown


@given(st.text("0123456789 x", max_size=50))
def test_no_card_number_is_left_in_other_text(text: str) -> None:
    """Checked by a second, plain reading of the rule."""
    shown = mask_card_numbers(f"{text}x{PAN}")

    for run in shown.replace("x", " ").replace("*", " ").split():
        doubled = [int(digit) * 2 for digit in run[-2::-2]]
        checks = sum(map(int, run[-1::-2])) + sum(two // 10 + two % 10 for two in doubled)
        assert not 13 <= len(run) <= 19 or checks % 10


def test_digits_too_long_for_a_card_are_left_alone() -> None:
    """Twenty digits with a right check digit."""
    assert mask_card_numbers("00004761739001010119") == "00004761739001010119"


def test_a_card_number_as_a_plain_code_is_masked() -> None:
    assert till("decode", PAN).output == (
        "text; not a payment code: digits of no wallet here; 476173******0119\n"
    )


def test_text_cannot_move_the_cursor() -> None:
    assert "\x1b" not in till("decode", "\x1b[2Jgone").output


GOOD = ["make", "--name", "CORNER SHOP", "--city", "SHANGHAI", "--account"]
GOOD += ["26=example.opentill,01=898310154110001"]


def test_a_code_that_is_made_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "code.png"
    result = till(
        *GOOD, "--amount", "345.6", "--tip", "percent:5", "--additional", "01=A-17",
        "--name-zh", "街角小店", "--city-zh", "上海", "--png", str(file),
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    code = merchant.parse(result.output.strip())

    assert code.faults() == ()
    assert code.is_dynamic
    assert code.value_of("54") == "345.60"
    assert till("decode", str(file)).output.startswith(f"{file}: qr; shop's code (EMV)")
    (symbol,) = json.loads(till("decode", str(file), "--json").output)["symbols"]
    assert symbol["text"] == result.output.strip()


def test_a_code_without_an_amount_is_static() -> None:
    code = merchant.parse(till(*GOOD).output.strip())

    assert not code.is_dynamic
    assert code.value_of("54") is None


def test_the_code_is_drawn_in_black_and_white() -> None:
    output = CliRunner().invoke(command, [*GOOD, "--draw"], color=True).output

    assert "\x1b[38;5;16;48;5;231m" in output
    assert "▀" in output


def test_any_text_can_be_drawn(tmp_path: Path) -> None:
    file = tmp_path / "code.png"
    assert till("make", "--text", "286789012345678901", "--png", str(file)).exit_code == 0
    assert "Alipay" in till("decode", str(file)).output


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (["--amount", "0"], "is zero"),
        (["--amount", "-5"], "below zero"),
        (["--amount", "1.234"], "CNY has 2"),
        (["--currency", "RMB"], "no currency RMB"),
        (["--country", "China"], "58: must be two capital letters"),
        (["--name", "x" * 26], "59: must be 1 to 25 characters"),
        (["--account", "60=x"], "ids are 02 to 51"),
        (["--account", "27"], "write ID=VALUE"),
        (["--account", "26=again"], "stands twice"),
        (["--tip", "5%"], "write ask, fixed:5.00 or percent:5"),
        (["--tip", "percent:0"], "57: must be 00.01 to 99.99"),
        (["--city-zh", "上海"], "--city-zh goes with --name-zh"),
        (["--text", "x" * 4000], "do not fit"),
        (["--png", "/nowhere/code.png"], "cannot be written"),
    ],
)
def test_a_wrong_option_is_a_usage_error(change: list[str], says: str) -> None:
    result = till(*GOOD, *change)

    assert result.exit_code == 2
    assert says in " ".join(result.output.split())


def test_missing_options_are_named() -> None:
    result = till("make", "--city", "SHANGHAI")

    assert result.exit_code == 2
    assert "give --name, --city and --account, or --text" in result.output


@pytest.mark.parametrize("arguments", [["--help"], ["decode", "--help"], ["make", "--help"]])
def test_help_has_an_example(arguments: list[str]) -> None:
    assert "till qr" in till(*arguments).output.partition("Example")[2]


def test_pictures_of_others_are_read(shared: Path) -> None:
    """One clean picture of each kind, against the manifest."""
    folder = shared / "testdata/qr"
    entries: list[dict[str, Any]] = json.loads((folder / "manifest.json").read_text())
    for kind in ("qr", "code128"):
        entry = next(e for e in entries if e["kind"] == kind and e["subset"].endswith("nominal"))
        output = till("decode", str(folder / entry["file"]), "--json", "--whole").output
        (symbol,) = json.loads(output)["symbols"]
        assert symbol["text"] == entry["text"]
        assert symbol["can_pay"]
