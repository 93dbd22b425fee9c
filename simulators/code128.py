"""Draws Code 128, the bar code that wallets show beside their QR code.

Source: ISO/IEC 15417, 4.3: code sets B and C, and the check character.
"""

from __future__ import annotations

from collections.abc import Iterator

# Bar and space widths in modules: six for each character value, 103-105 start.
_WIDTHS = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 "
    "112232 122132 122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 "
    "311222 321122 321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 "
    "112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 "
    "313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 "
    "314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 112412 122114 "
    "122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212 "
    "124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 "
    "114311 411113 411311 113141 114131 311141 411131 211412 211214 211232"
)
_STOP_WIDTHS = "2331112"
_CODE_C, _CODE_B, _START_B, _START_C = 99, 100, 104, 105


def modules(text: str) -> list[bool]:
    """Return the symbol as modules, True for a bar, without its quiet zone.

    text: printable ASCII; runs of digits are packed two to a character.
    Raises ValueError for anything else, and for an empty text.
    """
    if not text or not all(" " <= character <= "~" for character in text):
        raise ValueError("Code 128 is drawn for printable ASCII only")
    values = list(_values(text))
    check = (values[0] + sum(place * value for place, value in enumerate(values))) % 103
    widths = "".join(_WIDTHS[7 * value : 7 * value + 6] for value in (*values, check))
    return [
        index % 2 == 0
        for index, width in enumerate(widths + _STOP_WIDTHS)
        for _ in range(int(width))
    ]


def _values(text: str) -> Iterator[int]:
    """Yield the character values: a start, then set C for runs of four digits or more."""
    in_c = _digits_at(text, 0) >= 4 or (len(text) == 2 and text.isdecimal())
    yield _START_C if in_c else _START_B
    place = 0
    while place < len(text):
        run = _digits_at(text, place)
        # An odd run gives its first digit to set B, so that pairs end it.
        if in_c != (run >= (2 if in_c else 4)) and (in_c or run % 2 == 0):
            in_c = not in_c
            yield _CODE_C if in_c else _CODE_B
        if in_c:
            yield int(text[place : place + 2])
            place += 2
        else:
            yield ord(text[place]) - 32
            place += 1


def _digits_at(text: str, place: int) -> int:
    end = place
    while end < len(text) and text[end] in "0123456789":
        end += 1
    return end - place
