"""Opens what a till has sealed to the bank's key.

Source: RFC 7516, compact; RFC 7518, ECDH-ES and A256GCM.
"""

from __future__ import annotations

import base64
from typing import Annotated, Literal, TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from simulators.bank.errors import Refused

T = TypeVar("T")

ALGORITHMS = ["ECDH-ES", "A256GCM"]

TOKEN_CHARACTERS_MAX = 16_384


class _PointKey(msgspec.Struct, forbid_unknown_fields=True):
    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: str
    y: str


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    """All a header may hold; the rest asks for something we do not do."""

    alg: Literal["ECDH-ES"]
    enc: Literal["A256GCM"]
    epk: _PointKey
    kid: str = ""
    typ: str = ""
    cty: str = ""


class SealedCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A card, as the till read it."""

    attempt: str
    entry: str
    emv: str
    pin_block: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-F]{32}$")] | None = None
    """ISO 9564-1 format 4, enciphered by the PIN pad; with pin_ksn, or not at all."""
    pin_ksn: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-F]{24}$")] | None = None
    """The serial number of its key; AES DUKPT."""

    def __repr__(self) -> str:
        return "SealedCard(…)"


class SealedCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A payment code, as the till scanned it."""

    attempt: str
    code: str

    def __repr__(self) -> str:
        return "SealedCode(…)"


class SealedKeyed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A card whose number somebody typed."""

    attempt: str
    pan: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{12,19}$")]
    expires: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{2}(0[1-9]|1[0-2])$")]
    """Year and month."""

    def __repr__(self) -> str:
        return "SealedKeyed(…)"


def open_card(token: str, key: ECKey, attempt: str) -> SealedCard:
    """Return the sealed card of this attempt. Raises Refused."""
    card = _decode(_open(token, key), SealedCard)
    _check_attempt(card.attempt, attempt)
    if card.entry not in ("contactless", "contact"):
        raise Refused(422, "entry_unknown", "this bank takes taps and chips only")
    if (card.pin_block is None) is not (card.pin_ksn is None):
        raise Refused(422, "pin_malformed", "pin_block and pin_ksn come together")
    return card


def open_code(token: str, key: ECKey, attempt: str) -> SealedCode:
    """Return the sealed payment code of this attempt. Raises Refused."""
    code = _decode(_open(token, key), SealedCode)
    _check_attempt(code.attempt, attempt)
    return code


def open_keyed(token: str, key: ECKey, attempt: str) -> SealedKeyed:
    """Return the sealed typed card of this attempt. Raises Refused."""
    card = _decode(_open(token, key), SealedKeyed)
    _check_attempt(card.attempt, attempt)
    return card


def _open(token: str, key: ECKey) -> bytes:
    if len(token) > TOKEN_CHARACTERS_MAX:
        raise Refused(422, "seal_broken", "the sealed part is too long")
    try:
        header = token.partition(".")[0]
        msgspec.json.decode(
            base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)), type=_Header
        )
        content = jwe.decrypt_compact(token, key, algorithms=ALGORITHMS).plaintext
    except (JoseError, ValueError, msgspec.MsgspecError, InvalidTag) as error:
        raise Refused(422, "seal_broken", "the sealed part cannot be opened") from error
    if content is None:
        raise Refused(422, "seal_broken", "the sealed part is empty")
    return content


def _decode(content: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Refused(422, "seal_broken", "the sealed part is not what its type says") from error


def _check_attempt(inside: str, outside: str) -> None:
    # A sealed card cannot be moved to another sale.
    if inside != outside:
        raise Refused(422, "attempt_differs", "the sealed part belongs to another attempt")
