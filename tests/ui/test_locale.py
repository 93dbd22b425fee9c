"""Catalogues: whole, current, and drawn in one width everywhere."""

import ast
import string
import unicodedata
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

import emv
import ui
from terminal.doctor.lines import GROUP_TITLES, LEVEL_WORDS
from terminal.doctor.wording import WORDING
from terminal.messages import TEXT, Message
from terminal.traces.story import SENTENCES, VALUES
from ui.locale import FOLDER, LANGUAGES, other, translate

SOURCE = Path(ui.__file__).parent
PO = FOLDER / "zh" / "LC_MESSAGES" / "opentill.po"


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with PO.open("rb") as source:
        return read_po(source, locale="zh")


def sentences_in_source() -> dict[str, str]:
    """Every literal handed to mark() or words(), and the file it stands in."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            first = node.args[0]
            if name in ("mark", "words", "_words") and isinstance(first, ast.Constant):
                found[str(first.value)] = path.name
    return found


def test_the_source_is_read() -> None:
    found = sentences_in_source()
    assert found["Take payment"] == "sale.py"
    assert len(found) > 150


def test_every_sentence_of_the_screens_is_translated(catalogue: Catalog) -> None:
    untranslated = [
        (text, where)
        for text, where in sentences_in_source().items()
        if not (entry := catalogue.get(text)) or not entry.string
    ]
    assert not untranslated


@pytest.mark.parametrize("message", Message)
def test_every_message_of_the_till_is_translated(message: Message) -> None:
    chinese = translate("zh")(TEXT[message])
    assert chinese != TEXT[message]
    assert any(unicodedata.east_asian_width(character) == "W" for character in chinese)


DOCTOR = {*GROUP_TITLES.values(), *LEVEL_WORDS.values()} | {
    text for wording in WORDING.values() for text in (wording.text, wording.step) if text
}


@pytest.mark.parametrize("text", sorted(DOCTOR))
def test_every_finding_of_the_doctor_is_translated(text: str, catalogue: Catalog) -> None:
    entry = catalogue.get(text)
    assert entry is not None
    assert entry.string


def notes_of_kernels() -> dict[str, str]:
    """Every literal that a kernel notes for the trace, and the file it stands in."""
    found = {}
    for path in sorted(Path(emv.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in ("note", "note_limit"):
                first = node.args[0]
                texts = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
                for text in texts:
                    if isinstance(text, ast.Constant):
                        found[str(text.value)] = path.name
    return found


BARE = {"{reason}"}
"""A value alone is said in its own words."""
STORY = {*notes_of_kernels(), *SENTENCES, *VALUES} - BARE


def test_the_kernels_are_read() -> None:
    found = notes_of_kernels()
    assert found["kernel {kernel_id} chosen"] == "selection.py"
    assert len(found) > 80


def test_every_sentence_of_a_story_is_translated(catalogue: Catalog) -> None:
    """What a kernel decides, the cashier can read too. Kernels' notes are sentences with values."""
    assert [
        text for text in sorted(STORY) if not (entry := catalogue.get(text)) or not entry.string
    ] == []


def test_no_translation_is_left_over(catalogue: Catalog) -> None:
    wanted = set(sentences_in_source()) | set(TEXT.values()) | DOCTOR | STORY
    assert {entry.id for entry in catalogue if entry.id} == wanted


def test_the_compiled_catalogue_is_current(catalogue: Catalog) -> None:
    """Broken? .venv/bin/pybabel compile -i FILE.po -o FILE.mo"""
    with PO.with_suffix(".mo").open("rb") as compiled:
        stored = {entry.id: entry.string for entry in read_mo(compiled) if entry.id}
    assert stored == {entry.id: entry.string for entry in catalogue if entry.id}


def test_what_stands_in_braces_is_the_same_in_both_languages(catalogue: Catalog) -> None:
    def names(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}

    for entry in catalogue:
        if entry.id:
            assert names(str(entry.id)) == names(str(entry.string)), entry.id


def test_every_glyph_has_one_width_in_every_terminal(catalogue: Catalog) -> None:
    """Ambiguous glyphs take one column or two, as the terminal pleases."""
    for entry in catalogue:
        for text in (str(entry.id), str(entry.string)) if entry.id else ():
            for character in text:
                width = unicodedata.east_asian_width(character)
                assert width in ("Na", "N", "W", "F"), (text, character)


def test_glyphs_in_the_source_are_safe_too() -> None:
    """Signs, keys and shapes; half blocks alone are ambiguous, and are probed for."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                odd = {c for c in node.value if unicodedata.east_asian_width(c) == "A"}
                assert odd <= set("▀▄█"), (path.name, odd)


def test_a_sentence_made_from_data_passes_as_it_is() -> None:
    assert translate("zh")("Port 7 melted") == "Port 7 melted"


def test_a_language_the_till_does_not_speak_is_named() -> None:
    with pytest.raises(KeyError, match="tlh"):
        translate("tlh")


def test_f10_comes_round() -> None:
    assert [other(code) for code in LANGUAGES] == ["zh", "en"]
