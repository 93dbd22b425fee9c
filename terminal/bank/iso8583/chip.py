"""Field 55: what a card said, for its issuer; and what the issuer says back.

Source: Q/CUP 009 and the international schemes' lists, which agree on these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from emv import tlv
from emv.errors import MalformedData
from terminal.errors import MalformedMessage

# In this order; what a card did not give is left out.
TO_ISSUER = (
    0x9F26,
    0x9F27,
    0x9F10,
    0x9F37,
    0x9F36,
    0x95,
    0x9A,
    0x9C,
    0x9F02,
    0x9F03,
    0x5F2A,
    0x82,
    0x9F1A,
    0x9F33,
    0x9F34,
    0x9F35,
    0x9F1E,
    0x84,
    0x9F09,
    0x9F41,
)
# With a reversal: enough for the issuer to find the cryptogram again.
WITH_REVERSAL = (0x95, 0x9F1E, 0x9F10, 0x9F36)
# Issuer authentication data, and scripts before and after the second cryptogram.
FROM_ISSUER = (0x91, 0x71, 0x72)


@dataclass(frozen=True, slots=True)
class CardFields:
    """What a message says of a card. Its repr says nothing."""

    pan: str = field(repr=False)
    track_2: str = field(repr=False)
    """Digits, D, digits; '' where the card gave none."""
    expiry: str = field(repr=False)
    """YYMM, '' where the card did not say."""
    sequence: str = field(repr=False)
    """Three digits; '' where the card has none."""
    values: Mapping[int, bytes] = field(repr=False)

    def data(self, tags: tuple[int, ...]) -> str:
        """Return field 55 with these tags, in hex."""
        objects = (tlv.encode(tag, self.values[tag]) for tag in tags if tag in self.values)
        return b"".join(objects).hex().upper()


def read_card(emv: bytes) -> CardFields:
    """Return what a card's data objects say.

    emv: BER-TLV, as a kernel left them.
    Raises MalformedMessage, naming tags and never their values.
    """
    try:
        values = tlv.collect(tlv.decode(emv))
    except MalformedData:
        raise MalformedMessage("the card's data is not BER-TLV") from None
    track_2 = values.get(0x57, b"").hex().upper().rstrip("F")
    pan = values.get(0x5A, b"").hex().upper().rstrip("F") or track_2.partition("D")[0]
    if not pan.isdecimal():
        raise MalformedMessage("the card gave no number in tag 5A or 57")
    sequence = values.get(0x5F34, b"").hex()
    return CardFields(
        pan=pan,
        track_2=track_2,
        expiry=values.get(0x5F24, b"").hex()[:4],
        sequence=sequence.zfill(3) if sequence else "",
        values=values,
    )


def read_issuer(data: str) -> bytes:
    """Return what an answer's field 55 has for the card, as BER-TLV; b'' for nothing.

    Raises MalformedMessage if it is not BER-TLV.
    """
    try:
        nodes = tlv.decode(bytes.fromhex(data))
    except (MalformedData, ValueError):
        raise MalformedMessage("field 55 of the answer is not BER-TLV") from None
    return b"".join(tlv.encode(node.tag, node.value) for node in nodes if node.tag in FROM_ISSUER)
