"""What a chip asks its holder on the way: one question at a time, and nothing left behind."""

from __future__ import annotations

from typing import Any

import pytest

from terminal.batch.events import BatchCloseWanted
from terminal.errors import NotAllowed
from terminal.events import (
    Answered,
    BankAnswer,
    CancelWanted,
    CardEnd,
    CardFacts,
    CardPresented,
    CardRead,
    CodeWanted,
    EndPin,
    PinDigits,
    Purpose,
    Record,
    SaleWanted,
    SignatureRefused,
    Started,
    Timer,
)
from terminal.messages import Message
from terminal.questions import (
    AnswerCard,
    CardAsks,
    CardSpeaks,
    ChoiceMade,
    ChoiceWanted,
    PinAnswered,
    PinWanted,
)
from terminal.states import State
from terminal.view import Medium, Stage

SALE = SaleWanted("a1", 34560, "CNY")
BOTH = ChoiceWanted(("VISA CREDIT", "VISA DEBIT"))


def insert(counter: Any, question: Any = BOTH, reader: str = "Slot") -> int:
    """A chip is in the slot, and asks; return the arming."""
    arming: int = counter.arming
    counter.take(CardPresented(arming, reader))
    counter.take(CardAsks(arming, reader, question))
    return arming


def pin(kept: int = 7, tries: int | None = 3, *, is_retry: bool = False) -> PinWanted:
    return PinWanted(kept, tries, is_retry)


@pytest.fixture
def arming(counter: Any) -> int:
    counter.take(SALE)
    return insert(counter)


def test_the_holder_is_shown_what_the_card_offers(counter: Any, arming: int) -> None:
    counter.take(CardSpeaks(arming, "zh"))
    view = counter.view

    assert (view.stage, view.prompt) == (Stage.CHOOSE, Message.CHOOSE_APPLICATION)
    assert view.choices == ("VISA CREDIT", "VISA DEBIT")
    assert view.language == "zh"
    assert view.card_stays
    assert view.cancellable


def test_a_single_application_is_to_be_agreed_to(counter: Any) -> None:
    counter.take(SALE)
    insert(counter, ChoiceWanted(("VISA CREDIT",)))

    assert counter.view.prompt is Message.CONFIRM_APPLICATION


@pytest.mark.parametrize("place", [1, None])
def test_what_is_chosen_goes_to_the_card_that_asked(
    counter: Any, arming: int, place: int | None
) -> None:
    assert AnswerCard("Slot", arming, place) in counter.take(ChoiceMade(place))

    assert counter.view.stage is Stage.READING
    assert counter.view.choices == ()
    with pytest.raises(NotAllowed, match="No card asks"):
        counter.take(ChoiceMade(0))


def test_no_more_can_be_chosen_than_there_is(counter: Any, arming: int) -> None:
    with pytest.raises(NotAllowed, match="offers 2"):
        counter.take(ChoiceMade(2))
    assert counter.view.stage is Stage.CHOOSE


def test_whoever_chooses_nothing_in_time_lets_the_card_go(counter: Any, arming: int) -> None:
    assert AnswerCard("Slot", arming) in counter.ring("question")
    assert counter.view.stage is Stage.READING


def test_after_an_answer_there_is_the_whole_time_to_present_another(
    counter: Any, arming: int
) -> None:
    counter.clock.push(50.0)
    counter.take(ChoiceMade(None))
    counter.take(CardRead(arming, CardEnd.AGAIN, Message.NOTHING_CHOSEN, reader="Slot"))

    assert counter.timers[Timer("present", "a1")] == counter.clock.seconds + 60.0
    assert counter.view.hint is Message.NOTHING_CHOSEN
    assert counter.view.deadline_at == counter.clock.seconds + 60.0


def test_one_slot_asks_at_a_time(counter: Any, arming: int) -> None:
    counter.take(CardPresented(arming, "Other slot"))

    wishes = counter.take(CardAsks(arming, "Other slot", pin()))

    assert wishes == [AnswerCard("Other slot", arming)]
    assert counter.view.stage is Stage.CHOOSE


def test_a_question_of_an_earlier_sale_is_answered_with_nothing(counter: Any, arming: int) -> None:
    counter.take(CancelWanted())
    counter.take(SaleWanted("a2", 100, "CNY"))

    assert counter.take(CardAsks(arming, "Slot", BOTH)) == [AnswerCard("Slot", arming)]


def test_a_pin_that_the_card_checks_is_asked_for(counter: Any) -> None:
    counter.take(SALE)
    insert(counter, pin(tries=2, is_retry=True))
    counter.take(PinDigits(counter.asking, 3))
    view = counter.view

    assert (view.stage, view.hint) == (Stage.PIN, Message.WRONG_PIN)
    assert (view.pin_digits, view.tries_left, view.card_stays) == (3, 2, True)
    counter.take(PinAnswered(counter.asking))
    assert (counter.view.stage, counter.view.hint) == (Stage.READING, None)


def test_the_last_answer_of_a_question_that_is_over_does_nothing(counter: Any) -> None:
    counter.take(SALE)
    arming = insert(counter, pin())
    first = counter.asking
    counter.take(PinAnswered(first))
    counter.take(CardAsks(arming, "Slot", pin(8, 2, is_retry=True)))

    counter.take(PinAnswered(first))

    assert counter.view.stage is Stage.PIN


@pytest.mark.parametrize("how", ["escape", "tap"])
def test_whatever_ends_the_sale_ends_the_question(counter: Any, how: str) -> None:
    counter.take(SALE)
    insert(counter, pin())
    asking = counter.asking

    wishes = counter.take(CancelWanted()) if how == "escape" else counter.tap()

    assert EndPin(asking) in wishes
    assert counter.view.stage in (Stage.RESULT, Stage.PROCESSING)


def test_a_card_that_leaves_takes_its_question_along(counter: Any) -> None:
    counter.take(SALE)
    arming = insert(counter, pin())
    asking = counter.asking

    wishes = counter.take(CardRead(arming, CardEnd.AGAIN, Message.CARD_PULLED, reader="Slot"))

    assert EndPin(asking) in wishes
    assert (counter.view.stage, counter.view.hint) == (Stage.PRESENT, Message.CARD_PULLED)
    assert counter.view.tries_left is None


def test_a_code_that_is_paid_meanwhile_is_the_result(counter: Any) -> None:
    counter.take(SALE)
    counter.take(CodeWanted("o1"))
    counter.take(Answered(Purpose.ORDER, "a1", BankAnswer("open", shown_code="https://x")))
    insert(counter, pin())
    asking = counter.asking
    counter.ring("poll")

    wishes = counter.answer(Purpose.ASK, "a1", "approved", "00")

    assert EndPin(asking) in wishes
    assert counter.view.payment.state is State.APPROVED
    assert counter.view.stage is Stage.RESULT


# --- a signature -----------------------------------------------------------------


def signed(counter: Any, end: CardEnd = CardEnd.ONLINE) -> None:
    """A tap whose holder signs has been taken."""
    counter.take(SALE)
    arming = counter.arming
    facts = CardFacts(Medium.CARD, "Visa", "411111******1111", signature=True)
    counter.take(CardPresented(arming))
    counter.take(CardRead(arming, end, facts=facts, sealed="a.b.c.d.e", proof="p.q.r"))
    if end is CardEnd.ONLINE:
        counter.answer(Purpose.PAY, "a1", "approved", "00")


@pytest.mark.parametrize("end", [CardEnd.ONLINE, CardEnd.APPROVED])
def test_a_refused_signature_gives_the_money_back(counter: Any, end: CardEnd) -> None:
    """An approval that the bank has not heard of is reversed too: it may be on its way."""
    signed(counter, end)

    wishes = counter.take(SignatureRefused())

    [first, *_] = [wish for wish in wishes if isinstance(wish, Record)]
    assert [entry.payment.state for entry in first.entries] == [State.REVERSING] * 2
    assert first.entries[0].sealed == "", "nothing of the card is kept for later"
    assert len(counter.sent(Purpose.REVERSE)) == 1
    counter.answer(Purpose.REVERSE, "a1", "reversed")
    assert counter.view.payment.state is State.REVERSED
    with pytest.raises(NotAllowed, match="No signature"):
        counter.take(SignatureRefused())


def test_the_bank_is_told_why_again_after_a_restart(counter: Any) -> None:
    signed(counter)
    counter.take(SignatureRefused())
    assert counter.sent(Purpose.REVERSE)[-1].reason == "signature_refused"

    counter.take(Started((counter.payments["a1"],), (), 2))

    assert counter.sent(Purpose.REVERSE)[-1].reason == "signature_refused"


def test_a_sale_without_a_signature_has_none_to_refuse(counter: Any) -> None:
    counter.take(SALE)
    counter.tap()
    counter.answer(Purpose.PAY, "a1", "approved", "00")

    with pytest.raises(NotAllowed, match="No signature"):
        counter.take(SignatureRefused())


def test_a_signature_of_a_closed_batch_is_a_refund(counter: Any) -> None:
    signed(counter)
    counter.take(BatchCloseWanted("Wang Fang"))

    with pytest.raises(NotAllowed, match="refund it instead"):
        counter.take(SignatureRefused())
    assert counter.payments["a1"].state is State.APPROVED
