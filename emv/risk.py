"""Terminal risk management: what goes online however good the card looks.

Source: EMV 4.4 Book 3, 10.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emv import tags, tlv
from emv.apdu import STATUS_OK, get_data
from emv.bits import TVR
from emv.conversation import Kernel, exchange, fresh_bytes, note
from emv.errors import ConfigurationError, MalformedData


@dataclass(frozen=True, slots=True)
class RiskLimits:
    """What an acquirer sets for one application. Amounts in minor units."""

    floor_minor: int = 0
    """Tag 9F1B: from this amount on, online. 0 sends everything online."""
    threshold_minor: int = 0
    """Threshold Value for Biased Random Selection: below it every amount is alike."""
    target_percent: int = 0
    """How many in a hundred go online below the threshold."""
    target_percent_max: int = 0
    """How many would just below the floor limit; between, in proportion."""

    def __post_init__(self) -> None:
        """Raise ConfigurationError for what Book 3, 10.6.2 rules out."""
        if self.floor_minor < 0 or not 0 <= self.threshold_minor <= self.floor_minor:
            raise ConfigurationError("the random selection threshold is not within the floor limit")
        if not 0 <= self.target_percent <= self.target_percent_max <= 99:
            raise ConfigurationError("target percentages are not 0 to 99, the maximum last")


def exceeds_floor(amount_minor: int, logged_minor: int, limits: RiskLimits) -> bool:
    """True if the amount, with what the card paid here last, reaches the floor limit.

    Source: Book 3, 10.6.1.
    """
    return amount_minor + logged_minor >= limits.floor_minor


def selection_percent(amount_minor: int, limits: RiskLimits) -> int:
    """Return how many in a hundred payments of an amount go online, by chance alone.

    Source: Book 3, 10.6.2.
    """
    if amount_minor >= limits.floor_minor:
        return 0
    if amount_minor < limits.threshold_minor:
        return limits.target_percent
    above = amount_minor - limits.threshold_minor
    span = limits.floor_minor - limits.threshold_minor
    bias = limits.target_percent_max - limits.target_percent
    return limits.target_percent + bias * above // span


def is_selected(amount_minor: int, limits: RiskLimits) -> Kernel[bool]:
    """Draw a number from 1 to 99, and say whether the payment goes online by it.

    Source: Book 3, 10.6.2.
    """
    percent = selection_percent(amount_minor, limits)
    if not percent:
        return False
    # Four bytes over 99 values: the bias is below one in forty million.
    drawn = int.from_bytes((yield from fresh_bytes(4)), "big") % 99 + 1
    return drawn <= percent


def check_velocity(card: Mapping[int, bytes]) -> Kernel[TVR]:
    """Return what the card's count of offline payments sets in the TVR.

    card: without both limits there is nothing to check.

    Source: Book 3, 10.6.3.
    """
    lower = card.get(tags.TAG_9F14_LOWER_CONSECUTIVE_OFFLINE_LIMIT)
    upper = card.get(tags.TAG_9F23_UPPER_CONSECUTIVE_OFFLINE_LIMIT)
    if lower is None or upper is None:
        return TVR(0)
    counter = yield from _counter(tags.TAG_9F36_ATC)
    last_online = yield from _counter(tags.TAG_9F13_LAST_ONLINE_ATC)
    found = TVR.NEW_CARD if last_online == 0 else TVR(0)
    if counter is None or last_online is None or counter <= last_online:
        yield from note("the card's counters cannot be used", "Book 3, 10.6.3")
        return found | TVR.LOWER_OFFLINE_LIMIT_EXCEEDED | TVR.UPPER_OFFLINE_LIMIT_EXCEEDED
    offline = counter - last_online
    if offline > int.from_bytes(lower, "big"):
        found |= TVR.LOWER_OFFLINE_LIMIT_EXCEEDED
    if offline > int.from_bytes(upper, "big"):
        found |= TVR.UPPER_OFFLINE_LIMIT_EXCEEDED
    return found


def _counter(tag: int) -> Kernel[int | None]:
    """Ask the card for one of its counters; None if it does not tell."""
    value = yield from read_object(tag, 2)
    return None if value is None else int.from_bytes(value, "big")


def read_object(tag: int, length: int) -> Kernel[bytes | None]:
    """Return an object by GET DATA; None if the card does not give it, or not so long.

    Source: Book 3, 6.5.7.
    """
    reply = yield from exchange(get_data(tag))
    if reply.status != STATUS_OK:
        return None
    try:
        nodes = tlv.decode(reply.data)
    except MalformedData:
        return None
    if [node.tag for node in nodes] != [tag] or len(nodes[0].value) != length:
        return None
    return nodes[0].value
