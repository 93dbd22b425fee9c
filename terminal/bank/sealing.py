"""Card data and payment codes, sealed to the bank: the till cannot open them again.

JWE, ECDH-ES on P-256 with A256GCM (RFC 7516; RFC 7518, 4.6 and 5.3), by hand: a
library would copy what it seals, and what has a PIN block in it must be wiped.
Keys come from the cryptographic library itself: randomness that could be
handed in could also be handed in twice.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Final, Literal

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from drivers.protocols import EncryptedPin
from terminal.errors import KeysUnusable

ALGORITHMS = ["ECDH-ES", "A256GCM"]
KEY_BITS: Final = 256

# What the key is for, and no party's name, each behind its length.
# Source: RFC 7518, 4.6.2.
_KEY_INFO: Final = b"\x00\x00\x00\x07A256GCM" + bytes(4) + bytes(4) + KEY_BITS.to_bytes(4, "big")
_HEX: Final = [b"%02X" % value for value in range(256)]


class Sealer:
    """Closes an envelope that only the bank can open."""

    def __init__(self, bank_key: Mapping[str, str]) -> None:
        """bank_key: the bank's sealing key, a public JWK on P-256.

        Raises KeysUnusable if it is anything else.
        """
        if bank_key.get("kty") != "EC" or bank_key.get("crv") != "P-256" or "d" in bank_key:
            raise KeysUnusable("the bank's sealing key is not a public key on P-256")
        try:
            self._key = ECKey.import_key(
                {name: bank_key[name] for name in ("kty", "crv", "x", "y")}
            ).public_key
        except (JoseError, KeyError, ValueError, TypeError):
            raise KeysUnusable("the bank's sealing key cannot be read") from None
        self._header = {"alg": "ECDH-ES", "enc": "A256GCM"}
        if "kid" in bank_key:
            self._header["kid"] = bank_key["kid"]

    def seal_card(
        self,
        attempt: str,
        emv: bytes,
        entry: Literal["contactless", "contact"] = "contactless",
        pin: EncryptedPin | None = None,
    ) -> str:
        """Return a compact JWE of what the bank needs to judge a card.

        attempt: the payment's identity; the seal holds for that one only.
        emv: the data objects as BER-TLV. pin: as the PIN pad gave it, if the
        card's holder was asked for one.
        """
        content = {"attempt": attempt, "entry": entry, "emv": emv.hex().upper()}
        return self._seal(_plain(content) if pin is None else _with_pin(_plain(content), pin))

    def seal_code(self, attempt: str, code: str) -> str:
        """Return a compact JWE of a customer's payment code.

        code: the digits, or the base64 of a consumer-presented EMV code.
        """
        return self._seal(_plain({"attempt": attempt, "code": code}))

    def seal_keyed(self, attempt: str, pan: str, expires: str) -> str:
        """Return a compact JWE of a card whose number was typed.

        expires: year and month, two digits each.
        """
        return self._seal(_plain({"attempt": attempt, "pan": pan, "expires": expires}))

    def _seal(self, text: bytearray) -> str:
        """Return the text as a compact JWE, and wipe it."""
        ephemeral = ec.generate_private_key(ec.SECP256R1())
        header = {**self._header, "epk": _jwk(ephemeral.public_key())}
        protected = _base64(json.dumps(header, separators=(",", ":")).encode("ascii"))
        shared = ephemeral.exchange(ec.ECDH(), self._key)
        key = ConcatKDFHash(hashes.SHA256(), KEY_BITS // 8, _KEY_INFO).derive(shared)
        iv = AESGCM.generate_key(128)[:12]
        sealed = AESGCM(key).encrypt(iv, text, protected.encode("ascii"))
        text[:] = bytes(len(text))
        return ".".join((protected, "", _base64(iv), _base64(sealed[:-16]), _base64(sealed[-16:])))


def _plain(content: Mapping[str, str]) -> bytearray:
    return bytearray(json.dumps(content, separators=(",", ":")).encode("ascii"))


def _with_pin(text: bytearray, pin: EncryptedPin) -> bytearray:
    """Return the JSON object with the PIN block in it, of which no other copy is made."""
    before, after = b',"pin_block":"', b'","pin_ksn":"%b"}' % pin.ksn.hex().upper().encode("ascii")
    whole = bytearray(len(text) - 1 + len(before) + 2 * len(pin.block) + len(after))
    place = len(text) - 1
    whole[:place] = text[:place]
    for piece in (before, *(_HEX[value] for value in pin.block), after):
        whole[place : place + len(piece)] = piece
        place += len(piece)
    return whole


def _jwk(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    """Return a public key on P-256 as JSON. Source: RFC 7518, 6.2.1."""
    numbers = key.public_numbers()
    x, y = (_base64(value.to_bytes(32, "big")) for value in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
