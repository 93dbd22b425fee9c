"""The card's half of kernel 8, against computed cases from outside and against its bank."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv.kernels.c8 import curve as terminals
from emv.kernels.c8.channel import KernelKey
from simulators.bank.issuer import aes
from simulators.card.kernel8 import curve
from simulators.card.kernel8.channel import CardChannel, application_cryptogram, derive_card_key

scalars = st.integers(1, curve.GROUP_ORDER - 1)


@pytest.fixture
def case(shared: Path) -> dict[str, str]:
    path = shared / "vectors" / "emv" / "c8_computed.json"
    vector: dict[str, str] = json.loads(path.read_text())["vector"]
    return vector


@pytest.fixture
def channel(case: dict[str, str]) -> CardChannel:
    return CardChannel(int(case["dc"], 16), int(case["r"], 16), bytes.fromhex(case["Qk"]))


def test_a_card_blinds_its_key(case: dict[str, str], channel: CardChannel) -> None:
    assert curve.x_of(int(case["dc"], 16)).hex().upper() == case["Qc_x"]
    assert channel.key_data.hex().upper() == case["card_key_data_9F8103"]


def test_a_record_is_enciphered(case: dict[str, str], channel: CardChannel) -> None:
    plain = bytes.fromhex(case["record_plain(value of 70)"])

    assert (b"\xda\x14" + channel.conceal(plain)).hex().upper() in case["record_as_sent"]


@pytest.mark.spec("Book E, 3.2", source="two")
def test_both_macs_are_those_of_the_case(case: dict[str, str], channel: CardChannel) -> None:
    parts = ("pdol_values", "cdol1_data", "genac_response_tlvs_without_9F26_9F8105", "sda_hash")
    covered = b"".join(bytes.fromhex(case[part]) for part in parts)

    mac = channel.iad_mac(covered)

    assert mac.hex().upper() == case["iad_mac"]
    assert channel.eda_mac(bytes.fromhex(case["ac"]), mac).hex().upper() == case["eda_mac"]


@pytest.mark.spec("Book E, 3.2", source="two")
@settings(max_examples=25, deadline=None)
@given(scalars, scalars, scalars, st.binary(max_size=60))
def test_both_sides_understand_each_other(
    secret: int, blinding: int, kernel: int, data: bytes
) -> None:
    key = KernelKey(kernel)
    card = CardChannel(secret, blinding, key.data)
    terminal = key.agree(card.key_data)

    assert terminal.blinding_factor == blinding
    assert terminal.open_record(card.conceal(data)) == data
    assert terminal.open_data(card.conceal_and_seal(data)) == data
    written = card.reveal(terminal.encipher(data))
    assert written == data
    terminal.check_written(data, card.acknowledge(written))


@settings(max_examples=25, deadline=None)
@given(scalars, st.binary(max_size=60))
def test_a_certified_key_signs_what_the_terminal_proves(secret: int, message: bytes) -> None:
    fit = curve.for_certificates(secret)
    key = terminals.public_key(curve.x_of(fit))

    assert terminals.is_signed(curve.sign(message, fit), message, key)
    assert curve.x_of(fit) == curve.x_of(secret)


@settings(max_examples=25)
@given(
    st.binary(min_size=16, max_size=16),
    st.from_regex(r"[0-9]{12,19}", fullmatch=True),
    st.integers(0, 99),
    st.integers(1, 65535),
    st.binary(max_size=80),
)
def test_the_bank_makes_the_same_cryptogram(
    secret: bytes, pan: str, sequence: int, counter: int, data: bytes
) -> None:
    card_key = derive_card_key(secret, pan, sequence)

    key = aes.session_key(
        aes.card_master_key(secret, pan, f"{sequence:02}"), counter.to_bytes(2, "big")
    )

    assert aes.application_cryptogram(key, data) == application_cryptogram(card_key, counter, data)
