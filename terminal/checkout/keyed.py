"""A card whose number is typed, for an order by mail or telephone.

It is in memory only, until it is under the seal; nobody is asked for the code on
its back.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, field

from emv.masking import PAN_DIGITS_MAX, PAN_DIGITS_MIN, mask_pan, passes_luhn
from terminal.errors import NotAllowed
from terminal.events import CardFacts
from terminal.view import Medium


@dataclass(frozen=True, slots=True)
class KeyedCard:
    """What was typed, and can be a card."""

    pan: str = field(repr=False)
    expires: str = field(repr=False)
    """Year and month, two digits each."""

    @property
    def facts(self) -> CardFacts:
        """What may be shown and kept of it; the bank knows its brand."""
        return CardFacts(Medium.KEYED, "", mask_pan(self.pan))


def keyed_card(number: str, expiry: str, today: datetime.date) -> KeyedCard:
    """Return the card that was typed. Raises NotAllowed, which repeats no digit of it.

    number: spaces between its digits do not matter. expiry: month and year as on the
    card, such as '12/29'.
    """
    pan = re.sub(r"[ -]", "", number)
    is_number = re.fullmatch(rf"[0-9]{{{PAN_DIGITS_MIN},{PAN_DIGITS_MAX}}}", pan)
    if not (is_number and passes_luhn(pan)):
        raise NotAllowed("This is no card number: compare it digit by digit")
    found = re.fullmatch(r"(0[1-9]|1[0-2])[/ ]?([0-9]{2})", expiry.strip())
    if found is None:
        raise NotAllowed("Type the expiry as on the card: month and year, 12/29")
    expires = found[2] + found[1]
    if expires < f"{today:%y%m}":
        raise NotAllowed("The card has expired: ask for another")
    return KeyedCard(pan, expires)
