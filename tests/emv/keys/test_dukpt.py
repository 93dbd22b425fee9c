"""AES DUKPT against the published cases, and device against host."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv.errors import MalformedData
from emv.keys import dukpt
from emv.keys.dukpt import Device, KeysUsedUp, Usage

KEY_ID = bytes.fromhex("1234567890123456")
BASE_KEY = bytes.fromhex("FEDCBA9876543210F1F1F1F1F1F1F1F1")


@pytest.fixture(scope="module", params=["AES128", "AES256"])
def published(request: pytest.FixtureRequest, shared: Path) -> dict[str, Any]:
    text = (shared / "vectors" / "crypto" / "dukpt_aes.json").read_text()
    found: dict[str, Any] = json.loads(text)["sets"][request.param]
    return found


def test_the_initial_key_is_the_published_one(published: dict[str, Any]) -> None:
    made = dukpt.initial_key(
        bytes.fromhex(published["bdk"]), bytes.fromhex(published["initial_key_id"])
    )
    assert made.hex().upper() == published["initial_key"]


def test_the_host_finds_every_published_key(published: dict[str, Any]) -> None:
    initial = bytes.fromhex(published["initial_key"])
    usages = {
        "pin_key": Usage.PIN_ENCRYPTION,
        "cmac": Usage.MAC_GENERATION,
        "data": Usage.DATA_ENCRYPTION,
    }
    checked = 0
    for case in published["cases"]:
        ksn = bytes.fromhex(case["ksn"])
        key = dukpt.transaction_key(initial, ksn)
        assert key.hex().upper() == case["transaction_key"]
        for name, expected in case.items():
            start = next((start for start in usages if name.startswith(start)), None)
            if start is None:
                continue
            size = 32 if "256" in name else 16
            assert dukpt.working_key(key, ksn, usages[start], size).hex().upper() == expected
            checked += 1
    assert checked >= 24


def test_a_device_makes_the_published_keys_in_their_order(published: dict[str, Any]) -> None:
    device = Device.inject(bytes.fromhex(published["initial_key"]), KEY_ID)
    for case in published["cases"][:8]:
        ksn, key = device.next_key()
        assert (ksn.hex().upper(), key.hex().upper()) == (case["ksn"], case["transaction_key"])


def test_the_transcribed_suite_agrees(shared: Path) -> None:
    """The same standard, transcribed by somebody else, with more counters."""
    suites = json.loads((shared / "vectors" / "emv" / "dukpt.json").read_text())["suites"]
    [suite] = [each for each in suites if each["source"]["path"].endswith("aes128_test.c")]
    data = suite["data"]
    initial = bytes.fromhex(data["ik_verify"])
    assert dukpt.initial_key(bytes.fromhex(data["bdk"]), bytes.fromhex(data["ikid"])) == initial
    pairs = [
        pair
        for number in ("", "2", "3")
        for pair in zip(data[f"ksn_verify{number}"], data[f"txn_key_verify{number}"], strict=True)
    ]
    assert len(pairs) == 15
    for ksn, key in pairs:
        assert dukpt.transaction_key(initial, bytes.fromhex(ksn)).hex().upper() == key


def test_the_update_key_is_the_published_one(shared: Path) -> None:
    cases = json.loads((shared / "vectors" / "crypto" / "dukpt_aes_update_key.json").read_text())
    for case in (cases["aes128"], cases["aes256"]):
        initial, key_id = bytes.fromhex(case["ik"]), bytes.fromhex(case["ikid"])
        for name, expected in case.items():
            if name.startswith("update_key"):
                size = 32 if "aes256" in name else 16
                assert dukpt.update_key(initial, key_id, size).hex().upper() == expected


def test_device_and_host_agree_over_a_thousand_transactions() -> None:
    initial = dukpt.initial_key(BASE_KEY, KEY_ID)
    device = Device.inject(initial, KEY_ID)
    seen = set()
    for _ in range(1000):
        ksn, key = device.next_key()
        assert dukpt.transaction_key(initial, ksn) == key
        seen.add(key)
    assert len(seen) == 1000


@given(
    st.integers(1, dukpt.COUNTER_LAST).filter(
        lambda counter: counter.bit_count() <= dukpt.BITS_SET_MAX
    )
)
@settings(max_examples=60, deadline=None)
def test_device_and_host_agree_from_any_counter_on(counter: int) -> None:
    """A device that stands at a counter holds the key of every bit that is not set below it."""
    initial = dukpt.initial_key(BASE_KEY, KEY_ID)
    device = standing_at(initial, counter)
    for _ in range(3):
        try:
            ksn, key = device.next_key()
        except KeysUsedUp:
            assert counter > 0xFFFE_0000
            return
        assert dukpt.transaction_key(initial, ksn) == key


def standing_at(initial: bytes, counter: int) -> Device:
    """The device as it is once all counters below this one are used: by the host's rule."""
    registers: list[bytes | None] = [None] * dukpt.REGISTERS
    for place in range(dukpt.REGISTERS):
        # A register holds the next key of its bit: the bits above stay, and if
        # the bit is set already, it is this counter's own only for the lowest.
        ahead = (counter >> place | 1) << place
        is_used = ahead < counter
        if not is_used and ahead.bit_count() <= dukpt.BITS_SET_MAX + 1:
            key, so_far = initial, 0
            for bit in reversed(range(dukpt.REGISTERS)):
                if ahead & 1 << bit:
                    so_far |= 1 << bit
                    context = KEY_ID[4:] + so_far.to_bytes(4, "big")
                    key = dukpt._derive(key, Usage.KEY_DERIVATION, 16, context)
            registers[place] = key
    return Device(KEY_ID, counter, registers)


def test_a_counter_with_too_many_bits_is_passed_over() -> None:
    initial = dukpt.initial_key(BASE_KEY, KEY_ID)
    device = standing_at(initial, 0x0000_FFFF)
    serials = [device.next_key()[0][8:].hex().upper() for _ in range(4)]
    assert serials == ["0000FFFF", "00010000", "00010001", "00010002"]
    device = standing_at(initial, 0x0001_FFFE)
    serials = [device.next_key()[0][8:].hex().upper() for _ in range(2)]
    assert serials == ["0001FFFE", "00020000"]


def test_a_worn_out_device_says_so() -> None:
    device = standing_at(dukpt.initial_key(BASE_KEY, KEY_ID), dukpt.COUNTER_LAST)
    assert device.next_key()[0][8:].hex().upper() == "FFFF0000"
    with pytest.raises(KeysUsedUp, match="new initial key"):
        device.next_key()


def test_a_device_forgets_the_key_it_gave_and_every_key_above_it() -> None:
    device = Device.inject(dukpt.initial_key(BASE_KEY, KEY_ID), KEY_ID)
    assert dukpt.initial_key(BASE_KEY, KEY_ID) not in device.save()
    for _ in range(40):
        _, key = device.next_key()
        assert key not in device.save()


def test_a_device_goes_on_where_it_was_saved() -> None:
    device = Device.inject(dukpt.initial_key(BASE_KEY, KEY_ID), KEY_ID)
    for _ in range(5):
        device.next_key()
    again = Device.restore(device.save())
    assert [again.next_key() for _ in range(4)] == [device.next_key() for _ in range(4)]


@given(st.binary(max_size=600))
@settings(max_examples=60)
def test_damaged_state_is_refused(state: bytes) -> None:
    try:
        device = Device.restore(state)
    except MalformedData:
        return
    assert device.save()[:12] == state[:12]


@pytest.mark.parametrize("length", [0, 7, 9])
@pytest.mark.parametrize("make", [dukpt.initial_key, dukpt.update_key, Device.inject])
def test_a_key_id_has_eight_bytes(make: Callable[[bytes, bytes], object], length: int) -> None:
    with pytest.raises(MalformedData, match=f"initial key id of {length} bytes"):
        make(BASE_KEY, bytes(length))


def test_a_state_is_whole_and_may_have_no_key_left() -> None:
    fresh = Device.inject(dukpt.initial_key(BASE_KEY, KEY_ID), KEY_ID).save()
    keys = [fresh[at : at + 16] for at in range(13, len(fresh), 16)]
    assert len(keys) == 32
    assert all(any(key) for key in keys)
    for damaged in (fresh[:-1], fresh + b"\0", fresh[:13], fresh[:12], b""):
        with pytest.raises(MalformedData, match="damaged"):
            Device.restore(damaged)
    used_up = KEY_ID + bytes.fromhex("FFFF0001 10") + bytes(32 * 16)
    assert Device.restore(used_up).save() == used_up


@pytest.mark.parametrize(
    "ksn", ["", "12345678901234560000", "1234567890123456 00000000", "1234567890123456 0001FFFF"]
)
def test_a_serial_number_that_no_device_sends_is_refused(ksn: str) -> None:
    with pytest.raises(MalformedData, match="key serial number"):
        dukpt.transaction_key(BASE_KEY, bytes.fromhex(ksn))


def test_a_key_is_never_made_from_a_weaker_one() -> None:
    ksn = KEY_ID + b"\0\0\0\1"
    with pytest.raises(MalformedData, match="stronger"):
        dukpt.working_key(BASE_KEY, ksn, Usage.PIN_ENCRYPTION, 32)


def test_no_key_is_in_the_name_of_a_device() -> None:
    initial = dukpt.initial_key(BASE_KEY, KEY_ID)
    device = Device.inject(initial, KEY_ID)
    assert repr(device) == "Device(1234567890123456, counter 00000001)"
