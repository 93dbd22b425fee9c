"""Offline data authentication against cases made by others, then its own edges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv import tlv
from emv.authentication import (
    FORMAT_SIGNED_DYNAMIC_FDDA,
    CAKey,
    CAKeyStore,
    PublicKey,
    open_icc_certificate,
    open_issuer_certificate,
    recover_icc_key,
    recover_issuer_key,
    verify_dynamic_data,
    verify_static_data,
)
from emv.errors import AuthenticationFailed, ConfigurationError
from emv.records import Record, data_objects, parse_afl, signed_static_data

if TYPE_CHECKING:
    from tests.emv.conftest import PKI

pytestmark = pytest.mark.spec(
    "Book 2, 5.3",
    "Book 2, 5.4",
    "Book 2, 6.4",
    "Book 2, 6.5",
    "Book 2, 11.2",
    "Book 2, Annex A2",
    "Book 2, Annex B2",
    source="ours",
)

Load = Callable[[str], Any]


def ca_key(load: Load, rid: str, index: str) -> CAKey:
    """Find a published key in either collection."""
    for name in ("capk_emvutils.json", "capk_test_and_live.json"):
        for entry in load(name)["keys"]:
            if (entry["rid"], entry["index"]) == (rid, index) and entry["hash_sha1"]:
                return key_of(entry)
    raise LookupError(rid + index)


def key_of(entry: dict[str, Any]) -> CAKey:
    return CAKey(
        bytes.fromhex(entry["rid"]),
        int(entry["index"], 16),
        bytes.fromhex(entry["modulus"]),
        int(entry["exponent"], 16),
        None,
        bytes.fromhex(entry["hash_sha1"]),
    )


def public(load: Load, rid: str, index: str) -> PublicKey:
    key = ca_key(load, rid, index)
    return CAKeyStore([key]).find(key.rid, key.index, date(2026, 1, 1))


# Cases from outside


@pytest.mark.spec("Book 2, 11.2", source="outside")
@pytest.mark.parametrize("name", ["capk_emvutils.json", "capk_test_and_live.json"])
def test_published_ca_keys_pass_their_check_sum(emv_vectors: Load, name: str) -> None:
    """Also: one wrong digit anywhere, and the key is refused."""
    keys = [key_of(e) for e in emv_vectors(name)["keys"] if e["hash_verified"]]
    keys = [key for key in keys if key.exponent != 2]
    assert len(keys) > 10

    for key in keys:
        found = CAKeyStore([key]).find(key.rid, key.index, date(2026, 1, 1))
        assert found.length == len(key.modulus)
        altered = key.modulus[:-1] + bytes((key.modulus[-1] ^ 2,))
        with pytest.raises(ConfigurationError, match="SHA-1 does not fit"):
            CAKeyStore([replace(key, modulus=altered)])


def test_the_even_exponent_of_the_nineties_is_refused(emv_vectors: Load) -> None:
    old = [key for key in emv_vectors("capk_test_and_live.json")["keys"] if key["exponent"] == "02"]
    assert old

    for entry in old:
        with pytest.raises(ConfigurationError, match="exponent is neither 3 nor 65537"):
            CAKeyStore([key_of(entry)])


@pytest.fixture(scope="module")
def oda(emv_vectors: Load) -> dict[str, Any]:
    (suite,) = emv_vectors("emvutils_oda_rsa.json")["suites"]
    data: dict[str, Any] = suite["data"]
    return data


def objects(entries: list[dict[str, str]]) -> dict[str, bytes]:
    return {entry["tag"]: bytes.fromhex(entry["value"]) for entry in entries}


@pytest.fixture(scope="module")
def oda_ca(emv_vectors: Load, oda: dict[str, Any]) -> PublicKey:
    return public(emv_vectors, oda["test_capk_rid"], oda["test_capk_index"])


@pytest.fixture(scope="module")
def oda_issuer(oda: dict[str, Any], oda_ca: PublicKey) -> PublicKey:
    card = objects(oda["valid_icc_data"])
    return recover_issuer_key(
        bytes.fromhex(oda["valid_issuer_cert"]),
        card["92"],
        card["9F32"],
        oda_ca,
        card["5A"].hex(),
        date(2022, 5, 6),
    )


@pytest.mark.spec("Book 2, 5.3", "Book 2, Annex A2", source="outside")
def test_an_issuer_certificate_opens_to_the_published_key(
    oda: dict[str, Any], oda_ca: PublicKey
) -> None:
    card = objects(oda["valid_icc_data"])
    opened = open_issuer_certificate(
        bytes.fromhex(oda["valid_issuer_cert"]), card["92"], card["9F32"], oda_ca
    )
    expected = oda["full_issuer_pkey_verify"]

    opened.check_hash()
    assert opened.identifier == expected["issuer_id"].rstrip("F")
    assert opened.expires == date(2031, 12, 31)
    assert opened.serial.hex().upper() == expected["cert_sn"]
    assert opened.modulus.hex().upper() == expected["modulus"]
    assert opened.exponent.hex() == expected["exponent"]


def test_an_altered_issuer_certificate_is_refused(oda: dict[str, Any], oda_ca: PublicKey) -> None:
    card = objects(oda["valid_icc_data"])
    with pytest.raises(AuthenticationFailed, match="issuer certificate: recovered header"):
        open_issuer_certificate(
            bytes.fromhex(oda["invalid_issuer_cert"]), card["92"], card["9F32"], oda_ca
        )


def test_an_issuer_exponent_other_than_certified_is_refused(
    oda: dict[str, Any], oda_ca: PublicKey
) -> None:
    card = objects(oda["invalid_icc_data"])
    with pytest.raises(AuthenticationFailed, match="issuer certificate: exponent"):
        open_issuer_certificate(
            bytes.fromhex(oda["valid_issuer_cert"]), card["92"], card["9F32"], oda_ca
        )


@pytest.mark.parametrize(
    ("params", "is_valid"),
    [
        ("expired_params_data", False),
        ("valid_params_data_2031", True),
        ("valid_params_data_2022", True),
    ],
)
def test_an_issuer_certificate_ends_with_its_month(
    oda: dict[str, Any], oda_ca: PublicKey, params: str, is_valid: bool
) -> None:
    card = objects(oda["valid_icc_data"])
    year, month, day = objects(oda[params])["9A"]
    today = date(2000 + int(f"{year:02x}"), int(f"{month:02x}"), int(f"{day:02x}"))
    opened = open_issuer_certificate(
        bytes.fromhex(oda["valid_issuer_cert"]), card["92"], card["9F32"], oda_ca
    )
    if is_valid:
        opened.check_dates(today)
    else:
        with pytest.raises(AuthenticationFailed, match="issuer certificate has expired"):
            opened.check_dates(today)


@pytest.mark.spec("Book 2, 5", "Book 2, 5.4", source="outside")
def test_static_data_opens_to_the_published_code(
    oda: dict[str, Any], oda_issuer: PublicKey
) -> None:
    """The vector does not hold the static data: only the hash can then fail."""
    with pytest.raises(AuthenticationFailed, match="signed static data: hash"):
        verify_static_data(bytes.fromhex(oda["valid_enc_ssad"]), oda_issuer, b"")
    with pytest.raises(AuthenticationFailed, match="signed static data: recovered header"):
        verify_static_data(bytes.fromhex(oda["invalid_enc_ssad"]), oda_issuer, b"")


@pytest.mark.spec("Book 2, 6.4", "Book 2, Annex A2", source="outside")
def test_an_icc_certificate_opens_to_the_published_key(
    oda: dict[str, Any], oda_issuer: PublicKey
) -> None:
    card = objects(oda["valid_icc_data"])
    opened = open_icc_certificate(
        bytes.fromhex(oda["valid_icc_cert"]), card["9F48"], card["9F47"], oda_issuer
    )
    expected = oda["full_icc_pkey_verify"]

    assert opened.identifier == expected["pan"].rstrip("F")
    assert opened.expires == date(2022, 12, 31)
    assert opened.serial.hex() == expected["cert_sn"]
    assert opened.modulus.hex().upper() == expected["modulus"]
    assert opened.hash.hex().upper() == expected["hash"]
    with pytest.raises(AuthenticationFailed, match="ICC certificate: hash"):
        opened.check_hash(b"not the static data")


def test_an_altered_icc_certificate_is_refused(oda: dict[str, Any], oda_issuer: PublicKey) -> None:
    card = objects(oda["valid_icc_data"])
    with pytest.raises(AuthenticationFailed, match="ICC certificate: recovered header"):
        open_icc_certificate(
            bytes.fromhex(oda["invalid_icc_cert"]), card["9F48"], card["9F47"], oda_issuer
        )


@pytest.mark.spec("Book 2, 6.5", source="outside")
def test_a_dynamic_signature_gives_the_published_number(oda: dict[str, Any]) -> None:
    key = PublicKey.of(bytes.fromhex(oda["full_icc_pkey_verify"]["modulus"]), b"\x03")
    ddol_data = bytes.fromhex(oda["ddol_data"])

    dynamic = verify_dynamic_data(bytes.fromhex(oda["valid_enc_sdad"]), key, ddol_data)
    expected = bytes.fromhex(oda["retrieved_sdad"]["icc_dynamic_number"])
    assert dynamic == bytes((len(expected),)) + expected
    with pytest.raises(AuthenticationFailed, match="hash does not fit"):
        verify_dynamic_data(bytes.fromhex(oda["valid_enc_sdad"]), key, b"\x00" * 4)
    with pytest.raises(AuthenticationFailed, match="signed dynamic data"):
        verify_dynamic_data(bytes.fromhex(oda["invalid_enc_sdad"]), key, ddol_data)


def test_a_contact_signature_does_not_pass_as_fdda(oda: dict[str, Any]) -> None:
    key = PublicKey.of(bytes.fromhex(oda["full_icc_pkey_verify"]["modulus"]), b"\x03")
    with pytest.raises(AuthenticationFailed, match="data format 05, not 95"):
        verify_dynamic_data(
            bytes.fromhex(oda["valid_enc_sdad"]),
            key,
            bytes.fromhex(oda["ddol_data"]),
            (FORMAT_SIGNED_DYNAMIC_FDDA,),
        )


def records_of(trace: dict[str, Any]) -> tuple[dict[int, bytes], tuple[Record, ...]]:
    """Read a recorded conversation: GPO objects and records, as the AFL says."""
    answers = {apdu["command"]: bytes.fromhex(apdu["response"])[:-2] for apdu in trace["apdus"]}
    gpo = next(answer for command, answer in answers.items() if command.startswith("80A8"))
    card = tlv.collect(tlv.decode(gpo))
    records = []
    for file in parse_afl(card[0x94]):
        for number in range(file.first, file.last + 1):
            data = answers.get(f"00B2{number:02X}{file.sfi << 3 | 4:02X}00")
            is_signed = number < file.first + file.signed
            if data is None:
                # The terminal skipped what it had no use for.
                assert not is_signed
                continue
            records.append(Record(file.sfi, number, data, is_signed))
    for record in records:
        card |= tlv.collect(data_objects(record))
    return card, tuple(records)


@pytest.mark.spec("Book 2, 5.3", "Book 2, 6.4", source="outside")
@pytest.mark.parametrize("name", ["contact-mastercard", "contactless-mastercard"])
def test_a_recorded_card_proves_itself_down_to_its_key(emv_vectors: Load, name: str) -> None:
    """Certificates, static data and, on the contact card, the static signature."""
    (trace,) = (one for one in emv_vectors("traces_testcards.json")["traces"] if one["id"] == name)
    expected = trace["expect_offline_data_authentication"]
    card, records = records_of(trace)
    today = date(2014, 12, 31)
    pan = card[0x5A].hex()
    static_data = signed_static_data(records, card.get(0x9F4A), card[0x82])

    issuer_key = recover_issuer_key(
        card[0x90],
        card.get(0x92, b""),
        card[0x9F32],
        public(emv_vectors, *expected["ca"]),
        pan,
        today,
    )
    icc_key = recover_icc_key(
        card[0x9F46], card.get(0x9F48, b""), card[0x9F47], issuer_key, static_data, pan, today
    )
    assert icc_key.length == expected["icc_modulus_len"]
    if "dac" in expected:
        assert verify_static_data(card[0x93], issuer_key, static_data).hex() == expected["dac"]


@pytest.mark.spec("Book 2, 5.3", "Book 2, 6.4", "Book 2, 11.2", source="outside")
def test_a_published_card_profile_chains_to_its_ca(emv_vectors: Load) -> None:
    """mrautio/emv-card-simulator: issuer and card under AFFFFFFFFF/92."""
    vector = emv_vectors("card_profile_testpki.json")
    profile = vector["profiles"]["card_setup_app_apdus.yaml"]
    card = {int(tag, 16): bytes.fromhex(value) for tag, value in profile["tags"].items()}
    ca = next(key for key in vector["keys"] if key["file"].startswith("AFFFFFFFFF"))
    icc = next(key for key in vector["keys"] if key["file"].startswith("icc"))
    pan = card[0x5A].hex()

    # File 3, record 1 is the signed one; its list of tags is two bytes each.
    listed = bytes.fromhex(profile["records_as_tag_lists_2byte_each"]["SFI3-1"])
    signed_tags = [int.from_bytes(listed[at : at + 2], "big") for at in range(0, len(listed), 2)]
    signed = b"".join(tlv.encode(tag, card[tag]) for tag in signed_tags)
    record = Record(3, 1, tlv.encode(0x70, signed), is_signed=True)
    static_data = signed_static_data((record,), card[0x9F4A], card[0x82])

    issuer_certificate = open_issuer_certificate(
        card[0x90], card[0x92], card[0x9F32], PublicKey.of(bytes.fromhex(ca["n"]), b"\x03")
    )
    issuer_certificate.check_hash()
    icc_certificate = open_icc_certificate(card[0x9F46], b"", card[0x9F47], issuer_certificate.key)
    assert icc_certificate.modulus == bytes.fromhex(icc["n"])
    assert icc_certificate.identifier == pan
    assert icc_certificate.expires == date(2029, 12, 31)
    icc_certificate.check_hash(static_data)


# Properties


@settings(max_examples=150)
@given(signature=st.binary(max_size=200), exponent=st.sampled_from([3, 65537]), data=st.data())
def test_noise_is_never_authentic(signature: bytes, exponent: int, data: st.DataObject) -> None:
    """Any bytes, also of the right length: the declared error, never another."""
    modulus = data.draw(st.binary(min_size=1, max_size=144))
    key = PublicKey(int.from_bytes(modulus, "big"), exponent, len(modulus))
    if data.draw(st.booleans()):
        signature = signature[: len(modulus)].rjust(len(modulus), b"\x00")
    for attempt in (
        lambda: verify_static_data(signature, key, b""),
        lambda: verify_dynamic_data(signature, key, b""),
        lambda: open_issuer_certificate(signature, b"", b"\x03", key),
        lambda: open_icc_certificate(signature, b"", b"\x03", key),
    ):
        with pytest.raises(AuthenticationFailed):
            attempt()


# Examples: every check by name


def test_a_ca_key_is_found_until_its_last_day(pki: PKI) -> None:
    store = CAKeyStore([pki.ca_key(expires=date(2030, 6, 30))])
    rid = bytes.fromhex("A000000003")

    assert store.find(rid, 0x92, date(2030, 6, 30)).length == 176
    with pytest.raises(AuthenticationFailed, match="CA key A000000003/92 has expired"):
        store.find(rid, 0x92, date(2030, 7, 1))
    with pytest.raises(AuthenticationFailed, match="A000000003/93 is not known"):
        store.find(rid, 0x93, date(2030, 1, 1))
    with pytest.raises(AuthenticationFailed, match="A000000004/92 is not known"):
        store.find(bytes.fromhex("A000000004"), 0x92, date(2030, 1, 1))


def test_a_store_refuses_what_is_not_a_published_key(pki: PKI) -> None:
    good = pki.ca_key()
    with pytest.raises(ConfigurationError, match="A000000003/92 is there twice"):
        CAKeyStore([good, good])
    with pytest.raises(ConfigurationError, match="SHA-1 does not fit"):
        CAKeyStore([replace(good, sha1=bytes(20))])
    with pytest.raises(ConfigurationError, match="exponent"):
        CAKeyStore([replace(good, exponent=5)])
    with pytest.raises(ConfigurationError, match="not a RID"):
        CAKeyStore([replace(good, rid=b"\xa0")])
    for index in (-1, 256):
        with pytest.raises(ConfigurationError, match="not a RID"):
            CAKeyStore([replace(good, index=index)])


ISSUER_FAULTS: list[tuple[dict[str, Any], str, date, str]] = [
    ({"identifier": "4761FFFF"}, "4761739001010119", date(2026, 1, 1), ""),
    ({"identifier": "476FFFFF"}, "4761739001010119", date(2026, 1, 1), ""),
    ({"identifier": "47FFFFFF"}, "4761739001010119", date(2026, 1, 1), "PAN's issuer"),
    ({"identifier": "47617391"}, "4761739001010119", date(2026, 1, 1), "PAN's issuer"),
    ({"format_": 4}, "4761739001010119", date(2026, 1, 1), "data format 04, not 02"),
    ({"expires": "1125"}, "4761739001010119", date(2025, 11, 30), ""),
    ({"expires": "1125"}, "4761739001010119", date(2025, 12, 1), "has expired"),
    ({"expires": "0125"}, "4761739001010119", date(2025, 1, 31), ""),
    ({"expires": "0125"}, "4761739001010119", date(2025, 2, 1), "has expired"),
    ({"expires": "0025"}, "4761739001010119", date(2025, 1, 1), "is not a month"),
    ({"expires": "1325"}, "4761739001010119", date(2025, 1, 1), "is not a month"),
    ({"expires": "0A25"}, "4761739001010119", date(2025, 1, 1), "is not a month"),
]


@pytest.mark.parametrize(("changes", "pan", "today", "failure"), ISSUER_FAULTS)
def test_each_check_of_an_issuer_certificate(
    pki: PKI, changes: dict[str, Any], pan: str, today: date, failure: str
) -> None:
    certificate, remainder = pki.certify_issuer(**changes)
    ca = PublicKey.of(pki.ca.modulus, b"\x03")
    if not failure:
        key = recover_issuer_key(certificate, remainder, b"\x03", ca, pan, today)
        assert key == PublicKey.of(pki.issuer.modulus, b"\x03")
        return
    with pytest.raises(AuthenticationFailed, match=failure):
        recover_issuer_key(certificate, remainder, b"\x03", ca, pan, today)


def test_a_remainder_that_does_not_fit_is_refused(pki: PKI) -> None:
    certificate, remainder = pki.certify_issuer()
    ca = PublicKey.of(pki.ca.modulus, b"\x03")
    for wrong in (b"", remainder[:-1], remainder + b"\x00"):
        with pytest.raises(AuthenticationFailed, match="remainder"):
            open_issuer_certificate(certificate, wrong, b"\x03", ca)
    altered = bytes((remainder[0] ^ 1,)) + remainder[1:]
    with pytest.raises(AuthenticationFailed, match="hash does not fit"):
        open_issuer_certificate(certificate, altered, b"\x03", ca).check_hash()
    with pytest.raises(AuthenticationFailed, match="hash does not fit"):
        recover_issuer_key(certificate, altered, b"\x03", ca, "4761739001010119", date(2026, 1, 1))


def test_each_check_of_an_icc_certificate(pki: PKI) -> None:
    issuer = PublicKey.of(pki.issuer.modulus, b"\x03")
    pan, today = "4761739001010119", date(2026, 1, 1)
    certificate, remainder = pki.certify_icc(b"static")

    def attempt(static_data: bytes, number: str, day: date) -> PublicKey:
        return recover_icc_key(certificate, remainder, b"\x03", issuer, static_data, number, day)

    assert attempt(b"static", pan, today) == PublicKey.of(pki.icc.modulus, b"\x03")
    with pytest.raises(AuthenticationFailed, match="ICC certificate: hash"):
        attempt(b"statiC", pan, today)
    with pytest.raises(AuthenticationFailed, match="not of this PAN"):
        attempt(b"static", "4761739001010127", today)
    with pytest.raises(AuthenticationFailed, match="ICC certificate has expired"):
        attempt(b"static", pan, date(2032, 1, 1))


def test_no_message_and_no_repr_holds_the_card_number(pki: PKI) -> None:
    issuer = PublicKey.of(pki.issuer.modulus, b"\x03")
    certificate, remainder = pki.certify_icc(b"")
    opened = open_icc_certificate(certificate, remainder, b"\x03", issuer)

    assert "4761739001010119" not in repr(opened)
    with pytest.raises(AuthenticationFailed) as failure:
        recover_icc_key(
            certificate, remainder, b"\x03", issuer, b"", "4111111111111111", date(2026, 1, 1)
        )
    assert "4111" not in str(failure.value)
    assert "4761" not in str(failure.value)


def test_a_signature_is_exactly_as_long_as_its_key(pki: PKI) -> None:
    """A zero before it would not change the number."""
    key = PublicKey.of(pki.icc.modulus, b"\x03")
    signed = pki.sign_dynamic(b"", format_=0x05)

    assert verify_dynamic_data(signed, key, b"") == b"\x02\x00\x2a"
    for wrong in (b"\x00" + signed, signed[:-1], b""):
        with pytest.raises(AuthenticationFailed, match="length is not the signing key's"):
            verify_dynamic_data(wrong, key, b"")


@pytest.mark.parametrize(
    ("more", "failure"), [(0, "not below the signing key's modulus"), (-1, "header is wrong")]
)
def test_a_signature_is_a_number_below_the_modulus(pki: PKI, more: int, failure: str) -> None:
    key = PublicKey.of(pki.icc.modulus, b"\x03")
    with pytest.raises(AuthenticationFailed, match=failure):
        verify_dynamic_data((key.modulus + more).to_bytes(key.length, "big"), key, b"")


def test_what_is_signed_has_a_trailer_and_a_known_hash(pki: PKI) -> None:
    key = PublicKey.of(pki.icc.modulus, b"\x03")
    static = b"\x02\xda\xc0".ljust(key.length - 23, b"\xbb")
    with pytest.raises(AuthenticationFailed, match="unknown hash algorithm 02"):
        verify_static_data(pki.icc.sign(0x03, static), key, b"")
    plain = b"\x6a\x05\x01" + bytes(key.length - 4) + b"\xbd"
    signed = pow(int.from_bytes(plain, "big"), pki.icc.d, pki.icc.n)
    with pytest.raises(AuthenticationFailed, match="trailer is wrong"):
        verify_dynamic_data(signed.to_bytes(key.length, "big"), key, b"")


def test_a_key_too_short_for_its_own_frame_signs_nothing() -> None:
    short = PublicKey((1 << 328) - 1, 3, 41)
    with pytest.raises(AuthenticationFailed, match="length is not the signing key's"):
        verify_static_data(bytes(41), short, b"")
    long_enough = PublicKey((1 << 336) - 1, 3, 42)
    with pytest.raises(AuthenticationFailed, match="header"):
        verify_static_data(bytes(42), long_enough, b"")


def test_dynamic_data_may_fill_its_signature_and_not_more(pki: PKI) -> None:
    key = PublicKey.of(pki.icc.modulus, b"\x03")
    room = key.length - 25

    full = pki.icc.sign(0x05, b"\x01" + bytes((room,)) + bytes(room))
    assert verify_dynamic_data(full, key, b"") == bytes(room)
    beyond = pki.icc.sign(0x05, b"\x01" + bytes((room + 1,)) + bytes(room))
    with pytest.raises(AuthenticationFailed, match="does not fit"):
        verify_dynamic_data(beyond, key, b"")


def test_a_format_that_is_none_of_those_allowed_is_named(pki: PKI) -> None:
    key = PublicKey.of(pki.icc.modulus, b"\x03")
    with pytest.raises(AuthenticationFailed, match="data format 03, not 95 or 05"):
        verify_dynamic_data(pki.sign_dynamic(b"", format_=3), key, b"", (0x95, 0x05))


@pytest.mark.parametrize("algorithms", ["0201", "0102"])
def test_other_algorithms_are_refused(pki: PKI, algorithms: str) -> None:
    """Hash algorithm, then key algorithm, of an otherwise good certificate."""
    head = bytes.fromhex("476173FF" + "1235" + "03DA0A" + algorithms)
    body = (head + bytes((pki.issuer.length, 1))).ljust(pki.ca.length - 23, b"\xbb")
    with pytest.raises(AuthenticationFailed, match=r"unknown (hash|key) algorithm 02"):
        open_issuer_certificate(
            pki.ca.sign(2, body), bytes(36), b"\x03", PublicKey.of(pki.ca.modulus, b"\x03")
        )
    unknown = pki.icc.sign(0x05, b"\x02".ljust(pki.icc.length - 23, b"\xbb"))
    with pytest.raises(AuthenticationFailed, match="unknown hash algorithm 02"):
        verify_dynamic_data(unknown, PublicKey.of(pki.icc.modulus, b"\x03"), b"")
