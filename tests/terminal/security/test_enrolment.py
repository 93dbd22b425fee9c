"""A till enrols with a real simulated bank, and with banks that answer badly."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from simulators.bank import bench
from simulators.bank.place import BankPlace
from simulators.bank.trust.authority import Authority, certificate_pem
from terminal.bank.signing import Ed25519Signer, Ed25519Verifier
from terminal.errors import EnrolmentRefused, KeysUnusable
from terminal.security import keys
from terminal.security.enrolment import enrol
from terminal.security.folder import is_enrolled
from terminal.security.keys import load_keys

NOW_MS = time.time_ns() // 1_000_000


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> BankPlace:
    return bench.prepare(tmp_path_factory.mktemp("bank"), NOW_MS)


@pytest.fixture
def code(place: BankPlace) -> str:
    return bench.issue_enrolment_code(place, "till", "till-1", NOW_MS, os.urandom, merchant="m")


Carry = Callable[[Mapping[str, str]], Mapping[str, object]]


@pytest.fixture
def carry(place: BankPlace) -> Carry:
    return lambda request: bench.enrol(place, request, NOW_MS)


def test_an_enrolled_till_has_its_name_and_the_banks_keys(
    tmp_path: Path, code: str, carry: Carry, place: BankPlace
) -> None:
    till = enrol(tmp_path / "till/keys", code, carry)

    assert till.till_id == "till-1"
    assert till.expires_ms > NOW_MS
    assert isinstance(till.signer, Ed25519Signer)
    assert isinstance(till.answer_key, Ed25519Verifier)
    assert till.sealing_key["crv"] == "P-256"
    assert till.bank_ca.read_bytes() == place.ca_certificate.read_bytes()
    assert load_keys(tmp_path / "till/keys").till_id == "till-1"


def test_only_the_owner_reads_the_folder_and_its_files(
    tmp_path: Path, code: str, carry: Carry
) -> None:
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o755)
    enrol(folder, code, carry)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_private_keys_never_travel(tmp_path: Path, code: str, carry: Carry) -> None:
    seen: list[Mapping[str, str]] = []

    def watch(request: Mapping[str, str]) -> Mapping[str, object]:
        seen.append(request)
        return carry(request)

    enrol(tmp_path / "keys", code, watch)

    assert set(seen[0]) == {"code", "tls_csr", "signing_csr"}
    assert "PRIVATE" not in str(seen)


def test_a_till_is_enrolled_once(tmp_path: Path, code: str, carry: Carry, place: BankPlace) -> None:
    enrol(tmp_path / "keys", code, carry)
    before = (tmp_path / "keys" / keys.TLS_KEY).read_bytes()

    with pytest.raises(KeysUnusable, match="enrolled already"):
        enrol(tmp_path / "keys", code, carry)
    assert (tmp_path / "keys" / keys.TLS_KEY).read_bytes() == before


def test_a_second_try_after_a_cut_uses_the_same_keys(
    tmp_path: Path, code: str, carry: Carry
) -> None:
    sent: list[Mapping[str, str]] = []

    def cut(request: Mapping[str, str]) -> Mapping[str, object]:
        sent.append(request)
        raise ConnectionError("the power failed")

    with pytest.raises(ConnectionError):
        enrol(tmp_path / "keys", code, cut)
    assert not is_enrolled(tmp_path / "keys")
    kept = (tmp_path / "keys" / keys.SIGNING_KEY).read_bytes()

    enrol(tmp_path / "keys", code, carry)
    assert (tmp_path / "keys" / keys.SIGNING_KEY).read_bytes() == kept


def public_pem(key: Any) -> str:
    pem: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


def stranger() -> Authority:
    return Authority.create("stranger", NOW_MS)


def certified_elsewhere(id: str = "till-1") -> str:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return certificate_pem(stranger().issue_client("till", id, key, NOW_MS, 90))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"role": "wallet"}, "role"),
        ({"id": "../../etc"}, "till id"),
        ({"id": "till-2"}, "another till id"),
        ({"tls_chain": "nonsense"}, "PEM"),
        ({"tls_chain": "schlüssel"}, "PEM"),
        ({"tls_chain": certified_elsewhere()}, "another key"),
        ({"bank_ca": certificate_pem(stranger().certificate)}, "does not come from the CA"),
        ({"bank_ca": None}, "bank_ca"),
        ({"answer_key": "nonsense"}, "bank's own keys"),
        ({"answer_key": public_pem(x25519.X25519PrivateKey.generate())}, "bank's own keys"),
        ({"sealing_key": {"kty": "RSA"}}, "bank's own keys"),
        ({"sealing_key": {"kty": 1}}, "sealing_key"),
    ],
)
def test_an_answer_that_does_not_fit_leaves_the_till_as_it_was(
    tmp_path: Path, place: BankPlace, code: str, carry: Carry, change: dict[str, Any], why: str
) -> None:
    def garble(request: Mapping[str, str]) -> Mapping[str, object]:
        answer = {**carry(request), **change}
        if "bank_ca" in change:
            # The chain ends at the CA that the answer names.
            leaf = str(answer["tls_chain"]).split("-----END CERTIFICATE-----")[0]
            answer["tls_chain"] = f"{leaf}-----END CERTIFICATE-----\n"
        return answer

    with pytest.raises(EnrolmentRefused, match=why):
        enrol(tmp_path / "keys", code, garble)
    assert {file.name for file in (tmp_path / "keys").iterdir()} == {
        keys.TLS_KEY,
        keys.SIGNING_KEY,
    }


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, code: str, carry: Carry) -> None:
    (tmp_path / "till").write_text("a file in the way")

    with pytest.raises(KeysUnusable, match="till/keys"):
        enrol(tmp_path / "till/keys", code, carry)
