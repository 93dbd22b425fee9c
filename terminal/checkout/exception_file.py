"""Cards that are never accepted: a bench shop's own, and those that the bank lists."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from config.cards import ListedCards
from config.schema import Settings

KEY_CHECK_BYTES = 8
DIGEST_BYTES = 16

ExceptionFile = Callable[[str, int | None], bool]
"""Says of a card's number, and its sequence number if it has one, whether it is listed."""


def exception_file(settings: Settings) -> ExceptionFile:
    """Return what knows the cards that this shop does not accept."""
    own = {(card.pan, card.sequence_number) for card in settings.exceptions}
    listed = settings.listed_cards
    digests = frozenset(listed.digests) if listed else frozenset()

    def is_listed(pan: str, sequence_number: int | None) -> bool:
        if (pan, None) in own or (pan, sequence_number) in own:
            return True
        return listed is not None and any(
            digest(listed.key, pan, number) in digests for number in {None, sequence_number}
        )

    return is_listed


def digest(key: bytes, pan: str, sequence_number: int | None) -> bytes:
    """Return what stands for a card in the bank's list. Source: docs/bank-link.md."""
    meant = pan if sequence_number is None else f"{pan}/{sequence_number:02}"
    return _mac(key, meant)[:DIGEST_BYTES]


def opens(listed: ListedCards, key: bytes) -> bool:
    """Say whether this is the key of a list."""
    return hmac.compare_digest(_mac(key, "")[:KEY_CHECK_BYTES], listed.key_check)


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode("ascii"), hashlib.sha256)
