"""The secure channel: keys that card and kernel agree on, and what goes through.

Suite 00: P-256, SHA-256, AES-128. The card blinds its key, so that nobody
who listens can follow it from tap to tap.

Source: EMV Contactless Book E, 3.2, 7 and 8.6.
"""

from __future__ import annotations

import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from emv.errors import AuthenticationFailed, MalformedData
from emv.kernels.c8.curve import (
    FIELD_BYTES,
    ORDER,
    PrivateKey,
    coordinates,
    multiply,
    private_key,
    public_key,
)

BLOCK_BYTES = 16
MAC_BYTES = 8
KEY_RANDOM_BYTES = 40
"""What an ephemeral key is made from: 64 bits more than it has, so that none
is likelier than another. Source: FIPS 186-5, A.2.1."""

KERNEL_COUNTER_START = 0x0000
CARD_COUNTER_START = 0x8000
CARD_COUNTER_END = 0xFFFF

_DERIVATION = bytes.fromhex("01 00 54334A325957773D A5A5A5 0180")
_FOR_CONFIDENTIALITY, _FOR_INTEGRITY = b"\x01", b"\x02"
_NO_COUNTER = bytes(2)


class KernelKey:
    """The kernel's key for one tap."""

    def __init__(self, scalar: int) -> None:
        """Raise MalformedData unless the scalar is 1 to the curve's order less 1."""
        self._key = private_key(scalar)

    @classmethod
    def made_from(cls, random: bytes) -> KernelKey:
        """Return the key that these KEY_RANDOM_BYTES fresh bytes make."""
        return cls(int.from_bytes(random, "big") % (ORDER - 1) + 1)

    @property
    def data(self) -> bytes:
        """Kernel Key Data, tag 9E: x and y, 64 bytes."""
        return coordinates(self._key.public_key())

    def agree(self, card_key_data: bytes) -> SecureChannel:
        """Return the channel to the card that sent these Card Key Data.

        card_key_data: tag 9F8103, the blinded key and the enciphered blinding factor.
        Raises MalformedData for what is none.

        Source: Book E, 7.2.
        """
        if len(card_key_data) != 2 * FIELD_BYTES:
            raise MalformedData(f"tag 9F8103 of {len(card_key_data)} bytes")
        return SecureChannel(self._key, card_key_data[:FIELD_BYTES], card_key_data[FIELD_BYTES:])


class SecureChannel:
    """What protects one tap. Each message moves the counter of its sender on."""

    def __init__(self, key: PrivateKey, blinded_key: bytes, blinding: bytes) -> None:
        """blinding: the factor, as the card enciphered it."""
        self.blinded_key = blinded_key
        """The x of the card's key times the blinding factor."""
        secret = multiply(key, public_key(blinded_key))
        derivation_key = _cmac(bytes(BLOCK_BYTES), secret)
        self._confidentiality = AES(_encrypt(derivation_key, _FOR_CONFIDENTIALITY + _DERIVATION))
        self._integrity = _encrypt(derivation_key, _FOR_INTEGRITY + _DERIVATION)
        self._kernel_counter = KERNEL_COUNTER_START
        self._card_counter = CARD_COUNTER_START
        self.blinding_factor = int.from_bytes(self.open_record(blinding), "big")
        """Unproved until the card's certified key, times it, is the blinded one."""

    def open_record(self, enciphered: bytes) -> bytes:
        """Return what the card enciphered. Raises MalformedData when its counter has run out."""
        return self._cipher(self._next_of_card(), enciphered)

    def open_data(self, protected: bytes) -> bytes:
        """Return what the card enciphered and sealed in answer to READ DATA.

        Raises AuthenticationFailed if the seal does not fit, MalformedData
        if there is none.

        Source: Book E, data storage.
        """
        if len(protected) < MAC_BYTES:
            raise MalformedData(f"READ DATA answered {len(protected)} bytes")
        enciphered, mac = protected[:-MAC_BYTES], protected[-MAC_BYTES:]
        counter = self._next_of_card()
        if not hmac.compare_digest(self._mac(counter + enciphered), mac):
            raise AuthenticationFailed("READ DATA: the MAC does not fit")
        return self._cipher(counter, enciphered)

    def encipher(self, plain: bytes) -> bytes:
        """Return what goes into WRITE DATA. Raises MalformedData when the counter has run out."""
        if self._kernel_counter == CARD_COUNTER_START:
            raise MalformedData("the kernel's message counter has run out")
        counter = self._kernel_counter.to_bytes(2, "big")
        self._kernel_counter += 1
        return self._cipher(counter, plain)

    def check_written(self, plain: bytes, mac: bytes) -> None:
        """Raise AuthenticationFailed unless the card's MAC says that it got these bytes."""
        if not hmac.compare_digest(self._mac(self._next_of_card() + plain), mac):
            raise AuthenticationFailed("WRITE DATA: the MAC does not fit")

    def iad_mac(self, covered: bytes) -> bytes:
        """Return the MAC that binds the transaction to the channel, tag 9F8109.

        By CMAC+, which gives away no plain CMAC under this key.

        Source: Book E, 3.2 and 8.6.5.
        """
        plain = _cmac(self._integrity, _NO_COUNTER + covered)
        opened = _block_cipher(self._integrity).decryptor().update(plain)
        return bytes(a ^ b for a, b in zip(plain, opened, strict=True))[:MAC_BYTES]

    def eda_mac(self, cryptogram: bytes, iad_mac: bytes) -> bytes:
        """Return the MAC over both sides' proof, which the card sends as tag 9F8105.

        Source: Book E, 3.2.
        """
        return self._mac(_NO_COUNTER + cryptogram + iad_mac)

    def _next_of_card(self) -> bytes:
        if self._card_counter == CARD_COUNTER_END:
            raise MalformedData("the card's message counter has run out")
        counter = self._card_counter.to_bytes(2, "big")
        self._card_counter += 1
        return counter

    def _cipher(self, counter: bytes, data: bytes) -> bytes:
        """Encipher, or decipher: it is the same. Source: Book E, 8.6.2."""
        start = counter.ljust(BLOCK_BYTES, b"\x00")
        return Cipher(self._confidentiality, modes.CTR(start)).encryptor().update(data)

    def _mac(self, data: bytes) -> bytes:
        return _cmac(self._integrity, data)[:MAC_BYTES]


def _cmac(key: bytes, data: bytes) -> bytes:
    """Return the whole AES-CMAC. Source: NIST SP 800-38B."""
    mac = CMAC(AES(key))
    mac.update(data)
    return mac.finalize()


def _encrypt(key: bytes, block: bytes) -> bytes:
    return _block_cipher(key).encryptor().update(block)


def _block_cipher(key: bytes) -> Cipher[modes.ECB]:
    # ECB of a single block is the bare cipher that the specification asks for.
    return Cipher(AES(key), modes.ECB())  # noqa: S305
