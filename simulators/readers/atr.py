"""A card's answer to reset, and the rules that vpcd does not enforce.

pcscd accepts a wrong check byte from vpcd; a real reader would not.
Source: ISO/IEC 7816-3:2006, 8.2; PC/SC Part 3, 3.1.3.2.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import xor

from simulators.readers.errors import BadATR

CONTACT_T1 = bytes.fromhex("3B E0 00 FF 81 31 FE 45 14")
"""The basic ATR of EMV 4.4 Book 1, 8.3, for T=1."""
CONTACT_T0 = bytes.fromhex("3B 65 00 00 20 63 CB 68 00")
CONTACTLESS = bytes.fromhex("3B 88 80 01 00 73 C8 40 13 00 90 00 71")
"""As readers make it up for a card with an antenna: T=1, the card's own words inside."""

ATR_BYTES_MAX = 33
DIRECT_CONVENTION = 0x3B
INVERSE_CONVENTION = 0x3F


@dataclass(frozen=True, slots=True)
class ATR:
    """An answer to reset that follows the rules."""

    encoded: bytes
    protocols: tuple[int, ...]
    """In the card's order; the first is the one it begins with."""

    @property
    def is_t0(self) -> bool:
        """Whether a PC/SC reader will speak T=0 to it: where it can it takes T=1."""
        return 1 not in self.protocols

    @classmethod
    def parse(cls, encoded: bytes) -> ATR:
        """Return the answer to reset in these bytes. Raises BadATR, naming the rule."""
        if len(encoded) < 2 or encoded[0] not in (DIRECT_CONVENTION, INVERSE_CONVENTION):
            raise BadATR("an ATR begins with 3B or 3F and a format byte")
        if len(encoded) > ATR_BYTES_MAX:
            raise BadATR(f"an ATR has {ATR_BYTES_MAX} bytes at most, this has {len(encoded)}")
        protocols: list[int] = []
        historical = encoded[1] & 0x0F
        presence, at = encoded[1], 2
        while True:
            at += (presence >> 4 & 0x07).bit_count()
            if not presence & 0x80:
                break
            if at >= len(encoded):
                raise BadATR("the ATR ends in its interface bytes")
            presence = encoded[at]
            protocols.append(presence & 0x0F)
            at += 1
        protocols = protocols or [0]
        # Other than T=0 alone needs the check byte.
        needs_check = any(protocols)
        if len(encoded) != at + historical + needs_check:
            raise BadATR(
                f"the ATR should have {at + historical + needs_check} bytes, it has {len(encoded)}"
            )
        if needs_check and reduce(xor, encoded[1:]):
            raise BadATR("the ATR's check byte TCK is wrong")
        return cls(encoded, tuple(dict.fromkeys(protocols)))
