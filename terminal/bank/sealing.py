"""Card data and payment codes, sealed to the bank: the till cannot open them again.

JWE, ECDH-ES on P-256 with A256GCM (RFC 7516; RFC 7518, 4.6 and 5.3). The
ephemeral key comes from the cryptographic library itself: randomness that
could be handed in could also be handed in twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Literal

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from drivers.protocols import EncryptedPin
from terminal.errors import KeysUnusable

ALGORITHMS = ["ECDH-ES", "A256GCM"]


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
            )
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
        if pin is not None:
            content["pin_block"] = pin.block.hex().upper()
            content["pin_ksn"] = pin.ksn.hex().upper()
        return self._seal(content)

    def seal_code(self, attempt: str, code: str) -> str:
        """Return a compact JWE of a customer's payment code.

        code: the digits, or the base64 of a consumer-presented EMV code.
        """
        return self._seal({"attempt": attempt, "code": code})

    def _seal(self, content: Mapping[str, str]) -> str:
        text = json.dumps(content, separators=(",", ":")).encode("ascii")
        return jwe.encrypt_compact(self._header, text, self._key, algorithms=ALGORITHMS)
