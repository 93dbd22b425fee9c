"""Conditions of CVM rules: each code, and amounts at, below and above X and Y."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv import cvm
from emv.bits import CVMList, CVMRule, TerminalCapabilities, parse_cvm_list
from emv.cvm import Circumstances, is_met, is_recognised, is_supported
from emv.errors import MalformedData

pytestmark = pytest.mark.spec("Book 3, 10.5", "Book 3, Annex C3", "Book 4, Annex A2", source="ours")

X, Y = 1000, 5000
LIST = CVMList(X, Y, ())
PURCHASE = Circumstances(
    amount_minor=X,
    is_application_currency=True,
    is_unattended_cash=False,
    is_manual_cash=False,
    has_cashback=False,
    capabilities=TerminalCapabilities(0x00_F8_00),
)


def met(condition: int, here: Circumstances, method: int = cvm.SIGNATURE) -> bool:
    return is_met(CVMRule(method, condition, applies_next=False), LIST, here)


@pytest.mark.spec("Book 3, 10.5", "Book 3, Annex C3", source="outside")
def test_published_lists_parse_or_are_refused(emv_vectors: Callable[[str], Any]) -> None:
    for case in emv_vectors("emvutils_dol_cvm.json")["cvm_list"]:
        value, expected = bytes.fromhex(case["cvm_list"]), case["expect"]
        if isinstance(expected, str):
            with pytest.raises(MalformedData):
                parse_cvm_list(value)
            continue
        parsed = parse_cvm_list(value)
        rules = [
            f"{rule.method | 0x40 * rule.applies_next:02X}{rule.condition:02X}"
            for rule in parsed.rules
        ]
        assert rules == expected["rules"]
        assert (parsed.amount_x_minor, parsed.amount_y_minor) == (
            expected["amount_x"],
            expected["amount_y"],
        )


CIRCUMSTANCES = {
    "purchase": PURCHASE,
    "unattended cash": replace(PURCHASE, is_unattended_cash=True),
    "manual cash": replace(PURCHASE, is_manual_cash=True),
    "cashback": replace(PURCHASE, has_cashback=True),
}


@pytest.mark.parametrize(
    ("condition", "where"),
    [
        (0x00, {"purchase", "unattended cash", "manual cash", "cashback"}),
        (0x01, {"unattended cash"}),
        (0x02, {"purchase"}),
        (0x04, {"manual cash"}),
        (0x05, {"cashback"}),
    ],
)
def test_a_condition_holds_where_its_code_says(condition: int, where: set[str]) -> None:
    assert {name for name, here in CIRCUMSTANCES.items() if met(condition, here)} == where


@pytest.mark.parametrize(
    ("condition", "amounts"),
    [
        (0x06, {X - 1}),
        (0x07, {X + 1, Y - 1, Y, Y + 1}),
        (0x08, {X - 1, X, X + 1, Y - 1}),
        (0x09, {Y + 1}),
    ],
)
def test_amounts_are_strictly_under_or_over(condition: int, amounts: set[int]) -> None:
    tried = [X - 1, X, X + 1, Y - 1, Y, Y + 1]

    holds = {each for each in tried if met(condition, replace(PURCHASE, amount_minor=each))}

    assert holds == amounts


@pytest.mark.parametrize("condition", [0x06, 0x07, 0x08, 0x09])
def test_amounts_count_in_the_cards_own_currency_only(condition: int) -> None:
    foreign = replace(PURCHASE, is_application_currency=False)

    assert not any(met(condition, replace(foreign, amount_minor=each)) for each in (0, X, 10**9))


@pytest.mark.parametrize("condition", [*range(0x0A, 0x20), 0x80, 0xFF])
def test_a_condition_nobody_knows_never_holds(condition: int) -> None:
    assert not met(condition, PURCHASE)


@pytest.mark.parametrize(
    ("method", "needed"),
    [
        (cvm.PLAINTEXT_PIN, {0x00_80_00}),
        (cvm.ONLINE_PIN, {0x00_40_00}),
        (cvm.SIGNATURE, {0x00_20_00}),
        (cvm.ENCIPHERED_PIN, {0x00_10_00}),
        (cvm.NO_CVM, {0x00_08_00}),
        (cvm.PLAINTEXT_PIN_AND_SIGNATURE, {0x00_80_00, 0x00_20_00}),
        (cvm.ENCIPHERED_PIN_AND_SIGNATURE, {0x00_10_00, 0x00_20_00}),
    ],
)
def test_a_method_needs_each_of_its_capabilities(method: int, needed: set[int]) -> None:
    assert is_recognised(method)
    assert is_supported(method, TerminalCapabilities(sum(needed)))
    for lacking in needed:
        capable = TerminalCapabilities(0xFF_FF_FF ^ lacking)
        here = replace(PURCHASE, capabilities=capable)
        assert not is_supported(method, capable)
        assert not met(0x03, here, method)
    assert met(0x03, PURCHASE, method)


def test_failing_is_known_and_never_supported_and_biometrics_are_unknown() -> None:
    everything = TerminalCapabilities(0xFF_FF_FF)

    assert is_recognised(cvm.FAIL)
    assert not is_supported(cvm.FAIL, everything)
    assert not any(is_recognised(method) for method in [*range(0x06, 0x1E), *range(0x20, 0x40)])


def objects(kind: str, terminal_type: str, other: str = "000000000000") -> dict[int, bytes]:
    values = {0x9C: kind, 0x9F35: terminal_type, 0x9F03: other, 0x5F2A: "0156"}
    values |= {0x9F02: "000000012345", 0x9F33: "E0F8C8"}
    return {tag: bytes.fromhex(value) for tag, value in values.items()}


@pytest.mark.parametrize(
    ("kind", "terminal_type", "other", "expected"),
    [
        ("00", "22", "000000000000", (False, False, False)),
        ("01", "25", "000000000000", (True, False, False)),
        ("01", "22", "000000000000", (False, True, False)),
        ("17", "11", "000000000000", (False, True, False)),
        ("17", "14", "000000000000", (True, False, False)),
        ("09", "22", "000000000000", (False, False, True)),
        ("00", "22", "000000000001", (False, False, True)),
        ("01", "22", "000000000001", (False, True, False)),
    ],
)
def test_circumstances_follow_type_and_terminal(
    kind: str, terminal_type: str, other: str, expected: tuple[bool, bool, bool]
) -> None:
    here = Circumstances.of({}, objects(kind, terminal_type, other))

    assert (here.is_unattended_cash, here.is_manual_cash, here.has_cashback) == expected
    assert here.amount_minor == 12345


@pytest.mark.parametrize(("card", "is_own"), [({0x9F42: b"\x01\x56"}, True), ({}, False)])
def test_the_cards_currency_must_be_known_to_be_the_same(
    card: dict[int, bytes], is_own: bool
) -> None:
    assert Circumstances.of(card, objects("00", "22")).is_application_currency is is_own


@given(st.integers(0, 0x3F), st.integers(0, 0xFF), st.integers(0, 10**12 - 1))
def test_any_rule_is_met_or_not(method: int, condition: int, amount_minor: int) -> None:
    assert met(condition, replace(PURCHASE, amount_minor=amount_minor), method) in (True, False)
