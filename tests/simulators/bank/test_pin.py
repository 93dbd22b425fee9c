"""The bank's half of a PIN: published cases, a second program, and what is refused."""

import json
from pathlib import Path
from typing import Any

import psec.pinblock
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv.keys import dukpt
from emv.keys.pin_block import encipher_format_4
from simulators.bank.issuer.pin import Verdict, counter_of, pad_of, verify

PAN = "4111111111111111"
BASE_KEY = bytes.fromhex("FEDCBA9876543210F1F1F1F1F1F1F1F1")
PAD = bytes.fromhex("1234567890123456")


@pytest.fixture(scope="module")
def published(shared: Path) -> dict[str, Any]:
    sets = json.loads((shared / "vectors" / "crypto" / "dukpt_aes.json").read_text())["sets"]
    found: dict[str, Any] = sets["AES128"]
    return found


def test_every_published_block_holds_its_pin(published: dict[str, Any]) -> None:
    cases = [case for case in published["cases"] if "encrypted_pin_block_format4" in case]
    assert len(cases) == 8
    for case in cases:
        block = bytes.fromhex(case["encrypted_pin_block_format4"])
        ksn, base_key = bytes.fromhex(case["ksn"]), bytes.fromhex(published["bdk"])
        pan, pin = published["pan"], published["pin"]
        assert verify(block, ksn, pan, base_key=base_key, pin=pin) is Verdict.CORRECT
        assert verify(block, ksn, pan, base_key=base_key, pin="1235") is Verdict.WRONG


@given(
    st.text("0123456789", min_size=4, max_size=12),
    st.text("0123456789", min_size=12, max_size=19),
    st.integers(1, 0xFFFF_0000).filter(lambda counter: counter.bit_count() <= 16),
)
@settings(max_examples=40, deadline=None)
def test_the_bank_reads_what_a_pad_and_another_program_make(
    pin: str, pan: str, counter: int
) -> None:
    """The pad's keys are the terminal side's own; the other program makes the block."""
    ksn = PAD + counter.to_bytes(4, "big")
    key = pin_key(ksn)
    ours = encipher_format_4(pin.encode(), pan, key, bytes(8))
    theirs = psec.pinblock.encipher_pinblock_iso_4(key, pin, pan)
    for block in (ours, theirs):
        assert verify(block, ksn, pan, base_key=BASE_KEY, pin=pin) is Verdict.CORRECT


def test_a_block_of_another_card_is_no_try() -> None:
    ksn = PAD + b"\0\0\0\1"
    block = encipher_format_4(b"1234", PAN, pin_key(ksn), bytes(8))
    verdict = verify(block, ksn, "4012888888881881", base_key=BASE_KEY, pin="1234")
    assert verdict is Verdict.UNREADABLE


def test_a_block_under_another_serial_number_is_no_try() -> None:
    block = encipher_format_4(b"1234", PAN, pin_key(PAD + b"\0\0\0\1"), bytes(8))
    verdict = verify(block, PAD + b"\0\0\0\2", PAN, base_key=BASE_KEY, pin="1234")
    assert verdict is Verdict.UNREADABLE


def test_a_serial_number_counts_once() -> None:
    ksn = PAD + b"\0\0\0\5"
    block = encipher_format_4(b"1234", PAN, pin_key(ksn), bytes(8))

    def answer(counter_seen: int) -> Verdict:
        return verify(block, ksn, PAN, base_key=BASE_KEY, pin="1234", counter_seen=counter_seen)

    assert answer(4) is Verdict.CORRECT
    assert answer(5) is Verdict.REPLAYED
    assert answer(6) is Verdict.REPLAYED


@given(st.binary(max_size=20), st.binary(max_size=14))
@settings(max_examples=100)
def test_noise_is_never_a_pin(block: bytes, ksn: bytes) -> None:
    verdict = verify(block, ksn, PAN, base_key=BASE_KEY, pin="1234")
    assert verdict in (Verdict.UNREADABLE, Verdict.WRONG)


def test_a_counter_that_no_pad_uses_is_none() -> None:
    assert counter_of(PAD + bytes(4)) is None
    assert counter_of(PAD + bytes.fromhex("0001FFFF")) is None
    assert counter_of(PAD) is None
    assert counter_of(PAD + bytes.fromhex("0000FFFF")) == 0xFFFF
    assert pad_of(PAD + bytes(4)) == PAD


def pin_key(ksn: bytes) -> bytes:
    transaction = dukpt.transaction_key(dukpt.initial_key(BASE_KEY, PAD), ksn)
    return dukpt.working_key(transaction, ksn, dukpt.Usage.PIN_ENCRYPTION)
