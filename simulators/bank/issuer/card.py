"""What a till sends of a card, read and checked for sense.

A card that contradicts itself or its message is a till that errs or lies:
refused, not declined.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emv import tlv
from emv.errors import MalformedData
from simulators.bank.errors import Refused
from simulators.bank.issuer.formats import read_issuer_data

# Tag: the lengths it may have. What the cryptogram covers, and what decides.
REQUIRED = {
    0x82: (2,),
    0x95: (5,),
    0x9A: (3,),
    0x9C: (1,),
    0x5F2A: (2,),
    0x9F02: (6,),
    0x9F03: (6,),
    0x9F10: tuple(range(7, 33)),
    0x9F1A: (2,),
    0x9F26: (8,),
    0x9F36: (2,),
    0x9F37: (4,),
}
OPTIONAL = {0x9F34: (3,)}

# Cryptogram information data, bits 8 and 7. Source: EMV 4.4 Book 3, table 14.
TC = 0x40
ARQC = 0x80

# Tag 9F34, byte 1, bits 6 to 1. Source: EMV 4.4 Book 3, table 43.
CVM_CODE_MASK = 0x3F
CVM_ONLINE_PIN = 0x02


@dataclass(frozen=True, slots=True, repr=False)
class CardData:
    """One card at one payment."""

    pan: str
    sequence_number: str
    """Two digits; '00' where the card has none."""
    expires: str
    """YYMMDD, or '' where the card did not say."""
    cryptogram_type: int
    values: Mapping[int, bytes]

    @property
    def amount_minor(self) -> int:
        """What the card was told to pay."""
        return int(self.values[0x9F02].hex())

    @property
    def currency_number(self) -> int:
        """The ISO 4217 number the card was told."""
        return int(self.values[0x5F2A].hex())

    @property
    def counter(self) -> int:
        """The card's transaction counter."""
        return int.from_bytes(self.values[0x9F36], "big")

    @property
    def is_pin_announced(self) -> bool:
        """Whether the till says that the customer entered a PIN for the issuer."""
        results = self.values.get(0x9F34, b"\x00")
        return results[0] & CVM_CODE_MASK == CVM_ONLINE_PIN


def read_card(encoded: str) -> CardData:
    """Return the card in a sealed message.

    encoded: hex of BER-TLV.
    Raises Refused, naming tags and never their values.
    """
    try:
        values = tlv.collect(tlv.decode(bytes.fromhex(encoded)))
    except (ValueError, MalformedData) as error:
        raise Refused(422, "card_data_malformed", "the card data is not BER-TLV") from error
    for tag in REQUIRED:
        if tag not in values:
            raise Refused(422, "card_data_missing", f"the card data lacks tag {tag:02X}")
    for tag, lengths in (REQUIRED | OPTIONAL).items():
        if tag in values and len(values[tag]) not in lengths:
            raise Refused(422, "card_data_malformed", f"tag {tag:02X} has a wrong length")
    for tag in (0x9F02, 0x5F2A):
        if not values[tag].hex().isdecimal():
            raise Refused(422, "card_data_malformed", f"tag {tag:02X} is not decimal")
    return CardData(
        pan=_pan(values),
        sequence_number=_digits(values, 0x5F34, 2) or "00",
        expires=_digits(values, 0x5F24, 6),
        cryptogram_type=_cryptogram_type(values),
        values=values,
    )


def _pan(values: Mapping[int, bytes]) -> str:
    """Read the number from tags 5A and 57, which must not differ."""
    numbers = set()
    if 0x5A in values:
        numbers.add(values[0x5A].hex().rstrip("f"))
    if 0x57 in values:
        numbers.add(values[0x57].hex().partition("d")[0])
    if len(numbers) != 1:
        detail = "tags 57 and 5A are both missing" if not numbers else "tags 57 and 5A differ"
        raise Refused(422, "card_data_missing" if not numbers else "card_data_malformed", detail)
    number = numbers.pop()
    if not number.isdecimal() or not 8 <= len(number) <= 19:
        raise Refused(422, "card_data_malformed", "the card number is not 8 to 19 digits")
    return number


def _digits(values: Mapping[int, bytes], tag: int, length: int) -> str:
    """Read an optional number of fixed length."""
    text = values.get(tag, b"").hex()
    if text and (len(text) != length or not text.isdecimal()):
        raise Refused(422, "card_data_malformed", f"tag {tag:02X} is not {length} digits")
    return text


def _cryptogram_type(values: Mapping[int, bytes]) -> int:
    """Read what kind of cryptogram it is from the card's own record, under the cryptogram.

    Tag 9F27 says so too, and anybody on the way could have changed it: a card
    that declined must not pass for one that asks.
    """
    recorded = read_issuer_data(values).recorded
    announced = values.get(0x9F27)
    if announced is not None and (len(announced) != 1 or announced[0] & 0xC0 != recorded):
        raise Refused(422, "card_data_malformed", "tags 9F27 and 9F10 differ")
    return recorded
