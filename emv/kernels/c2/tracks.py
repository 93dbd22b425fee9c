"""Where the digits of a dynamic magnetic stripe go. Pure: digits in, a track out.

Source: EMV Contactless Book C-2 before version 2.12, magnetic stripe mode.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from emv.errors import MalformedData

NUMBER_DIGITS_MAX = 8
CODE_DIGITS = 5  # 65535, the largest CVC3.
COUNTER_DIGITS = 5
EXPIRY_AND_SERVICE = 7
"""Digits between the separator and the discretionary data."""


@dataclass(frozen=True, slots=True)
class Stripe:
    """One track as the card stores it, and the maps of its discretionary data.

    In a map the lowest bit is the last digit.
    """

    data: bytes = field(repr=False)
    code_map: int
    """PCVC3: the digits that the code goes to."""
    number_map: int
    """PUNATC: the digits that number and counter go to."""
    counter_digits: int
    """NATC: how many of those are the counter's."""

    def __post_init__(self) -> None:
        """Raise MalformedData if the maps leave no sensible length for the number."""
        if not 0 <= self.number_digits <= NUMBER_DIGITS_MAX:
            raise MalformedData(f"a stripe wants a number of {self.number_digits} digits")
        if self.code_map.bit_count() > CODE_DIGITS or self.counter_digits > COUNTER_DIGITS:
            raise MalformedData("a stripe wants more digits than code or counter have")

    @property
    def number_digits(self) -> int:
        """nUN: how many digits of the unpredictable number the track takes."""
        return self.number_map.bit_count() - self.counter_digits


def unpredictable_digits(random: bytes, count: int) -> str:
    """Return an unpredictable number of eight digits, the leading ones zero.

    count: how many of them count.
    """
    return f"{int.from_bytes(random, 'big') % 10**count:0{NUMBER_DIGITS_MAX}d}"


def filled_track_2(stripe: Stripe, code: int, number: str, counter: int, last: int) -> bytes:
    """Return track 2 with this payment's digits in it.

    code: CVC3. number: eight digits. last: what the last digit tells.
    Raises MalformedData for a track that is none, or too short for its maps.
    """
    text = stripe.data.hex().upper().rstrip("F")
    head, separator, rest = text.partition("D")
    if not separator or not (head + rest).isdecimal() or len(rest) <= EXPIRY_AND_SERVICE:
        raise MalformedData("tag 9F6B is no track 2")
    fixed, free = rest[:EXPIRY_AND_SERVICE], rest[EXPIRY_AND_SERVICE:]
    filled = head + separator + fixed + _filled(free, stripe, code, number, counter, last)
    return bytes.fromhex(filled + "F" * (len(filled) % 2))


def filled_track_1(stripe: Stripe, code: int, number: str, counter: int, last: int) -> bytes:
    """Return track 1 with this payment's digits in it; as filled_track_2."""
    parts = stripe.data.decode("ascii", "replace").split("^")
    if len(parts) != 3 or len(parts[2]) <= EXPIRY_AND_SERVICE or not stripe.data.isascii():
        raise MalformedData("tag 56 is no track 1")
    fixed, free = parts[2][:EXPIRY_AND_SERVICE], parts[2][EXPIRY_AND_SERVICE:]
    parts[2] = fixed + _filled(free, stripe, code, number, counter, last)
    return "^".join(parts).encode("ascii")


def _filled(free: str, stripe: Stripe, code: int, number: str, counter: int, last: int) -> str:
    """Write code, counter, number and the last digit into discretionary data."""
    digits = list(free)
    if max(stripe.code_map, stripe.number_map).bit_length() > len(digits):
        raise MalformedData("a stripe's maps reach beyond its discretionary data")
    code_places = list(_places(stripe.code_map, len(digits)))
    for place, digit in zip(code_places, _right(code, len(code_places)), strict=True):
        digits[place] = digit
    # The counter takes the leftmost of its places, the number the others.
    places = list(_places(stripe.number_map, len(digits)))
    taken = _right(counter, stripe.counter_digits) + _right(int(number), stripe.number_digits)
    for place, digit in zip(places, taken, strict=True):
        digits[place] = digit
    digits[-1] = str(last)
    return "".join(digits)


def _places(map_: int, length: int) -> Iterator[int]:
    """Yield the places a map marks, from the left."""
    for bit in range(map_.bit_length() - 1, -1, -1):
        if map_ >> bit & 1:
            yield length - 1 - bit


def _right(value: int, count: int) -> str:
    """Return the rightmost digits of a number."""
    return f"{value % 10**count:0{count}d}" if count else ""
