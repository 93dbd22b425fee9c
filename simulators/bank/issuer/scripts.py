"""What an issuer orders its chip cards to do, each order under the issuer's MAC.

Written apart from the card's half in simulators.card.contact.
Source: EMV 4.4 Book 3, 10.10 and Annex E; Book 2, 9; VIS 1.6, script MAC.
"""

from __future__ import annotations

import enum

from emv import tlv
from simulators.bank.issuer import cryptogram
from simulators.bank.issuer.card import CardData

TEMPLATE_BEFORE = 0x71
TEMPLATE_AFTER = 0x72
TAG_IDENTIFIER = 0x9F18
TAG_COMMAND = 0x86
TAG_ENTRY_MODE = 0x9F39
CHIP_IN_SLOT = b"\x05"
TAG_TTQ, READER_UPDATES = 0x9F66, 0x80
TAG_CTQ, CARD_UPDATES = 0x9F6C, 0x40
"""Issuer update processing. Source: EMV Contactless Book C-3, Annex A."""
MAC_BYTES = 8


class Order(enum.StrEnum):
    """What a script does."""

    BLOCK_APPLICATION = "block-application"
    UNBLOCK_PIN = "unblock-pin"
    CHANGE_PIN = "change-pin"
    """And give it all its tries."""
    SET_LIMITS = "set-limits"
    """At most one payment in a row without the issuer before it is asked, three at all."""


_PIN_CHANGE = bytes.fromhex("84240002")
_COMMANDS: dict[Order, tuple[tuple[bytes, bytes], ...]] = {
    # CLA, INS, P1, P2; then the data before the MAC.
    Order.BLOCK_APPLICATION: ((bytes.fromhex("841E0000"), b""),),
    Order.UNBLOCK_PIN: ((bytes.fromhex("84240000"), b""),),
    Order.SET_LIMITS: (
        (bytes.fromhex("04DA9F14"), b"\x01"),
        (bytes.fromhex("04DA9F23"), b"\x03"),
    ),
}
# A block comes last: the card's own last word must not be lost to it.
_TEMPLATES = {Order.BLOCK_APPLICATION: TEMPLATE_AFTER}


def can_be_told(card: CardData) -> bool:
    """True if the card will hear the answer: in a slot, or by a second tap that both know."""
    if card.values.get(TAG_ENTRY_MODE) == CHIP_IN_SLOT:
        return True
    reader, own = card.values.get(TAG_TTQ, bytes(4)), card.values.get(TAG_CTQ, bytes(2))
    return bool(reader[2] & READER_UPDATES and own[1] & CARD_UPDATES)


def script(card: CardData, issuer_key: bytes, order: Order, new_pin: str = "") -> bytes:
    """Return a script for a card, template and all. new_pin: for CHANGE_PIN, 4 to 12 digits."""
    card_key = cryptogram.card_master_key(issuer_key, card.pan, card.sequence_number)
    key = session_key(card_key, card.values[0x9F36])
    identifier = tlv.encode(TAG_IDENTIFIER, list(Order).index(order).to_bytes(4, "big"))
    wanted = _COMMANDS.get(order, ())
    if order is Order.CHANGE_PIN:
        wanted = ((_PIN_CHANGE, enciphered_pin(key, card_key, new_pin)),)
    commands = b"".join(
        tlv.encode(TAG_COMMAND, _command(key, card, header, data)) for header, data in wanted
    )
    return tlv.encode(_TEMPLATES.get(order, TEMPLATE_BEFORE), identifier + commands)


def session_key(card_key: bytes, counter: bytes) -> bytes:
    """Return a card's key for the scripts of one transaction.

    card_key: 16 bytes. counter: tag 9F36.
    """
    counts = int.from_bytes(counter, "big")
    mask = counts | (counts ^ 0xFFFF) << 64
    left_and_right = int.from_bytes(card_key[8:] + card_key[:8], "big") ^ mask
    mixed = left_and_right.to_bytes(16, "big")
    return cryptogram.odd_parity(mixed[8:] + mixed[:8])


def count(order: Order) -> int:
    """Return how many commands an order has."""
    return 1 if order is Order.CHANGE_PIN else len(_COMMANDS[order])


def enciphered_pin(key: bytes, card_key: bytes, new_pin: str) -> bytes:
    """Return what PIN CHANGE carries before its MAC.

    key: of the transaction's scripts. The PIN's block is mixed with the right
    half of the card's left key, and goes under the key with its length.
    Source: VIS 1.6, PIN CHANGE/UNBLOCK; EMV 4.4 Book 2, 9.3.
    """
    plain = int(f"{len(new_pin):02X}{new_pin:F<14}", 16) ^ int.from_bytes(card_key[4:8], "big")
    return cryptogram.enciphered(key, bytes((8,)) + plain.to_bytes(8, "big") + b"\x80" + bytes(6))


def mac(key: bytes, header: bytes, card: CardData, data: bytes) -> bytes:
    """Return the MAC of a command: over its header, the transaction and its data.

    header: five bytes, the length with the MAC in it.
    """
    covered = header + card.values[0x9F36] + card.values[0x9F26] + data
    return cryptogram.application_cryptogram(key, covered, is_marked=True)[:MAC_BYTES]


def _command(key: bytes, card: CardData, header: bytes, data: bytes) -> bytes:
    whole = header + bytes((len(data) + MAC_BYTES,))
    return whole + data + mac(key, whole, card, data)
