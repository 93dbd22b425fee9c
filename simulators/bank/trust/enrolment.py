"""A one-time code and signing requests in, certificates out.

The same function serves the bench shop at its first run and any till or
wallet that comes later.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Connection, Row, select

from simulators.bank import chain_ends
from simulators.bank.errors import EnrolmentRefused
from simulators.bank.schema import enrolled_keys, enrolment_codes, identities
from simulators.bank.trust import clones, credentials
from simulators.bank.trust.authority import (
    Authority,
    certificate_pem,
    public_pem,
    read_signing_request,
)

CODE_VALID_S = 3600

CERTIFICATE_DAYS = 90

FINGERPRINT_BYTES = 20
"""Of the SHA-256 of the authority's certificate; 32 characters of a code."""

ANSWER_KEY_ID = "bank"
"""What the bank's signatures name as their key."""


def issue_code(
    connection: Connection,
    role: str,
    id: str,
    merchant: str,
    now_ms: int,
    random: Callable[[int], bytes],
    *,
    valid_s: int = CODE_VALID_S,
    certificate_days: int = CERTIFICATE_DAYS,
) -> str:
    """Return a code that enrols one till or wallet, once.

    role: 'till' or 'wallet'. id: 'till-1', or the wallet's account.
    merchant: whose money the till takes; '' for a wallet.
    Only the code's hash is kept.
    """
    code = base64.b32encode(random(10)).decode()
    connection.execute(
        enrolment_codes.insert(),
        {
            "digest": _digest(code),
            "role": role,
            "id": id,
            "merchant": merchant,
            "certificate_days": certificate_days,
            "expires_ms": now_ms + valid_s * 1000,
            "used": False,
        },
    )
    return code


def with_fingerprint(code: str, authority: Authority) -> str:
    """Return a code that also says by which authority a till is to know the bank."""
    own = authority.certificate.fingerprint(hashes.SHA256())[:FINGERPRINT_BYTES]
    return f"{code}-{base64.b32encode(own).decode()}"


def enrol(
    connection: Connection,
    authority: Authority,
    keys: Mapping[str, Any],
    request: Mapping[str, object],
    now_ms: int,
) -> dict[str, Any]:
    """Certify whoever holds an unused code, and remember them.

    keys: what the answer passes on about the bank, see Keys.public().
    request: code; tls_csr, PEM of a P-256 key; signing_csr, PEM of an Ed25519
    or P-256 key, which only a till has. The signing requests prove that the
    sender has the keys.
    Returns role, id, merchant, tls_chain (PEM, the certificate, then the
    bank's CA), bank_ca (PEM), expires_ms, and for a till also signing_certificate
    (PEM), algorithm (RFC 9421 name), answer_key (PEM), answer_key_id and
    sealing_key (JWK).
    Raises EnrolmentRefused, and nothing has changed then.
    """
    unknown = set(request) - {"code", "tls_csr", "signing_csr"}
    if unknown:
        raise EnrolmentRefused(f"unknown field {min(unknown)}")
    code, tls_csr = _text(request, "code"), _text(request, "tls_csr")
    found = connection.execute(
        select(enrolment_codes).where(enrolment_codes.c.digest == _digest(code))
    ).first()
    if found is None or found.expires_ms <= now_ms:
        raise EnrolmentRefused("the code is not known, or is too old")

    certified = _certify(
        authority, found.role, found.id, found.certificate_days, tls_csr, request, now_ms
    )
    _use_code(connection, found, certified.keys)
    # Enrolled again, the old certificate and key open nothing any more.
    credentials.end_all(connection, found.role, found.id)
    clones.forget(connection, found.id)
    chain_ends.forget(connection, found.id)
    fingerprint = certified.note(connection, "current", found.role, found.id)
    where = (identities.c.role == found.role) & (identities.c.id == found.id)
    connection.execute(identities.delete().where(where))
    connection.execute(
        identities.insert(),
        {
            "role": found.role,
            "id": found.id,
            "merchant": found.merchant,
            "fingerprint": fingerprint,
            "algorithm": certified.algorithm,
            "signing_key": certified.signing_key,
            "enrolled_ms": now_ms,
        },
    )
    return {**certified.answer, "merchant": found.merchant, **(keys if certified.algorithm else {})}


def renew(
    connection: Connection,
    authority: Authority,
    caller: credentials.Caller,
    request: Mapping[str, object],
    now_ms: int,
) -> dict[str, Any]:
    """Certify a till's new keys; the old ones stay good until the new prove themselves.

    Returns what enrol() does, but for what concerns the bank's other keys.
    Raises EnrolmentRefused, and nothing has changed then.
    """
    tls_csr = _text(request, "tls_csr")
    certified = _certify(
        authority, caller.role, caller.id, CERTIFICATE_DAYS, tls_csr, request, now_ms
    )
    if caller.signing_key == certified.signing_key:
        raise EnrolmentRefused("a renewal is for a new signing key")
    credentials.forget_next(connection, caller.role, caller.id)
    certified.note(connection, "next", caller.role, caller.id)
    return {**certified.answer, "merchant": caller.merchant}


@dataclass(frozen=True, slots=True)
class _Certified:
    """Certificates just made, and for which keys."""

    certificate: x509.Certificate
    algorithm: str
    signing_key: str
    keys: str
    """PEM of all public keys."""
    answer: dict[str, Any]

    def note(self, connection: Connection, state: str, role: str, id: str) -> str:
        return credentials.add(
            connection, state, role, id, self.certificate, self.algorithm, self.signing_key
        )


def _certify(
    authority: Authority,
    role: str,
    id: str,
    days: int,
    tls_csr: str,
    request: Mapping[str, object],
    now_ms: int,
) -> _Certified:
    tls_key, tls_algorithm = read_signing_request(tls_csr)
    if tls_algorithm != "ecdsa-p256-sha256" or not isinstance(tls_key, ec.EllipticCurvePublicKey):
        raise EnrolmentRefused("the TLS key is not P-256")
    certificate = authority.issue_client(role, id, tls_key, now_ms, days)
    ca_pem = certificate_pem(authority.certificate)
    answer: dict[str, Any] = {
        "role": role,
        "id": id,
        "tls_chain": certificate_pem(certificate) + ca_pem,
        "bank_ca": ca_pem,
        "expires_ms": int(certificate.not_valid_after_utc.timestamp() * 1000),
    }
    algorithm = signing_pem = ""
    if role == "till":
        signing_key, algorithm = read_signing_request(_text(request, "signing_csr"))
        signing_pem = public_pem(signing_key)
        # One key for both would let a TLS signature pass as a request's.
        if signing_pem == public_pem(tls_key):
            raise EnrolmentRefused("the TLS key and the signing key are the same")
        signer = authority.issue_signer(role, id, signing_key, now_ms, days)
        answer |= {"signing_certificate": certificate_pem(signer), "algorithm": algorithm}
    return _Certified(
        certificate, algorithm, signing_pem, public_pem(tls_key) + signing_pem, answer
    )


def _use_code(connection: Connection, code: Row[Any], keys: str) -> None:
    """Use a code up for these keys. Raises EnrolmentRefused if others used it.

    A till whose answer was lost asks again, with the keys that it has kept.
    """
    digest = hashlib.sha256(keys.encode()).hexdigest()
    where = enrolled_keys.c.code_digest == code.digest
    if code.used:
        if connection.scalar(select(enrolled_keys.c.keys_digest).where(where)) != digest:
            raise EnrolmentRefused("the code was used already")
        return
    connection.execute(
        enrolment_codes.update().where(enrolment_codes.c.digest == code.digest).values(used=True)
    )
    row = {"code_digest": code.digest, "keys_digest": digest}
    connection.execute(enrolled_keys.insert(), row)


def _digest(code: str) -> str:
    return hashlib.sha256(code.strip().upper().encode()).hexdigest()


def _text(request: Mapping[str, object], name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str) or not value or len(value) > 10_000:
        raise EnrolmentRefused(f"{name} is missing or is not text")
    return value
