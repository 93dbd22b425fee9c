"""Large words: each can be drawn, in both languages, on the narrowest screen."""

import pytest

from ui.locale import LANGUAGES, translate
from ui.screens.present import LARGE_WORDS
from ui.widgets.lettering import LETTERS, SIGNS, sign_pixels, word_pixels
from ui.wording import APPROVED_FRAMES, FRAMES, TIMED_OUT

FRAME_LIST = [*FRAMES.values(), TIMED_OUT, *APPROVED_FRAMES.values()]
NARROW_COLUMNS = 72


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("frame", FRAME_LIST, ids=lambda frame: frame.word)
def test_sign_and_word_fit_side_by_side(frame, language: str) -> None:  # type: ignore[no-untyped-def]
    word = word_pixels(translate(language)(frame.word), False)
    sign = sign_pixels(frame.sign, False)
    assert len(sign[0]) + 2 + len(word[0]) <= NARROW_COLUMNS


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("word", LARGE_WORDS.values())
def test_instructions_fit_alone(word: str, language: str) -> None:
    assert len(word_pixels(translate(language)(word), False)[0]) <= NARROW_COLUMNS


def test_letters_are_ten_pixels_high_and_even() -> None:
    for letter, drawn in LETTERS.items():
        rows = drawn.split("|")
        assert len(rows) == 10, letter
        assert len({len(row) for row in rows}) == 1, letter


def test_no_two_letters_look_alike() -> None:
    assert len(set(LETTERS.values())) == len(LETTERS)


@pytest.mark.parametrize("name", SIGNS)
def test_a_grown_sign_is_half_as_large_again(name: str) -> None:
    small, large = sign_pixels(name, False), sign_pixels(name, True)
    assert len(large) == len(small) * 3 // 2 == 21
    assert len(large[0]) == len(small[0]) * 3 // 2


def test_a_symmetric_sign_stays_symmetric() -> None:
    large = sign_pixels("cross", True)
    assert large == large[::-1]
    assert all(row == row[::-1] for row in large)


def test_a_letter_nobody_drew_is_an_error_and_no_gap() -> None:
    with pytest.raises(KeyError):
        word_pixels("QUEUE", False)
