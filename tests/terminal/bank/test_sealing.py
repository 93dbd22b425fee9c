"""What is sealed can be opened by the bank, and by nobody else."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.jwk import ECKey

from drivers.protocols import EncryptedPin
from terminal.bank.sealing import ALGORITHMS, Sealer
from terminal.errors import KeysUnusable

ATTEMPT = "018f0000-0000-7000-8000-000000000001"
BANK = ECKey.generate_key("P-256")


def public(key: ECKey) -> dict[str, str]:
    return {name: str(value) for name, value in key.as_dict(private=False).items()}


def opened(sealed: str) -> dict[str, str]:
    content = jwe.decrypt_compact(sealed, BANK, algorithms=ALGORITHMS).plaintext
    assert content is not None
    found: dict[str, str] = json.loads(content)
    return found


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=400))
def test_the_bank_opens_a_card_to_the_byte(emv: bytes) -> None:
    content = opened(Sealer(public(BANK)).seal_card(ATTEMPT, emv))

    assert content == {"attempt": ATTEMPT, "entry": "contactless", "emv": emv.hex().upper()}


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=400), st.binary(min_size=16, max_size=16))
def test_the_bank_opens_a_card_with_its_pin(emv: bytes, block: bytes) -> None:
    pin = EncryptedPin(block=block, ksn=bytes(12))
    content = opened(Sealer(public(BANK)).seal_card(ATTEMPT, emv, "contact", pin))

    assert content == {
        "attempt": ATTEMPT,
        "entry": "contact",
        "emv": emv.hex().upper(),
        "pin_block": block.hex().upper(),
        "pin_ksn": "00" * 12,
    }


def test_what_was_sealed_is_wiped() -> None:
    text = bytearray(b'{"pin_block":"00"}')
    Sealer(public(BANK))._seal(text)
    assert text == bytes(18)


def test_the_bank_opens_a_code() -> None:
    sealed = Sealer(public(BANK)).seal_code(ATTEMPT, "280000000000000018")

    assert opened(sealed) == {"attempt": ATTEMPT, "code": "280000000000000018"}
    assert "280000000000000018" not in sealed


def test_the_seal_says_how_it_is_made_and_for_which_key() -> None:
    sealed = Sealer(public(BANK) | {"kid": "bank-1"}).seal_code(ATTEMPT, "28")

    protected, wrapped_key, *_ = sealed.split(".")
    header = json.loads(base64.urlsafe_b64decode(protected + "=="))
    assert (header["alg"], header["enc"], header["kid"]) == ("ECDH-ES", "A256GCM", "bank-1")
    assert header["epk"]["crv"] == "P-256"
    assert wrapped_key == ""


def test_two_seals_of_one_code_differ() -> None:
    sealer = Sealer(public(BANK))

    assert sealer.seal_code(ATTEMPT, "28") != sealer.seal_code(ATTEMPT, "28")


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"kty": "oct", "k": "AAAA"},
        public(BANK) | {"crv": "P-384"},
        public(BANK) | {"x": "AAAA"},
        {"kty": "EC", "crv": "P-256"},
        public(BANK) | {"d": "AAAA"},
    ],
)
def test_any_other_key_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(KeysUnusable, match="the bank's sealing key"):
        Sealer(wrong)
