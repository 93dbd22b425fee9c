"""Enrolment: the till makes its keys, the bank certifies them, the till keeps both.

Private keys never leave the folder. How the request travels is the caller's:
a function from request to answer. The contract is docs/bank-link.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from terminal.bank.sealing import Sealer
from terminal.errors import EnrolmentRefused, KeysUnusable
from terminal.security import hsm, keys, pkcs8, succession
from terminal.security.files import write_file
from terminal.security.folder import TILL_ID, is_enrolled
from terminal.security.keys import TillKeys
from terminal.security.pkcs8 import PrivateKey

Carrier = Callable[[Mapping[str, str]], Mapping[str, object]]
"""Takes the request to the bank and brings its answer back."""

WISHED_NAME: Final = "new till"
"""Stands in the requests until the bank gives the till its name."""


class EnrolmentAnswer(msgspec.Struct, frozen=True):
    """What of the bank's answer the till keeps; the rest is for people."""

    role: Literal["till"]
    id: str
    """The till id."""
    tls_chain: str
    """PEM: the till's TLS certificate, then those up to the bank's CA."""
    bank_ca: str
    answer_key: str
    """PEM of the public key that signs the bank's answers."""
    sealing_key: dict[str, str]
    """JWK that card data is sealed to."""


def enrol(
    folder: Path,
    code: str,
    carry: Carrier,
    passphrase: bytes | None = None,
    token: hsm.KeyPlace | None = None,
) -> TillKeys:
    """Return the keys of a till that the bank has just taken in, kept in the folder.

    folder: becomes the till's key folder. code: the bank's one-time code.
    passphrase: encrypts the private keys; without one they are only private files.
    token: makes the signing key and keeps it; without one it is a file too.
    The keys are on disk before the bank is asked, and another try uses them
    again. The till id is written last: until then the till is not enrolled.
    Raises KeysUnusable if the folder holds an enrolled till or cannot be
    used, EnrolmentRefused if the answer does not fit what was asked; what
    the carrier raises passes through.
    """
    if is_enrolled(folder):
        raise KeysUnusable(f"{folder}: this till is enrolled already")
    _make_folder(folder)
    tls_key = _kept_key(folder / keys.TLS_KEY, ec.generate_private_key(ec.SECP256R1()), passphrase)
    signing_key = (
        _kept_key(folder / keys.SIGNING_KEY, ed25519.Ed25519PrivateKey.generate(), passphrase)
        if token is None
        else _key_in_hardware(folder / keys.SIGNING_KEY, token)
    )
    answer = _read_answer(
        carry(
            {
                "code": code,
                "tls_csr": _certificate_request(tls_key),
                "signing_csr": _certificate_request(signing_key),
            }
        )
    )
    _check(answer, tls_key)
    for name, content in (
        (keys.CERTIFICATES, answer.tls_chain.encode("ascii")),
        (keys.BANK_CA, answer.bank_ca.encode("ascii")),
        (keys.ANSWER_KEY, answer.answer_key.encode("ascii")),
        (keys.SEALING_KEY, msgspec.json.encode(answer.sealing_key)),
    ):
        _write(folder / name, content)
    _write(folder / TILL_ID, answer.id.encode("ascii"))
    return keys.load_keys(folder, passphrase)


def enrol_again(
    folder: Path,
    code: str,
    carry: Carrier,
    passphrase: bytes | None = None,
    token: hsm.KeyPlace | None = None,
) -> TillKeys:
    """Return new keys of a till that is enrolled, by another code, in place of the old ones.

    For a till that was revoked, whose certificate has ended or whose passphrase
    is lost: what it has open at the bank stays its own. Raises as enrol() does,
    and EnrolmentRefused if the code is another till's.
    """
    till_id = keys.read_till_id(folder)

    def carry_own(request: Mapping[str, str]) -> Mapping[str, object]:
        answer = carry(request)
        if answer.get("id") != till_id:
            raise EnrolmentRefused(
                f"The code is for till {answer.get('id')}, and this is {till_id}: "
                "ask the bank for this one's code, or end this one first: till keys wipe"
            )
        return answer

    waiting = succession.again_folder(folder)
    if not is_enrolled(waiting):
        enrol(waiting, code, carry_own, passphrase, token)
    succession.adopt_again(folder)
    return keys.load_keys(folder, passphrase)


def _write(path: Path, content: bytes) -> None:
    try:
        write_file(path, content)
    except OSError as error:
        raise KeysUnusable(f"{path}: {error.strerror}. Mend that, then try again") from None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # mkdir leaves an existing folder, and the umask, as they were.
        folder.chmod(0o700)
    except OSError as error:
        raise KeysUnusable(f"{folder}: {error.strerror}") from None


def _kept_key(path: Path, fresh: PrivateKey, passphrase: bytes | None) -> PrivateKey:
    if path.exists():
        return keys.read_private_key(path, passphrase)
    _write(path, pkcs8.write(fresh, passphrase))
    return fresh


def _key_in_hardware(path: Path, token: hsm.KeyPlace) -> hsm.HardwareKey:
    """Return the signing key in this token. Where it will be is on disk before it is made."""
    if not path.exists():
        _write(path, hsm.fresh_place(token).text.encode("ascii"))
    return hsm.make_key(hsm.KeyPlace.parse(path.read_text("ascii")))


def _certificate_request(key: PrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, WISHED_NAME)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        request = builder.sign(key, None)
    else:
        request = builder.sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode("ascii")


def _read_answer(answer: Mapping[str, object]) -> EnrolmentAnswer:
    try:
        return msgspec.convert(dict(answer), EnrolmentAnswer)
    except msgspec.ValidationError as error:
        raise EnrolmentRefused(f"the bank's enrolment answer: {error}") from None


def _check(answer: EnrolmentAnswer, tls_key: PrivateKey) -> None:
    """Refuse an answer that would leave the till enrolled and mute."""
    if not re.fullmatch(keys.TILL_ID_PATTERN, answer.id):
        raise EnrolmentRefused("the bank gave a till id that cannot be one")
    try:
        chain = x509.load_pem_x509_certificates(answer.tls_chain.encode("ascii"))
        authority = x509.load_pem_x509_certificate(answer.bank_ca.encode("ascii"))
    except ValueError:
        raise EnrolmentRefused("the bank's certificates are not in PEM form") from None
    if chain[0].public_key() != tls_key.public_key():
        raise EnrolmentRefused("the bank certified another key than this till's")
    for certificate, issuer in zip(chain, [*chain[1:], authority], strict=True):
        try:
            certificate.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            raise EnrolmentRefused("the till's certificate does not come from the CA") from None
    try:
        keys.verifier_of(serialization.load_pem_public_key(answer.answer_key.encode("ascii")))
        Sealer(answer.sealing_key)
    except (ValueError, UnsupportedAlgorithm, KeysUnusable):
        raise EnrolmentRefused("the bank's own keys are not of the kind the link has") from None
    names = _till_names(chain[0])
    if f"urn:opentill:till:{answer.id}" not in names:
        raise EnrolmentRefused("the till's certificate is for another till id")


def _till_names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return names.value.get_values_for_type(x509.UniformResourceIdentifier)
