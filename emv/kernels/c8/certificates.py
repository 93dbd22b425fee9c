"""From a scheme's ECC key to a card's: certificates of formats 12 and 14.

Certificates under RSA keys are not here: what such a certificate says of a
card's ECC key is not public, and the kernel tells the card so.

Source: EMV Contactless Book E, 5.1 to 5.4.
"""

from __future__ import annotations

import datetime
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field

from emv.errors import AuthenticationFailed, ConfigurationError, MalformedData
from emv.kernels.c8.curve import (
    FIELD_BYTES,
    SIGNATURE_BYTES,
    PublicKey,
    is_signed,
    point,
    public_key,
)

FORMAT_ISSUER, FORMAT_ICC = 0x12, 0x14
ENCODING = 0x00
SUITE_SIGNATURE, SUITE_CHANNEL = 0x10, 0x00
"""EC-SDSA over P-256 with SHA-256; and P-256 with AES-128 for the channel."""
HASH_ENCODING, HASH_SHA_256 = 0x01, 0x02

ISSUER_BYTES = 21 + FIELD_BYTES + SIGNATURE_BYTES
ICC_BYTES = 17 + 2 * FIELD_BYTES + SIGNATURE_BYTES


@dataclass(frozen=True, slots=True)
class ECKey:
    """One certification authority ECC public key of a payment scheme, on P-256."""

    rid: bytes
    index: int
    x: bytes
    y: bytes
    expires: datetime.date | None = None
    """The last day on which it may be used; None where the scheme set none."""

    @property
    def name(self) -> str:
        """How messages call it: 'A000000003/92'."""
        return f"{self.rid.hex().upper()}/{self.index:02X}"


class ECKeyStore:
    """The scheme keys a terminal trusts, each checked as it is put in."""

    def __init__(self, keys: Iterable[ECKey] = ()) -> None:
        """Take the keys.

        Raises ConfigurationError, naming the key, for a RID that is not 5
        bytes, a point that is not on the curve, or two keys of one name.
        """
        self._keys: dict[tuple[bytes, int], tuple[ECKey, PublicKey]] = {}
        for key in keys:
            if len(key.rid) != 5 or not 0 <= key.index <= 0xFF:
                raise ConfigurationError(f"CA key {key.name}: not a RID and an index")
            if (key.rid, key.index) in self._keys:
                raise ConfigurationError(f"CA key {key.name} is there twice")
            try:
                self._keys[key.rid, key.index] = key, point(key.x + key.y)
            except MalformedData as error:
                raise ConfigurationError(f"CA key {key.name}: {error}") from error

    def find(self, rid: bytes, index: int, today: datetime.date) -> PublicKey:
        """Return the key a card names.

        Raises AuthenticationFailed if it is not here, or no longer valid.
        """
        if (rid, index) not in self._keys:
            raise AuthenticationFailed(f"CA key {rid.hex().upper()}/{index:02X} is not known")
        key, found = self._keys[rid, index]
        if key.expires is not None and today > key.expires:
            raise AuthenticationFailed(f"CA key {key.name} has expired")
        return found


@dataclass(frozen=True, slots=True)
class Signer:
    """Who is to have certified an issuer's key, and for whom."""

    rid: bytes
    index: int
    """Tag 8F."""
    key: PublicKey
    pan: str = field(repr=False)


def issuer_key(certificate: bytes, signer: Signer, today: datetime.date) -> PublicKey:
    """Return the issuer's key out of tag 90.

    Raises AuthenticationFailed, naming the check.

    Source: Book E, 5.2.
    """
    what = "issuer certificate"
    head = (FORMAT_ISSUER, ENCODING)
    signed, signature = _split(certificate, ISSUER_BYTES, head, what)
    identifier = signed[2:7].hex().rstrip("f")
    # unsettled: how many digits an identifier has; three is what Book 2 asks of RSA ones.
    if len(identifier) < 3 or not signer.pan.startswith(identifier):
        raise AuthenticationFailed(f"{what}: not for this card number")
    if signed[7] != SUITE_SIGNATURE:
        raise AuthenticationFailed(f"{what}: algorithm suite {signed[7]:02X}")
    _check_date(signed[8:12], today, what)
    if signed[15:20] != signer.rid or signed[20] != signer.index:
        raise AuthenticationFailed(f"{what}: for another scheme or CA key")
    return _certified(signed, signature, signed[-FIELD_BYTES:], signer.key, what)


def icc_key(
    certificate: bytes, issuer: PublicKey, static_hash: bytes, today: datetime.date
) -> PublicKey:
    """Return the card's own key out of tag 9F46.

    static_hash: SHA-256 over what the issuer signed of the card's data.
    Raises AuthenticationFailed, naming the check.

    unsettled: its last hour is not looked at, as a till's day is not UTC's.

    Source: Book E, 5.4.
    """
    what = "ICC certificate"
    head = (FORMAT_ICC, ENCODING, SUITE_CHANNEL)
    signed, signature = _split(certificate, ICC_BYTES, head, what)
    _check_date(signed[3:7], today, what)
    if tuple(signed[15:17]) != (HASH_ENCODING, HASH_SHA_256):
        raise AuthenticationFailed(f"{what}: hash algorithm {signed[15:17].hex()}")
    if not hmac.compare_digest(signed[17 : 17 + FIELD_BYTES], static_hash):
        raise AuthenticationFailed(f"{what}: static data are not what the issuer signed")
    return _certified(signed, signature, signed[-FIELD_BYTES:], issuer, what)


def _split(
    certificate: bytes, length: int, head: tuple[int, ...], what: str
) -> tuple[bytes, bytes]:
    """Return what is signed, and the signature."""
    if len(certificate) != length:
        raise AuthenticationFailed(f"{what}: {len(certificate)} bytes, must be {length}")
    if tuple(certificate[: len(head)]) != head:
        raise AuthenticationFailed(f"{what}: format {certificate[: len(head)].hex()}")
    return certificate[:-SIGNATURE_BYTES], certificate[-SIGNATURE_BYTES:]


def _check_date(digits: bytes, today: datetime.date, what: str) -> None:
    """Raise AuthenticationFailed after the last day, YYYYMMDD as packed digits."""
    try:
        last = datetime.datetime.strptime(digits.hex(), "%Y%m%d").date()  # noqa: DTZ007
    except ValueError as error:
        raise AuthenticationFailed(f"{what}: its date is none") from error
    if today > last:
        raise AuthenticationFailed(f"{what} has expired")


def _certified(
    signed: bytes, signature: bytes, x: bytes, signer: PublicKey, what: str
) -> PublicKey:
    if not is_signed(signature, signed, signer):
        raise AuthenticationFailed(f"{what}: the signature does not fit")
    try:
        return public_key(x)
    except MalformedData as error:
        raise AuthenticationFailed(f"{what}: {error}") from error
