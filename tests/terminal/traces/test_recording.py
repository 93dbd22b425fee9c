"""What is kept of a conversation: everything of a simulated card, nothing secret of another."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from emv.conversation import (
    Command,
    IssuerAnswer,
    Kernel,
    Reply,
    ask_issuer,
    choose_application,
    exchange,
    note,
)
from emv.entry_point import Transaction
from emv.errors import LinkLost
from emv.outcome import CVM, Outcome, Status
from simulators.card import find_card
from terminal.errors import NotAllowed
from terminal.traces.recording import STEPS_MAX, Recording, witnessed
from terminal.traces.replay import run
from terminal.traces.story import tell
from terminal.traces.trace import Decided, Drawn, Exchanged, IssuerSaid, Left, Lost, decode, encode

SALE = Transaction(100, 156, 2, datetime.date(2026, 11, 24))
SELECT = bytes.fromhex("00A4040007A000000003101000")


def test_a_simulated_card_is_kept_whole(tap: Callable[..., Recording]) -> None:
    trace = tap("visa-online").trace()
    pan = find_card("visa-online").pan

    assert trace.whole
    assert any(pan in step.response for step in trace.steps if isinstance(step, Exchanged))
    assert [step.count for step in trace.steps if isinstance(step, Drawn)] == [4]
    assert trace.status == Status.ONLINE_REQUEST.value
    assert decode(encode(trace)) == trace


def test_of_a_real_card_nothing_secret_is_kept(tap: Callable[..., Recording]) -> None:
    """Neither its number, nor its track, nor its holder's name, nor the terminal's chance."""
    profile = find_card("visa-online")
    masked = encode(tap("visa-online", whole=False).trace()).decode()
    whole = encode(tap("visa-online").trace()).decode()

    track = profile.pan + "D" + profile.expiry[2:].replace("-", "")
    assert track in whole, "the control: the card tells it"
    assert profile.pan not in masked
    assert track not in masked
    assert profile.pan.encode().hex().upper() not in masked
    assert '"value":"********"' in masked


def test_masked_or_whole_the_story_is_the_same(tap: Callable[..., Recording]) -> None:
    """The bytes that stars stand for decide nothing of what people are told."""
    recording = tap("visa-online")
    whole = tell([recording.trace()])
    recording.whole = False
    masked = tell([recording.trace()])

    assert [(line.said, line.source) for line in whole] == [
        (line.said, line.source) for line in masked
    ]
    assert [line.exchange for line in whole] == [line.exchange for line in masked]


def test_the_story_gives_each_decision_its_rule(tap: Callable[..., Recording]) -> None:
    said = [
        (line.said, line.source)
        for line in tell([tap("visa-online", amount_minor=120_000).trace()])
    ]

    assert said[0] == ("A card on Counter reader", "")
    assert ("kernel 3 chosen", "Book B, 3.4.1.1") in said
    assert (
        "amount 1200.00 reaches the CVM limit 1000.00: the cardholder must be verified",
        "Book B, 3.1.1",
    ) in said
    assert ("card asks for the issuer (ARQC)", "Book C-3, 5.4.3.2") in said
    assert said[-1][0].startswith("Outcome: online request, cardholder verification: ")


def play(kernel: Kernel[Outcome], *answers: object) -> Recording:
    """Give a kernel these answers, a LinkLost as the pump does."""
    recording = Recording("a", "slot", "contact", 0, SALE, whole=False)
    told: list[Recording] = []
    talk = witnessed(kernel, recording, told.append)
    next(talk)
    try:
        for answer in answers:
            if isinstance(answer, LinkLost):
                talk.throw(answer)
            else:
                talk.send(answer)  # type: ignore[arg-type]
    except StopIteration:
        assert recording.outcome is not None
    else:
        talk.close()
    assert told == [recording]
    return recording


def declined() -> Outcome:
    return Outcome(Status.DECLINED, cvm=CVM.NONE)


def test_a_card_that_leaves_is_kept_as_lost() -> None:
    def kernel() -> Kernel[Outcome]:
        try:
            yield from exchange(SELECT)
        except LinkLost:
            yield from note("the card left", "Book B, 3.3.3.7")
        return declined()

    trace = play(kernel(), LinkLost("transmission"), None).trace()

    assert trace.steps == (
        Lost(SELECT.hex().upper(), "transmission"),
        Decided("the card left", "Book B, 3.3.3.7", {}),
    )
    assert trace.status == "declined"


def test_a_conversation_that_breaks_off_has_no_outcome() -> None:
    def kernel() -> Kernel[Outcome]:
        yield from exchange(SELECT)
        yield from exchange(SELECT)
        return declined()

    trace = play(kernel(), Reply(b"", 0x6A82, 900)).trace()

    assert trace.steps == (Exchanged(SELECT.hex().upper(), "6A82", 900),)
    assert trace.status == ""
    assert tell([trace])[-1].said == "The conversation was broken off"


def test_an_issuers_scripts_are_hidden_and_its_code_is_not() -> None:
    def kernel() -> Kernel[Outcome]:
        yield from ask_issuer({}, CVM.NONE)
        return declined()

    answer = IssuerAnswer(b"05", bytes(8), bytes.fromhex("7203860100"))

    assert play(kernel(), answer).trace().steps == (IssuerSaid("3035", "00" * 8, "*" * 10),)
    assert play(kernel(), None).trace().steps == (IssuerSaid(),)


def test_a_card_that_is_lost_while_its_holder_is_asked_is_told_of_and_lost_again() -> None:
    def kernel() -> Kernel[Outcome]:
        try:
            yield from choose_application(("VISA CREDIT", "VISA DEBIT"))
        except LinkLost:
            return declined()
        raise AssertionError

    trace = replace(play(kernel(), LinkLost("transmission")).trace(), whole=True)

    assert trace.steps == (Left("transmission"),)
    assert any("lost while somebody was asked" in line.text for line in tell([trace]))
    assert run(trace, kernel()).first is None


def test_a_card_without_end_does_not_fill_the_disk() -> None:
    def kernel() -> Kernel[Outcome]:
        while True:
            yield from exchange(SELECT)

    endless = play(kernel(), *[Reply(b"", 0x6A82, 1)] * (STEPS_MAX + 5))

    assert len(endless.passed) == STEPS_MAX


def test_a_recording_shows_no_card_data() -> None:
    recording = Recording("a", "slot", "contact", 0, SALE, whole=True)
    recording.passed.append((Command(SELECT), Reply(b"\x5a\x08secret!!", 0x9000, 1)))

    assert "secret" not in repr(recording)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"attempt": 1}', b"[]", b"\xff"])
def test_what_is_no_trace_is_refused_with_its_fault(content: bytes) -> None:
    with pytest.raises(NotAllowed, match="This is no trace of this till: "):
        decode(content)
