"""The card's half of the secure channel, and its cryptogram under AES.

Written apart from the terminal's half and the bank's.
Source: EMV Contactless Book E, 3.2, 4, 7 and 8.6.
"""

from __future__ import annotations

from hashlib import sha256

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from simulators.card.kernel8 import curve

CONTEXT = bytes.fromhex("010054334A325957773DA5A5A50180")
MAC_BYTES = 8


class CardChannel:
    """One tap's keys and counters, seen from the card."""

    def __init__(self, secret: int, blinding: int, kernel_key: bytes) -> None:
        """secret: the card's. kernel_key: tag 9E. Raises ValueError if that is no point."""
        product = secret * blinding
        derived = cmac(bytes(16), curve.shared_x(product, kernel_key))
        self._cipher_key = _block(derived, b"\x01" + CONTEXT)
        self._mac_key = _block(derived, b"\x02" + CONTEXT)
        self._sent, self._received = 0x8000, 0x0000
        blinded = curve.x_of(product % curve.GROUP_ORDER)
        self.key_data = blinded + self.conceal(blinding.to_bytes(32, "big"))
        """Tag 9F8103."""

    def conceal(self, plain: bytes) -> bytes:
        """Encipher what the card sends."""
        data = self._stream(self._sent, plain)
        self._sent += 1
        return data

    def conceal_and_seal(self, plain: bytes) -> bytes:
        """Encipher an answer to READ DATA, its MAC behind it."""
        counter = self._sent
        data = self.conceal(plain)
        return data + self._mac(counter.to_bytes(2, "big") + data)

    def reveal(self, received: bytes) -> bytes:
        """Decipher what WRITE DATA brought."""
        plain = self._stream(self._received, received)
        self._received += 1
        return plain

    def acknowledge(self, plain: bytes) -> bytes:
        """Return the MAC that says what was written."""
        mac = self._mac(self._sent.to_bytes(2, "big") + plain)
        self._sent += 1
        return mac

    def iad_mac(self, covered: bytes) -> bytes:
        """Return the MAC over the transaction, by CMAC+."""
        plain = cmac(self._mac_key, bytes(2) + covered)
        opened = Cipher(AES(self._mac_key), modes.ECB()).decryptor().update(plain)  # noqa: S305
        return bytes(one ^ other for one, other in zip(plain, opened, strict=True))[:MAC_BYTES]

    def eda_mac(self, cryptogram: bytes, iad_mac: bytes) -> bytes:
        """Return the MAC over the cryptogram and the MAC before it."""
        return self._mac(bytes(2) + cryptogram + iad_mac)

    def _stream(self, counter: int, data: bytes) -> bytes:
        start = counter.to_bytes(2, "big") + bytes(14)
        return Cipher(AES(self._cipher_key), modes.CTR(start)).encryptor().update(data)

    def _mac(self, data: bytes) -> bytes:
        return cmac(self._mac_key, data)[:MAC_BYTES]


def derive_card_key(issuer_secret: bytes, pan: str, sequence_number: int) -> bytes:
    """Derive a card's AES key, 16 bytes, from the issuer's one secret.

    issuer_secret: what its TDES key is too; the AES master key is made from it.

    Source: Book E, 4.1.C; the master key is this test issuer's own affair.
    """
    master_key = sha256(b"AES" + issuer_secret).digest()[:16]
    digits = f"{pan}{sequence_number:02}".zfill(32)
    return _block(master_key, bytes.fromhex(digits))


def application_cryptogram(card_key: bytes, counter: int, covered: bytes) -> bytes:
    """Return tag 9F26, 8 bytes, under the key of one transaction. Source: Book E, 4.2."""
    session_key = _block(card_key, counter.to_bytes(2, "big") + bytes(14))
    return cmac(session_key, covered)[:MAC_BYTES]


def cmac(key: bytes, data: bytes) -> bytes:
    """Return the whole AES-CMAC."""
    mac = CMAC(AES(key))
    mac.update(data)
    return mac.finalize()


def _block(key: bytes, data: bytes) -> bytes:
    # ECB of a single block is the bare cipher.
    return Cipher(AES(key), modes.ECB()).encryptor().update(data)  # noqa: S305
