"""Mends the modules of a damaged QR code, versions 1 to 10, knowing where it is doubtful.

Ordinary readers treat a finger or a logo over a code as errors. A codeword
that is known to be doubtful costs half as much: it is an erasure. What comes
out is a whole code, drawn again; reading it is left to the ordinary decoder.

Source: ISO/IEC 18004:2015, 6.3, 6.7 to 6.9, 7.4 to 7.9 and annexes A, C and D.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import numpy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Modules: TypeAlias = NDArray[numpy.bool_]
    """Square; true is light."""
    Floats: TypeAlias = NDArray[numpy.float64]

SIZES = range(21, 58, 4)
"""Modules along a side: versions 1 to 10. A payment code has at most version 9 or so."""
MARGIN = 2
"""Check codewords of a block that must be left over: without any, whatever is
seen could be mended into some code."""

WALLET_DIGITS = range(16, 25)
"""A wallet's code may have so many; then the padding behind them is known."""
SEEN_MIN = 6
"""So many of the codewords that are known must be seen before they are believed."""

_NUMERIC = 0b0001
"""Mode indicator. Source: table 2."""
_ALIGNED = {
    25: (18,), 29: (22,), 33: (26,), 37: (30,), 41: (34,),
    45: (6, 22, 38), 49: (6, 24, 42), 53: (6, 26, 46), 57: (6, 28, 50),
}  # fmt: skip
"""Middles of the alignment patterns, by size. Source: annex E."""

# Check codewords of a block, and blocks, for levels L, M, Q and H. Source: table 9.
_BLOCKS = {
    21: ((7, 1), (10, 1), (13, 1), (17, 1)),
    25: ((10, 1), (16, 1), (22, 1), (28, 1)),
    29: ((15, 1), (26, 1), (18, 2), (22, 2)),
    33: ((20, 1), (18, 2), (26, 2), (16, 4)),
    37: ((26, 1), (24, 2), (18, 4), (22, 4)),
    41: ((18, 2), (16, 4), (24, 4), (28, 4)),
    45: ((20, 2), (18, 4), (18, 6), (26, 5)),
    49: ((24, 2), (22, 4), (22, 6), (26, 6)),
    53: ((30, 2), (22, 5), (20, 8), (24, 8)),
    57: ((18, 4), (26, 5), (24, 8), (28, 8)),
}
_LEVELS = {0b01: 0, 0b00: 1, 0b11: 2, 0b10: 3}
"""Place in _BLOCKS by the two bits of the format information."""

_MASKS = (
    lambda row, column: (row + column) % 2,
    lambda row, _: row % 2,
    lambda _, column: column % 3,
    lambda row, column: (row + column) % 3,
    lambda row, column: (row // 2 + column // 3) % 2,
    lambda row, column: row * column % 2 + row * column % 3,
    lambda row, column: (row * column % 2 + row * column % 3) % 2,
    lambda row, column: ((row + column) % 2 + row * column % 3) % 2,
)
"""A module is inverted where this is 0. Source: table 10."""


@dataclass(frozen=True, slots=True)
class _Form:
    """What the format information says."""

    data: int
    """Five bits: level and mask."""
    check: int
    """Check codewords of a block."""
    blocks: int

    @property
    def mask(self) -> int:
        """Place in _MASKS."""
        return self.data & 7


def mended(modules: Modules, doubt: Floats) -> Modules | None:
    """Return the whole code that these modules are the remains of, or None.

    modules: as seen. doubt: how little each can be believed; only its order counts.
    """
    size = len(modules)
    order = _data_order(size)
    form = _form(modules)
    rows, columns = order.T
    inverted = numpy.array([_MASKS[form.mask](row, column) == 0 for row, column in order.tolist()])
    bits = ~modules[rows, columns] ^ inverted
    words = numpy.packbits(bits[: len(bits) // 8 * 8]).tolist()
    doubts = doubt[rows, columns][: 8 * len(words)].reshape(-1, 8).max(1)
    for places in _blocks(len(words), form):
        fixed = _mended_block([words[place] for place in places], form, doubts[places])
        if fixed is None:
            return None
        for place, word in zip(places, fixed, strict=True):
            words[place] = word
    whole = modules.copy()
    is_fixed = ~numpy.isnan(fixed_modules(size))
    whole[is_fixed] = fixed_modules(size)[is_fixed] == 1
    # The few bits that are left over are 0.
    bits[:] = False
    bits[: 8 * len(words)] = numpy.unpackbits(numpy.array(words, numpy.uint8))
    whole[rows, columns] = ~(bits ^ inverted)
    _write_form(whole, form)
    return whole


@cache
def fixed_modules(size: int) -> Floats:
    """Return what every code of this size has: 0 dark, 1 light, NaN free.

    Format information is free here, and is no data.
    """
    fixed = numpy.full((size, size), numpy.nan)
    timing = numpy.arange(size) % 2
    fixed[6], fixed[:, 6] = timing, timing
    middles = _ALIGNED.get(size, ())
    for row in middles:
        for column in middles:
            if 6 not in (row, column) or {row, column} - {6, middles[-1]}:
                fixed[row - 2 : row + 3, column - 2 : column + 3] = _ring(5, 1)
    last = size - 8
    finder = _ring(9, 2, 4)
    fixed[:8, :8], fixed[:8, last:], fixed[last:, :8] = (
        finder[1:, 1:],
        finder[1:, :8],
        finder[:8, 1:],
    )
    fixed[last, 8] = 0
    if size >= 45:
        version = (size - 17) // 4
        bits = version << 12 | _remainder(version, 12, 0x1F25)
        block = numpy.array([not bits >> place & 1 for place in range(18)], float).reshape(6, 3)
        fixed[:6, size - 11 : last], fixed[size - 11 : last, :6] = block, block.T
    return fixed


def _ring(size: int, *light: int) -> Floats:
    """Return a square of rings; those so many modules from the middle are light."""
    away = numpy.abs(numpy.arange(size) - size // 2)
    return numpy.isin(numpy.maximum(away[:, None], away[None, :]), light).astype(float)


@cache
def _form_places(size: int) -> tuple[NDArray[numpy.int64], NDArray[numpy.int64]]:
    """Return the two places of the format information, the last bit first. Source: 7.9.1."""
    down = [*range(6), 7, 8, *range(size - 7, size)]
    along = [*range(size - 1, size - 9, -1), 7, *range(5, -1, -1)]
    return (
        numpy.array([(row, 8) for row in down]),
        numpy.array([(8, column) for column in along]),
    )


@cache
def _data_order(size: int) -> NDArray[numpy.int64]:
    """Return row and column of every data module, in the order of the bits. Source: 7.7.3."""
    free = numpy.isnan(fixed_modules(size))
    for places in _form_places(size):
        free[tuple(places.T)] = False
    order = []
    rows = list(range(size))
    for right in (*range(size - 1, 6, -2), 5, 3, 1):
        rows.reverse()
        order += [
            (row, column) for row in rows for column in (right, right - 1) if free[row, column]
        ]
    return numpy.array(order)


# ---- format information ---------------------------------------------------------


def _remainder(value: int, check_bits: int, generator: int) -> int:
    """Return the check bits of a BCH code."""
    value <<= check_bits
    while value.bit_length() >= generator.bit_length():
        value ^= generator << value.bit_length() - generator.bit_length()
    return value


_FORMATS = [(data << 10 | _remainder(data, 10, 0x537)) ^ 0x5412 for data in range(32)]


def _form(modules: Modules) -> _Form:
    """Return the form whose bits are most like those at both places."""
    seen = [
        sum(int(not modules[row, column]) << place for place, (row, column) in enumerate(places))
        for places in _form_places(len(modules))
    ]
    data = min(
        range(32), key=lambda data: sum((_FORMATS[data] ^ bits).bit_count() for bits in seen)
    )
    check, blocks = _BLOCKS[len(modules)][_LEVELS[data >> 3]]
    return _Form(data, check, blocks)


def _write_form(modules: Modules, form: _Form) -> None:
    for places in _form_places(len(modules)):
        for place, (row, column) in enumerate(places):
            modules[row, column] = not _FORMATS[form.data] >> place & 1


# ---- blocks -----------------------------------------------------------------------


def _blocks(words: int, form: _Form) -> Iterator[list[int]]:
    """Yield the places of each block's codewords, data before check. Source: 7.6."""
    data = words - form.check * form.blocks
    shortest, longer = divmod(data, form.blocks)
    for block in range(form.blocks):
        places = [block + form.blocks * at for at in range(shortest)]
        late = block - (form.blocks - longer)
        if late >= 0:
            places.append(form.blocks * shortest + late)
        yield places + [data + block + form.blocks * at for at in range(form.check)]


def _mended_block(words: list[int], form: _Form, doubts: Floats) -> list[int] | None:
    """Return a block without its errors, giving up the fewest codewords that it takes."""
    fixed = _nearest(words, form.check, doubts)
    if fixed is not None or form.blocks > 1:
        return fixed
    for digits in WALLET_DIGITS:
        filling = _filling(digits, len(words) - form.check)
        places = list(filling)
        seen = sum(words[place] == word for place, word in filling.items())
        if seen < SEEN_MIN:
            continue
        filled, sure = list(words), doubts.copy()
        for place, word in filling.items():
            filled[place] = word
        sure[places] = -numpy.inf
        fixed = _nearest(filled, form.check, sure)
        if fixed is not None and (fixed[0] << 8 | fixed[1]) >> 2 == _NUMERIC << 10 | digits:
            return fixed
    return None


def _filling(digits: int, data: int) -> dict[int, int]:
    """Return the data codewords, by place, that so many digits always have. Source: 7.4.

    The first says what they are and nearly how many; padding fills the end.
    """
    bits = 14 + 10 * (digits // 3) + (0, 4, 7)[digits % 3]
    first = -(-(bits + 4) // 8)
    padding = {first + at: (0xEC, 0x11)[at % 2] for at in range(data - first)}
    return {0: (_NUMERIC << 10 | digits) >> 6, **padding}


def _nearest(words: list[int], check: int, doubts: Floats) -> list[int] | None:
    doubtful = numpy.argsort(-doubts, kind="stable").tolist()
    for given_up in range(check - MARGIN + 1):
        fixed = corrected(words, check, doubtful[:given_up])
        if fixed is not None:
            errors = sum(fixed[at] != words[at] for at in doubtful[given_up:])
            if 2 * errors + given_up <= check - MARGIN:
                return fixed
    return None


# ---- Reed-Solomon over GF(256), x^8 + x^4 + x^3 + x^2 + 1; source: 7.5.2 -----------

_EXP = [1]
for _ in range(509):
    _EXP.append(_EXP[-1] << 1 ^ (0x11D if _EXP[-1] & 0x80 else 0))
_LOG = {value: power for power, value in enumerate(_EXP[:255])}


def corrected(words: Sequence[int], check: int, erased: Sequence[int]) -> list[int] | None:
    """Return the codeword nearest to these words, or None if none is near enough.

    check: how many of them, at the end, are check codewords; it mends one
    erasure each, or one error for two. erased: places whose words are not known.
    Source: Blahut, Algebraic Codes for Data Transmission, 7.2 to 7.4.
    """
    syndromes = _syndromes(words, check)
    if not any(syndromes):
        return list(words)
    last = len(words) - 1
    known = [1]
    for place in erased:
        known = _product(known, [1, _EXP[last - place]])
    locator = _locator(syndromes, known, len(erased))
    wrong = [
        place
        for place in range(len(words))
        if not _value(locator, _EXP[255 - (last - place) % 255])
    ]
    if len(wrong) != len(locator) - 1 or 2 * len(wrong) - len(erased) > check:
        return None
    evaluator = _product(syndromes, locator)[:check]
    slope = [term if power % 2 == 0 else 0 for power, term in enumerate(locator[1:])]
    fixed = list(words)
    for place in wrong:
        at = (last - place) % 255
        inverse = _EXP[255 - at]
        size = _times(_EXP[at], _over(_value(evaluator, inverse), _value(slope, inverse)))
        fixed[place] ^= size
    return None if any(_syndromes(fixed, check)) else fixed


def _locator(syndromes: Sequence[int], known: list[int], erasures: int) -> list[int]:
    """Return the polynomial whose roots tell erasures and errors: Berlekamp and Massey."""
    locator, before, length = known, known, erasures
    for step in range(erasures, len(syndromes)):
        terms = locator[: step + 1]
        gap = 0
        for power, term in enumerate(terms):
            gap ^= _times(term, syndromes[step - power])
        before = [0, *before]
        if gap:
            better = _sum(locator, [_times(gap, term) for term in before])
            if 2 * length <= step + erasures:
                before = [_over(term, gap) for term in locator]
                length = step + 1 - length + erasures
            locator = better
    while len(locator) > 1 and not locator[-1]:
        locator = locator[:-1]
    return locator


def _syndromes(words: Sequence[int], check: int) -> list[int]:
    """Return the values at the generator's roots; the words' last is the constant."""
    backwards = words[::-1]
    return [_value(backwards, _EXP[power]) for power in range(check)]


def _times(a: int, b: int) -> int:
    return _EXP[_LOG[a] + _LOG[b]] if a and b else 0


def _over(a: int, b: int) -> int:
    return _EXP[_LOG[a] - _LOG[b] + 255] if a and b else 0


def _value(terms: Sequence[int], at: int) -> int:
    """Return a polynomial's value; its constant comes first."""
    value = 0
    for term in reversed(terms):
        value = _times(value, at) ^ term
    return value


def _sum(a: Sequence[int], b: Sequence[int]) -> list[int]:
    longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
    return [term ^ (shorter[at] if at < len(shorter) else 0) for at, term in enumerate(longer)]


def _product(a: Sequence[int], b: Sequence[int]) -> list[int]:
    product = [0] * (len(a) + len(b) - 1)
    for i, left in enumerate(a):
        for j, right in enumerate(b):
            product[i + j] ^= _times(left, right)
    return product
