"""The card's half of what an issuer sends: its answer proved, its scripts proved.

Written apart from the bank's half in simulators.bank.issuer.
Source: EMV 4.4 Book 2, 8.2 and 9; VIS 1.6, Annex D; ISO 9564-1, format 2.
"""

from __future__ import annotations

import hmac

from emv.apdu import CommandAPDU
from simulators.card.certificates import SigningKey
from simulators.card.cryptogram import (
    BLOCK_BYTES,
    VERSION_10,
    decrypt_block,
    derive_session_key,
    encrypt_block,
    mac,
    with_odd_parity,
)

MAC_BYTES = 8
PIN_HEADER = 0x7F


def is_issuers_answer(
    version: int, card_key: bytes, atc: int, request_cryptogram: bytes, answer: bytes
) -> bool:
    """True if the value of tag 91 was made by the issuer for this transaction.

    version: 10 answers by method 1, cryptogram and response code; 18 by
    method 2, half a cryptogram and the card status update.

    Source: EMV 4.4 Book 2, 8.2.
    """
    if version == VERSION_10:
        proof, code = answer[:8], answer[8:10]
        mixed = int.from_bytes(request_cryptogram, "big") ^ int.from_bytes(
            code.ljust(8, b"\0"), "big"
        )
        expected = encrypt_block(card_key, mixed.to_bytes(BLOCK_BYTES, "big"))
        return len(code) == 2 and hmac.compare_digest(proof, expected)
    proof, update = answer[:4], answer[4:8]
    key = derive_session_key(card_key, atc)
    expected = mac(key, marked(request_cryptogram + update))[:4]
    return len(update) == 4 and hmac.compare_digest(proof, expected)


def is_issuers_script(
    command: CommandAPDU, card_key: bytes, atc: int, request_cryptogram: bytes
) -> bool:
    """True if a script command ends in the issuer's MAC over it.

    Covered are header, counter, cryptogram and what of the data is no MAC.

    Source: EMV 4.4 Book 2, 9.2 (format 2); VIS 1.6, script MAC.
    """
    if len(command.data) < MAC_BYTES:
        return False
    content, proof = command.data[:-MAC_BYTES], command.data[-MAC_BYTES:]
    header = bytes((command.cla, command.ins, command.p1, command.p2, len(command.data)))
    covered = header + atc.to_bytes(2, "big") + request_cryptogram + content
    return hmac.compare_digest(proof, mac(script_key(card_key, atc), marked(covered)))


def script_key(card_key: bytes, atc: int) -> bytes:
    """Return the key of a transaction's scripts: the counter mixed into the card's key.

    Source: VIS 1.6, Annex D.
    """
    counter = atc.to_bytes(2, "big")
    inverted = bytes(0xFF - byte for byte in counter)
    left = card_key[:6] + bytes(a ^ b for a, b in zip(card_key[6:8], counter, strict=True))
    right = card_key[8:14] + bytes(a ^ b for a, b in zip(card_key[14:], inverted, strict=True))
    return with_odd_parity(left + right)


def new_pin(data: bytes, card_key: bytes, atc: int) -> str | None:
    """Return the digits that PIN CHANGE brings; None if they are none.

    data: without the MAC; a length and the block, under the transaction's key.
    The block is the PIN's, mixed with half of the card's key.

    Source: VIS 1.6, PIN CHANGE/UNBLOCK without the current PIN; Book 2, 9.3.
    """
    if len(data) != 2 * BLOCK_BYTES:
        return None
    key = script_key(card_key, atc)
    clear = b"".join(decrypt_block(key, half) for half in (data[:BLOCK_BYTES], data[BLOCK_BYTES:]))
    if clear[0] != BLOCK_BYTES or clear[1 + BLOCK_BYTES :] != b"\x80" + bytes(6):
        return None
    mask = bytes(4) + card_key[4:8]
    block = bytes(a ^ b for a, b in zip(clear[1 : 1 + BLOCK_BYTES], mask, strict=True))
    # As a format 2 block has it, but for the 2.
    return pin_of(bytes((0x20 | block[0],)) + block[1:]) if block[0] < 0x10 else None


def marked(data: bytes) -> bytes:
    """Pad to whole blocks, 80 first."""
    data += b"\x80"
    return data + bytes(-len(data) % BLOCK_BYTES)


def pin_of(block: bytes) -> str | None:
    """Return the digits of a plaintext PIN block; None if it is none.

    Source: EMV 4.4 Book 3, Table 24 (ISO 9564-1 format 2).
    """
    text = block.hex().upper()
    if len(block) != BLOCK_BYTES or text[0] != "2":
        return None
    length = int(text[1], 16)
    digits, filler = text[2 : 2 + length], text[2 + length :]
    if not 4 <= length <= 12 or not digits.isdecimal() or filler.strip("F"):
        return None
    return digits


def open_pin(data: bytes, key: SigningKey, challenge: bytes) -> bytes | None:
    """Return the PIN block inside an enciphered VERIFY; None if it does not fit.

    Source: EMV 4.4 Book 2, 7.2, Table 25.
    """
    if len(data) != key.length or int.from_bytes(data, "big") >= key.modulus:
        return None
    # Opening is the same power as signing.
    opened = key.sign(data)
    block, echoed = opened[1:9], opened[9:17]
    if opened[0] != PIN_HEADER or not challenge or not hmac.compare_digest(echoed, challenge):
        return None
    return block
