"""Mending QR codes: held to codes that the library qrcode makes."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qrcode import base
from qrcode.main import QRCode

from drivers import qr_words
from drivers.qr_words import MARGIN, SIZES, corrected, fixed_modules, mended

if TYPE_CHECKING:
    from drivers.qr_words import Floats, Modules

LEVELS = [1, 0, 3, 2]
"""L, M, Q and H, as qrcode counts them."""


def made(version: int, level: int, mask: int, text: str) -> Modules:
    code = QRCode(version=version, error_correction=LEVELS[level], border=0, mask_pattern=mask)
    code.add_data(text)
    code.make(fit=False)
    return ~numpy.array(code.get_matrix(), bool)


def no_doubt(code: Modules) -> Floats:
    return numpy.zeros(code.shape)


codes = st.builds(
    made,
    st.integers(1, 10),
    st.integers(0, 3),
    st.integers(0, 7),
    st.text("0123456789", min_size=5, max_size=17),
)


@settings(max_examples=60, deadline=None)
@given(codes)
def test_a_whole_code_stays_as_it_is(code: Modules) -> None:
    """So patterns, places, masks, formats and blocks are as another author has them."""
    whole = mended(code, no_doubt(code))
    assert whole is not None
    assert (whole == code).all()
    fixed = fixed_modules(len(code))
    is_fixed = ~numpy.isnan(fixed)
    assert ((fixed == 1) == code)[is_fixed].all()


@settings(max_examples=60, deadline=None)
@given(codes, st.integers(0, 2**32))
def test_what_is_covered_and_known_to_be_is_mended(code: Modules, seed: int) -> None:
    """Rubbish over finder patterns and timing, and a patch of data that is marked."""
    damaged, doubt = code.copy(), no_doubt(code)
    noise = numpy.random.default_rng(seed)
    damaged[:7, :7] = noise.random((7, 7)) < 0.5
    damaged[6, 8:-8] = True
    row, column = noise.integers(9, len(code) - 3, 2)
    damaged[row : row + 3, column : column + 3] ^= True
    doubt[row : row + 3, column : column + 3] = 1
    whole = mended(damaged, doubt)
    assert whole is not None
    assert (whole == code).all()


def test_knowing_where_a_code_is_covered_mends_twice_as_much() -> None:
    code = made(1, 0, 3, "https://shop.eu")
    damaged = code.copy()
    damaged[9:13, 19:21] ^= True
    damaged[17:21, 11:13] ^= True
    damaged[17:21, 13:15] ^= True
    assert mended(damaged, no_doubt(code)) is None
    whole = mended(damaged, (damaged != code).astype(float))
    assert whole is not None
    assert (whole == code).all()


def test_the_padding_of_a_wallets_code_is_known_however_much_of_it_is_covered() -> None:
    """More codewords are covered than check codewords could stand for."""
    code = made(1, 0, 3, "281234567890123456")
    damaged = code.copy()
    # The ends of the code's rows, where padding is, and some of its digits.
    damaged[7:15, 9:12] ^= True
    damaged[9:11, 19:21] ^= True
    doubt = (damaged != code).astype(float)
    whole = mended(damaged, doubt)
    assert whole is not None
    assert (whole == code).all()
    other = made(1, 0, 3, "https://shop.eu")
    damaged = other.copy()
    damaged[7:15, 9:12] ^= True
    damaged[9:11, 19:21] ^= True
    assert mended(damaged, (damaged != other).astype(float)) is None


@settings(max_examples=60, deadline=None)
@given(codes, st.integers(0, 2**32), st.floats(0, 0.1), st.booleans())
def test_a_damaged_code_is_mended_right_or_not_at_all(
    code: Modules, seed: int, wrong: float, is_known: bool
) -> None:
    """A patch of any size and single modules, marked as doubtful or not."""
    noise = numpy.random.default_rng(seed)
    damaged, doubt = code ^ (noise.random(code.shape) < wrong), noise.random(code.shape) / 10
    row, column = noise.integers(0, len(code), 2)
    patch = slice(row, row + noise.integers(1, 12)), slice(column, column + noise.integers(1, 12))
    damaged[patch] = noise.random() < 0.5
    doubt[patch] += is_known
    whole = mended(damaged, doubt)
    assert whole is None or (whole == code).all()


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(SIZES), st.integers(0, 2**32))
def test_noise_is_mended_into_nothing(size: int, seed: int) -> None:
    """However much of it is called doubtful."""
    noise = numpy.random.default_rng(seed)
    assert mended(noise.random((size, size)) < 0.5, noise.random((size, size))) is None


@settings(max_examples=100, deadline=None)
@given(st.integers(7, 30), st.integers(1, 80), st.integers(0, 2**32))
def test_errors_and_erasures_are_corrected_up_to_the_bound(
    check: int, data: int, seed: int
) -> None:
    """Codewords made by qrcode's own polynomials."""
    chance = random.Random(seed)
    message = [chance.randrange(256) for _ in range(data)]
    generator = base.Polynomial([1], 0)
    for power in range(check):
        generator = generator * base.Polynomial([1, base.gexp(power)], 0)
    remainder = base.Polynomial([1, *message], check) % generator
    tail = [remainder[at] for at in range(len(remainder))]
    word = [1, *message, *[0] * (check - len(tail)), *tail]
    erasures = chance.randint(0, min(check, len(word)))
    errors = min((check - erasures) // 2, len(word) - erasures)
    places = chance.sample(range(len(word)), erasures + errors)
    damaged = list(word)
    for place in places:
        damaged[place] ^= chance.randrange(1, 256)
    assert corrected(damaged, check, places[:erasures]) == word


def test_the_tables_are_those_of_another_author() -> None:
    for version, size in enumerate(SIZES, 1):
        for level in range(4):
            check, blocks = qr_words._BLOCKS[size][level]
            theirs = base.rs_blocks(version, LEVELS[level])
            assert [block.total_count - block.data_count for block in theirs] == [check] * blocks


@pytest.mark.parametrize("level", range(4))
def test_some_check_codewords_are_always_left_over(level: int) -> None:
    """As many doubtful codewords as could be filled in are too many."""
    code = made(1, level, 0, "28123")
    damaged = code.copy()
    damaged[9:, 9:] ^= True
    assert MARGIN > 0
    assert mended(damaged, (damaged != code).astype(float)) is None
