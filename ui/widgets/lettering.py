"""Large words and signs as half blocks.

Latin letters are six pixels by ten, on strokes of two, so that one and a half
times the size stays even. Signs are fourteen pixels. Where a terminal draws
half blocks two columns wide, words become bold text: see draw_word().
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from rich.cells import get_character_cell_size

from ui.widgets.canvas import Canvas

Pixels = tuple[str, ...]

# Each letter's rows from the top; two rows make a line on the screen.
LETTERS = {
    "A": " #### |######|##  ##|##  ##|##  ##|######|######|##  ##|##  ##|##  ##",
    "B": "##### |######|##  ##|##  ##|##### |##### |##  ##|##  ##|######|##### ",
    "C": " #### |######|##  ##|##    |##    |##    |##    |##  ##|######| #### ",
    "D": "##### |######|##  ##|##  ##|##  ##|##  ##|##  ##|##  ##|######|##### ",
    "E": "######|######|##    |##    |##### |##### |##    |##    |######|######",
    "F": "######|######|##    |##    |##### |##### |##    |##    |##    |##    ",
    "G": " #####|######|##    |##    |## ###|## ###|##  ##|##  ##|######| #### ",
    "H": "##  ##|##  ##|##  ##|##  ##|######|######|##  ##|##  ##|##  ##|##  ##",
    "I": "##|##|##|##|##|##|##|##|##|##",
    "K": "##  ##|##  ##|## ###|##### |####  |####  |##### |## ###|##  ##|##  ##",
    "L": "##    |##    |##    |##    |##    |##    |##    |##    |######|######",
    "M": (
        "##    ##|###  ###|########|########|## ## ##|## ## ##|##    ##|##    ##|##    ##|##    ##"
    ),
    "N": "##  ##|##  ##|### ##|### ##|######|######|## ###|## ###|##  ##|##  ##",
    "O": " #### |######|##  ##|##  ##|##  ##|##  ##|##  ##|##  ##|######| #### ",
    "P": "##### |######|##  ##|##  ##|######|##### |##    |##    |##    |##    ",
    "R": "##### |######|##  ##|##  ##|######|##### |##### |## ###|##  ##|##  ##",
    "S": " #### |######|##  ##|###   |##### | #####|   ###|##  ##|######| #### ",
    "T": "######|######|  ##  |  ##  |  ##  |  ##  |  ##  |  ##  |  ##  |  ##  ",
    "U": "##  ##|##  ##|##  ##|##  ##|##  ##|##  ##|##  ##|##  ##|######| #### ",
    "V": "##  ##|##  ##|##  ##|##  ##|##  ##|##  ##|##  ##|##  ##| #### |  ##  ",
    "W": (
        "##    ##|##    ##|##    ##|##    ##|## ## ##|## ## ##|########|########|###  ###|##    ##"
    ),
    " ": "    |    |    |    |    |    |    |    |    |    ",
}
LETTER_GAP = 1
LETTER_ROWS = 5

SIGNS = {
    "tick": (
        "            ##",
        "           ###",
        "          ####",
        "         #####",
        "        ##### ",
        "##     #####  ",
        "###   #####   ",
        "####  ####    ",
        "#### ####     ",
        " #######      ",
        "  #####       ",
        "   ###        ",
        "    #         ",
        "              ",
    ),
    "cross": (
        "###        ###",
        "####      ####",
        "#####    #####",
        "  ####  ####  ",
        "   ########   ",
        "    ######    ",
        "     ####     ",
        "     ####     ",
        "    ######    ",
        "   ########   ",
        "  ####  ####  ",
        "#####    #####",
        "####      ####",
        "###        ###",
    ),
    "question": (
        "   ########   ",
        "  ##########  ",
        " ####    #### ",
        " ###      ### ",
        "          ### ",
        "         #### ",
        "       #####  ",
        "     #####    ",
        "     ###      ",
        "     ###      ",
        "              ",
        "     ###      ",
        "     ###      ",
        "              ",
    ),
    "tray": (
        "     ####     ",
        "     ####     ",
        "     ####     ",
        "     ####     ",
        " ############ ",
        "  ##########  ",
        "    ######    ",
        "      ##      ",
        "###        ###",
        "###        ###",
        "###        ###",
        "##############",
        "##############",
        "              ",
    ),
    "bang": (
        "     ####     ",
        "     ####     ",
        "     ####     ",
        "     ####     ",
        "     ####     ",
        "     ####     ",
        "      ##      ",
        "      ##      ",
        "      ##      ",
        "              ",
        "     ####     ",
        "     ####     ",
        "     ####     ",
        "              ",
    ),
    "back": (
        "     ##    ## ",
        "    ###   ### ",
        "   ###   ###  ",
        "  ###   ###   ",
        " ###   ###    ",
        "###   ###     ",
        "##    ##      ",
        "###   ###     ",
        " ###   ###    ",
        "  ###   ###   ",
        "   ###   ###  ",
        "    ###   ### ",
        "     ##    ## ",
        "              ",
    ),
    "dash": (
        "      ",
        "      ",
        "      ",
        "      ",
        "      ",
        "######",
        "######",
        "######",
        "      ",
        "      ",
        "      ",
        "      ",
        "      ",
        "      ",
    ),
}


@cache
def _grown(pixels: Pixels) -> Pixels:
    """Return a bitmap at one and a half times its size, symmetric if it was."""
    rows = _grown_indices(len(pixels))
    columns = _grown_indices(len(pixels[0]))
    return tuple("".join(pixels[y][x] for x in columns) for y in rows)


def _grown_indices(size: int) -> list[int]:
    """Return which old row or column each new one repeats: 0 0 1 2 2 3 ..."""
    grown = size * 3 // 2
    first = [index * 2 // 3 for index in range((grown + 1) // 2)]
    mirrored = [size - 1 - index for index in first[: grown // 2]]
    return first + mirrored[::-1]


@cache
def sign_pixels(name: str, is_large: bool) -> Pixels:
    """Return a sign, 14 pixels high or 21."""
    return _grown(SIGNS[name]) if is_large else SIGNS[name]


@cache
def word_pixels(word: str, is_large: bool) -> Pixels:
    """Return a word as one bitmap. Raises KeyError for a letter nobody drew."""
    if any(get_character_cell_size(character) == 2 for character in word):
        return _chinese(word, is_large)
    letters = [tuple(LETTERS[character].split("|")) for character in word]
    if is_large:
        letters = [_grown(letter) for letter in letters]
    gap = " " * (LETTER_GAP + is_large)
    return tuple(gap.join(rows) for rows in zip(*letters, strict=True))


def _chinese(word: str, is_large: bool) -> Pixels:
    # Loaded when a Chinese word is first drawn, not at start.
    from ui.widgets import characters

    table, size = (
        (characters.LARGE, characters.LARGE_PX)
        if is_large
        else (characters.SMALL, characters.SMALL_PX)
    )
    columns = [table[character].split() for character in word]
    return tuple(
        "".join(f"{int(rows[y], 16):0{size}b}" for rows in columns)
        .replace("0", " ")
        .replace("1", "#")
        for y in range(size)
    )


def fits_large(word: str, columns: int) -> bool:
    """True if a word fits in these columns at its large size."""
    return len(word_pixels(word, True)[0]) <= columns


def lines_of(pixels: Sequence[str]) -> int:
    """Return how many lines of the screen a bitmap takes."""
    return (len(pixels) + 1) // 2


def draw_word(
    canvas: Canvas, x: int, y: int, word: str, ink: str, *, is_large: bool, has_blocks: bool
) -> int:
    """Draw a word from its top left corner; return the columns it took.

    has_blocks: False where half blocks are two columns wide; the word is
    bold text then.
    """
    if not has_blocks:
        return canvas.put(x, y, word, ink, bold=True) - x
    pixels = word_pixels(word, is_large)
    canvas.bitmap(x, y, pixels, ink)
    return len(pixels[0])
