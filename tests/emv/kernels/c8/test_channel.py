"""The secure channel and its curve: computed cases from outside, then the other side's half."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from emv.errors import AuthenticationFailed, MalformedData
from emv.kernels.c8 import curve
from emv.kernels.c8.channel import CARD_COUNTER_END, CARD_COUNTER_START, KernelKey, SecureChannel

pytestmark = pytest.mark.spec(
    "Book E, 3.2", "Book E, 7", "Book E, 8.6", "Book E, 8.8", source="ours"
)

N = curve.ORDER


@pytest.fixture
def case(emv_vectors: Callable[[str], Any]) -> dict[str, str]:
    vector: dict[str, str] = emv_vectors("c8_computed.json")["vector"]
    return vector


@pytest.fixture
def channel(case: dict[str, str]) -> SecureChannel:
    key = KernelKey(int(case["dk"], 16))
    return key.agree(bytes.fromhex(case["card_key_data_9F8103"]))


def test_the_kernel_tells_the_card_its_key(case: dict[str, str]) -> None:
    assert KernelKey(int(case["dk"], 16)).data.hex().upper() == case["Qk"]


@pytest.mark.spec("Book E, 7", source="two")
def test_both_sides_know_the_blinded_key_and_its_factor(
    case: dict[str, str], channel: SecureChannel
) -> None:
    assert channel.blinded_key.hex().upper() == case["Pc_x"]
    assert channel.blinding_factor == int(case["r"], 16)
    factor = curve.private_key(channel.blinding_factor)
    certified = curve.public_key(bytes.fromhex(case["Qc_x"]))
    assert curve.multiply(factor, certified) == channel.blinded_key


@pytest.mark.spec("Book E, 8.6", source="two")
def test_a_record_opens(case: dict[str, str], channel: SecureChannel) -> None:
    """The record as sent is tag DA, one byte of length, the enciphered value."""
    sent = bytes.fromhex(case["record_as_sent"].partition(" ")[0])

    opened = channel.open_record(sent[2:])

    assert opened.hex().upper() == case["record_plain(value of 70)"]


@pytest.mark.spec("Book E, 3.2", "Book E, 8.6", source="two")
def test_both_macs_are_the_cards(case: dict[str, str], channel: SecureChannel) -> None:
    parts = (
        "pdol_values",
        "cdol1_data",
        "genac_response_tlvs_without_9F26_9F8105",
        "sda_hash",
    )
    covered = b"".join(bytes.fromhex(case[part]) for part in parts)

    mac = channel.iad_mac(covered)

    assert mac.hex().upper() == case["iad_mac"]
    assert channel.eda_mac(bytes.fromhex(case["ac"]), mac).hex().upper() == case["eda_mac"]


def test_a_kernel_key_is_any_number_below_the_order() -> None:
    largest = (N - 2).to_bytes(40, "big")

    assert KernelKey.made_from(bytes(40)).data == KernelKey(1).data
    assert KernelKey.made_from(largest).data == KernelKey(N - 1).data
    for scalar in (0, N):
        with pytest.raises(MalformedData):
            KernelKey(scalar)


@pytest.mark.parametrize("data", [b"", bytes(63), bytes(65), b"\xff" * 64])
def test_card_key_data_that_are_none_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedData):
        KernelKey(5).agree(data)


def test_a_changed_envelope_is_refused(channel: SecureChannel) -> None:
    with pytest.raises(AuthenticationFailed, match="READ DATA"):
        channel.open_data(bytes(20))
    with pytest.raises(MalformedData, match="7 bytes"):
        channel.open_data(bytes(7))
    with pytest.raises(AuthenticationFailed, match="WRITE DATA"):
        channel.check_written(b"data", bytes(8))


def test_the_same_bytes_never_look_the_same(channel: SecureChannel) -> None:
    assert channel.encipher(bytes(20)) != channel.encipher(bytes(20))
    assert channel.open_record(bytes(20)) != channel.open_record(bytes(20))


def test_a_counter_that_has_run_out_is_not_used_again(channel: SecureChannel) -> None:
    for _ in range(CARD_COUNTER_END - CARD_COUNTER_START - 1):
        channel.open_record(b"")
    with pytest.raises(MalformedData, match="card's message counter"):
        channel.open_record(b"")
    for _ in range(CARD_COUNTER_START):
        channel.encipher(b"")
    with pytest.raises(MalformedData, match="kernel's message counter"):
        channel.encipher(b"")


# Points and signatures. The signing half is written here from ISO/IEC 14888-3.


def sign(message: bytes, secret: int, nonce: int) -> bytes:
    point = ec.derive_private_key(nonce, ec.SECP256R1()).public_key().public_numbers()
    witness = sha256(point.x.to_bytes(32, "big") + message).digest()
    response = (nonce + int.from_bytes(witness, "big") * secret) % N
    return witness + response.to_bytes(32, "big")


scalars = st.integers(1, N - 1)


@settings(max_examples=40, deadline=None)
@given(scalars, scalars, st.binary(max_size=80))
def test_what_was_signed_is_proved(secret: int, nonce: int, message: bytes) -> None:
    key = ec.derive_private_key(secret, ec.SECP256R1()).public_key()

    assert curve.is_signed(sign(message, secret, nonce), message, key)


@settings(max_examples=40, deadline=None)
@given(scalars, st.integers(1 << 128, (N >> 1) - 1), st.integers(0, 511))
def test_one_other_bit_is_not(secret: int, nonce: int, bit: int) -> None:
    """By x alone the nonce and its negative are one: some are a bit apart."""
    assume(nonce & (nonce - 1))
    key = ec.derive_private_key(secret, ec.SECP256R1()).public_key()
    changed = int.from_bytes(sign(b"message", secret, nonce), "big") ^ 1 << bit

    assert not curve.is_signed(changed.to_bytes(64, "big"), b"message", key)
    assert not curve.is_signed(sign(b"message", secret, nonce), b"messagf", key)


@pytest.mark.parametrize("secret", [1, 2, N - 1])
@pytest.mark.parametrize("nonce", [1, 2, N - 2])
def test_points_that_meet_are_added_too(secret: int, nonce: int) -> None:
    """The key is the base point or its inverse: doubling, and what cancels."""
    key = ec.derive_private_key(secret, ec.SECP256R1()).public_key()

    assert curve.is_signed(sign(b"message", secret, nonce), b"message", key)


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        bytes(64),
        b"\x01" * 32 + bytes(32),
        b"\x01" * 32 + N.to_bytes(32, "big"),
        (N - 1).to_bytes(32, "big") + b"\x01" * 32,
        b"\x01" * 63,
        # Twice the base point less twice the base point is no point.
        (2).to_bytes(32, "big") + (2).to_bytes(32, "big"),
    ],
)
def test_numbers_that_no_signature_has_are_refused(signature: bytes) -> None:
    key = ec.derive_private_key(1, ec.SECP256R1()).public_key()

    assert not curve.is_signed(signature, b"message", key)


@settings(max_examples=30, deadline=None)
@given(scalars)
def test_a_key_is_found_again_by_its_x(secret: int) -> None:
    numbers = ec.derive_private_key(secret, ec.SECP256R1()).public_key().public_numbers()

    found = curve.public_key(numbers.x.to_bytes(32, "big")).public_numbers()

    assert found.x == numbers.x
    assert found.y == min(numbers.y, curve.P - numbers.y)
