"""The signing half of P-256: keys that may be certified, EC-SDSA by x alone.

Written apart from the terminal's half, and sharing nothing with it.
Source: EMV Contactless Book E, 8.8.
"""

from __future__ import annotations

from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec

FIELD = 2**256 - 2**224 + 2**192 + 2**96 - 1
GROUP_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
CURVE = ec.SECP256R1()


def for_certificates(secret: int) -> int:
    """Return the secret, or its negative: the one whose point has the smaller y.

    Source: Book E, 8.8.5.
    """
    y = ec.derive_private_key(secret, CURVE).public_key().public_numbers().y
    return secret if y < (FIELD + 1) // 2 else GROUP_ORDER - secret


def coordinates(secret: int) -> tuple[bytes, bytes]:
    """Return x and y of a secret's point, 32 bytes each."""
    numbers = ec.derive_private_key(secret, CURVE).public_key().public_numbers()
    return numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")


def x_of(secret: int) -> bytes:
    """Return the x of a secret's point."""
    return coordinates(secret)[0]


def shared_x(secret: int, point: bytes) -> bytes:
    """Return the x of secret times a point.

    point: x and y joined. Raises ValueError if it is not on the curve.
    """
    public = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, b"\x04" + point)
    return ec.derive_private_key(secret % GROUP_ORDER, CURVE).exchange(ec.ECDH(), public)


def scalar_from(random: bytes) -> int:
    """Return a secret between 1 and the order. random: 32 bytes, for a simulator good enough."""
    return int.from_bytes(random, "big") % (GROUP_ORDER - 1) + 1


def sign(message: bytes, secret: int) -> bytes:
    """Return 64 bytes: the witness, then the response to it.

    The nonce comes from the secret and the message, so that none is used twice.

    Source: ISO/IEC 14888-3, EC-SDSA optimised.
    """
    nonce = scalar_from(sha256(secret.to_bytes(32, "big") + message).digest())
    witness = sha256(x_of(nonce) + message).digest()
    response = (nonce + secret * int.from_bytes(witness, "big")) % GROUP_ORDER
    return witness + response.to_bytes(32, "big")
