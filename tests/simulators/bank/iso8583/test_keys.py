"""The bank's own cryptography of this dialect, against programs of others and the till's."""

import psec.mac
import psec.tr31
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv.keys import mac
from simulators.bank.iso8583 import keys

SECRET = bytes(range(32))
DOUBLE_KEYS = st.binary(min_size=16, max_size=16)
MESSAGES = st.binary(min_size=1, max_size=80)


@pytest.mark.parametrize("code", keys.CODES)
def test_another_program_opens_the_banks_key_blocks(code: str) -> None:
    key = keys.message_key(SECRET, "till-1", 1)
    protection = keys.transport_key(SECRET, "till-1")
    header, opened = psec.tr31.unwrap(protection, keys.key_block(key, code, protection, bytes))
    assert opened == key
    assert (header.key_usage, header.algorithm, header.mode_of_use, header.exportability) == (
        keys.USAGES[code],
        "T",
        "C",
        "N",
    )


@given(DOUBLE_KEYS, MESSAGES)
def test_another_program_makes_the_same_retail_code(key: bytes, message: bytes) -> None:
    other = psec.mac.generate_retail_mac(key[:8] * 2, key[8:] * 2, message, 1)
    assert keys.code_of("retail", key, message) == other


def test_the_other_code_is_the_one_a_terminal_sent() -> None:
    """Source: q.cnblogs.com, question 128930."""
    key = bytes.fromhex("0723C80DB5F4CD3D") * 2
    message = bytes.fromhex(
        "0200 3020048000C08015 000000 000000001234 000002 0300 99"
        "3030303030303031 393532373138313832323137383735 313536"
        "0019 26000001000600000000 0043 5F0112323834343132333435363738393031323334"
        "5F0306313630303336 5F0406323030383236 5C023031"
    )
    assert keys.code_of("xor-block", key, message) == b"B3A092AE"


@given(DOUBLE_KEYS, MESSAGES)
def test_till_and_bank_agree_on_the_other_code(key: bytes, message: bytes) -> None:
    assert keys.code_of("xor-block", key, message) == mac.xor_block_mac(key, message)


def test_every_till_and_every_sign_on_has_keys_of_its_own() -> None:
    made = {keys.message_key(SECRET, till, at) for till in ("till-1", "till-2") for at in (1, 2)}
    protections = {keys.transport_key(SECRET, till) for till in ("till-1", "till-2")}
    assert len(made) == 4
    assert len(protections) == 2
    assert {len(key) for key in protections} == {32}
