"""What a scheme, an issuer and a card sign: RSA with message recovery.

Only the signing half is here; whoever verifies writes his own.
Source: EMV 4.4 Book 2, 5, 6 and Annex A2; fDDA: Book C-3, Annex C.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha1

HEADER = b"\x6a"
TRAILER = b"\xbc"
PADDING = b"\xbb"
FORMAT_ISSUER = b"\x02"
FORMAT_ICC = b"\x04"
FORMAT_DYNAMIC = b"\x05"
FORMAT_FDDA = b"\x95"
SHA_1 = b"\x01"
RSA = b"\x01"
HASH_BYTES = 20

ISSUER_OVERHEAD = 36
"""Bytes of an issuer certificate that are not the issuer's modulus."""
ICC_OVERHEAD = 42
"""Bytes of an ICC certificate that are not the card's modulus."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An RSA private key, in the numbers that make signing quick."""

    modulus: int
    exponent: int
    """The public one, 3."""
    p: int = field(repr=False)
    q: int = field(repr=False)
    d_p: int = field(repr=False)
    d_q: int = field(repr=False)
    q_inverse: int = field(repr=False)

    @property
    def length(self) -> int:
        """Bytes of the modulus, and of every signature."""
        return (self.modulus.bit_length() + 7) // 8

    @property
    def modulus_bytes(self) -> bytes:
        """The modulus as certificates carry it."""
        return self.modulus.to_bytes(self.length, "big")

    @property
    def exponent_bytes(self) -> bytes:
        """The public exponent, as short as it is."""
        return self.exponent.to_bytes((self.exponent.bit_length() + 7) // 8, "big")

    def sign(self, block: bytes) -> bytes:
        """Raise a block of the key's length to the private power.

        Source: EMV 4.4 Book 2, B2.1, by the Chinese remainder theorem.
        """
        number = int.from_bytes(block, "big")
        m_p = pow(number, self.d_p, self.p)
        m_q = pow(number, self.d_q, self.q)
        signature = m_q + self.q * (self.q_inverse * (m_p - m_q) % self.p)
        return signature.to_bytes(self.length, "big")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A signed public key, as three data objects of a card."""

    certificate: bytes
    """Tag 90 or 9F46."""
    remainder: bytes
    """Tag 92 or 9F48: what of the modulus did not fit; empty if all did."""
    exponent: bytes
    """Tag 9F32 or 9F47."""


def certify_issuer(
    ca: SigningKey, issuer: SigningKey, identifier: str, expires: str, serial: int
) -> Certificate:
    """Certify an issuer's key with the scheme's.

    identifier: the first 3 to 8 digits of the issuer's PANs. expires: MMYY.
    serial: up to 3 bytes.

    Source: EMV 4.4 Book 2, 5.1, table 2.
    """
    head = FORMAT_ISSUER + bytes.fromhex(identifier.ljust(8, "F")) + bytes.fromhex(expires)
    return _certify(ca, issuer, head + serial.to_bytes(3, "big"), ISSUER_OVERHEAD, b"")


def certify_card(
    issuer: SigningKey, card: SigningKey, pan: str, expires: str, serial: int, static_data: bytes
) -> Certificate:
    """Certify a card's key with its issuer's, over the card's static data.

    expires: MMYY. serial: up to 3 bytes. static_data: the signed records'
    contents, then the AIP.

    Source: EMV 4.4 Book 2, 6.1, table 10.
    """
    head = FORMAT_ICC + bytes.fromhex(pan.ljust(20, "F")) + bytes.fromhex(expires)
    return _certify(issuer, card, head + serial.to_bytes(3, "big"), ICC_OVERHEAD, static_data)


def _certify(
    signer: SigningKey, subject: SigningKey, head: bytes, overhead: int, static_data: bytes
) -> Certificate:
    """Sign a key: as much of it as fits inside, the rest under the hash alone."""
    room = signer.length - overhead
    modulus, exponent = subject.modulus_bytes, subject.exponent_bytes
    lengths = bytes((len(modulus), len(exponent)))
    signed = head + SHA_1 + RSA + lengths + modulus[:room].ljust(room, PADDING)
    remainder = modulus[room:]
    digest = sha1(signed + remainder + exponent + static_data).digest()
    return Certificate(signer.sign(HEADER + signed + digest + TRAILER), remainder, exponent)


def sign_dynamic_data(
    card: SigningKey, dynamic_data: bytes, terminal_data: bytes, format_: bytes = FORMAT_FDDA
) -> bytes:
    """Return tag 9F4B, the card's own signature over one transaction.

    dynamic_data: the ICC dynamic number with its length before it.
    terminal_data: what of the transaction is signed, joined.
    format_: FORMAT_FDDA, or FORMAT_DYNAMIC as older cards and plain DDA have it.

    Source: EMV 4.4 Book 2, 6.5.1, table 15, with the format of Book C-3.
    """
    room = card.length - HASH_BYTES - 5
    head = format_ + SHA_1 + bytes((len(dynamic_data),))
    signed = head + dynamic_data.ljust(room, PADDING)
    digest = sha1(signed + terminal_data).digest()
    return card.sign(HEADER + signed + digest + TRAILER)
