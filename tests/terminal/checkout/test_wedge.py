"""Scans told from typing: no digit of a scan ever becomes a digit of an amount."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.scanner import keys_at
from terminal.checkout.wedge import (
    SCAN_CHARACTERS_MAX,
    Finding,
    Scanned,
    Spoiled,
    Typed,
    WedgeDetector,
)

CODE = "281234567890123456"
DIGITS = st.text("0123456789", min_size=1, max_size=12)


def play(detector: WedgeDetector, keys: list[tuple[str, float]]) -> list[Finding]:
    """Press keys at their times, with idle() called whenever it is due."""
    found: list[Finding] = []
    for key, at_s in keys:
        due_s = detector.due_s
        if due_s is not None and due_s < at_s:
            found += detector.idle(due_s)
        found += detector.key(key, at_s)
    if detector.due_s is not None:
        found += detector.idle(detector.due_s)
    return found


def typed(found: list[Finding]) -> str:
    return "".join(each.keys for each in found if isinstance(each, Typed))


def scans(found: list[Finding]) -> list[str]:
    return [each.text for each in found if isinstance(each, Scanned)]


def test_a_scan_between_two_amounts_is_a_scan() -> None:
    keys = [("1", 0.0), ("2", 0.3), *keys_at(CODE + "\r", 1.0, 0.005), ("3", 2.0)]
    found = play(WedgeDetector(), keys)
    assert typed(found) == "123"
    assert scans(found) == [CODE]


@given(DIGITS, st.floats(0.04, 2.0))
@settings(max_examples=50)
def test_a_person_is_never_taken_for_a_scanner(digits: str, pace_s: float) -> None:
    found = play(WedgeDetector(), list(keys_at(digits + "\r", 0.0, pace_s)))
    assert typed(found) == digits + "\r"
    assert scans(found) == []


@given(st.text("0123456789ABCxyz", min_size=6, max_size=60), st.floats(0.0, 0.034))
@settings(max_examples=50)
def test_no_key_of_a_scan_is_ever_typed(code: str, pace_s: float) -> None:
    found = play(WedgeDetector(), list(keys_at(code + "\r", 5.0, pace_s)))
    assert found == [Scanned(code)]


@given(
    st.lists(st.tuples(st.booleans(), st.text("0123456789", min_size=6, max_size=20)), max_size=6)
)
@settings(max_examples=50)
def test_what_persons_and_scanners_send_in_turn_is_told_apart(
    turns: list[tuple[bool, str]],
) -> None:
    keys: list[tuple[str, float]] = []
    at_s = 0.0
    for is_scan, text in turns:
        keys += keys_at(text + "\r", at_s, 0.004 if is_scan else 0.12)
        at_s = keys[-1][1] + 0.4
    found = play(WedgeDetector(), keys)
    assert typed(found) == "".join(text + "\r" for is_scan, text in turns if not is_scan)
    assert scans(found) == [text for is_scan, text in turns if is_scan]


def test_a_key_that_types_three_zeros_is_a_persons() -> None:
    found = play(WedgeDetector(), [("5", 0.0), ("0", 0.2), ("0", 0.2), ("0", 0.2), ("\r", 0.5)])
    assert typed(found) == "5000\r"


def test_a_few_quick_digits_and_enter_wait_for_nothing() -> None:
    detector = WedgeDetector()
    detector.key("7", 0.0)
    assert detector.key("\r", 0.01) == [Typed("7\r")]
    assert detector.due_s is None


def test_a_held_digit_is_due_before_anybody_notices() -> None:
    detector = WedgeDetector()
    assert detector.key("7", 10.0) == []
    assert detector.due_s == pytest.approx(10.035)
    assert detector.idle(10.02) == ()
    assert detector.idle(10.04) == (Typed("7"),)


def test_a_scan_that_hesitates_is_still_one() -> None:
    keys = [*keys_at(CODE[:9], 0.0, 0.005), *keys_at(CODE[9:] + "\r", 0.2, 0.005)]
    assert play(WedgeDetector(), keys) == [Scanned(CODE)]


def test_a_scan_that_is_cut_off_is_dropped_and_not_typed() -> None:
    keys = [*keys_at(CODE, 0.0, 0.005), ("1", 3.0)]
    assert play(WedgeDetector(), keys) == [Spoiled(), Typed("1")]


def test_without_a_suffix_a_pause_ends_a_scan() -> None:
    found = play(WedgeDetector(suffix=""), [*keys_at(CODE, 0.0, 0.005), ("1", 3.0)])
    assert found == [Scanned(CODE), Typed("1")]


def test_behind_a_prefix_a_slow_scanner_is_one_too_and_digits_never_wait() -> None:
    detector = WedgeDetector(prefix="~", pause_max_s=0.5)
    assert detector.key("1", 0.0) == [Typed("1")]
    found = play(detector, list(keys_at("~" + CODE + "\r", 1.0, 0.1)))
    assert found == [Scanned(CODE)]


def test_a_fast_typist_is_no_scanner_where_scans_have_a_prefix() -> None:
    found = play(WedgeDetector(prefix="~"), list(keys_at("123456789\r", 0.0, 0.001)))
    assert typed(found) == "123456789\r"


@pytest.mark.parametrize("suffix", ["\r", ""])
def test_an_endless_scan_is_dropped_in_bounded_memory(suffix: str) -> None:
    detector = WedgeDetector(suffix=suffix)
    found: list[Finding] = []
    for key, at_s in keys_at("7" * 20_000, 0.0, 0.001):
        found += detector.key(key, at_s)
        assert len(detector._held) <= SCAN_CHARACTERS_MAX + 2
    assert found == []
    found = play(detector, [*keys_at(suffix, 20.0, 0.001), ("5", 30.0)])
    assert found == [Spoiled(), Typed("5")]
