"""What may follow an earlier payment, and what becomes of both."""

from typing import Any

import pytest

from terminal.errors import AmountRefused, Busy, NotAllowed
from terminal.events import (
    Answered,
    AnswerLost,
    Arm,
    BankAnswer,
    CardEnd,
    CodeRead,
    CodeWanted,
    FollowUpWanted,
    LeaveWanted,
    NeverLeft,
    Purpose,
    Record,
    SaleWanted,
    Started,
)
from terminal.journal_form import encoded
from terminal.messages import Message
from terminal.states import State
from terminal.view import Kind

UNTIL_MS = 1_800_000_000_000


def held(counter: Any, attempt: str = "p", amount_minor: int = 20_000) -> None:
    """Have the bank hold money on a card."""
    counter.take(SaleWanted(attempt, amount_minor, "CNY", kind=Kind.PREAUTH))
    counter.tap()
    answer = BankAnswer("approved", "00", expires_at_ms=UNTIL_MS)
    counter.take(Answered(Purpose.PAY, attempt, answer))


def sold(counter: Any, attempt: str = "s", amount_minor: int = 10_000) -> None:
    counter.take(SaleWanted(attempt, amount_minor, "CNY"))
    counter.tap()
    counter.answer(Purpose.PAY, attempt, "approved", "00")


def follow(
    counter: Any, attempt: str, kind: Kind, original: str, amount_minor: int | None = None
) -> None:
    counter.take(FollowUpWanted(attempt, kind, original, amount_minor))
    counter.answer(Purpose.PAY, attempt, "approved", "00")


def states(counter: Any, *attempts: str) -> list[State]:
    return [counter.payments[attempt].state for attempt in attempts]


def test_a_hold_is_approved_by_the_bank_and_by_no_card(counter: Any) -> None:
    held(counter)
    arm = next(wish for wish in counter.wishes if isinstance(wish, Arm))
    assert arm.must_go_online
    payment = counter.payments["p"]
    assert (payment.state, payment.reason) == (State.APPROVED, Message.HELD)
    assert payment.expires_ms == UNTIL_MS

    counter.take(SaleWanted("q", 500, "CNY", kind=Kind.PREAUTH))
    counter.tap(CardEnd.APPROVED)
    refused = counter.payments["q"]
    assert (refused.state, refused.reason) == (State.DECLINED, Message.BANK_MUST_BE_ASKED)


def test_no_wallet_is_taken_for_a_hold(counter: Any) -> None:
    counter.take(SaleWanted("p", 500, "CNY", kind=Kind.PREAUTH))
    assert counter.view.prompt is Message.PRESENT_CARD
    counter.take(CodeRead(counter.arming, "Alipay", "sealed", "print"))
    assert counter.view.hint is Message.CARD_ONLY
    with pytest.raises(NotAllowed, match="no wallet"):
        counter.take(CodeWanted("order"))
    assert states(counter, "p") == [State.AWAITING_TENDER]


def test_a_hold_that_was_not_sent_is_not_kept(counter: Any) -> None:
    counter.take(SaleWanted("p", 500, "CNY", kind=Kind.PREAUTH))
    counter.tap(proof="proof")
    counter.take(NeverLeft(Purpose.PAY, "p", "no route"))
    assert counter.payments["p"].next_step is Message.CHECK_NETWORK


def test_a_completion_takes_the_hold_with_it_in_one_record(counter: Any) -> None:
    held(counter)
    follow(counter, "i", Kind.INCREMENT, "p", 5_000)
    counter.take(FollowUpWanted("c", Kind.COMPLETION, "p"))
    assert counter.payments["c"].amount_minor == 25_000, "all that is held, if nothing is said"
    wishes = counter.take(Answered(Purpose.PAY, "c", BankAnswer("approved", "00")))
    records = [wish for wish in wishes if isinstance(wish, Record)]
    assert [[entry.payment.id for entry in record.entries] for record in records] == [["c", "p"]]
    assert states(counter, "c", "p") == [State.APPROVED, State.CAPTURED]


def test_a_completion_has_its_limit_and_happens_once(counter: Any) -> None:
    held(counter)
    with pytest.raises(AmountRefused, match=r"^A completion here is ¥230\.00 at most$"):
        counter.take(FollowUpWanted("c", Kind.COMPLETION, "p", 23_001))
    follow(counter, "c", Kind.COMPLETION, "p", 23_000)
    for kind in (Kind.COMPLETION, Kind.INCREMENT, Kind.RELEASE):
        with pytest.raises(NotAllowed, match="captured"):
            counter.take(FollowUpWanted("x", kind, "p", 100))


def test_a_voided_completion_reopens_the_hold(counter: Any) -> None:
    held(counter)
    follow(counter, "c", Kind.COMPLETION, "p", 18_000)
    follow(counter, "v", Kind.VOID, "c")
    assert states(counter, "v", "c", "p") == [State.APPROVED, State.VOIDED, State.APPROVED]
    follow(counter, "d", Kind.COMPLETION, "p")
    assert states(counter, "d", "p") == [State.APPROVED, State.CAPTURED]


def test_a_release_ends_a_hold_or_one_increment_of_it(counter: Any) -> None:
    held(counter)
    follow(counter, "i", Kind.INCREMENT, "p", 5_000)
    follow(counter, "r", Kind.RELEASE, "i")
    assert counter.find("p").held_minor == 20_000
    follow(counter, "s", Kind.RELEASE, "p")
    assert counter.payments["s"].amount_minor == 20_000
    assert states(counter, "i", "p") == [State.VOIDED, State.VOIDED]


@pytest.mark.parametrize("kind", [Kind.COMPLETION, Kind.INCREMENT, Kind.RELEASE])
def test_nothing_follows_while_something_is_in_doubt(counter: Any, kind: Kind) -> None:
    held(counter)
    follow(counter, "i", Kind.INCREMENT, "p", 5_000)
    counter.take(FollowUpWanted("d", kind, "p", 100))
    counter.take(AnswerLost(Purpose.PAY, "d", "cut"))
    counter.take(LeaveWanted())
    for other in (Kind.COMPLETION, Kind.INCREMENT, Kind.RELEASE):
        with pytest.raises(Busy, match="still being sent for 1"):
            counter.take(FollowUpWanted("x", other, "p", 100))
    with pytest.raises(Busy):
        counter.take(FollowUpWanted("x", Kind.RELEASE, "i"))


def test_what_is_done_to_an_increment_is_done_to_its_hold(counter: Any) -> None:
    held(counter)
    follow(counter, "i", Kind.INCREMENT, "p", 5_000)
    counter.take(FollowUpWanted("r", Kind.RELEASE, "i"))
    counter.take(AnswerLost(Purpose.PAY, "r", "cut"))
    counter.take(LeaveWanted())
    with pytest.raises(Busy, match="still being sent for 1"):
        counter.take(FollowUpWanted("c", Kind.COMPLETION, "p"))


def test_a_lost_completion_is_asked_about_and_the_hold_stands_until_then(counter: Any) -> None:
    held(counter)
    counter.take(FollowUpWanted("c", Kind.COMPLETION, "p"))
    counter.take(AnswerLost(Purpose.PAY, "c", "cut"))
    assert states(counter, "c", "p") == [State.UNKNOWN, State.APPROVED]
    counter.answer(Purpose.ASK, "c", "not_found")
    counter.answer(Purpose.REVERSE, "c", "reversed")
    assert states(counter, "c", "p") == [State.REVERSED, State.APPROVED]
    follow(counter, "d", Kind.COMPLETION, "p")
    assert states(counter, "p") == [State.CAPTURED]


def test_a_completion_in_doubt_is_taken_up_by_the_next_till(counter: Any) -> None:
    held(counter)
    counter.take(FollowUpWanted("c", Kind.COMPLETION, "p"))
    again = type(counter)(counter.clock)
    again.payments = dict(counter.payments)
    again.take(Started((counter.payments["c"],), (), 10))
    assert states(again, "c") == [State.UNKNOWN]
    again.answer(Purpose.ASK, "c", "approved", "00")
    assert states(again, "c", "p") == [State.APPROVED, State.CAPTURED]


# --- tips -------------------------------------------------------------------


def test_a_tip_is_small_and_given_once(counter: Any) -> None:
    sold(counter)
    with pytest.raises(AmountRefused, match=r"^A tip here is ¥20\.00 at most$"):
        counter.take(FollowUpWanted("t", Kind.TIP, "s", 2_001))
    follow(counter, "t", Kind.TIP, "s", 2_000)
    assert counter.find("s").tip_minor == 2_000
    for kind in (Kind.TIP, Kind.VOID):
        with pytest.raises(NotAllowed, match="void the tip first"):
            counter.take(FollowUpWanted("x", kind, "s", 100))
    follow(counter, "v", Kind.VOID, "t")
    follow(counter, "w", Kind.VOID, "s")
    assert states(counter, "s", "t") == [State.VOIDED, State.VOIDED]


def test_there_is_no_tip_on_money_given_back_or_not_taken(counter: Any) -> None:
    sold(counter)
    follow(counter, "r", Kind.REFUND, "s", 1)
    with pytest.raises(NotAllowed, match="has refunds"):
        counter.take(FollowUpWanted("t", Kind.TIP, "s", 100))
    held(counter)
    with pytest.raises(NotAllowed, match="nothing to tip"):
        counter.take(FollowUpWanted("t", Kind.TIP, "p", 100))
    sold(counter, "other")
    with pytest.raises(AmountRefused, match="above zero"):
        counter.take(FollowUpWanted("t", Kind.TIP, "other", 0))


@pytest.mark.parametrize("kind", [Kind.COMPLETION, Kind.INCREMENT, Kind.RELEASE])
def test_a_sale_holds_nothing(counter: Any, kind: Kind) -> None:
    sold(counter)
    with pytest.raises(NotAllowed, match="no pre-authorisation"):
        counter.take(FollowUpWanted("x", kind, "s", 100))


@pytest.mark.parametrize("kind", [Kind.REFUND, Kind.VOID])
def test_what_is_only_held_is_released_and_not_given_back(counter: Any, kind: Kind) -> None:
    held(counter)
    with pytest.raises(NotAllowed, match=f"nothing to {kind}"):
        counter.take(FollowUpWanted("x", kind, "p"))
    assert states(counter, "p") == [State.APPROVED]


# --- balance inquiries ------------------------------------------------------


def asked(counter: Any) -> None:
    counter.take(SaleWanted("b", 0, "CNY", kind=Kind.BALANCE))
    counter.tap()


def test_an_inquiry_tells_a_balance_and_the_record_has_none(counter: Any) -> None:
    asked(counter)
    answer = BankAnswer("approved", "00", balance_minor=12_345)
    counter.take(Answered(Purpose.PAY, "b", answer))
    assert counter.view.payment.balance_minor == 12_345
    assert counter.payments["b"].reason is Message.BALANCE_TOLD
    assert "12345" not in encoded(counter.payments["b"])


def test_an_inquiry_without_an_answer_is_over(counter: Any) -> None:
    asked(counter)
    counter.take(AnswerLost(Purpose.PAY, "b", "cut"))
    dropped = counter.payments["b"]
    assert (dropped.state, dropped.reason) == (State.CANCELLED, Message.INQUIRY_DROPPED)
    assert not counter.sent(Purpose.ASK)
    assert not counter.sent(Purpose.REVERSE)


def test_an_inquiry_that_a_till_died_in_is_over(counter: Any) -> None:
    asked(counter)
    again = type(counter)(counter.clock)
    again.take(Started((counter.payments["b"],), (), 10))
    assert states(again, "b") == [State.CANCELLED]
    assert not again.sent(Purpose.ASK)
