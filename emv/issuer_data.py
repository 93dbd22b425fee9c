"""Issuer Application Data, tag 9F10, in words: whose format, and what the card found.

The issuer's own field: a terminal carries it and decides nothing by it.
Which format it is shows in its shape alone.
Source: public descriptions of VIS 1.6, M/Chip 4 and JR/T 0025; EMV 4.4
Book 3, Annex C7, for the common core definitions, which kernel 8's cards follow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

VISA_LENGTH = 0x06
VISA_LONG_LENGTH = 0x1F
UNIONPAY_LENGTH = 0x07
CORE_LENGTH = 0x0F
RESULTS_LENGTH = 0x03
"""Of Visa's and UnionPay's card verification results, behind their own length byte."""

_CORE_ALGORITHMS = {0xA5: "triple DES", 0xA6: "AES"}
_MCHIP_KEYS = {
    0: "own session key, no counters",
    1: "own session key, counters",
    4: "common session key, no counters",
    5: "common session key, counters",
}
"""Cryptogram version 1x: which key, and what of the counters the cryptogram covers."""

_FIRST = {0: "AAC", 1: "TC", 2: "ARQC", 3: "RFU"}
_SECOND = {0: "AAC", 1: "TC", 2: "none asked for", 3: "RFU"}

_VISA_RESULTS: Mapping[int, str] = {
    0x08_00_00: "issuer authentication performed and failed",
    0x04_00_00: "offline PIN verification performed",
    0x02_00_00: "offline PIN verification failed",
    0x01_00_00: "unable to go online",
    0x80_00: "last online transaction not completed",
    0x40_00: "PIN try limit exceeded",
    0x20_00: "velocity checking counters exceeded",
    0x10_00: "new card",
    0x08_00: "issuer authentication failed on last online transaction",
    0x04_00: "issuer authentication not performed after online authorisation",
    0x02_00: "application blocked: PIN try limit exceeded",
    0x01_00: "SDA failed on last transaction, declined offline",
    0x08: "issuer script failed on last transaction",
    0x04: "DDA failed on last transaction, declined offline",
    0x02: "DDA performed",
    0x01: "PIN verification not received, and one was expected",
}
_MCHIP_RESULTS: Mapping[int, str] = {
    0x04_00_00_00_00_00: "offline PIN verification performed",
    0x02_00_00_00_00_00: "offline PIN was enciphered",
    0x01_00_00_00_00_00: "offline PIN verification successful",
    0x80_00_00_00_00: "DDA returned",
    0x40_00_00_00_00: "CDA returned in first GENERATE AC",
    0x20_00_00_00_00: "CDA returned in second GENERATE AC",
    0x10_00_00_00_00: "issuer authentication performed",
    0x08_00_00_00_00: "default card action code skipped on CAT3",
    0x40_00_00: "unable to go online",
    0x20_00_00: "offline PIN verification not performed",
    0x10_00_00: "offline PIN verification failed",
    0x08_00_00: "PIN try limit exceeded",
    0x04_00_00: "international transaction",
    0x02_00_00: "domestic transaction",
    0x01_00_00: "terminal wrongly takes the offline PIN for verified",
    0x80_00: "lower consecutive offline limit exceeded",
    0x40_00: "upper consecutive offline limit exceeded",
    0x20_00: "lower cumulative offline limit exceeded",
    0x10_00: "upper cumulative offline limit exceeded",
    0x08_00: "go online on next transaction was set",
    0x04_00: "issuer authentication failed",
    0x02_00: "script received",
    0x01_00: "script failed",
    0x02: "match found in additional check table",
    0x01: "no match found in additional check table",
}
_CORE_RESULTS: Mapping[int, str] = {
    0x08_00_00_00_00: "CDA performed",
    0x04_00_00_00_00: "offline DDA performed",
    0x02_00_00_00_00: "issuer authentication not performed",
    0x01_00_00_00_00: "issuer authentication performed and failed",
    0x08_00_00_00: "offline PIN verification performed",
    0x04_00_00_00: "offline PIN verification failed",
    0x02_00_00_00: "PIN try limit exceeded",
    0x01_00_00_00: "last online transaction not completed",
    0x80_00_00: "lower offline transaction count limit exceeded",
    0x40_00_00: "upper offline transaction count limit exceeded",
    0x20_00_00: "lower cumulative offline amount limit exceeded",
    0x10_00_00: "upper cumulative offline amount limit exceeded",
    0x08_00: "issuer script failed on last transaction",
    0x04_00: "offline data authentication failed on last transaction, declined offline",
    0x02_00: "go online on next transaction was set",
    0x01_00: "unable to go online",
}


@dataclass(frozen=True, slots=True)
class _Format:
    """One way to write the field: when a value is of it, and its lines."""

    fits: Callable[[bytes], bool]
    lines: Callable[[bytes], list[str]]


def describe(data: bytes) -> list[str]:
    """Return a line for each thing the field says; one line for an unknown format."""
    for known in _FORMATS:
        if known.fits(data):
            return known.lines(data)
    return ["format unknown: the issuer's own"]


def _is_short(length: int) -> Callable[[bytes], bool]:
    return lambda data: len(data) >= 7 and data[0] == length and data[3] == RESULTS_LENGTH


def _is_visa_long(data: bytes) -> bool:
    return len(data) == 32 and data[0] == VISA_LONG_LENGTH


def _is_core(data: bytes) -> bool:
    is_whole = len(data) == 32 and data[16] == CORE_LENGTH
    return is_whole and data[0] == CORE_LENGTH and data[1] in _CORE_ALGORITHMS


def _is_mchip(data: bytes) -> bool:
    return len(data) in (8, 18, 20, 26, 28) and data[1] >> 4 == 1


def _visa(data: bytes) -> list[str]:
    return [f"Visa, cryptogram version {data[2]}, key index {data[1]:02X}", *_short_results(data)]


def _unionpay(data: bytes) -> list[str]:
    lines = [f"UnionPay, cryptogram version {data[2]:02X}, key index {data[1]:02X}"]
    return [*lines, *_short_results(data)]


def _short_results(data: bytes) -> list[str]:
    """Return the card verification results that VIS, and JR/T 0025 after it, have."""
    results = int.from_bytes(data[3:7], "big")
    lines = [*_cryptograms(data[4]), *_bits(results, 4, _VISA_RESULTS)]
    if results >> 4 & 0x0F:
        lines.append(f"{results >> 4 & 0x0F} issuer script commands on last transaction")
    if len(data) > 7:
        lines.append(f"issuer discretionary data: {len(data) - 7} bytes")
    return lines


def _visa_long(data: bytes) -> list[str]:
    return [
        f"Visa, format 2, cryptogram version {data[1]:02X}, key index {data[2]:02X}",
        f"card verification results: {data[3:8].hex().upper()}",
    ]


def _mchip(data: bytes) -> list[str]:
    key = _MCHIP_KEYS.get(data[1] & 0x0F, "key and counters not known here")
    results = int.from_bytes(data[2:8], "big")
    lines = [
        f"M/Chip, cryptogram version {data[1]:02X} ({key}), key index {data[0]:02X}",
        *_cryptograms(data[2]),
        *_bits(results, 6, _MCHIP_RESULTS),
        f"script counter {data[4] >> 4}, PIN try counter {data[4] & 0x0F} (right nibbles)",
    ]
    if len(data) > 8:
        lines.append(f"data authentication code or ICC dynamic number: {data[8:10].hex().upper()}")
    if len(data) > 10:
        lines.append(f"counters: {len(data) - 10} bytes")
    return lines


def _core(data: bytes) -> list[str]:
    results = int.from_bytes(data[3:8], "big")
    lines = [
        f"common core, {_CORE_ALGORITHMS[data[1]]} ({data[1]:02X}), key index {data[2]:02X}",
        *_cryptograms(data[3]),
        *_bits(results, 5, _CORE_RESULTS),
        f"PIN try counter {data[4] >> 4} (right nibble)",
    ]
    if data[6] >> 4:
        lines.append(f"{data[6] >> 4} issuer script commands on last transaction")
    return lines


def _cryptograms(results: int) -> list[str]:
    """Return which cryptograms were given; all formats have the same four bits."""
    return [
        f"first cryptogram: {_FIRST[results >> 4 & 3]}",
        f"second cryptogram: {_SECOND[results >> 6]}",
    ]


def _bits(results: int, size: int, labels: Mapping[int, str]) -> list[str]:
    """Return a line for each bit that is set and has a meaning."""
    lines = []
    for bit, label in labels.items():
        if results & bit:
            place = 8 * size - bit.bit_length()
            lines.append(f"CVR byte {place // 8 + 1} bit {8 - place % 8}: {label}")
    return lines


_FORMATS = (
    _Format(_is_short(VISA_LENGTH), _visa),
    _Format(_is_short(UNIONPAY_LENGTH), _unionpay),
    _Format(_is_visa_long, _visa_long),
    _Format(_is_core, _core),
    _Format(_is_mchip, _mchip),
)
"""In this order: M/Chip's field begins with any key index at all."""
