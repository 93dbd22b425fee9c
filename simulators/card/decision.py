"""How a qVSDC card decides: its cryptogram and its wish for a cardholder check.

Source: EMV Contactless Book C-3, 2.4 and Annex A.2; what is left to the card
there follows VIS 1.6, chapter 6, in its simplest form.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Protocol

from emv.bits import CTQ, TTQ
from simulators.card.profile import Decision, Method, Profile


class Cryptogram(enum.IntEnum):
    """Cryptogram types, as the card verification results state them: byte 2, bits 6-5."""

    AAC = 0b00
    TC = 0b01
    ARQC = 0b10


class Owner(Protocol):
    """Whoever can prove to a device who he is."""

    def is_verified(self) -> bool:
        """Whether he has done so for this payment."""

    def ask(self) -> bool:
        """Ask him now; False if he was asked before and did not do it."""

    def paid(self) -> None:
        """A cryptogram was made: one proof serves one payment."""


class Nobody:
    """The owner of a plastic card: it cannot ask."""

    def is_verified(self) -> bool:
        """Never."""
        return False

    def ask(self) -> bool:
        """Nobody is there to be asked."""
        return False

    def paid(self) -> None:
        """There is nothing to use up."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a card makes of one payment."""

    cryptogram: Cryptogram
    ctq: CTQ


_WISHES = {
    Method.ONLINE_PIN: (TTQ.ONLINE_PIN, CTQ.ONLINE_PIN_REQUIRED),
    Method.SIGNATURE: (TTQ.SIGNATURE, CTQ.SIGNATURE_REQUIRED),
}


def decide(profile: Profile, ttq: TTQ, owner: Owner) -> Verdict | None:
    """Return the card's verdict; None if its owner has to look at it first.

    ttq: what the reader can do, and wants of this payment.
    """
    wish = CTQ(0)
    if Method.DEVICE in profile.cvm and TTQ.CDCVM in ttq:
        if owner.is_verified():
            wish = CTQ.CDCVM_PERFORMED
        elif TTQ.CVM_REQUIRED in ttq:
            return None if owner.ask() else Verdict(Cryptogram.AAC, CTQ(0))
    if not wish and (profile.always_verifies or TTQ.CVM_REQUIRED in ttq):
        wish = _wish(profile, ttq)
    return Verdict(_cryptogram(profile, ttq, wish), wish)


def _wish(profile: Profile, ttq: TTQ) -> CTQ:
    """Choose the first cardholder check that card and reader both can do."""
    wishes = [_WISHES[method] for method in profile.cvm if method in _WISHES]
    for ability, wish in wishes:
        if ability in ttq:
            return wish
    return wishes[0][1] if profile.insists_on_cvm and wishes else CTQ(0)


def _cryptogram(profile: Profile, ttq: TTQ, wish: CTQ) -> Cryptogram:
    """Choose approval, decline, or the issuer's word."""
    if profile.decision is Decision.DECLINE:
        return Cryptogram.AAC
    needs_issuer = TTQ.ONLINE_CRYPTOGRAM_REQUIRED in ttq or CTQ.ONLINE_PIN_REQUIRED in wish
    if profile.decision is Decision.OFFLINE and not needs_issuer:
        return Cryptogram.TC
    return Cryptogram.AAC if TTQ.OFFLINE_ONLY in ttq else Cryptogram.ARQC
