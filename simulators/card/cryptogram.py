"""The card's half of its cryptograms: keys derived, application cryptogram made.

Written apart from the bank's half in simulators.bank, and sharing nothing
with it, so that one misreading cannot pass on both sides.
Source: EMV 4.4 Book 2, 8.1 and Annex A1; VIS 1.6, Annex D.
"""

from __future__ import annotations

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from emv import tags

BLOCK_BYTES = 8
VERSION_10 = 10
VERSION_18 = 18

COVERED_TAGS = (
    tags.TAG_9F02_AMOUNT_AUTHORISED,
    tags.TAG_9F03_AMOUNT_OTHER,
    tags.TAG_9F1A_TERMINAL_COUNTRY_CODE,
    tags.TAG_95_TVR,
    tags.TAG_5F2A_TRANSACTION_CURRENCY_CODE,
    tags.TAG_9A_TRANSACTION_DATE,
    tags.TAG_9C_TRANSACTION_TYPE,
    tags.TAG_9F37_UNPREDICTABLE_NUMBER,
    tags.TAG_82_AIP,
    tags.TAG_9F36_ATC,
)
"""What a cryptogram covers, in this order, before what its version adds."""


def derive_card_key(issuer_master_key: bytes, pan: str, sequence_number: int) -> bytes:
    """Derive a card's own TDES key, 16 bytes of odd parity.

    issuer_master_key: 16 bytes. pan: up to 16 digits. sequence_number: 0 to 99.

    Source: EMV 4.4 Book 2, A1.4.1 (option A).
    """
    digits = f"{pan}{sequence_number:02}"[-16:].zfill(16)
    number = bytes.fromhex(digits)
    inverted = bytes(0xFF - byte for byte in number)
    # CBC from zero over one block is the bare cipher.
    left = encrypt_block(issuer_master_key, number)
    right = encrypt_block(issuer_master_key, inverted)
    return with_odd_parity(left + right)


def derive_session_key(card_key: bytes, atc: int) -> bytes:
    """Derive the key of one transaction from the card's key, 16 bytes.

    atc: the application transaction counter, 1 to 65535.

    Source: EMV 4.4 Book 2, A1.3.1 (common session key).
    """
    counter = atc.to_bytes(2, "big")
    left = encrypt_block(card_key, counter + b"\xf0" + bytes(5))
    right = encrypt_block(card_key, counter + b"\x0f" + bytes(5))
    return with_odd_parity(left + right)


def application_cryptogram(
    version: int, card_key: bytes, atc: int, covered: bytes, issuer_data: bytes
) -> bytes:
    """Return tag 9F26, 8 bytes.

    version: 18 covers the whole issuer application data under a session key;
    10 covers its card verification results alone, under the card's own key.
    covered: values of COVERED_TAGS, joined.
    issuer_data: tag 9F10 in its VIS form: length, key index, version, then
    the card verification results with their own length before them.

    Source: VIS 1.6, D.4 and D.5.
    """
    if version == VERSION_18:
        return mac(derive_session_key(card_key, atc), _padded(covered + issuer_data + b"\x80"))
    results = issuer_data[3 : 4 + issuer_data[3]]
    return mac(card_key, _padded(covered + results))


def mchip_cryptogram(card_key: bytes, atc: int, covered: bytes, results: bytes) -> bytes:
    """Return tag 9F26 of an M/Chip card, 8 bytes, under the common session key.

    covered: values of COVERED_TAGS, joined. results: its card verification
    results, 6 bytes; no counters.

    Source: EMV 4.4 Book 2, 8.1.1; the covered data as M/Chip 4 has them.
    """
    return mac(derive_session_key(card_key, atc), _padded(covered + results + b"\x80"))


def pboc_cryptogram(card_key: bytes, atc: int, covered: bytes, results: bytes) -> bytes:
    """Return tag 9F26 of a UnionPay card, 8 bytes, under PBOC's own session key.

    covered: values of COVERED_TAGS, joined. results: its card verification
    results, with their length before them.

    Source: JR/T 0025.5 (PBOC 3.0), Annex D, as public descriptions give it.
    """
    left = encrypt_block(card_key, bytes(6) + atc.to_bytes(2, "big"))
    right = encrypt_block(card_key, bytes(6) + (atc ^ 0xFFFF).to_bytes(2, "big"))
    return mac(with_odd_parity(left + right), _padded(covered + results + b"\x80"))


def stripe_code(card_key: bytes, stripe: bytes, number: bytes, atc: int) -> bytes:
    """Return CVC3 for one track: two bytes that are good for one payment.

    stripe: the track as it is stored. number: the reader's, 4 bytes.

    Source: Book C-2, COMPUTE CRYPTOGRAPHIC CHECKSUM, as M/Chip cards do it.
    """
    start = mac(card_key, _padded(stripe + b"\x80"))[-2:]
    return encrypt_block(card_key, start + number + atc.to_bytes(2, "big"))[-2:]


def mac(key: bytes, data: bytes) -> bytes:
    """Return the 8-byte MAC: single DES along the chain, TDES at its end.

    key: 16 bytes. data: whole blocks of 8, at least one.

    Source: ISO/IEC 9797-1:2011, algorithm 3.
    """
    head, last = data[:-BLOCK_BYTES], data[-BLOCK_BYTES:]
    left = key[:BLOCK_BYTES]
    chain = _cbc(left * 3, bytes(BLOCK_BYTES), head)[-BLOCK_BYTES:] or bytes(BLOCK_BYTES)
    # DES alone is TDES with one key three times; the last block meets all three.
    return _cbc(key + left, chain, last)


def with_odd_parity(key: bytes) -> bytes:
    """Return a DES key with the low bit of each byte set for odd parity."""
    return bytes(byte ^ (byte.bit_count() + 1) % 2 for byte in key)


def _padded(data: bytes) -> bytes:
    """Fill the last block with zeros."""
    return data + bytes(-len(data) % BLOCK_BYTES)


def encrypt_block(key: bytes, block: bytes) -> bytes:
    """Encrypt one block of 8 under a 16-byte TDES key."""
    return _cbc(key + key[:BLOCK_BYTES], bytes(BLOCK_BYTES), block)


def decrypt_block(key: bytes, block: bytes) -> bytes:
    """Decrypt one block of 8 under a 16-byte TDES key."""
    start = bytes(BLOCK_BYTES)
    return Cipher(TripleDES(key + key[:BLOCK_BYTES]), modes.CBC(start)).decryptor().update(block)


def _cbc(key: bytes, start: bytes, data: bytes) -> bytes:
    """Encrypt whole blocks under a 24-byte TDES key."""
    return Cipher(TripleDES(key), modes.CBC(start)).encryptor().update(data)
