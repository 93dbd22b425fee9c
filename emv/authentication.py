"""Offline data authentication: from the scheme's key down to the card's signature.

CA key, issuer certificate, ICC certificate, then static or dynamic data.
Every check that can fail names itself in its AuthenticationFailed; none of
the messages holds card data. RSA is a bare power: the terminal only ever
opens signatures, it has no secret to protect.

Source: EMV 4.4 Book 2, 5, 6 and Annex A; kernel 3's fDDA: Book C-3, 5.6
and Annex C.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha1

from emv.errors import AuthenticationFailed, ConfigurationError

HEADER = 0x6A
TRAILER = 0xBC
HASH_SHA_1 = 0x01
ALGORITHM_RSA = 0x01
HASH_LENGTH = 20
EXPONENTS = (3, 65537)  # Book 2, Annex B2.1

FORMAT_ISSUER_CERTIFICATE = 0x02
FORMAT_SIGNED_STATIC = 0x03
FORMAT_ICC_CERTIFICATE = 0x04
FORMAT_SIGNED_DYNAMIC = 0x05
FORMAT_SIGNED_DYNAMIC_FDDA = 0x95

# What a certificate of each kind spends on everything but the key.
ISSUER_OVERHEAD = 36  # Book 2, Table 2
ICC_OVERHEAD = 42  # Book 2, Table 10


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An RSA public key. The modulus keeps the byte length it was issued with."""

    modulus: int
    exponent: int
    length: int
    """Bytes of the modulus, and of every signature under it."""

    @classmethod
    def of(cls, modulus: bytes, exponent: bytes) -> PublicKey:
        """Build a key from the bytes of its two numbers."""
        return cls(int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big"), len(modulus))


@dataclass(frozen=True, slots=True)
class CAKey:
    """One certification authority public key of a payment scheme."""

    rid: bytes
    index: int
    modulus: bytes = field(repr=False)
    exponent: int
    expires: date | None
    """The last day on which it may be used; None where the scheme set none."""
    sha1: bytes
    """The published check sum over RID, index, modulus and exponent."""

    @property
    def name(self) -> str:
        """How messages call it: 'A000000003/92'."""
        return f"{self.rid.hex().upper()}/{self.index:02X}"


class CAKeyStore:
    """The scheme keys a terminal trusts, each checked as it is put in."""

    def __init__(self, keys: Iterable[CAKey] = ()) -> None:
        """Take the keys.

        Raises ConfigurationError, naming the key, for a check sum that does
        not fit, a RID that is not 5 bytes, an exponent other than 3 and
        65537, or two keys of one name.

        Source: EMV 4.4 Book 2, 11.2.2.
        """
        self._keys: dict[tuple[bytes, int], CAKey] = {}
        for key in keys:
            if len(key.rid) != 5 or not 0 <= key.index <= 0xFF:
                raise ConfigurationError(f"CA key {key.name}: not a RID and an index")
            if key.exponent not in EXPONENTS:
                raise ConfigurationError(f"CA key {key.name}: exponent is neither 3 nor 65537")
            if check_sum(key) != key.sha1:
                raise ConfigurationError(f"CA key {key.name}: its SHA-1 does not fit")
            if (key.rid, key.index) in self._keys:
                raise ConfigurationError(f"CA key {key.name} is there twice")
            self._keys[key.rid, key.index] = key

    def find(self, rid: bytes, index: int, today: date) -> PublicKey:
        """Return the key a card names.

        Raises AuthenticationFailed if it is not here, or no longer valid.
        """
        key = self._keys.get((rid, index))
        if key is None:
            raise AuthenticationFailed(f"CA key {rid.hex().upper()}/{index:02X} is not known")
        if key.expires is not None and today > key.expires:
            raise AuthenticationFailed(f"CA key {key.name} has expired")
        return PublicKey(int.from_bytes(key.modulus, "big"), key.exponent, len(key.modulus))


def check_sum(key: CAKey) -> bytes:
    """Return the SHA-1 that schemes publish with a CA key.

    Source: EMV 4.4 Book 2, 11.2.2, Table 29.
    """
    exponent = key.exponent.to_bytes((key.exponent.bit_length() + 7) // 8, "big")
    return sha1(key.rid + bytes((key.index,)) + key.modulus + exponent).digest()


def recover(signature: bytes, key: PublicKey, formats: tuple[int, ...], what: str) -> bytes:
    """Open a signature and return what is in it, all of it.

    formats: the data formats the second byte may be.
    what: how messages call the signed object.
    Raises AuthenticationFailed on a wrong length, header, trailer, format
    or hash algorithm.

    Source: EMV 4.4 Book 2, Annex A2.1.
    """
    if key.length < ICC_OVERHEAD or len(signature) != key.length:
        raise AuthenticationFailed(f"{what}: length is not the signing key's")
    number = int.from_bytes(signature, "big")
    if number >= key.modulus:
        raise AuthenticationFailed(f"{what}: not below the signing key's modulus")
    recovered = pow(number, key.exponent, key.modulus).to_bytes(key.length, "big")
    if recovered[0] != HEADER:
        raise AuthenticationFailed(f"{what}: recovered header is wrong")
    if recovered[-1] != TRAILER:
        raise AuthenticationFailed(f"{what}: recovered trailer is wrong")
    if recovered[1] not in formats:
        expected = " or ".join(f"{one:02X}" for one in formats)
        raise AuthenticationFailed(f"{what}: data format {recovered[1]:02X}, not {expected}")
    return recovered


def _check_hash(recovered: bytes, also: bytes, what: str) -> None:
    """Compare the hash inside a recovered object with our own.

    also: what is hashed after the recovered bytes and was never signed.
    Raises AuthenticationFailed if they differ.
    """
    signed, stated = recovered[1 : -HASH_LENGTH - 1], recovered[-HASH_LENGTH - 1 : -1]
    if sha1(signed + also).digest() != stated:
        raise AuthenticationFailed(f"{what}: hash does not fit")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that has been opened; its hash is not checked yet."""

    what: str
    identifier: str = field(repr=False)
    """Issuer identifier or PAN: the digits without the padding."""
    expires: date
    """The last day of the month it states."""
    serial: bytes
    modulus: bytes = field(repr=False)
    exponent: bytes
    recovered: bytes = field(repr=False)
    _hashed_after: bytes = field(repr=False)

    @property
    def hash(self) -> bytes:
        """The hash the certificate states."""
        return self.recovered[-HASH_LENGTH - 1 : -1]

    def check_hash(self, static_data: bytes = b"") -> None:
        """Compare its hash; an ICC certificate also covers the static data.

        Raises AuthenticationFailed if it does not fit.
        """
        _check_hash(self.recovered, self._hashed_after + static_data, self.what)

    def check_dates(self, today: date) -> None:
        """Raise AuthenticationFailed if its month has passed."""
        if today > self.expires:
            raise AuthenticationFailed(f"{self.what} has expired")

    @property
    def key(self) -> PublicKey:
        """The key it certifies."""
        return PublicKey.of(self.modulus, self.exponent)


def open_issuer_certificate(
    certificate: bytes, remainder: bytes, exponent: bytes, ca_key: PublicKey
) -> Certificate:
    """Open an issuer public key certificate with the scheme's key.

    certificate, remainder, exponent: values of tags 90, 92, 9F32; the
    remainder is empty where there is none.
    Raises AuthenticationFailed as recover does, and for unknown algorithms
    or a key whose parts do not fit together.

    Source: EMV 4.4 Book 2, 5.3, Table 6.
    """
    return _open(
        certificate,
        remainder,
        exponent,
        ca_key,
        FORMAT_ISSUER_CERTIFICATE,
        identifier_length=4,
        overhead=ISSUER_OVERHEAD,
        what="issuer certificate",
    )


def open_icc_certificate(
    certificate: bytes, remainder: bytes, exponent: bytes, issuer_key: PublicKey
) -> Certificate:
    """Open an ICC public key certificate with the issuer's key.

    certificate, remainder, exponent: values of tags 9F46, 9F48, 9F47.
    Raises as open_issuer_certificate.

    Source: EMV 4.4 Book 2, 6.4, Table 14.
    """
    return _open(
        certificate,
        remainder,
        exponent,
        issuer_key,
        FORMAT_ICC_CERTIFICATE,
        identifier_length=10,
        overhead=ICC_OVERHEAD,
        what="ICC certificate",
    )


def _open(
    certificate: bytes,
    remainder: bytes,
    exponent: bytes,
    signer: PublicKey,
    format_: int,
    *,
    identifier_length: int,
    overhead: int,
    what: str,
) -> Certificate:
    """Recover a certificate and take it apart; both kinds differ only in sizes."""
    recovered = recover(certificate, signer, (format_,), what)
    at = 2 + identifier_length
    month, serial = recovered[at : at + 2], recovered[at + 2 : at + 5]
    hash_algorithm, key_algorithm, key_length, exponent_length = recovered[at + 5 : at + 9]
    if hash_algorithm != HASH_SHA_1:
        raise AuthenticationFailed(f"{what}: unknown hash algorithm {hash_algorithm:02X}")
    if key_algorithm != ALGORITHM_RSA:
        raise AuthenticationFailed(f"{what}: unknown key algorithm {key_algorithm:02X}")
    if exponent_length != len(exponent) or int.from_bytes(exponent, "big") not in EXPONENTS:
        raise AuthenticationFailed(f"{what}: exponent is not the certified one's length or value")

    area = signer.length - overhead
    in_certificate = recovered[at + 9 : at + 9 + min(area, key_length)]
    if len(remainder) != max(0, key_length - area):
        raise AuthenticationFailed(f"{what}: remainder is not what the key's length leaves")
    return Certificate(
        what=what,
        identifier=recovered[2:at].hex().upper().rstrip("F"),
        expires=_last_day(month, what),
        serial=serial,
        modulus=in_certificate + remainder,
        exponent=exponent,
        recovered=recovered,
        _hashed_after=remainder + exponent,
    )


def _last_day(month: bytes, what: str) -> date:
    """Return the last day of an MMYY month, in this century."""
    digits = month.hex()
    if not digits.isdecimal() or not 1 <= int(digits[:2]) <= 12:
        raise AuthenticationFailed(f"{what}: its expiry is not a month")
    year, number = 2000 + int(digits[2:]), int(digits[:2])
    return date(year + number // 12, number % 12 + 1, 1) - timedelta(days=1)


def recover_issuer_key(
    certificate: bytes,
    remainder: bytes,
    exponent: bytes,
    ca_key: PublicKey,
    pan: str,
    today: date,
) -> PublicKey:
    """Return the issuer's key, after every check of its certificate.

    Raises AuthenticationFailed, naming the check.

    Source: EMV 4.4 Book 2, 5.3, steps 1 to 12.
    """
    opened = open_issuer_certificate(certificate, remainder, exponent, ca_key)
    opened.check_hash()
    # The leftmost 3 to 8 digits of the PAN.
    if len(opened.identifier) < 3 or not pan.startswith(opened.identifier):
        raise AuthenticationFailed("issuer certificate: not of this PAN's issuer")
    opened.check_dates(today)
    return opened.key


def recover_icc_key(
    certificate: bytes,
    remainder: bytes,
    exponent: bytes,
    issuer_key: PublicKey,
    static_data: bytes,
    pan: str,
    today: date,
) -> PublicKey:
    """Return the card's key, after every check of its certificate.

    static_data: as records.signed_static_data returns it.
    Raises AuthenticationFailed, naming the check.

    Source: EMV 4.4 Book 2, 6.4, steps 1 to 11.
    """
    opened = open_icc_certificate(certificate, remainder, exponent, issuer_key)
    opened.check_hash(static_data)
    if opened.identifier != pan:
        raise AuthenticationFailed("ICC certificate: not of this PAN")
    opened.check_dates(today)
    return opened.key


def verify_static_data(signed: bytes, issuer_key: PublicKey, static_data: bytes) -> bytes:
    """Check signed static application data; return the data authentication code.

    signed: value of tag 93.
    Raises AuthenticationFailed, naming the check.

    Source: EMV 4.4 Book 2, 5.4, Table 7.
    """
    what = "signed static data"
    recovered = recover(signed, issuer_key, (FORMAT_SIGNED_STATIC,), what)
    if recovered[2] != HASH_SHA_1:
        raise AuthenticationFailed(f"{what}: unknown hash algorithm {recovered[2]:02X}")
    _check_hash(recovered, static_data, what)
    return recovered[3:5]


def verify_dynamic_data(
    signed: bytes,
    icc_key: PublicKey,
    terminal_data: bytes,
    formats: tuple[int, ...] = (FORMAT_SIGNED_DYNAMIC,),
) -> bytes:
    """Check a dynamic signature; return the ICC dynamic data inside it.

    signed: value of tag 9F4B.
    terminal_data: what the card was to sign of ours, such as the data of
    its DDOL, in order.
    formats: which signed data formats may pass.
    Raises AuthenticationFailed, naming the check.

    Source: EMV 4.4 Book 2, 6.5.2, Table 17.
    """
    what = "signed dynamic data"
    recovered = recover(signed, icc_key, formats, what)
    if recovered[2] != HASH_SHA_1:
        raise AuthenticationFailed(f"{what}: unknown hash algorithm {recovered[2]:02X}")
    _check_hash(recovered, terminal_data, what)
    length = recovered[3]
    if length > icc_key.length - 25:
        raise AuthenticationFailed(f"{what}: ICC dynamic data does not fit")
    return recovered[4 : 4 + length]
