"""The data elements of ISO 8583:1987 as data, and two ways to write them.

Values are text: digits, letters, and upper-case hex where a field is binary.
Source: ISO 8583:1987; which digits fill an odd one up, Q/CUP 009.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, NamedTuple

Specification = Mapping[str, Mapping[str, Any]]
"""What the codec library takes."""


class Kind(enum.Enum):
    """What a field holds."""

    DIGITS = "n"
    TEXT = "ans"
    TRACK = "z"
    """Digits with a D between card number and expiry."""
    BINARY = "b"


class Encoding(enum.Enum):
    """How a message is written."""

    BCD = "bcd"
    """Two digits in a byte, a binary bitmap."""
    ASCII = "ascii"
    """A letter for each digit, the bitmap in hexadecimal letters."""


class Field(NamedTuple):
    """One data element."""

    kind: Kind
    length: int
    """Digits, letters or bytes: exactly, or at most where it has a length field."""
    length_digits: int = 0
    """0 for a fixed length, 2 for LL, 3 for LLL."""
    is_filled_left: bool = False
    """In BCD, an odd one is filled up with a zero in front instead of behind."""


PAN = 2
PROCESSING_CODE = 3
AMOUNT = 4
STAN = 11
TIME = 12
DATE = 13
EXPIRY = 14
ENTRY_MODE = 22
PAN_SEQUENCE = 23
NETWORK = 24
CONDITION = 25
TRACK_2 = 35
REFERENCE = 37
AUTHORISATION = 38
RESPONSE = 39
TERMINAL = 41
MERCHANT = 42
TOTALS = 48
CURRENCY = 49
PIN_BLOCK = 52
CHIP = 55
BATCH = 60
ORIGINAL = 61
KEYS = 62
OPERATOR = 63
MAC = 64
NETWORK_FUNCTION = 70
ORIGINAL_ELEMENTS = 90
MAC_2 = 128

_DIGITS, _TEXT, _TRACK, _BINARY = Kind.DIGITS, Kind.TEXT, Kind.TRACK, Kind.BINARY

FIELDS: Mapping[int, Field] = {
    PAN: Field(_DIGITS, 19, 2),
    PROCESSING_CODE: Field(_DIGITS, 6),
    AMOUNT: Field(_DIGITS, 12),
    7: Field(_DIGITS, 10),
    STAN: Field(_DIGITS, 6),
    TIME: Field(_DIGITS, 6),
    DATE: Field(_DIGITS, 4),
    EXPIRY: Field(_DIGITS, 4),
    15: Field(_DIGITS, 4),
    ENTRY_MODE: Field(_DIGITS, 3),
    PAN_SEQUENCE: Field(_DIGITS, 3, is_filled_left=True),
    NETWORK: Field(_DIGITS, 3, is_filled_left=True),
    CONDITION: Field(_DIGITS, 2),
    32: Field(_DIGITS, 11, 2),
    TRACK_2: Field(_TRACK, 37, 2),
    REFERENCE: Field(_TEXT, 12),
    AUTHORISATION: Field(_TEXT, 6),
    RESPONSE: Field(_TEXT, 2),
    TERMINAL: Field(_TEXT, 8),
    MERCHANT: Field(_TEXT, 15),
    44: Field(_TEXT, 25, 2),
    TOTALS: Field(_DIGITS, 999, 3),
    CURRENCY: Field(_TEXT, 3),
    PIN_BLOCK: Field(_BINARY, 8),
    53: Field(_DIGITS, 16),
    54: Field(_TEXT, 240, 3),
    CHIP: Field(_BINARY, 255, 3),
    BATCH: Field(_DIGITS, 19, 3),
    ORIGINAL: Field(_DIGITS, 29, 3),
    KEYS: Field(_TEXT, 999, 3),
    OPERATOR: Field(_TEXT, 163, 3),
    MAC: Field(_BINARY, 8),
    NETWORK_FUNCTION: Field(_DIGITS, 3, is_filled_left=True),
    ORIGINAL_ELEMENTS: Field(_DIGITS, 42),
    MAC_2: Field(_BINARY, 8),
}

_NOTHING = {"data_enc": "ascii", "len_enc": "ascii", "len_type": 0, "max_len": 0, "desc": ""}


def specification(encoding: Encoding) -> Specification:
    """Return the field table as the codec library takes it."""
    write = _in_bcd if encoding is Encoding.BCD else _in_ascii
    fixed_digits = Field(_DIGITS, 4)
    bitmap = Field(_BINARY, 8) if encoding is Encoding.BCD else Field(_TEXT, 16)
    written = {
        "h": dict(_NOTHING),
        "t": write(fixed_digits),
        "p": write(bitmap),
        "1": write(bitmap),
    }
    # The library wants to know every number; a field of ours that is not in
    # the table has no length, and one that comes is refused.
    written |= {str(number): dict(_NOTHING) for number in range(2, 129)}
    written |= {str(number): write(field) for number, field in FIELDS.items()}
    return written


def _in_bcd(field: Field) -> dict[str, Any]:
    is_packed = field.kind in (Kind.DIGITS, Kind.TRACK)
    written: dict[str, Any] = {
        "data_enc": "ascii" if field.kind is Kind.TEXT else "b",
        "len_enc": "bcd",
        "len_type": (field.length_digits + 1) // 2,
        "len_count": "nibbles" if is_packed else "bytes",
        "max_len": field.length,
        "desc": "",
    }
    if is_packed:
        written["left_pad" if field.is_filled_left else "right_pad"] = "0"
    return written


def _in_ascii(field: Field) -> dict[str, Any]:
    return {
        "data_enc": "b" if field.kind is Kind.BINARY else "ascii",
        "len_enc": "ascii",
        "len_type": field.length_digits,
        "max_len": field.length,
        "desc": "",
    }
