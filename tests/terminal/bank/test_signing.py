"""Signatures against the RFC's own cases, an independent library, and forgers."""

from __future__ import annotations

import base64
import datetime
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_pem_public_key,
)
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from terminal.bank.signing import (
    BOUND,
    Ed25519Signer,
    Ed25519Verifier,
    P256Signer,
    P256Verifier,
    SigningKey,
    content_digest,
    sign_request,
    signature_base,
    verify_answer,
)
from terminal.errors import UntrustedAnswer

ATTEMPT = "018f0000-0000-7000-8000-000000000001"
BODY = b'{"state":"approved"}'
COVERED = (
    "@method",
    "@authority",
    "@path",
    "@query",
    "content-type",
    "content-digest",
    "idempotency-key",
)


class Keys(HTTPSignatureKeyResolver):
    """One pair for the independent library."""

    def __init__(self, public: Any = None, private: Any = None) -> None:
        self.public, self.private = public, private

    def resolve_public_key(self, key_id: str) -> Any:
        return self.public

    def resolve_private_key(self, key_id: str) -> Any:
        return self.private


def signed_by_till(key: SigningKey, **changes: Any) -> dict[str, str]:
    values: dict[str, Any] = {
        "authority": "bank.example:8443",
        "path": "/v1/payments",
        "body": BODY,
        "idempotency_key": ATTEMPT,
        "key": key,
        "key_id": "till-1",
        "created": int(datetime.datetime.now(datetime.UTC).timestamp()),
        "nonce": bytes(range(16)),
    }
    return sign_request(**values | changes)


def components(case: dict[str, Any], vectors: dict[str, Any]) -> list[tuple[str, str]]:
    """Resolve what a case covers, by hand, for the two messages of the appendix."""
    message = vectors["test_request" if case["message"] == "request" else "test_response"]
    derived = {"@status": "200", "@method": "POST", "@path": "/foo", "@authority": "example.com"}
    fields = {name.lower(): value for name, value in message["headers"].items()}
    return [(f'"{name}"', (derived | fields)[name]) for name in case["components"]]


@pytest.mark.parametrize("name", ["B.2.4", "B.2.6"])
def test_the_cases_of_the_rfc_that_the_link_can_use(shared: Path, name: str) -> None:
    """ECDSA P-256 over a response, Ed25519 over a request. Source: RFC 9421, B.2."""
    file = shared / "vectors/crypto/rfc9421_http_message_signatures.json"
    vectors = json.loads(file.read_text())
    case = next(case for case in vectors["cases"] if case["case"] == name)
    pems = vectors["keys"][case["keyid"]]
    base = signature_base(components(case, vectors), case["signature_input"])
    signature = base64.b64decode(case["signature_b64"])

    assert base.decode() == case["signature_base"]
    public, private = (
        load_pem_public_key(pems["public_pem"].encode()),
        load_pem_private_key(pems["private_pem"].encode(), None),
    )
    if isinstance(public, ed25519.Ed25519PublicKey):
        assert isinstance(private, ed25519.Ed25519PrivateKey)
        assert Ed25519Verifier(public).is_signed(signature, base)
        assert Ed25519Signer(private).sign(base) == signature
    else:
        assert isinstance(public, ec.EllipticCurvePublicKey)
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        verifier = P256Verifier(public)
        assert verifier.is_signed(signature, base)
        assert verifier.is_signed(P256Signer(private).sign(base), base)
        assert not verifier.is_signed(signature, base + b" ")
        assert not verifier.is_signed(signature[:-1], base)


def test_the_cases_of_the_algorithms_own_rfcs(shared: Path) -> None:
    """Ed25519 signs as RFC 8032 does; a P-256 signature of RFC 6979 holds."""
    cases = json.loads((shared / "vectors/crypto/signatures_and_kdf.json").read_text())
    for case in cases["ed25519"]:
        key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes.fromhex(case["seed"]))
        signature, message = bytes.fromhex(case["signature"]), bytes.fromhex(case["message"])
        assert Ed25519Signer(key).sign(message) == signature
        assert Ed25519Verifier(key.public_key()).is_signed(signature, message)
        assert not Ed25519Verifier(key.public_key()).is_signed(signature, message + b"\0")
    case = cases["ecdsa_p256_sha256_rfc6979"]
    verifier = P256Verifier(
        ec.derive_private_key(int(case["private"], 16), ec.SECP256R1()).public_key()
    )
    signature, message = bytes.fromhex(case["r"] + case["s"]), case["message_ascii"].encode()
    assert verifier.is_signed(signature, message)
    assert not verifier.is_signed(signature, message + b"\0")


def test_a_digest_is_as_rfc_9530_writes_it() -> None:
    """The example body of RFC 9530, appendix B."""
    assert content_digest(b'{"hello": "world"}\n') == (
        "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
    )


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa-p256-sha256"])
def test_an_independent_library_verifies_what_the_till_signs(kind: str) -> None:
    algorithm: Any
    public: Any
    if kind == "ed25519":
        edwards = ed25519.Ed25519PrivateKey.generate()
        key: SigningKey = Ed25519Signer(edwards)
        public, algorithm = edwards.public_key(), algorithms.ED25519
    else:
        curve = ec.generate_private_key(ec.SECP256R1())
        key, public, algorithm = P256Signer(curve), curve.public_key(), algorithms.ECDSA_P256_SHA256
    request = SimpleNamespace(
        method="POST",
        url="https://bank.example:8443/v1/payments",
        headers=CaseInsensitiveDict(signed_by_till(key)),
    )

    (result,) = HTTPMessageVerifier(
        signature_algorithm=algorithm, key_resolver=Keys(public=public)
    ).verify(
        request,
        max_age=datetime.timedelta(seconds=300),
        expect_tag="opentill-req",
        expect_label="opentill",
        require_components=COVERED,
        body=BODY,
    )

    assert result.body == BODY
    assert result.parameters["keyid"] == "till-1"
    assert result.parameters["alg"] == kind
    assert int(result.parameters["expires"]) - int(result.parameters["created"]) == 60
    assert result.nonce is not None
    assert len(base64.urlsafe_b64decode(result.nonce + "==")) == 16


@pytest.mark.parametrize(
    "wrong",
    [{"nonce": b"short"}, {"key_id": 'till"1'}, {"path": "/v1\nx"}, {"authority": "bänk"}],
)
def test_what_cannot_stand_in_a_signature_is_refused(wrong: dict[str, Any]) -> None:
    key = Ed25519Signer(ed25519.Ed25519PrivateKey.generate())
    with pytest.raises(ValueError, match=r"nonce|key id|line end|ascii"):
        signed_by_till(key, **wrong)


BANK = ed25519.Ed25519PrivateKey.generate()
REQUEST = signed_by_till(Ed25519Signer(ed25519.Ed25519PrivateKey.generate()))


def answer(
    body: bytes = BODY, status: int = 200, covered: tuple[str, ...] = BOUND
) -> dict[str, str]:
    """Return the header fields of an answer that the library signed."""
    headers = CaseInsensitiveDict(
        {"content-type": "application/json", "content-digest": content_digest(body)}
    )
    request = SimpleNamespace(
        method="POST", url="https://bank.example/", headers=CaseInsensitiveDict(REQUEST)
    )
    HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=Keys(private=BANK)).sign(
        SimpleNamespace(status_code=status, headers=headers, request=request),
        key_id="bank",
        label="opentill",
        tag="opentill-rsp",
        nonce="n",
        covered_component_ids=covered,
        use_existing_digest=True,
    )
    return {name.lower(): value for name, value in headers.items()}


def verify(headers: dict[str, str], body: bytes = BODY, status: int = 200) -> bool:
    return verify_answer(
        status, headers, body, request_headers=REQUEST, key=Ed25519Verifier(BANK.public_key())
    )


def test_what_an_independent_library_signs_is_verified() -> None:
    assert verify(answer())
    assert verify(answer(covered=tuple(reversed(BOUND))))


def test_an_answer_bound_to_no_request_is_told_apart() -> None:
    assert not verify(answer(covered=BOUND[:3]))


SIGNED = answer()


@settings(max_examples=300)
@given(st.sampled_from(sorted(SIGNED)), st.integers(min_value=0), st.integers(0, 255))
def test_no_changed_character_of_a_header_is_believed(field: str, at: int, new: int) -> None:
    value = SIGNED[field]
    at %= len(value)
    changed = value[:at] + chr(new) + value[at + 1 :]
    if changed == value:
        return
    with pytest.raises(UntrustedAnswer):
        verify(SIGNED | {field: changed})


@given(st.binary(max_size=60), st.integers(100, 599))
def test_no_other_body_or_status_is_believed(body: bytes, status: int) -> None:
    if (body, status) == (BODY, 200):
        return
    with pytest.raises(UntrustedAnswer):
        verify(SIGNED, body, status)


@given(st.dictionaries(st.sampled_from(sorted(SIGNED)), st.text(max_size=60)))
def test_any_text_in_the_header_is_refused_or_was_the_signed_one(noise: dict[str, str]) -> None:
    if not noise or all(SIGNED[name] == value for name, value in noise.items()):
        return
    with pytest.raises(UntrustedAnswer):
        verify(SIGNED | noise)


@pytest.mark.parametrize("field", sorted(SIGNED))
def test_a_missing_header_is_refused(field: str) -> None:
    with pytest.raises(UntrustedAnswer):
        verify({name: value for name, value in SIGNED.items() if name != field})


def test_base64_without_padding_is_refused() -> None:
    """A second text for one signature would let a replay look new."""
    assert SIGNED["signature"].endswith("==:")
    loose = SIGNED | {"signature": SIGNED["signature"].removesuffix("==:") + ":"}
    with pytest.raises(UntrustedAnswer, match=r"base64|one form"):
        verify(loose)


def test_two_signatures_are_refused() -> None:
    double = {name: f"{SIGNED[name]}, {SIGNED[name]}" for name in ("signature", "signature-input")}
    with pytest.raises(UntrustedAnswer):
        verify(SIGNED | double)


def test_a_parameter_given_twice_is_refused_though_the_bank_signed_it() -> None:
    """Two readers could take two meanings from one signature."""
    covered = " ".join(BOUND)
    parameters = f'({covered});alg="ed25519";tag="opentill-req";tag="opentill-rsp"'
    values = [
        "200",
        SIGNED["content-type"],
        SIGNED["content-digest"],
        REQUEST["Signature"],
        ATTEMPT,
    ]
    base = signature_base(list(zip(BOUND, values, strict=True)), parameters)
    signature = base64.b64encode(BANK.sign(base)).decode()

    with pytest.raises(UntrustedAnswer, match="twice"):
        verify(
            SIGNED
            | {"signature-input": f"opentill={parameters}", "signature": f"opentill=:{signature}:"}
        )


def test_an_answer_to_another_request_is_refused() -> None:
    other = REQUEST | {"Idempotency-Key": "018f0000-0000-7000-8000-000000000002"}
    with pytest.raises(UntrustedAnswer, match="does not hold for this request"):
        verify_answer(
            200, SIGNED, BODY, request_headers=other, key=Ed25519Verifier(BANK.public_key())
        )


def test_another_algorithm_is_refused_even_if_it_would_verify() -> None:
    class Renamed:
        algorithm = "hmac-sha256"

        def is_signed(self, signature: bytes, message: bytes) -> bool:
            return True

    with pytest.raises(UntrustedAnswer, match="another algorithm"):
        verify_answer(200, SIGNED, BODY, request_headers=REQUEST, key=Renamed())
