"""Chips in a slot: the bank's word goes to the card, and the card has the last one."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from terminal.errors import NotAllowed
from terminal.events import (
    Answered,
    AnswerLost,
    BankAnswer,
    CancelWanted,
    CardCompleted,
    CardEnd,
    CardFacts,
    CardPresented,
    CardRead,
    CodeRead,
    JournalFailed,
    NeverLeft,
    PinEnded,
    Purpose,
    Record,
    Refused,
    SaleWanted,
    Send,
    Started,
    TellCard,
)
from terminal.messages import Message
from terminal.states import State
from terminal.view import Medium, Stage

SALE = SaleWanted("a1", 34560, "CNY")
FACTS = CardFacts(Medium.CHIP, "Visa", "411111******1111")
EMV = "910A00112233445566773030"
DECLINE = TellCard("Slot", "a1")


def insert(counter: Any, attempt: str = "a1", **changes: Any) -> list[Any]:
    """A chip has asked for its bank, and waits."""
    arming = counter.arming
    counter.take(CardPresented(arming, "Slot"))
    read = CardRead(
        arming,
        CardEnd.ONLINE,
        facts=FACTS,
        sealed="a.b.c.d.e",
        reader="Slot",
        waits_for=attempt,
    )
    wishes: list[Any] = counter.take(replace(read, **changes))
    return wishes


def approve(counter: Any) -> list[Any]:
    answer = BankAnswer("approved", "00", reference="R1", authorisation="123456", emv=EMV)
    wishes: list[Any] = counter.take(Answered(Purpose.PAY, "a1", answer))
    return wishes


def told(wishes: list[Any]) -> list[TellCard]:
    return [wish for wish in wishes if isinstance(wish, TellCard)]


def test_an_approval_is_written_down_before_the_card_hears_of_it(counter: Any) -> None:
    counter.take(SALE)
    insert(counter)

    wishes = approve(counter)

    assert [type(wish) for wish in wishes].index(Record) < wishes.index(
        TellCard("Slot", "a1", "00", EMV)
    )
    assert counter.moves[-1] == "card_asked > completing"
    assert counter.view.stage is Stage.PROCESSING
    assert counter.view.prompt is Message.LEAVE_CARD_IN


def test_a_card_that_agrees_ends_the_sale(counter: Any) -> None:
    counter.take(SALE)
    insert(counter)
    approve(counter)

    counter.take(CardCompleted("a1", agrees=True))

    payment = counter.view.payment
    assert (payment.state, payment.medium) == (State.APPROVED, Medium.CHIP)
    assert (payment.bank_reference, payment.authorisation) == ("R1", "123456")
    assert payment.next_step is Message.HAND_OVER
    assert set(payment.durations_ms) >= {"bank", "card"}


def test_a_signature_is_asked_for_once_the_card_agrees(counter: Any) -> None:
    counter.take(SALE)
    insert(counter, facts=replace(FACTS, signature=True))
    approve(counter)
    counter.take(CardCompleted("a1", agrees=True))

    assert counter.view.payment.next_step is Message.CUSTOMER_SIGNS


@pytest.mark.parametrize("how", ["refuses", "is silent"])
def test_a_card_that_does_not_agree_gives_the_money_back(counter: Any, how: str) -> None:
    counter.take(SALE)
    insert(counter)
    approve(counter)

    if how == "refuses":
        counter.take(CardCompleted("a1", agrees=False))
    else:
        counter.ring("card")

    assert [wish.reason for wish in counter.sent(Purpose.REVERSE)] == ["card_refused"]
    counter.answer(Purpose.REVERSE, "a1", "reversed")
    assert counter.moves[-3:] == [
        "card_refused > reversing",
        "reversal_sent > reversing",
        "reversal_confirmed > reversed",
    ]


@pytest.mark.parametrize("code", ["01", "02"])
def test_a_bank_that_wants_a_call_declines(counter: Any, code: str) -> None:
    """Codes of the time when cashiers telephoned: the customer may."""
    counter.take(SALE)
    insert(counter)

    wishes = counter.take(Answered(Purpose.PAY, "a1", BankAnswer("declined", code, emv=EMV)))

    assert told(wishes) == [TellCard("Slot", "a1", code, EMV)]
    assert counter.view.payment.state is State.DECLINED
    assert counter.view.payment.next_step is Message.CALL_ISSUER


def test_a_decline_reaches_the_card_too(counter: Any) -> None:
    counter.take(SALE)
    insert(counter)

    answer = BankAnswer("declined", "51", emv=EMV)
    wishes = counter.take(Answered(Purpose.PAY, "a1", answer))

    assert told(wishes) == [TellCard("Slot", "a1", "51", EMV)]
    assert counter.view.payment.state is State.DECLINED
    counter.take(CardCompleted("a1", agrees=False))
    assert counter.view.payment.reason is Message.NOT_ENOUGH_MONEY


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (NeverLeft(Purpose.PAY, "a1", "no route"), State.NOT_SENT),
        (AnswerLost(Purpose.PAY, "a1", "cut"), State.UNKNOWN),
        (Refused(Purpose.PAY, "a1", 422, "card_data_malformed"), State.DECLINED),
        (Refused(Purpose.PAY, "a1", 503, "busy"), State.UNKNOWN),
    ],
)
def test_without_an_answer_the_card_is_told_to_decline(
    counter: Any, event: Any, state: State
) -> None:
    counter.take(SALE)
    insert(counter)

    assert told(counter.take(event)) == [DECLINE]
    assert counter.view.payment.state is state


def test_an_approval_that_comes_too_late_for_the_card_goes_back(counter: Any) -> None:
    """The card has left with a decline: it cannot agree any more."""
    counter.take(SALE)
    insert(counter)
    counter.take(AnswerLost(Purpose.PAY, "a1", "cut"))

    counter.answer(Purpose.ASK, "a1", "approved", "00")

    assert counter.view.payment.state is State.REVERSING
    assert counter.sent(Purpose.REVERSE)[-1].reason == "card_refused"


def test_a_till_that_went_down_before_the_cards_last_word_gives_the_money_back(
    counter: Any,
) -> None:
    counter.take(SALE)
    insert(counter)
    approve(counter)
    left = counter.payments["a1"]
    assert left.state is State.COMPLETING

    again = type(counter)(counter.clock, payments={"a1": left})
    again.take(Started((left,), (), 2))

    assert again.payments["a1"].state is State.REVERSING
    assert len(again.sent(Purpose.REVERSE)) == 1


def test_nothing_can_be_cancelled_while_the_card_has_the_word(counter: Any) -> None:
    counter.take(SALE)
    insert(counter)
    approve(counter)

    with pytest.raises(NotAllowed):
        counter.take(CancelWanted())


def test_a_chip_that_comes_too_late_is_told_to_decline(counter: Any) -> None:
    """A code was faster: nothing is sent for the card."""
    counter.take(SALE)
    arming = counter.arming
    counter.take(CodeRead(arming, "Alipay", "x.y.z", fingerprint="f"))

    late = CardRead(arming, CardEnd.ONLINE, facts=FACTS, reader="Slot", waits_for="a1")

    assert counter.take(late) == [DECLINE]
    assert len(counter.sent(Purpose.PAY)) == 1


def test_without_its_pin_the_card_is_told_to_decline_and_may_come_again(counter: Any) -> None:
    counter.take(SALE)
    insert(counter, sealed="", kept=1)

    wishes = counter.take(
        PinEnded(counter.asking, Message.PIN_CANCELLED, Message.ANOTHER_CARD_OR_WALLET)
    )

    assert told(wishes) == [DECLINE]
    assert counter.view.stage is Stage.PRESENT
    assert counter.sent(Purpose.PAY) == []


@pytest.mark.parametrize("at", ["authorising", "completing"])
def test_a_journal_that_cannot_be_written_lets_the_card_go(counter: Any, at: str) -> None:
    counter.take(SALE)
    wishes = insert(counter)
    if at == "completing":
        wishes = approve(counter)
    place = next(n for n, wish in enumerate(wishes) if isinstance(wish, Record))

    after = counter.take(JournalFailed(("a1",), tuple(wishes[place + 1 :]), "disk full"))

    assert told(after) == [DECLINE]
    assert not [wish for wish in after if isinstance(wish, Send)]


def test_a_card_that_speaks_for_another_payment_changes_nothing(counter: Any) -> None:
    counter.take(SALE)
    insert(counter)
    approve(counter)

    counter.take(CardCompleted("a0", agrees=True))

    assert counter.view.payment.state is State.COMPLETING
