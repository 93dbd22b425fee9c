"""Signatures of requests and answers, in both directions of trust.

Source: RFC 9421 (HTTP message signatures), RFC 9530 (content digest).
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
)
from http_message_signatures.algorithms import ECDSA_P256_SHA256, ED25519
from http_message_signatures.exceptions import HTTPMessageSignaturesException

from simulators.bank.errors import Refused
from simulators.bank.trust.enrolment import ANSWER_KEY_ID

LABEL = "opentill"
REQUEST_TAG = "opentill-req"
ANSWER_TAG = "opentill-rsp"

REQUEST_COMPONENTS = (
    "@method",
    "@authority",
    "@path",
    "@query",
    "content-type",
    "content-digest",
    "idempotency-key",
)
COUNTER = "opentill-counter"
ANSWER_COMPONENTS = ("@status", "content-type", "content-digest")
BOUND_COMPONENTS = (*ANSWER_COMPONENTS, '"signature";req', '"idempotency-key";req')
PARAMETERS = frozenset({"created", "expires", "nonce", "keyid", "alg", "tag"})

SKEW_S = 300
"""How far a till's clock may be off, and how old a signature may be."""

LIFE_S_MAX = 60
"""The most between a signature's creation and its end."""

NONCE_CHARACTERS = range(16, 129)
"""96 random bits are 16 characters in base64, the densest form in use."""

ALGORITHMS = {"ed25519": ED25519, "ecdsa-p256-sha256": ECDSA_P256_SHA256}


class FieldLines:
    """Header lines in the order of the wire, repeated ones kept."""

    def __init__(self, lines: Iterable[tuple[str, str]]) -> None:
        self._lines = tuple((name.lower(), value) for name, value in lines)

    def items(self) -> tuple[tuple[str, str], ...]:
        """Return every line, names in lower case."""
        return self._lines

    def single(self, name: str) -> str | None:
        """Return a header that stands there exactly once, else None."""
        values = [value for line, value in self._lines if line == name]
        return values[0] if len(values) == 1 else None


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as far as a signature can cover it."""

    method: str
    url: str
    headers: FieldLines


@dataclass(frozen=True, slots=True)
class SignedAnswer:
    """An answer about to be signed, and the request it answers."""

    status_code: int
    request: SignedRequest
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signature:
    """What a verified signature says about itself."""

    nonce: str
    created_s: int
    counter: int | None
    """The request's number among its till's; None where it has none."""


@dataclass(frozen=True, slots=True)
class _OneKey(HTTPSignatureKeyResolver):
    id: str
    key: Any

    def resolve_public_key(self, key_id: str) -> Any:
        return self.key if key_id == self.id else None

    def resolve_private_key(self, key_id: str) -> Any:
        return self.key if key_id == self.id else None


class _Verifier(HTTPMessageVerifier):
    """The library's verifier on the bank's clock."""

    now_s = 0

    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
        """Hold the signature's times against the bank's clock.

        max_age: must be None; the allowed skew bounds the age already.
        """
        if max_age is not None:
            raise ValueError("the age is bounded by SKEW_S, not by max_age")
        created, expires = (sig_input.params.get(name) for name in ("created", "expires"))
        if type(created) is not int or type(expires) is not int:
            raise InvalidSignature("created and expires must be there, whole seconds")
        if not 0 < expires - created <= LIFE_S_MAX:
            raise InvalidSignature(f"the signature lives longer than {LIFE_S_MAX} s")
        # The end follows the creation, so this bounds both by the skew.
        if abs(self.now_s - created) > SKEW_S:
            raise InvalidSignature("the signature is too old, or from the future")


def verify_request(
    request: SignedRequest, body: bytes, *, key_id: str, key_pem: str, algorithm: str, now_s: int
) -> Signature:
    """Return the request's signature, verified over all it must cover.

    body: the bytes as they came. algorithm: the only one key_pem is for.
    Raises Refused (401) with what is wrong.
    """
    key = serialization.load_pem_public_key(key_pem.encode())
    verifier = _Verifier(
        signature_algorithm=ALGORITHMS[algorithm], key_resolver=_OneKey(key_id, key)
    )
    verifier.now_s = now_s
    _check_digest_form(request)
    _check_one_form(request)
    try:
        results = verifier.verify(
            request,
            max_age=None,
            expect_tag=REQUEST_TAG,
            expect_label=LABEL,
            require_components=REQUEST_COMPONENTS,
            body=body,
        )
    except HTTPMessageSignaturesException as error:
        raise Refused(401, "signature_invalid", f"the signature does not hold: {error}") from error
    (result,) = results
    if set(result.parameters) != PARAMETERS:
        missing = ", ".join(sorted(PARAMETERS - set(result.parameters)))
        raise Refused(401, "signature_invalid", f"the signature lacks {missing}")
    nonce = str(result.parameters["nonce"])
    if len(nonce) not in NONCE_CHARACTERS:
        raise Refused(401, "signature_invalid", "the nonce is not 16 to 128 characters long")
    covered = {str(component).strip('"') for component in result.covered_components}
    return Signature(nonce, int(result.parameters["created"]), _counter(request, covered))


def _counter(request: SignedRequest, covered: set[str]) -> int | None:
    if all(name != COUNTER for name, _ in request.headers.items()):
        return None
    number = request.headers.single(COUNTER) or ""
    if COUNTER not in covered or not re.fullmatch(r"[0-9]{1,15}", number):
        raise Refused(401, "signature_invalid", f"{COUNTER} is not one signed number")
    return int(number)


def sign_answer(
    status: int,
    body: bytes,
    asked: FieldLines | None,
    key: Ed25519PrivateKey,
    now_s: int,
) -> dict[str, str]:
    """Return the headers of a signed answer.

    asked: headers of the request that the answer is bound to; None where
    they cannot be read.
    """
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    headers = {"content-type": "application/json", "content-digest": f"sha-256=:{digest}:"}
    signer = HTTPMessageSigner(
        signature_algorithm=ED25519, key_resolver=_OneKey(ANSWER_KEY_ID, key)
    )
    signer.sign(
        # Only headers of the request are covered, so its address plays no part.
        SignedAnswer(
            status, SignedRequest("POST", "https://any.invalid/", asked or FieldLines(())), headers
        ),
        key_id=ANSWER_KEY_ID,
        created=datetime.datetime.fromtimestamp(now_s, datetime.UTC),
        label=LABEL,
        tag=ANSWER_TAG,
        use_existing_digest=True,
        covered_component_ids=ANSWER_COMPONENTS if asked is None else BOUND_COMPONENTS,
    )
    return {name.lower(): value for name, value in headers.items()}


def can_be_bound_to(headers: FieldLines) -> bool:
    """Return whether an answer can name this request's signature and key."""
    values = (headers.single("signature"), headers.single("idempotency-key"))
    return all(value and value.isascii() and value.isprintable() for value in values)


def _check_one_form(request: SignedRequest) -> None:
    """Raise Refused for a second text of one signature, which the library would take.

    It reads base64 without its padding, and the last of two parameters of one name.
    """
    claim = request.headers.single("signature-input") or ""
    for name in sorted(PARAMETERS):
        if claim.count(f";{name}=") > 1:
            raise Refused(401, "signature_invalid", f"the signature names {name} twice")
    text = request.headers.single("signature") or ""
    try:
        raw = base64.b64decode(text.removeprefix(f"{LABEL}=:").removesuffix(":"), validate=True)
    except ValueError:
        raw = b""
    if text != f"{LABEL}=:{base64.b64encode(raw).decode()}:":
        raise Refused(401, "signature_invalid", "the signature is not base64 in its one form")


def _check_digest_form(request: SignedRequest) -> None:
    """Raise Refused unless the digest is the one form of the contract."""
    value = request.headers.single("content-digest")
    if value is None or not value.startswith("sha-256=:") or value.count(":") != 2:
        raise Refused(401, "digest_invalid", "content-digest is not one sha-256 of RFC 9530")
