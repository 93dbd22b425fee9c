"""`till decode` as a developer runs it."""

import json

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from terminal.commands.decode import command


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
