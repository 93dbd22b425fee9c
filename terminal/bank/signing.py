"""HTTP message signatures on the bank link: one fixed profile of RFC 9421.

Requests are signed, answers verified, nothing else is accepted. A general
library would accept more than the link allows (other labels, loose base64,
replays as the caller pleases) and costs ten times the processor time; it is
the independent check in the tests instead, and signs the simulated bank's
answers.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from terminal.errors import UntrustedAnswer

LABEL: Final = "opentill"
REQUEST_TAG: Final = "opentill-req"
ANSWER_TAG: Final = "opentill-rsp"
LIFETIME_S: Final = 60
"""From a request's creation to the end of its signature."""
COUNTER: Final = "Opentill-Counter"
CONTENT_TYPE: Final = "application/json"

BOUND: Final = (
    '"@status"',
    '"content-type"',
    '"content-digest"',
    '"signature";req',
    '"idempotency-key";req',
)
"""What an answer's signature covers, in any order. The last two tie it to its request."""
UNBOUND: Final = BOUND[:3]
"""All that the refusal of an unreadable request can cover; it ends no payment."""


class SigningKey(Protocol):
    """The till's signing key, in a file or in a hardware module."""

    @property
    def algorithm(self) -> str:
        """The name in the HTTP Signature Algorithms registry: 'ed25519', …"""

    def sign(self, message: bytes) -> bytes:
        """Return the raw signature, as RFC 9421 3.3 forms it."""


class VerifyingKey(Protocol):
    """The bank's answer key."""

    @property
    def algorithm(self) -> str:
        """The name in the HTTP Signature Algorithms registry."""

    def is_signed(self, signature: bytes, message: bytes) -> bool:
        """True if the raw signature is this key's over the message."""


@dataclass(frozen=True, slots=True)
class Ed25519Signer:
    """Signs with an Ed25519 key. Source: RFC 9421, 3.3.6."""

    key: ed25519.Ed25519PrivateKey
    algorithm: str = "ed25519"

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature."""
        return self.key.sign(message)


@dataclass(frozen=True, slots=True)
class P256Signer:
    """Signs with ECDSA on P-256 and SHA-256. Source: RFC 9421, 3.3.4."""

    key: ec.EllipticCurvePrivateKey
    algorithm: str = "ecdsa-p256-sha256"

    def sign(self, message: bytes) -> bytes:
        """Return r and s, 32 bytes each."""
        r, s = decode_dss_signature(self.key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


@dataclass(frozen=True, slots=True)
class Ed25519Verifier:
    """Verifies Ed25519 signatures. Source: RFC 9421, 3.3.6."""

    key: ed25519.Ed25519PublicKey
    algorithm: str = "ed25519"

    def is_signed(self, signature: bytes, message: bytes) -> bool:
        """True if the signature holds."""
        try:
            self.key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class P256Verifier:
    """Verifies ECDSA on P-256 with SHA-256. Source: RFC 9421, 3.3.4."""

    key: ec.EllipticCurvePublicKey
    algorithm: str = "ecdsa-p256-sha256"

    def is_signed(self, signature: bytes, message: bytes) -> bool:
        """True if the signature, r and s of 32 bytes each, holds."""
        if len(signature) != 64:
            return False
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        try:
            self.key.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True


def content_digest(body: bytes) -> str:
    """Return the Content-Digest field for the bytes on the wire.

    Source: RFC 9530, 2.
    """
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def signature_base(components: Sequence[tuple[str, str]], parameters: str) -> bytes:
    """Return the bytes that a signature covers.

    components: serialised identifier, such as '"@status"', and value, in order.
    parameters: the value of @signature-params, as it stands on the wire.
    Raises ValueError on text outside ASCII or with a line end in it.

    Source: RFC 9421, 2.5.
    """
    lines = [f"{identifier}: {value}" for identifier, value in components]
    lines.append(f'"@signature-params": {parameters}')
    if any("\n" in line or "\r" in line for line in lines):
        raise ValueError("a component of a signature holds a line end")
    return "\n".join(lines).encode("ascii")


def sign_request(
    *,
    authority: str,
    path: str,
    body: bytes,
    idempotency_key: str,
    key: SigningKey,
    key_id: str,
    created: int,
    nonce: bytes,
    counter: int | None = None,
) -> dict[str, str]:
    """Return the header fields that go with a POST of this body.

    authority: host in lower case, with the port unless it is 443.
    key_id: the till id. created: Unix seconds. nonce: at least 12 fresh bytes.
    counter: the request's number among the till's; left out where there is none.
    Raises ValueError if a value cannot stand in a header field.
    """
    if len(nonce) < 12:
        raise ValueError("a nonce needs 96 random bits")
    if not re.fullmatch(r"[\x20\x21\x23-\x5b\x5d-\x7e]+", key_id):
        raise ValueError("a key id is printable ASCII without quotes and backslashes")
    digest = content_digest(body)
    components = [
        ('"@method"', "POST"),
        ('"@authority"', authority),
        ('"@path"', path),
        # An absent query is a lone question mark. Source: RFC 9421, 2.2.7.
        ('"@query"', "?"),
        ('"content-type"', CONTENT_TYPE),
        ('"content-digest"', digest),
        ('"idempotency-key"', idempotency_key),
    ]
    counted = {} if counter is None else {COUNTER: str(counter)}
    components += [(f'"{name.lower()}"', value) for name, value in counted.items()]
    covered = " ".join(identifier for identifier, _ in components)
    parameters = (
        f"({covered});created={created};expires={created + LIFETIME_S}"
        f';nonce="{base64.urlsafe_b64encode(nonce).decode().rstrip("=")}"'
        f';keyid="{key_id}";alg="{key.algorithm}";tag="{REQUEST_TAG}"'
    )
    signature = base64.b64encode(key.sign(signature_base(components, parameters))).decode()
    return {
        "Content-Type": CONTENT_TYPE,
        "Content-Digest": digest,
        "Idempotency-Key": idempotency_key,
        "Signature-Input": f"{LABEL}={parameters}",
        "Signature": f"{LABEL}=:{signature}:",
        **counted,
    }


_STRING = r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"'
# One signature under our label, in the one serialisation that RFC 8941 4.1
# gives it. Because nothing looser is read, the text on the wire is the value
# of @signature-params.
_INPUT = re.compile(
    rf'{LABEL}=(\(("[a-z@-]+"(?:;req)?(?: "[a-z@-]+"(?:;req)?)*)\)'
    rf"((?:;(?:created|expires)=[0-9]{{1,15}}|;(?:nonce|keyid|alg|tag)={_STRING})*))"
)
_PARAMETER = re.compile(rf";(created|expires|nonce|keyid|alg|tag)=(?:([0-9]{{1,15}})|{_STRING})")


def verify_answer(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    request_headers: Mapping[str, str],
    key: VerifyingKey,
) -> bool:
    """Prove that the bank made this answer; True if it made it for this request.

    headers: by lower-case name, the lines of one field joined by ', '.
    body: the bytes on the wire.
    Returns False for the refusal of an unreadable request: it is the bank's,
    and could be the answer to anything.
    Raises UntrustedAnswer, naming what does not hold.

    The age of an answer is not looked at: it is bound to a request made just
    now with a fresh nonce, and a till whose clock is wrong must hear so.

    Source: RFC 9421, 3.2 and 2.4.
    """
    if headers.get("content-digest") != content_digest(body):
        raise UntrustedAnswer("the answer's digest is missing or not that of its body")
    covered, parameters = _read_input(headers.get("signature-input", ""), key.algorithm)
    signature = _read_signature(headers.get("signature", ""))
    values = {
        '"@status"': str(status),
        '"content-type"': headers.get("content-type", ""),
        '"content-digest"': headers["content-digest"],
        '"signature";req': request_headers["Signature"],
        '"idempotency-key";req': request_headers["Idempotency-Key"],
    }
    try:
        base = signature_base([(name, values[name]) for name in covered], parameters)
    except (ValueError, KeyError):
        raise UntrustedAnswer("the answer's header fields are not printable ASCII") from None
    if not key.is_signed(signature, base):
        raise UntrustedAnswer("the answer's signature does not hold for this request")
    return len(covered) == len(BOUND)


def _read_input(text: str, algorithm: str) -> tuple[list[str], str]:
    match = _INPUT.fullmatch(text)
    if match is None:
        raise UntrustedAnswer("the answer is not signed, or not as the bank link has it")
    parameters, components, rest = match.group(1), match.group(2), match.group(3)
    covered = components.split(" ")
    if sorted(covered) not in (sorted(BOUND), sorted(UNBOUND)):
        raise UntrustedAnswer("the answer's signature does not cover what it must")
    named = [(name, number or string) for name, number, string in _PARAMETER.findall(rest)]
    found = dict(named)
    if len(found) != len(named):
        raise UntrustedAnswer("the answer's signature names a parameter twice")
    if found.get("tag") != ANSWER_TAG:
        raise UntrustedAnswer("the signature was not made for an answer")
    if found.get("alg") != algorithm:
        raise UntrustedAnswer("the answer's signature is of another algorithm")
    return covered, parameters


def _read_signature(text: str) -> bytes:
    prefix, suffix = f"{LABEL}=:", ":"
    encoded = text.removeprefix(prefix).removesuffix(suffix)
    try:
        signature = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise UntrustedAnswer("the answer's signature is not base64") from None
    # Padding may not be left out and no bit may be spare: one text per signature.
    if f"{prefix}{base64.b64encode(signature).decode()}{suffix}" != text:
        raise UntrustedAnswer("the answer's signature is not in its one form")
    return signature
