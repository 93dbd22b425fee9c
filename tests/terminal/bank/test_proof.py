"""A till's signature on one sale, read by a library that is not ours."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from terminal.bank.proof import prove_sale
from terminal.bank.signing import Ed25519Signer, P256Signer

ED25519 = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
P256 = ec.derive_private_key(0x0F1E2D3C4B5A, ec.SECP256R1())
KEYS = [
    (Ed25519Signer(ED25519), OKPKey.import_key(ED25519.public_key()), "Ed25519"),
    (P256Signer(P256), ECKey.import_key(P256.public_key()), "ES256"),
]


def prove(signer: Any) -> str:
    return prove_sale(
        attempt="019b0000-0000-7000-8000-000000000001",
        amount_minor=1250,
        currency="CNY",
        sealed="a..b.c.d",
        at="2026-11-24T08:00:00.000Z",
        key=signer,
        key_id="till-1",
    )


@pytest.mark.parametrize(("signer", "key", "algorithm"), KEYS, ids=["Ed25519", "ES256"])
def test_another_library_reads_what_was_signed(signer: Any, key: Any, algorithm: str) -> None:
    opened = jws.deserialize_compact(prove(signer), key, algorithms=[algorithm])

    assert opened.protected == {"alg": algorithm, "kid": "till-1", "typ": "opentill-sale"}
    digest = hashlib.sha256(b"a..b.c.d").digest()
    assert json.loads(opened.payload) == {
        "attempt": "019b0000-0000-7000-8000-000000000001",
        "amount_minor": 1250,
        "currency": "CNY",
        "at": "2026-11-24T08:00:00.000Z",
        "sealed_sha256": base64.urlsafe_b64encode(digest).decode().rstrip("="),
    }


@pytest.mark.parametrize(("signer", "key", "algorithm"), KEYS, ids=["Ed25519", "ES256"])
@pytest.mark.parametrize("part", [0, 1, 2])
def test_whatever_is_altered_the_signature_does_not_hold(
    signer: Any, key: Any, algorithm: str, part: int
) -> None:
    parts = prove(signer).split(".")
    letters = list(parts[part])
    letters[len(letters) // 2] = "A" if letters[len(letters) // 2] != "A" else "B"
    parts[part] = "".join(letters)
    with pytest.raises((JoseError, ValueError)):
        jws.deserialize_compact(".".join(parts), key, algorithms=[algorithm])
