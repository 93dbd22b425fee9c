"""The till's signature on one card sale, made when the card was read.

A request's own signature lives for a minute; this one shows the bank, however
late it comes, that the sale it is told of is the one the till made then.

JWS, compact (RFC 7515); Ed25519 (RFC 9864) or ES256 (RFC 7518, 3.4).
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any, Final

from terminal.bank.signing import SigningKey

TYPE: Final = "opentill-sale"
_ALGORITHMS: Final = {"ed25519": "Ed25519", "ecdsa-p256-sha256": "ES256"}


def prove_sale(
    *,
    attempt: str,
    amount_minor: int,
    currency: str,
    sealed: str,
    at: str,
    key: SigningKey,
    key_id: str,
) -> str:
    """Return a compact JWS over a sale and its sealed card.

    currency: ISO 4217 letters. sealed: the card as JWE; its digest is signed.
    at: the moment, as the link writes it. key_id: the till id.
    """
    header = {"alg": _ALGORITHMS[key.algorithm], "kid": key_id, "typ": TYPE}
    claims = {
        "attempt": attempt,
        "amount_minor": amount_minor,
        "currency": currency,
        "at": at,
        "sealed_sha256": _base64url(hashlib.sha256(sealed.encode("ascii")).digest()),
    }
    covered = f"{_json(header)}.{_json(claims)}"
    return f"{covered}.{_base64url(key.sign(covered.encode('ascii')))}"


def _json(value: dict[str, Any]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode("ascii"))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")
