"""What kernels say of their decisions."""

from __future__ import annotations

from emv.conversation import Note


def test_a_note_with_values_is_a_sentence() -> None:
    note = Note("GPO answered {status}", "Book 3, 10.1", {"status": "6985"})

    assert note.said == "GPO answered 6985"


def test_a_note_without_values_is_its_text_braces_and_all() -> None:
    assert Note("{error}", "Book 3, 7.5", {"error": "a {brace}"}).said == "a {brace}"
    assert Note("a {brace}", "Book 3, 7.5").said == "a {brace}"
