"""What was scanned is told apart by a table, by length and by form."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import load_payment_codes
from emv.qr.payment_code import CODE_128, QR, Kind, Reason, classify

RULES = load_payment_codes()

PUBLISHED = {
    "wechat": r"1[0-5]\d{16}",
    "alipay": r"(2[5-9]|30)\d{14,22}|28\d{23,30}",
    "unionpay": r"62\d{17}",
}
"""The wallets' own rules, as patterns, written apart from the table."""


@dataclass(frozen=True)
class Rule:
    wallet: str
    prefixes: tuple[str, ...]
    lengths: tuple[int, int]
    symbologies: tuple[str, ...] = (QR, CODE_128)


@pytest.mark.parametrize("symbology", [QR, CODE_128])
@pytest.mark.parametrize(
    ("digits", "wallet"),
    [
        ("134567890123456789", "wechat"),
        ("154567890123456789", "wechat"),
        ("164567890123456789", ""),
        ("13456789012345678", ""),
        ("1345678901234567890", ""),
        ("286789012345678901", "alipay"),
        ("2867890123456789", "alipay"),
        ("286789012345678", ""),
        ("300000000000000000000000", "alipay"),
        ("3000000000000000000000000", ""),
        ("28" + "0" * 30, "alipay"),
        ("28" + "0" * 31, ""),
        ("25" + "0" * 23, ""),
        ("6212345678901234567", "unionpay"),
        ("621234567890123456", ""),
        ("6901234567892", ""),
    ],
)
def test_digits_are_routed_by_beginning_and_length(
    digits: str, wallet: str, symbology: str
) -> None:
    code = classify(digits.encode(), symbology, RULES)

    assert code.wallet == wallet
    assert code.can_pay == bool(wallet)
    if not wallet:
        assert code.reason == Reason.UNKNOWN_DIGITS


@given(st.from_regex(r"\A[0-9]{10,34}\Z"))
def test_the_table_says_what_the_wallets_publish(digits: str) -> None:
    expected = [name for name, rule in PUBLISHED.items() if re.fullmatch(rule, digits)]

    assert [classify(digits.encode(), QR, RULES).wallet] == (expected or [""])


def test_white_space_around_a_code_is_dropped() -> None:
    code = classify(b" 286789012345678901\r\n", QR, RULES)

    assert code.text == "286789012345678901"
    assert code.wallet == "alipay"


def test_the_longest_beginning_wins() -> None:
    rules = [
        Rule("any", (), (18, 18)),
        Rule("long", ("2801",), (18, 18)),
        Rule("short", ("28",), (18, 18)),
    ]
    assert classify(b"280100000000000000", QR, rules).wallet == "long"
    assert classify(b"280200000000000000", QR, rules).wallet == "short"
    assert classify(b"990200000000000000", QR, rules).wallet == "any"


def test_the_printed_form_counts() -> None:
    rules = [Rule("screen", ("28",), (18, 18), (QR,))]

    assert classify(b"280100000000000000", QR, rules).wallet == "screen"
    assert classify(b"280100000000000000", CODE_128, rules).reason == Reason.WRONG_FORM


def test_codes_of_others_are_told_apart(shared: Path) -> None:
    for case in json.loads((shared / "vectors/qr/qr_mpm.json").read_text())["vectors"]:
        code = classify(case["payload"].encode(), QR, RULES)
        assert not code.can_pay
        if case["payload"].startswith("0002"):
            expected = Kind.MERCHANT if case["valid"] else Kind.OTHER
            assert code.kind == expected, case["name"]
    for case in json.loads((shared / "vectors/qr/qr_cpm.json").read_text())["vectors"]:
        code = classify(case["base64"].encode(), QR, RULES)
        if case["name"] == "only-85":
            assert code.reason == Reason.NO_APPLICATION
        elif case["valid"]:
            assert code.kind == Kind.CONSUMER
            assert code.text == case["base64"]
        else:
            assert code.reason == Reason.DAMAGED_CONSUMER_CODE
            assert code.detail


@pytest.mark.parametrize(
    ("data", "symbology"),
    [
        (b"", QR),
        (b"https://example.org/pay", QR),
        (b"upi://pay?pa=shop@bank&am=1", QR),
        ("１３４５６７８９０１２３４５６７８９".encode(), QR),
        ("٢٨٠٠٠٠٠٠٠٠٠٠٠٠٠٠٠٠".encode(), QR),
        (b"286789012345678901 ;", QR),
        (b"28678901234567890\x00", QR),
        (b"\xff\xfe", QR),
        (b"1" * 65, QR),
        (b"hQVDUFYwMWEaTwegAAAAVVVVVw8SNFZ4kBI0WNGRIgESNF8=", CODE_128),
    ],
)
def test_anything_else_is_not_a_payment_code(data: bytes, symbology: str) -> None:
    code = classify(data, symbology, RULES)

    assert code.kind == Kind.OTHER
    assert code.reason == Reason.TEXT


def test_a_code_is_in_no_repr() -> None:
    """Whoever reads a log could pay with it."""
    assert "28678" not in repr(classify(b"286789012345678901", QR, RULES))


@given(
    st.one_of(
        st.binary(max_size=60),
        st.text(max_size=40).map(str.encode),
        st.text("hQVDUFYwMWE=0123", max_size=40).map(lambda text: b"hQVDUFYwM" + text.encode()),
        st.text("0123456789", max_size=40).map(lambda text: b"0002" + text.encode()),
    ),
    st.sampled_from([QR, CODE_128]),
)
def test_any_bytes_are_something(data: bytes, symbology: str) -> None:
    code = classify(data, symbology, RULES)

    assert code.can_pay == (code.kind in (Kind.WALLET, Kind.CONSUMER))
    assert (code.reason == Reason.NONE) == (code.kind != Kind.OTHER)
    assert bool(code.wallet) == (code.kind == Kind.WALLET)
