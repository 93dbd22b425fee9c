"""The till's key folder: what is in it, and whether it can be trusted.

Made by enrolment, read at start. Private keys stay in files that only their
owner reads; a hardware module can hold the signing key instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from terminal.bank.signing import (
    Ed25519Signer,
    Ed25519Verifier,
    P256Signer,
    P256Verifier,
    SigningKey,
    VerifyingKey,
)
from terminal.errors import KeysUnusable
from terminal.security import hsm, succession
from terminal.security.counter import RequestCounter
from terminal.security.files import alone, check_private, write_file
from terminal.security.folder import REVOKED, TILL_ID, is_enrolled
from terminal.security.passphrase import HOW
from terminal.security.passphrase import find as find_passphrase
from terminal.security.pkcs8 import PrivateKey, is_encrypted
from terminal.security.pkcs8 import write as write_key

TLS_KEY: Final = "tls-key.pem"
CERTIFICATES: Final = "tls-certificates.pem"
"""The till's certificate first, then those between it and the bank's CA."""
SIGNING_KEY: Final = "signing-key.pem"
BANK_CA: Final = "bank-ca.pem"
ANSWER_KEY: Final = "bank-answer-key.pem"
SEALING_KEY: Final = "bank-sealing-key.json"

TILL_ID_PATTERN: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"


@dataclass(frozen=True, slots=True)
class TillKeys:
    """Everything the bank link needs, checked. Its text shows no key."""

    till_id: str
    tls_key: Path
    certificates: Path
    bank_ca: Path
    expires_ms: int
    """Unix milliseconds: the end of the till's certificate."""
    signer: SigningKey = field(repr=False)
    answer_key: VerifyingKey = field(repr=False)
    counter: RequestCounter = field(repr=False)
    sealing_key: dict[str, str] = field(repr=False)
    """The bank's public JWK, for terminal.bank.sealing.Sealer."""
    revoked: frozenset[int] = frozenset()
    """Serial numbers of certificates that the bank's CA has revoked."""
    passphrase: bytes | None = field(default=None, repr=False)
    """Of the private keys' files; None if they are not encrypted."""


def load_keys(folder: Path, passphrase: bytes | None = None) -> TillKeys:
    """Return the till's keys, each checked to be what it must be.

    passphrase: of the private keys; looked for in its usual places if absent.
    Raises KeysUnusable, naming the file and the step that mends it.
    """
    if not is_enrolled(folder):
        raise KeysUnusable(f"{folder}: no keys; enrol this till with its bank first")
    # Between old keys and new ones there is no moment for a reader.
    with alone(folder):
        succession.settle(folder)
        return _load(folder, passphrase)


def _load(folder: Path, passphrase: bytes | None) -> TillKeys:
    for name in (TLS_KEY, SIGNING_KEY):
        check_private(folder / name)
    till_id = read_till_id(folder)
    certificate = read_certificates(folder / CERTIFICATES)[0]
    if passphrase is None and is_encrypted(_read(folder / TLS_KEY)):
        passphrase = find_passphrase(folder)
    tls_key = read_private_key(folder / TLS_KEY, passphrase)
    if certificate.public_key() != tls_key.public_key():
        raise KeysUnusable(f"{folder / CERTIFICATES}: not the certificate of {TLS_KEY}")
    authority = read_certificates(folder / BANK_CA)[0]
    return TillKeys(
        till_id=till_id,
        tls_key=folder / TLS_KEY,
        certificates=folder / CERTIFICATES,
        bank_ca=folder / BANK_CA,
        expires_ms=int(certificate.not_valid_after_utc.timestamp() * 1000),
        signer=_signer(folder / SIGNING_KEY, passphrase),
        answer_key=read_answer_key(folder),
        counter=RequestCounter(folder),
        sealing_key=_jwk(folder / SEALING_KEY),
        revoked=_revoked(folder / REVOKED, authority),
        passphrase=passphrase,
    )


def read_till_id(folder: Path) -> str:
    """Return who the till is, whatever its keys are like. Raises KeysUnusable."""
    till_id = _read(folder / TILL_ID).decode("ascii", "replace").strip()
    if not re.fullmatch(TILL_ID_PATTERN, till_id):
        raise KeysUnusable(f"{folder / TILL_ID}: not a till id")
    return till_id


def read_certificates(path: Path) -> list[x509.Certificate]:
    """Return the certificates of a PEM file. Raises KeysUnusable, naming the file."""
    try:
        return x509.load_pem_x509_certificates(_read(path))
    except ValueError:
        raise KeysUnusable(f"{path}: no certificate in PEM form; enrol again") from None


def read_private_key(path: Path, passphrase: bytes | None = None) -> PrivateKey:
    """Return a P-256 or Ed25519 private key. Raises KeysUnusable, naming the file."""
    pem = _read(path)
    if hsm.is_place(pem):
        return hsm.open_key(hsm.KeyPlace.parse(pem.decode("ascii", "replace")))
    is_locked = is_encrypted(pem)
    if is_locked and passphrase is None:
        raise KeysUnusable(f"{path} is encrypted, and there is no passphrase: {HOW}")
    try:
        key = serialization.load_pem_private_key(pem, passphrase if is_locked else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        if is_locked:
            raise KeysUnusable(f"{path}: it does not open by the passphrase that is set") from None
        raise KeysUnusable(f"{path}: no private key in PEM form; enrol again") from None
    if isinstance(key, ed25519.Ed25519PrivateKey) or (
        isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)
    ):
        return key
    raise KeysUnusable(f"{path}: neither a P-256 nor an Ed25519 key; enrol again")


def protect(folder: Path, passphrase: bytes) -> None:
    """Encrypt the private keys of a folder, each file whole or not at all.

    Those that are encrypted by this passphrase already are left.
    Raises KeysUnusable, OSError.
    """
    for name in (TLS_KEY, SIGNING_KEY):
        key = read_private_key(folder / name, passphrase)
        if not isinstance(key, hsm.HardwareKey) and not is_encrypted(_read(folder / name)):
            write_file(folder / name, write_key(key, passphrase))
    # A till that runs sees by it that it has to read them again.
    write_file(folder / TILL_ID, _read(folder / TILL_ID))


def is_protected(folder: Path) -> bool:
    """True if neither private key can be read by whoever has its file.

    Raises KeysUnusable if they cannot be read.
    """
    contents = [_read(folder / name) for name in (TLS_KEY, SIGNING_KEY)]
    return all(is_encrypted(content) or hsm.is_place(content) for content in contents)


def hardware_of(folder: Path) -> hsm.KeyPlace | None:
    """Return where the signing key is, if it is in hardware. Raises KeysUnusable."""
    content = _read(folder / SIGNING_KEY)
    return hsm.KeyPlace.parse(content.decode("ascii", "replace")) if hsm.is_place(content) else None


def verifier_of(key: PublicKeyTypes) -> VerifyingKey:
    """Return what verifies with this public key. Raises ValueError if the link has no such kind."""
    if isinstance(key, ed25519.Ed25519PublicKey):
        return Ed25519Verifier(key)
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return P256Verifier(key)
    raise ValueError("neither an Ed25519 nor a P-256 key")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeysUnusable(f"{path}: {error.strerror}; enrol again") from None


def _signer(path: Path, passphrase: bytes | None) -> SigningKey:
    key = read_private_key(path, passphrase)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return Ed25519Signer(key)
    return P256Signer(key)


def read_answer_key(folder: Path) -> VerifyingKey:
    """Return the key that the bank signs with. Raises KeysUnusable."""
    path = folder / ANSWER_KEY
    try:
        return verifier_of(serialization.load_pem_public_key(_read(path)))
    except (ValueError, UnsupportedAlgorithm):
        raise KeysUnusable(
            f"{path}: no Ed25519 or P-256 public key in PEM form; enrol again"
        ) from None


def read_revoked(pem: bytes, authority: x509.Certificate) -> frozenset[int]:
    """Return the serial numbers of a list of revoked certificates.

    Raises ValueError if it is no list of this CA's.
    """
    listed = x509.load_pem_x509_crl(pem)
    key = authority.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not listed.is_signature_valid(key):
        raise ValueError("the list is not signed by the bank's CA")
    return frozenset(entry.serial_number for entry in listed)


def _revoked(path: Path, authority: x509.Certificate) -> frozenset[int]:
    if not path.exists():
        return frozenset()
    try:
        return read_revoked(_read(path), authority)
    except ValueError as error:
        raise KeysUnusable(f"{path}: {error}; remove it, then: till keys renew") from None


def _jwk(path: Path) -> dict[str, str]:
    try:
        return msgspec.json.decode(_read(path), type=dict[str, str])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise KeysUnusable(f"{path}: no JSON Web Key; enrol again") from None
