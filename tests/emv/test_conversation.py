"""Questions and their answers: a wrong answer is a bug of who pumps, and said at once."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from emv import conversation
from emv.conversation import IssuerAnswer, Note, PINAnswer, PINEntry, Reply, TakeOnlinePIN
from emv.errors import MalformedData
from emv.outcome import CVM

PIN = PINAnswer(PINEntry.CANCELLED, None)


def answered(kernel: Generator[Any, Any, Any], answer: object) -> object:
    """What a question returns when it is answered so."""
    next(kernel)
    with pytest.raises(StopIteration) as finished:
        kernel.send(answer)
    return finished.value.value


QUESTIONS: dict[str, tuple[Any, list[Any], list[Any]]] = {
    "a command": (
        lambda: conversation.exchange(b"\x00\x84\x00\x00\x00"),
        [Reply(b"", 0x9000, 1)],
        [b"\x90\x00", None],
    ),
    "random bytes": (lambda: conversation.fresh_bytes(4), [bytes(4)], [bytes(3), bytes(5), 4, ""]),
    "the exception file": (
        lambda: conversation.on_exception_file("4111", None),
        [True, False],
        [None, 0, 1],
    ),
    "logged amounts": (lambda: conversation.logged_amount("4111", 1), [0, 5], [-1, None, "5"]),
    "the application": (
        lambda: conversation.choose_application(("one", "two")),
        [0, 1, None],
        [-1, 2, "one", b"\0"],
    ),
    "a PIN": (
        lambda: conversation.take_pin(TakeOnlinePIN("4111111111111111")),
        [PIN],
        [None, True],
    ),
    "the issuer": (lambda: conversation.ask_issuer({}, CVM.NONE), [None], [b"00", True]),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_answer_that_can_be_is_returned_and_any_other_is_a_bug(name: str) -> None:
    ask, good, bad = QUESTIONS[name]
    for answer in good:
        assert answered(ask(), answer) == answer
    for answer in bad:
        kernel = ask()
        next(kernel)
        with pytest.raises(TypeError):
            kernel.send(answer)


@pytest.mark.parametrize(("code", "is_approval"), [(b"00", True), (b"05", False), (b"", False)])
def test_an_issuers_code_is_a_yes_or_not(code: bytes, is_approval: bool) -> None:
    assert IssuerAnswer(code).is_approval is is_approval


def test_a_reply_is_data_and_two_bytes_of_status() -> None:
    assert Reply.parse(b"\x6a\x82", 7) == Reply(b"", 0x6A82, 7)
    assert Reply.parse(b"\x01\x02\x90\x00", 7) == Reply(b"\x01\x02", 0x9000, 7)
    for response in (b"", b"\x90"):
        with pytest.raises(MalformedData, match=f"R-APDU of {len(response)} bytes"):
            Reply.parse(response, 7)


def test_a_note_says_its_sentence_with_the_values_in_it() -> None:
    assert Note("over {limit}", "Book 3, 10.6", {"limit": 5}).said == "over 5"
    assert Note("no {braces} without values", "Book 3, 10.6").said == "no {braces} without values"
