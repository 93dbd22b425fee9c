"""What a till signed when it read a card, for a sale that the bank hears of later.

Source: RFC 7515; RFC 9864 and RFC 7518, 3.4, for the two algorithms.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Sequence
from typing import Literal

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from simulators.bank.errors import Refused
from simulators.bank.messages import AdviceRequest, Moment


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    alg: Literal["Ed25519", "ES256"]
    kid: str
    typ: Literal["opentill-sale"]


class _Claims(msgspec.Struct, forbid_unknown_fields=True):
    attempt: str
    amount_minor: int
    currency: str
    at: Moment
    sealed_sha256: str


def check_proof(request: AdviceRequest, *, key_id: str, key_pems: Sequence[str]) -> None:
    """Raise Refused unless the till signed this very sale, with this very card.

    key_pems: the public keys that are or were the till's, and are not revoked.
    """
    if request.proof is None:
        # The card's own approval speaks for itself; a request for one does not.
        if request.deferred:
            raise Refused(422, "proof_missing", "a deferred sale carries its proof")
        return
    header, claims = _opened(request.proof, key_pems)
    if header.kid != key_id:
        raise Refused(422, "proof_invalid", "the proof is another till's")
    digest = hashlib.sha256(request.tender.sealed.encode()).digest()
    told = (request.attempt, request.amount_minor, request.currency, _base64url(digest))
    if told != (claims.attempt, claims.amount_minor, claims.currency, claims.sealed_sha256):
        raise Refused(422, "proof_invalid", "the proof is of another sale")


def _opened(token: str, key_pems: Sequence[str]) -> tuple[_Header, _Claims]:
    for key_pem in key_pems:
        with contextlib.suppress(JoseError, ValueError, msgspec.MsgspecError):
            return _opened_with(token, key_pem)
    raise Refused(422, "proof_invalid", "the proof does not hold")


def _opened_with(token: str, key_pem: str) -> tuple[_Header, _Claims]:
    public = serialization.load_pem_public_key(key_pem.encode())
    is_edwards = isinstance(public, Ed25519PublicKey)
    key = (OKPKey if is_edwards else ECKey).import_key(key_pem)
    opened = jws.deserialize_compact(token, key, algorithms=["Ed25519" if is_edwards else "ES256"])
    header = msgspec.convert(opened.protected, type=_Header)
    return header, msgspec.json.decode(opened.payload, type=_Claims)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
