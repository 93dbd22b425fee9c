"""`till decode` as a developer runs it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from terminal.commands.decode import command
from terminal.decoding import html


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(command, list(arguments), input=stdin)


def test_a_tree_has_names_and_bit_meanings() -> None:
    result = run("770A82022020950580400000", "00")

    assert result.exit_code == 2
    assert "needs" in result.stderr
    result = run("770B 8202 2020 9505 8040000000")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "77 [11] Response Message Template Format 2",
        "  82 [2] Application Interchange Profile (AIP): 2020",
        "      byte 1 bit 6: DDA supported",
        "      byte 2 bit 6: contactless transaction",
        "  95 [5] Terminal Verification Results (TVR): 8040000000",
        "      byte 1 bit 8: offline data authentication not performed",
        "      byte 2 bit 7: expired application",
    ]


def test_card_data_is_masked() -> None:
    result = run("5A084111111111111111")

    assert "411111******1111" in result.stdout
    assert "4111111111111111" not in result.output


def test_json_holds_the_same_tree() -> None:
    [entry] = json.loads(run("--json", "--kernel", "3", "9F6C023080").stdout)

    assert entry["tag"] == "9F6C"
    assert entry["value"] == "3080"
    assert "byte 2 bit 8: consumer device CVM performed" in entry["notes"]


def test_a_hyphen_reads_standard_input() -> None:
    assert "2024-02-17" in run("-", stdin="9a 03\n24 02 17\n").stdout


@pytest.mark.parametrize(
    ("digits", "fault"),
    [
        ("9F02061", "half a byte at offset 3: one hex digit is missing"),
        ("9F0X", "not a hex digit in the byte at offset 1"),
        ("7002 5A08", "TLV 70/5A at offset 4: value needs 8 bytes, 0 left"),
        ("9F", "TLV 9F at offset 0: tag is cut short"),
        (" ", "nothing to decode"),
    ],
)
def test_bad_input_is_one_line_with_an_offset(digits: str, fault: str) -> None:
    result = run(digits)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == f"Error: {fault}\n"


def test_an_error_does_not_repeat_the_card_number() -> None:
    for digits in ("5A084111111111111111X", "5A0A4111111111111111"):
        result = run(digits)
        assert result.exit_code == 2
        assert "41111111" not in result.output


def test_help_has_an_example() -> None:
    result = run("--help")

    assert result.exit_code == 0
    assert "till decode 77 0E 82" in result.stdout


@given(st.text(max_size=30) | st.binary(max_size=30).map(bytes.hex))
def test_any_text_is_decoded_or_refused(text: str) -> None:
    result = run("--", text)

    assert result.exit_code in (0, 2)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert (result.stderr == "") == (result.exit_code == 0)


LOG = """
>> 00A4040007A0000000041010
<< 6F108407A0000000041010A505500341424390 00
>> 00B2011400
<< 701B5A0841111111111111115F20095445535420434152449F0702FF009000
"""


def test_a_log_is_told_command_by_command() -> None:
    result = run("-", stdin=LOG)

    assert result.exit_code == 0
    assert "1. SELECT A0000000041010" in result.stdout
    assert "2. READ RECORD 1 of file 2" in result.stdout
    assert "5A [8] Application Primary Account Number (PAN): 411111******1111" in result.stdout
    assert "4111111111111111" not in result.output
    assert "TEST CARD" not in result.output


def test_whole_is_asked_for_by_name() -> None:
    assert "4111111111111111" in run("--whole", "-", stdin=LOG).stdout


def test_a_log_in_a_file_becomes_a_page_to_share(tmp_path: Path) -> None:
    (tmp_path / "card.log").write_text(LOG.replace("414243", "3C623E"))

    result = run("--file", str(tmp_path / "card.log"), "--html", str(tmp_path / "card.html"))

    page = (tmp_path / "card.html").read_text("utf-8")
    assert result.exit_code == 0
    assert "<b>5A</b> [8] Application Primary Account Number (PAN)" in page
    assert html.MASKED in page
    assert "4111111111111111" not in page
    # What a card calls itself is text, and never markup.
    assert "<b>" not in page.partition("Application Label")[2].partition("</li>")[0]
    assert "<script" not in page


@pytest.mark.parametrize(
    ("tag", "value", "line"),
    [
        ("95", "8000008000", "byte 4 bit 8: transaction exceeds floor limit"),
        ("9B", "E800", "byte 1 bit 8: offline data authentication performed"),
        ("82", "3900", "byte 1 bit 6: DDA supported"),
        ("9F07", "FF00", "byte 1 bit 8: valid for domestic cash"),
        ("9F66", "36004000", "byte 3 bit 7: consumer device CVM supported"),
        ("9F33", "E0F8C8", "byte 2 bit 8: plaintext PIN for ICC verification"),
        ("9F38", "9F66049F0206", "9F66 [4] Terminal Transaction Qualifiers (TTQ)"),
        ("8E", "000000000000000002031F00", "enciphered PIN verified online"),
        ("94", "08010200", "file 1, records 1 to 2, 0 for data authentication"),
        ("9F10", "06011203900000", "Visa, cryptogram version 18"),
        ("57", "4111111111111111D25122010000000000", "411111******1111D*****************"),
    ],
)
def test_a_value_is_read_as_the_object_it_is(tag: str, value: str, line: str) -> None:
    assert line in run("--tag", tag, value).stdout


def test_the_values_of_a_list_are_told_apart() -> None:
    lines = run("--dol", "9F02069F3704", "000000005200 12345678").stdout.splitlines()

    assert lines == [
        "9F02 [6] Amount, Authorised (Numeric): 000000005200 = 5200",
        "9F37 [4] Unpredictable Number: 12345678",
    ]


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("--dol", "9F02069F3704", "00"), "DOL asks for 6 bytes of 9F02 at offset 0 of 1"),
        (("--dol", "9F3701", "0000"), "the list asks for 1 bytes, and these are 2"),
        (("--tag", "9F", "00"), "tag 9F at offset 0 is cut short"),
        (("--tag", "9F0295", "00"), "--tag: more than one tag in 9F0295"),
        (("--tag", "95", "--dol", "9F3701", "00"), "--tag or --dol, not both"),
        ((), "nothing to decode"),
        (("-",), "no command in this log"),
    ],
)
def test_what_does_not_fit_says_where(arguments: tuple[str, ...], fault: str) -> None:
    result = run(*arguments, stdin="<< 9000")

    assert result.exit_code == 2
    assert fault in result.stderr


def test_certificates_are_opened_with_a_file_of_keys(shared: Path, tmp_path: Path) -> None:
    vectors = shared / "vectors/emv"
    traces = json.loads((vectors / "traces_testcards.json").read_text())["traces"]
    trace = next(each for each in traces if each["id"] == "contact-mastercard")
    log = "".join(f">> {each['command']}\n<< {each['response']}\n" for each in trace["apdus"])
    key = next(
        each
        for each in json.loads((vectors / "capk_test_and_live.json").read_text())["keys"]
        if (each["rid"], each["index"]) == ("A000000004", "EF")
    )
    (tmp_path / "keys.toml").write_text(
        f"""[[ca_keys]]
rid = "{key["rid"]}"
index = 0xEF
modulus = "{key["modulus"]}"
exponent = {int(key["exponent"], 16)}
sha1 = "{key["hash_sha1"]}"
"""
    )

    result = run("--ca-keys", str(tmp_path / "keys.toml"), "-", stdin=log)

    assert "issuer certificate, by CA key A000000004 index EF" in result.stdout
    assert "  of 541333******0044" in result.stdout
    assert "5413330089600044" not in result.stdout


def test_lines_in_turns_are_a_log_if_they_begin_with_a_command() -> None:
    turns = "00A4040007A0000000041010\n6A82\n"
    assert "SELECT A0000000041010" in run("-", stdin=turns).stdout
    # A template 80 on two lines begins as no command that a payment card knows.
    assert (
        "80 [6] Response Message Template Format 1"
        in run("-", stdin="80 06\n200008010100\n").stdout
    )


def test_a_pasted_log_hides_a_number_of_any_length() -> None:
    for digits in ("12345678", "123456789012", "1234567890123456789"):
        packed = digits + "F" * (len(digits) % 2)
        inner = f"5A{len(packed) // 2:02X}{packed}9F7C{len(packed) // 2:02X}{packed}"
        log = f">> 00B2010C00\n<< 70{len(inner) // 2:02X}{inner}9000\n"

        for arguments in (("-",), ("--json", "-")):
            assert digits not in run(*arguments, stdin=log).stdout
