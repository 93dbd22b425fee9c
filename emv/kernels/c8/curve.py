"""P-256 as kernel 8 uses it: keys by their x alone, and EC-SDSA signatures.

Source: EMV Contactless Book E, 8.8; the curve: FIPS 186-5 and SP 800-186.
"""

from __future__ import annotations

import hmac
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec

from emv.errors import MalformedData

P = 0xFFFFFFFF_00000001_00000000_00000000_00000000_FFFFFFFF_FFFFFFFF_FFFFFFFF
ORDER = 0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551
FIELD_BYTES = 32
SIGNATURE_BYTES = 2 * FIELD_BYTES

PublicKey = ec.EllipticCurvePublicKey
PrivateKey = ec.EllipticCurvePrivateKey

_CURVE = ec.SECP256R1()
_EVEN, _ODD, _UNCOMPRESSED = b"\x02", b"\x03", b"\x04"


def private_key(scalar: int) -> PrivateKey:
    """Return the key of a number. Raises MalformedData unless it is 1 to ORDER - 1."""
    try:
        return ec.derive_private_key(scalar, _CURVE)
    except ValueError as error:
        raise MalformedData("P-256: not a private key") from error


def public_key(x: bytes) -> PublicKey:
    """Return the point with this x and the smaller y, as certified keys have it.

    Raises MalformedData if the curve has no such point.

    Source: Book E, 8.8.4.
    """
    even = _lift(_EVEN, x)
    # One y is even, the other P - y, so they are never the same.
    return even if even.public_numbers().y < (P + 1) // 2 else _lift(_ODD, x)


def point(coordinates: bytes) -> PublicKey:
    """Return the point with these x and y, joined.

    Raises MalformedData if it is not on the curve.
    """
    try:
        return PublicKey.from_encoded_point(_CURVE, _UNCOMPRESSED + coordinates)
    except ValueError as error:
        raise MalformedData("P-256: the point is not on the curve") from error


def _lift(parity: bytes, x: bytes) -> PublicKey:
    if len(x) != FIELD_BYTES:
        raise MalformedData(f"P-256: an x-coordinate of {len(x)} bytes")
    try:
        return PublicKey.from_encoded_point(_CURVE, parity + x)
    except ValueError as error:
        raise MalformedData("P-256: no point has this x-coordinate") from error


def coordinates(key: PublicKey) -> bytes:
    """Return x and y joined, 64 bytes."""
    numbers = key.public_numbers()
    return _bytes(numbers.x) + _bytes(numbers.y)


def multiply(key: PrivateKey, point: PublicKey) -> bytes:
    """Return the x of the point times the key, 32 bytes. Either y gives the same."""
    return key.exchange(ec.ECDH(), point)


def is_signed(signature: bytes, message: bytes, key: PublicKey) -> bool:
    """True if the key's owner signed the message: EC-SDSA, by x alone, SHA-256.

    Source: Book E, 8.8.7; ISO/IEC 14888-3, EC-SDSA optimised.
    """
    if len(signature) != SIGNATURE_BYTES:
        return False
    witness, response = signature[:FIELD_BYTES], signature[FIELD_BYTES:]
    r, s = int.from_bytes(witness, "big") % ORDER, int.from_bytes(response, "big")
    # ORDER - 1 and 0 have no neighbour to tell the sign of y by; a hash is neither.
    if not 0 < s < ORDER or not 0 < r < ORDER - 1:
        return False
    x = _x_of_difference(s, r, key)
    return x is not None and hmac.compare_digest(sha256(x + message).digest(), witness)


def _x_of_difference(s: int, r: int, key: PublicKey) -> bytes | None:
    """Return the x of s times the base point less r times the key; None at infinity."""
    base = private_key(s).public_key().public_numbers()
    x, y = _product(r, key)
    return _x_of_sum((base.x, base.y), (x, P - y))


def _product(scalar: int, factor: PublicKey) -> tuple[int, int]:
    """Return scalar times the factor, both coordinates.

    The library gives x alone. Of the two points with it, it is the one that
    has the next multiple behind it.
    """
    x = multiply(private_key(scalar), factor)
    following = multiply(private_key(scalar + 1), factor)
    numbers = factor.public_numbers()
    lifted = _lift(_EVEN, x).public_numbers()
    is_it = _x_of_sum((lifted.x, lifted.y), (numbers.x, numbers.y)) == following
    return lifted.x, lifted.y if is_it else P - lifted.y


def _x_of_sum(left: tuple[int, int], right: tuple[int, int]) -> bytes | None:
    """Return the x of the sum of two points; None if they cancel.

    Source: SEC 1, 2.2.1.
    """
    (x1, y1), (x2, y2) = left, right
    if x1 != x2:
        slope = (y2 - y1) * pow(x2 - x1, -1, P) % P
    elif y1 == y2:
        slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, P) % P
    else:
        return None
    return _bytes((slope * slope - x1 - x2) % P)


def _bytes(number: int) -> bytes:
    return number.to_bytes(FIELD_BYTES, "big")
