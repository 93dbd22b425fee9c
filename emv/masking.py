"""Hides card data in what people and files get to see.

Values stay where they are: only their printed form has stars in it. A
card number keeps its first six and last four digits.
Source: PCI DSS 4.0, 3.3 and 3.4.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from emv import tags, tlv
from emv.tags import Format

PAN_DIGITS_MIN = 13
PAN_DIGITS_MAX = 19
NAMED_DIGITS_MIN = 8
"""Of a number that a card itself calls its own. Source: ISO/IEC 7812-1, 4."""
SHOWN_FIRST = 6
SHOWN_LAST = 4

_PAN_TAGS = frozenset({tags.TAG_5A_PAN})
_TRACK_2_TAGS = frozenset({tags.TAG_57_TRACK_2_EQUIVALENT_DATA, tags.TAG_9F6B_TRACK_2_DATA})
_HIDDEN_TAGS = frozenset(
    {
        tags.TAG_56_TRACK_1_DATA,
        tags.TAG_5F20_CARDHOLDER_NAME,
        tags.TAG_5F53_IBAN,
        tags.TAG_99_TRANSACTION_PIN_DATA,
        tags.TAG_9F0B_CARDHOLDER_NAME_EXTENDED,
        tags.TAG_9F1F_TRACK_1_DISCRETIONARY_DATA,
        tags.TAG_9F20_TRACK_2_DISCRETIONARY_DATA,
        # The data storage identifier is the card number and its sequence number.
        tags.TAG_9F5E_DS_ID,
        tags.TAG_9F60_CVC3_TRACK_1,
        tags.TAG_9F61_CVC3_TRACK_2,
        tags.TAG_DF812A_DD_CARD_TRACK_1,
        tags.TAG_DF812B_DD_CARD_TRACK_2,
    }
)
CARD_DATA_TAGS = _PAN_TAGS | _TRACK_2_TAGS | _HIDDEN_TAGS
"""Tags whose values are card data whatever they hold."""

_DIGIT_RUN = re.compile(r"[0-9]{13,}")
_SPACED_RUN = re.compile(r"[0-9](?:[ -]?[0-9]){12,}")
_FIRST_DIGITS = "2345689"  # What card numbers of the schemes begin with.


Show = Callable[[tlv.Node], str]
"""An object to its value's hex digits, with a star for each that must not be seen."""


def openly(node: tlv.Node) -> str:
    """Return a value as hex digits, nothing hidden: for test cards only."""
    return node.value.hex().upper()


def with_pans_hidden(pans: Iterable[str]) -> Show:
    """Return what shows values masked, these card numbers hidden in all of them."""
    known = frozenset(pans)
    return lambda node: masked_hex(node.tag, node.value, known)


def as_masked_before(data: bytes, digits: str) -> Show:
    """Return what shows the values of data objects as hex digits that have stars already.

    data: the objects, with anything in the place of a star.
    """

    def show(node: tlv.Node) -> str:
        begin = tlv.value_offset(data, node)
        return digits[2 * begin : 2 * (begin + len(node.value))]

    return show


def mask_pan(pan: str) -> str:
    """Return a card number with its middle starred, or starred throughout.

    One of fewer than 13 digits, or that is no number, shows nothing.
    """
    if len(pan) < PAN_DIGITS_MIN or not (pan.isascii() and pan.isdigit()):
        return "*" * len(pan)
    return pan[:SHOWN_FIRST] + "*" * (len(pan) - SHOWN_FIRST - SHOWN_LAST) + pan[-SHOWN_LAST:]


def pans_in(nodes: Iterable[tlv.Node]) -> frozenset[str]:
    """Return the card numbers that the objects of a tree name openly."""
    found = set()
    for node in tlv.walk(nodes):
        if node.tag in _PAN_TAGS or node.tag in _TRACK_2_TAGS:
            digits = re.match(r"[0-9]*", node.value.hex())
        elif node.tag == tags.TAG_56_TRACK_1_DATA:
            digits = _DIGIT_RUN.search(node.value.decode("latin-1"))
        else:
            continue
        if digits and len(digits[0]) >= NAMED_DIGITS_MIN:
            found.add(digits[0])
    return frozenset(found)


def masked_hex(tag: int, value: bytes, pans: Iterable[str] = ()) -> str:
    """Return a value as hex digits, a star for each that must not be seen.

    pans: card numbers known from elsewhere, hidden wherever they appear.
    In an object that is no card data by its tag, anything that could be a
    card number is hidden too, packed or as text: a PIN pad, a scheme or
    an issuer may put one where no dictionary says so.
    """
    digits = value.hex().upper()
    if tag in _HIDDEN_TAGS:
        return "*" * len(digits)
    if tag in _PAN_TAGS:
        return mask_pan(digits.rstrip("F")).ljust(len(digits), "F")
    if tag in _TRACK_2_TAGS:
        pan, separator, rest = digits.partition("D")
        return mask_pan(pan) + separator + "*" * len(rest)
    hidden = bytearray(len(digits))
    if not _is_text(tag, value):
        _hide_packed(digits, hidden)
    _hide_text(value, hidden)
    for pan in pans:
        _hide_known(pan, digits, value, hidden)
    return "".join("*" if hide else digit for digit, hide in zip(digits, hidden, strict=True))


def shown_objects(data: bytes, show: Show) -> str:
    """Return data objects as they stand, in hex digits, each value as it may be shown.

    Raises MalformedData if the bytes are none: nothing of them should be shown then.
    """
    digits = data.hex().upper()
    shown, end = [], 0
    for node in tlv.walk(tlv.decode(data)):
        if node.children is None:
            begin = 2 * tlv.value_offset(data, node)
            shown += [digits[end:begin], show(node)]
            end = begin + 2 * len(node.value)
    return "".join(shown) + digits[end:]


def masked_text(masked: str) -> str:
    """Return the text behind hex digits with stars; a star for each hidden byte."""
    pairs = (masked[at : at + 2] for at in range(0, len(masked), 2))
    return "".join("*" if "*" in pair else chr(int(pair, 16)) for pair in pairs)


def passes_luhn(digits: str) -> bool:
    """Return whether the last digit is the check digit of the others.

    Source: ISO/IEC 7812-1, Annex B.
    """
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def _is_text(tag: int, value: bytes) -> bool:
    """True for the characters of an object that holds characters: no two are digits of one byte."""
    reading = tags.meaning(tag)
    is_worded = reading is not None and reading.format in (Format.A, Format.AN, Format.ANS)
    return is_worded and value.isascii() and value.decode("ascii").isprintable()


def _hide(hidden: bytearray, begin: int, end: int) -> None:
    """Hide the middle of a card number that stands at these hex digits; a short one whole."""
    if end - begin >= PAN_DIGITS_MIN:
        begin, end = begin + SHOWN_FIRST, end - SHOWN_LAST
    for at in range(begin, end):
        hidden[at] = 1


def _hide_packed(digits: str, hidden: bytearray) -> None:
    """Hide what could be a card number of two digits a byte.

    That is a whole run of digits, or a stretch of one that fills bytes,
    with a pad of F where its digits are odd in number.
    """
    for run in _DIGIT_RUN.finditer(digits):
        begin, end = run.span()
        if end - begin <= PAN_DIGITS_MAX and passes_luhn(run[0]) and run[0].strip("0"):
            _hide(hidden, begin, end)
        for start in range(begin + begin % 2, end - PAN_DIGITS_MIN + 1, 2):
            if digits[start] not in _FIRST_DIGITS:
                continue
            for stop in range(start + PAN_DIGITS_MIN, min(start + PAN_DIGITS_MAX, end) + 1):
                fills_bytes = stop % 2 == 0 or digits[stop : stop + 1] == "F"
                if fills_bytes and passes_luhn(digits[start:stop]):
                    _hide(hidden, start, stop)


def _hide_text(value: bytes, hidden: bytearray) -> None:
    """Hide what could be a card number in characters, spaces and hyphens in it."""
    text = value.decode("latin-1")
    for run in _SPACED_RUN.finditer(text):
        places = [at for at in range(*run.span()) if text[at] in "0123456789"]
        digits = "".join(text[at] for at in places)
        for start in range(len(places) - PAN_DIGITS_MIN + 1):
            for stop in range(start + PAN_DIGITS_MIN, min(start + PAN_DIGITS_MAX, len(digits)) + 1):
                if digits[start] in _FIRST_DIGITS and passes_luhn(digits[start:stop]):
                    _hide_characters(hidden, places[start:stop])


def _hide_characters(hidden: bytearray, places: list[int]) -> None:
    """Hide the middle of a card number whose digits are these bytes; a short one whole."""
    middle = places[SHOWN_FIRST:-SHOWN_LAST] if len(places) >= PAN_DIGITS_MIN else places
    for at in middle:
        hidden[2 * at] = hidden[2 * at + 1] = 1


def _hide_known(pan: str, digits: str, value: bytes, hidden: bytearray) -> None:
    """Hide a card number wherever it stands, packed or in characters."""
    at = digits.find(pan)
    while at >= 0:
        _hide(hidden, at, at + len(pan))
        at = digits.find(pan, at + 1)
    at = value.find(pan.encode())
    while at >= 0:
        _hide_characters(hidden, list(range(at, at + len(pan))))
        at = value.find(pan.encode(), at + 1)
