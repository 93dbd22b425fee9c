"""Card data under a key of the till's own, for a bank that cannot be sealed to.

In this dialect the till itself writes the card's number into its messages, also
into those that it has to send again. Between reading and sending, and for as
long as a reversal, a void or a refund may need it, it stands under this key.

JWE, a shared key with A256GCM (RFC 7516; RFC 7518, 4.5 and 5.3).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from cryptography.exceptions import InvalidTag
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from drivers.protocols import EncryptedPin
from terminal.errors import KeysUnusable, MalformedMessage

ALGORITHMS = ["dir", "A256GCM"]
HEADER = {"alg": "dir", "enc": "A256GCM"}
KEY_BYTES = 32


class CardSafe:
    """Closes and opens envelopes of this till."""

    def __init__(self, key: bytes) -> None:
        """key: 32 bytes. Raises KeysUnusable if they are not."""
        if len(key) != KEY_BYTES:
            raise KeysUnusable(f"the key of the card data has {len(key)} bytes, not {KEY_BYTES}")
        self._key = OctKey.import_key(key)

    def seal_card(
        self,
        attempt: str,
        emv: bytes,
        entry: Literal["contactless", "contact"] = "contactless",
        pin: EncryptedPin | None = None,
    ) -> str:
        """Return what a sale needs of its card; see terminal.bank.sealing.Sealer.

        Raises MalformedMessage if there is a PIN: field 52 has no room for one
        of format 4.
        """
        if pin is not None:
            raise MalformedMessage("ISO 8583 carries no PIN of format 4")
        return self.close(attempt, {"entry": entry, "emv": emv.hex().upper()})

    def seal_code(self, attempt: str, code: str) -> str:
        """Return a customer's payment code, under the key; this bank takes none."""
        return self.close(attempt, {"code": code})

    def seal_keyed(self, attempt: str, pan: str, expires: str) -> str:
        """Raise MalformedMessage: no message of this till's tells of a typed number."""
        raise MalformedMessage("This bank takes no card number that was typed")

    def close(self, attempt: str, content: Mapping[str, Any]) -> str:
        """Return content that only this till can open, and for this attempt alone."""
        text = json.dumps({"attempt": attempt, **content}, separators=(",", ":")).encode("utf-8")
        return jwe.encrypt_compact(HEADER, text, self._key, algorithms=ALGORITHMS)

    def open(self, attempt: str, sealed: str) -> dict[str, Any]:
        """Return the content. Raises MalformedMessage if it is not this attempt's, or damaged."""
        try:
            text = jwe.decrypt_compact(sealed, self._key, algorithms=ALGORITHMS).plaintext
        except (JoseError, ValueError, InvalidTag):
            raise MalformedMessage("card data that this till did not seal") from None
        content: dict[str, Any] = json.loads(text or b"{}")
        if content.pop("attempt", None) != attempt:
            raise MalformedMessage("card data of another payment")
        return content
