"""The languages of the till. English is written in the source; it is the key."""

from __future__ import annotations

import functools
import gettext
from collections.abc import Callable
from pathlib import Path

Words = Callable[[str], str]
"""Takes an English sentence, gives it in the language chosen."""

LANGUAGES = {"en": "English", "zh": "中文"}
"""Code to the language's own name, in the order F10 goes through them."""

FOLDER = Path(__file__).parent


@functools.cache
def translate(language: str) -> Words:
    """Return the words of a language.

    A sentence without a translation, such as a message made from data,
    comes back as it is. Raises KeyError for a language the till does not speak.
    """
    if language not in LANGUAGES:
        raise KeyError(f"the till does not speak {language!r}")
    if language == "en":
        return str
    catalogue = FOLDER / language / "LC_MESSAGES" / "opentill.mo"
    with catalogue.open("rb") as compiled:
        return gettext.GNUTranslations(compiled).gettext


def mark(text: str) -> str:
    """Return the text; tells the catalogue that a table's entry is a sentence."""
    return text


def other(language: str) -> str:
    """Return the language that F10 switches to."""
    codes = list(LANGUAGES)
    return codes[(codes.index(language) + 1) % len(codes)]
