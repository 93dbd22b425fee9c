"""Colours: every text can be read on what it stands on."""

import pytest

from ui.tokens import FIELDS, TEXT_TOKENS, THEMES, Palette, colour, next_theme

PAPERS = ("ground", "sheet", "raise")


def luminance(rgb: str) -> float:
    """Relative luminance. Source: WCAG 2.2."""
    parts = [int(rgb[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(palette: Palette, first: str, second: str) -> float:
    """Contrast ratio. Source: WCAG 2.2."""
    lighter, darker = sorted((luminance(palette[first]), luminance(palette[second])), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_measure_knows_the_extremes() -> None:
    palette = {"black": "#000000", "white": "#FFFFFF"}
    assert contrast(palette, "black", "white") == pytest.approx(21)


@pytest.mark.parametrize("theme", THEMES)
def test_every_text_is_readable_on_every_paper(theme: str) -> None:
    palette = THEMES[theme]
    bar = 7.0 if theme == "contrast" else 4.9
    for token in TEXT_TOKENS:
        for paper in PAPERS:
            assert contrast(palette, token, paper) >= bar, (theme, token, paper)


@pytest.mark.parametrize("theme", THEMES)
def test_every_ink_is_readable_on_its_field(theme: str) -> None:
    palette = THEMES[theme]
    bar = 7.0 if theme == "contrast" else 4.9
    for field in FIELDS:
        assert contrast(palette, f"{field}-ink", field) >= bar, (theme, field)


@pytest.mark.parametrize("theme", THEMES)
def test_the_filled_key_is_readable(theme: str) -> None:
    """The main action is written in ground on key."""
    assert contrast(THEMES[theme], "ground", "key") >= 4.9


def test_every_theme_has_every_token() -> None:
    assert len({frozenset(palette) for palette in THEMES.values()}) == 1


def test_f11_comes_round() -> None:
    seen = ["dark"]
    for _ in THEMES:
        seen.append(next_theme(seen[-1]))
    assert seen == ["dark", "light", "contrast", "dark"]


def test_black_and_white_of_a_code_are_the_same_in_every_theme() -> None:
    assert {colour(palette, "#000000") for palette in THEMES.values()} == {"#000000"}
