"""Combined DDA: a recorded card, and each check that a signature can fail."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv import tlv
from emv.authentication import CAKey, CAKeyStore, PublicKey
from emv.combined import verify_combined_data
from emv.errors import AuthenticationFailed
from emv.kernels.evidence import Evidence
from emv.kernels.objects import pan_of_track_2, take
from emv.records import Record, data_objects

if TYPE_CHECKING:
    from tests.emv.conftest import PKI

pytestmark = pytest.mark.spec("Book 2, 6.6", source="ours")

NUMBER = bytes.fromhex("7FBC4049")
LISTS = bytes.fromhex("000000012345 0156")
CRYPTOGRAM = bytes.fromhex("0123456789ABCDEF")
IDN = bytes.fromhex("36DF6D9E2104092E")


@pytest.mark.spec("Book 2, 6.6", source="outside")
def test_a_recorded_card_signed_its_cryptogram(emv_vectors: Callable[[str], Any]) -> None:
    """From the scheme's test key down to the signature, and what stands in it."""
    trace = next(
        one
        for one in emv_vectors("traces_testcards.json")["traces"]
        if one["id"] == "contactless-mastercard"
    )
    expected = trace["expect_offline_data_authentication"]
    rid, index = (bytes.fromhex(one) for one in expected["ca"])
    entry = next(
        one
        for one in emv_vectors("capk_test_and_live.json")["keys"]
        if (one["rid"], one["index"]) == tuple(expected["ca"])
    )
    modulus, exponent = bytes.fromhex(entry["modulus"]), bytes.fromhex(entry["exponent"])
    digest = hashlib.sha1(rid + index + modulus + exponent).digest()
    ca_key = CAKey(rid, index[0], modulus, int.from_bytes(exponent, "big"), None, digest)
    card = {0x82: bytes.fromhex("5980")}
    records = []
    for apdu in trace["apdus"][2:-1]:
        command, data = bytes.fromhex(apdu["command"]), bytes.fromhex(apdu["response"])[:-2]
        # The locator: record 1 of file 3 is the one that is signed.
        records.append(Record(command[3] >> 3, command[2], data, command[3] >> 3 == 2))
        take(card, data_objects(records[-1]))
    evidence = Evidence(
        card, records, CAKeyStore([ca_key]), rid, pan_of_track_2(card[0x57]), date(2014, 1, 1)
    )
    given_to_card = bytes.fromhex(trace["apdus"][-1]["command"])[5:-1]

    combined = verify_combined_data(
        bytes.fromhex(trace["apdus"][-1]["response"])[:-2],
        evidence.icc_key(),
        given_to_card[25:29],
        given_to_card,
    )

    assert combined.cryptogram.hex().upper() == expected["cda_ac"]
    assert f"{combined.information_data:02X}" == expected["cda_cid"]
    assert combined.dynamic_number.hex().upper() == expected["cda_icc_dynamic_number"]
    assert combined.more == b""


def response_of(
    pki: PKI, *, number: bytes = NUMBER, idn: bytes = IDN, more: bytes = b"", cut: int | None = None
) -> bytes:
    """A template 77 as a card would sign it."""
    others = bytes.fromhex("9F270180 9F36020001 9F100101")
    digest = hashlib.sha1(LISTS + others).digest()
    dynamic = (bytes((len(idn),)) + idn + b"\x80" + CRYPTOGRAM + digest + more)[:cut]
    body = (b"\x01" + bytes((len(dynamic),)) + dynamic).ljust(pki.icc.length - 23, b"\xbb")
    signed = tlv.encode(0x9F4B, pki.icc.sign(0x05, body, number))
    return tlv.encode(0x77, others[:4] + signed + others[4:])


@pytest.fixture
def key(pki: PKI) -> PublicKey:
    return PublicKey(pki.icc.n, 3, pki.icc.length)


@pytest.mark.parametrize("more", ["", "AABBCCDD 11223344 0001 0002 0003"])
def test_a_good_signature_gives_what_was_signed(pki: PKI, key: PublicKey, more: str) -> None:
    response = response_of(pki, more=bytes.fromhex(more))

    combined = verify_combined_data(response, key, NUMBER, LISTS)

    assert (combined.dynamic_number, combined.information_data) == (IDN, 0x80)
    assert combined.cryptogram == CRYPTOGRAM
    assert combined.more == bytes.fromhex(more)
    assert CRYPTOGRAM.hex() not in repr(combined)


@pytest.mark.parametrize(
    ("response", "lists", "message"),
    [
        ({"number": bytes(4)}, LISTS, "hash does not fit"),
        ({}, LISTS + b"\x00", "transaction data hash"),
        ({"cut": 37}, LISTS, "cut short"),
        ({"idn": b"\x01"}, LISTS, "cut short"),
        ({"idn": bytes(9)}, LISTS, "cut short"),
    ],
)
def test_each_check_names_itself(
    pki: PKI, key: PublicKey, response: dict[str, Any], lists: bytes, message: str
) -> None:
    with pytest.raises(AuthenticationFailed, match=message):
        verify_combined_data(response_of(pki, **response), key, NUMBER, lists)


def test_an_object_altered_on_the_way_breaks_the_signature(pki: PKI, key: PublicKey) -> None:
    """The counter in the clear is under the hash."""
    response = response_of(pki).replace(bytes.fromhex("9F36020001"), bytes.fromhex("9F36020002"))

    with pytest.raises(AuthenticationFailed, match="transaction data hash"):
        verify_combined_data(response, key, NUMBER, LISTS)


@given(st.binary(max_size=200))
def test_noise_is_no_signature(noise: bytes) -> None:
    with pytest.raises(AuthenticationFailed):
        verify_combined_data(noise, PublicKey(1 << 1023, 3, 128), NUMBER, LISTS)
