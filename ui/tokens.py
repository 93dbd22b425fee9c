"""The colours of the till, by what they mean. Nothing else names a colour."""

from __future__ import annotations

from collections.abc import Mapping

Palette = Mapping[str, str]

DARK: Palette = {
    "ground": "#0F1216",
    "sheet": "#181D24",
    "raise": "#262D37",
    "ink": "#F2F4F7",
    "muted": "#9BA6B4",
    "faint": "#4A5563",
    "key": "#8CC8FF",
    "live": "#58D68D",
    "ok": "#0E7A43",
    "ok-ink": "#FFFFFF",
    "no": "#B3261E",
    "no-ink": "#FFFFFF",
    "ask": "#F2B441",
    "ask-ink": "#1B1405",
    "keep": "#4657C2",
    "keep-ink": "#FFFFFF",
    "train": "#E3A8F5",
    "train-ink": "#2A0A33",
    "soft-no": "#FF8A80",
    "soft-ask": "#F2B441",
    "soft-keep": "#A9B6FF",
}

LIGHT: Palette = {
    "ground": "#F4F2EC",
    "sheet": "#FFFFFF",
    "raise": "#E3DFD5",
    "ink": "#15181D",
    "muted": "#565E6A",
    "faint": "#A9A59A",
    "key": "#0B5CAD",
    "live": "#086633",
    "ok": "#0B7A3E",
    "ok-ink": "#FFFFFF",
    "no": "#B3261E",
    "no-ink": "#FFFFFF",
    "ask": "#F2B441",
    "ask-ink": "#1B1405",
    "keep": "#3D4DB5",
    "keep-ink": "#FFFFFF",
    "train": "#7A2E8E",
    "train-ink": "#FFFFFF",
    "soft-no": "#B3261E",
    "soft-ask": "#7A4B00",
    "soft-keep": "#3D4DB5",
}

CONTRAST: Palette = {
    "ground": "#000000",
    "sheet": "#000000",
    "raise": "#2B2B2B",
    "ink": "#FFFFFF",
    "muted": "#FFFFFF",
    "faint": "#7A7A7A",
    "key": "#00FFFF",
    "live": "#00FF7F",
    "ok": "#00E676",
    "ok-ink": "#000000",
    "no": "#FF6E66",
    "no-ink": "#000000",
    "ask": "#FFFF00",
    "ask-ink": "#000000",
    "keep": "#8FB4FF",
    "keep-ink": "#000000",
    "train": "#FF8CFF",
    "train-ink": "#000000",
    "soft-no": "#FFB3AE",
    "soft-ask": "#FFFF00",
    "soft-keep": "#A5C4FF",
}

THEMES: Mapping[str, Palette] = {"dark": DARK, "light": LIGHT, "contrast": CONTRAST}
"""In the order that F11 goes through them."""

# A code is black on white in every theme: cameras expect it so.
CODE_BLACK = "#000000"
CODE_WHITE = "#FFFFFF"

TEXT_TOKENS = ("ink", "muted", "key", "live", "soft-no", "soft-ask", "soft-keep")
"""Tokens that are written with, on ground, sheet and raise."""

FIELDS = ("ok", "no", "ask", "keep", "train")
"""Saturated fields; each has an ink of its own."""


def colour(palette: Palette, token: str) -> str:
    """Return a token's colour as '#RRGGBB'; black and white pass as they are."""
    return token if token.startswith("#") else palette[token]


def next_theme(name: str) -> str:
    """Return the theme after this one."""
    names = list(THEMES)
    return names[(names.index(name) + 1) % len(names)]
