"""The payment core, one event at a time: no threads, no clock, no disk."""

from typing import Any

import pytest

from terminal.core.following import ASKS_MAX
from terminal.errors import AlreadySettled, AmountRefused, Busy, NotAllowed
from terminal.events import (
    Answered,
    AnswerLost,
    Arm,
    AskPin,
    BankAnswer,
    CancelWanted,
    CardEnd,
    CardPresented,
    CardRead,
    CodeRead,
    CodeRejected,
    CodeWanted,
    Disarm,
    EndPin,
    FollowUpWanted,
    JournalFailed,
    LeaveWanted,
    NeverLeft,
    PinDigits,
    PinEnded,
    PinEntered,
    Purpose,
    Record,
    Refused,
    SaleWanted,
    Send,
    Started,
)
from terminal.messages import Message
from terminal.states import State
from terminal.view import Kind, Medium, Readiness, Stage, Step

SALE = SaleWanted("a1", 34560, "CNY")


def state_of(counter: Any, attempt: str) -> State:
    return State(counter.payments[attempt].state)


def in_hand(counter: Any) -> State:
    return State(counter.view.payment.state)


def approved_sale(counter: Any, attempt: str = "a1", amount: int = 34560) -> None:
    counter.take(SaleWanted(attempt, amount, "CNY"))
    counter.tap()
    counter.answer(Purpose.PAY, attempt, "approved", "00")
    counter.take(LeaveWanted())


# --- the plain sale -----------------------------------------------------------


def test_an_amount_is_written_down_before_anything_is_armed(counter: Any) -> None:
    wishes = counter.take(SALE)

    assert isinstance(wishes[0], Record)
    assert any(isinstance(wish, Arm) for wish in wishes[1:])
    assert counter.view.stage is Stage.PRESENT
    assert counter.view.payment.number == 1


def test_authorising_is_written_before_the_request_is_sent(counter: Any) -> None:
    counter.take(SALE)

    kinds = [type(wish) for wish in counter.tap()]

    assert kinds.index(Record) < kinds.index(Send)
    assert kinds[0] is Disarm, "the other media are released first"
    assert counter.moves[-1] == "online_requested > authorising"
    assert counter.view.step is Step.WRITTEN


def test_an_approval_ends_the_sale(counter: Any) -> None:
    counter.take(SALE)
    counter.tap()
    counter.answer(Purpose.PAY, "a1", "approved", "00")

    view = counter.view
    assert (view.stage, view.payment.state) == (Stage.RESULT, State.APPROVED)
    assert view.payment.next_step is Message.HAND_OVER
    assert view.payment.medium is Medium.CARD
    assert set(view.payment.durations_ms) >= {"present", "read", "bank"}


def test_a_decline_names_its_reason_and_the_next_step(counter: Any) -> None:
    counter.take(SALE)
    counter.tap()
    counter.answer(Purpose.PAY, "a1", "declined", "51")

    payment = counter.view.payment
    assert payment.state is State.DECLINED
    assert payment.reason is Message.NOT_ENOUGH_MONEY
    assert payment.next_step is Message.ANOTHER_CARD_OR_WALLET


@pytest.mark.parametrize(
    ("amount", "why"),
    [(0, "above zero"), (-1, "above zero"), (1_000_001, "over this till's limit of ¥10,000.00$")],
)
def test_an_impossible_amount_is_refused_and_nothing_written(
    counter: Any, amount: int, why: str
) -> None:
    with pytest.raises(AmountRefused, match=why):
        counter.take(SaleWanted("a1", amount, "CNY"))
    assert counter.moves == []
    assert counter.view.stage is Stage.IDLE


def test_a_second_sale_waits_for_the_first(counter: Any) -> None:
    counter.take(SALE)
    with pytest.raises(Busy, match="Payment 1"):
        counter.take(SaleWanted("a2", 100, "CNY"))


def test_a_sale_begins_over_an_old_result(counter: Any) -> None:
    counter.take(SALE)
    counter.tap()
    counter.answer(Purpose.PAY, "a1", "approved", "00")
    counter.take(SaleWanted("a2", 100, "CNY"))
    assert counter.view.payment.id == "a2"


# --- Esc ------------------------------------------------------------------------


def test_esc_cancels_until_the_request_has_left(counter: Any) -> None:
    counter.take(SALE)
    wishes = counter.take(CancelWanted())
    assert any(isinstance(wish, Disarm) for wish in wishes)
    assert in_hand(counter) is State.CANCELLED
    assert counter.view.payment.reason is Message.CANCELLED


def test_esc_says_why_not_once_the_request_has_left(counter: Any) -> None:
    counter.take(SALE)
    counter.tap()
    with pytest.raises(NotAllowed, match="Already sent"):
        counter.take(CancelWanted())
    assert in_hand(counter) is State.AUTHORISING


def test_cancelling_after_a_card_that_did_not_count_keeps_its_reason(counter: Any) -> None:
    counter.take(SALE)
    counter.take(CardPresented(counter.arming))
    counter.take(
        CardRead(
            counter.arming, CardEnd.AGAIN, Message.CARD_NOT_ACCEPTED, Message.ANOTHER_CARD_OR_WALLET
        )
    )
    assert counter.view.hint is Message.CARD_NOT_ACCEPTED
    counter.take(CancelWanted())
    assert counter.view.payment.reason is Message.CARD_NOT_ACCEPTED


@pytest.mark.parametrize(
    ("reason", "prompt"),
    [
        (Message.SEE_PHONE, Message.SEE_PHONE),
        (Message.TAP_AGAIN, Message.TAP_AGAIN),
        (Message.ONE_CARD_ONLY, Message.ONE_CARD_ONLY),
        (Message.CARD_NOT_ACCEPTED, Message.PRESENT),
    ],
)
def test_what_the_customer_must_do_takes_the_place_of_present_card(
    counter: Any, reason: Message, prompt: Message
) -> None:
    counter.take(SALE)
    counter.take(CardPresented(counter.arming))
    counter.take(CardRead(counter.arming, CardEnd.AGAIN, reason, Message.TRY_ONCE_MORE))
    assert counter.view.prompt is prompt
    counter.take(CardPresented(counter.arming))
    assert counter.view.prompt is Message.READING


def test_nobody_comes_and_the_sale_ends(counter: Any) -> None:
    counter.take(SALE)
    counter.ring("present")
    assert in_hand(counter) is State.CANCELLED
    assert counter.view.payment.reason is Message.TIMED_OUT


def test_a_card_in_mid_reading_is_not_timed_out(counter: Any) -> None:
    counter.take(SALE)
    counter.take(CardPresented(counter.arming))
    counter.ring("present")
    assert counter.view.stage is Stage.READING


# --- the first medium wins --------------------------------------------------------


def test_no_event_of_a_loser_reaches_the_payment(counter: Any) -> None:
    counter.take(SALE)
    old = counter.arming
    counter.tap()
    before = counter.view

    counter.take(CodeRead(old, "Alipay", "sealed", "print"))
    counter.take(CardPresented(old))
    counter.take(CardRead(old, CardEnd.DECLINED))
    counter.take(CodeRejected(old, Message.TWO_CODES))

    assert counter.view == before
    assert len(counter.sent(Purpose.PAY)) == 1


def test_a_code_seen_while_a_card_is_being_read_does_not_count(counter: Any) -> None:
    counter.take(SALE)
    counter.take(CardPresented(counter.arming))
    counter.take(CodeRead(counter.arming, "Alipay", "sealed", "print"))
    assert counter.sent(Purpose.PAY) == []


def test_a_reader_that_gives_up_does_not_end_the_reading_of_another(counter: Any) -> None:
    counter.take(SALE)
    counter.take(CardPresented(counter.arming, "Antenna"))
    counter.take(CardPresented(counter.arming, "Slot"))
    counter.take(CardRead(counter.arming, CardEnd.AGAIN, Message.READER_LOST, reader="Slot"))
    view = counter.view
    assert (view.stage, view.hint) == (Stage.READING, None)
    counter.take(CodeRead(counter.arming, "Alipay", "sealed", "print"))
    assert counter.sent(Purpose.PAY) == []

    counter.take(CardRead(counter.arming, CardEnd.AGAIN, Message.TAP_AGAIN, reader="Antenna"))
    view = counter.view
    assert (view.stage, view.hint) == (Stage.PRESENT, Message.TAP_AGAIN)


def test_the_next_sale_is_armed_under_a_new_number(counter: Any) -> None:
    counter.take(SALE)
    first = counter.arming
    counter.tap()
    counter.answer(Purpose.PAY, "a1", "approved", "00")
    counter.take(SaleWanted("a2", 100, "CNY"))
    counter.take(CodeRead(first, "Alipay", "sealed", "print"))
    assert counter.view.stage is Stage.PRESENT


# --- a code pays once ---------------------------------------------------------------


def scan(counter: Any, attempt: str, fingerprint: str = "print") -> None:
    counter.take(SaleWanted(attempt, 100, "CNY"))
    counter.take(CodeRead(counter.arming, "Alipay", "sealed", fingerprint))


def test_the_last_customers_code_is_waved_off_and_a_fresh_one_pays(counter: Any) -> None:
    """Its phone still lies before the camera when the next sale opens."""
    scan(counter, "a1")
    counter.answer(Purpose.PAY, "a1", "approved", "00")
    scan(counter, "a2")
    assert (counter.view.stage, counter.view.hint) == (Stage.PRESENT, Message.CODE_ALREADY_SEEN)
    assert len(counter.sent(Purpose.PAY)) == 1

    counter.take(CodeRead(counter.arming, "Alipay", "sealed", "fresh"))
    assert len(counter.sent(Purpose.PAY)) == 2


def test_a_code_that_never_left_may_be_shown_again(counter: Any) -> None:
    scan(counter, "a1")
    counter.take(NeverLeft(Purpose.PAY, "a1", "refused"))
    assert state_of(counter, "a1") is State.NOT_SENT
    scan(counter, "a2")
    assert len(counter.sent(Purpose.PAY)) == 2


def test_a_code_whose_answer_was_lost_counts_as_used(counter: Any) -> None:
    scan(counter, "a1")
    counter.take(AnswerLost(Purpose.PAY, "a1", "silence"))
    counter.take(LeaveWanted())
    scan(counter, "a2")
    assert counter.view.hint is Message.CODE_ALREADY_SEEN


# --- silence is not a decline --------------------------------------------------------


def lost(counter: Any) -> None:
    counter.take(SALE)
    counter.tap()
    counter.take(AnswerLost(Purpose.PAY, "a1", "cut"))


def test_a_lost_answer_is_unknown_and_asked_about(counter: Any) -> None:
    lost(counter)
    assert in_hand(counter) is State.UNKNOWN
    assert counter.view.payment.next_step is Message.DO_NOT_CHARGE_AGAIN
    assert len(counter.sent(Purpose.ASK)) == 1
    assert counter.view.payment.asked == 1


@pytest.mark.parametrize(
    ("state", "code", "end"),
    [("approved", "00", State.APPROVED), ("declined", "05", State.DECLINED)],
)
def test_only_a_verified_word_ends_the_unknown(
    counter: Any, state: str, code: str, end: State
) -> None:
    lost(counter)
    counter.answer(Purpose.ASK, "a1", state, code)
    assert in_hand(counter) is end


def test_not_found_leads_to_a_reversal(counter: Any) -> None:
    lost(counter)
    counter.answer(Purpose.ASK, "a1", "not_found")
    assert in_hand(counter) is State.REVERSING
    counter.answer(Purpose.REVERSE, "a1", "reversed")
    assert in_hand(counter) is State.REVERSED
    assert counter.view.payment.next_step is Message.CHARGE_AGAIN


def test_a_silent_bank_is_asked_a_few_times_and_then_reversed(counter: Any) -> None:
    lost(counter)
    asks = 1
    while in_hand(counter) is State.UNKNOWN:
        counter.take(NeverLeft(Purpose.ASK, "a1", "no route"))
        if in_hand(counter) is State.UNKNOWN:
            counter.ring("follow")
            asks += 1
    assert asks == ASKS_MAX + 1
    assert in_hand(counter) is State.REVERSING


def test_a_reversal_is_repeated_for_ever_and_ever_more_slowly(counter: Any) -> None:
    lost(counter)
    counter.answer(Purpose.ASK, "a1", "not_found")
    waits = []
    for _ in range(12):
        before = counter.clock.seconds
        counter.take(AnswerLost(Purpose.REVERSE, "a1", "cut"))
        counter.ring("follow")
        waits.append(counter.clock.seconds - before)
    assert waits == sorted(waits)
    assert waits[-1] == 60.0
    assert in_hand(counter) is State.REVERSING
    assert len(counter.sent(Purpose.REVERSE)) == 13


def test_an_unknown_payment_can_be_kept_while_the_next_is_taken(counter: Any) -> None:
    lost(counter)
    counter.take(LeaveWanted())
    counter.take(SaleWanted("a2", 100, "CNY"))
    counter.tap()
    assert counter.view.payment.id == "a2"
    assert counter.view.notices[0].message is Message.BEING_CHECKED
    counter.answer(Purpose.ASK, "a1", "approved", "00")
    assert state_of(counter, "a1") is State.APPROVED
    assert counter.view.payment.id == "a2", "a result is matched by attempt, not by latest"


def test_no_new_authorisation_overtakes_a_pending_reversal(counter: Any) -> None:
    lost(counter)
    counter.answer(Purpose.ASK, "a1", "not_found")
    counter.take(LeaveWanted())
    counter.take(SaleWanted("a2", 100, "CNY"))
    counter.tap()

    assert [wish.payment.id for wish in counter.sent(Purpose.PAY)] == ["a1"]
    assert counter.view.stage is Stage.PROCESSING
    counter.answer(Purpose.REVERSE, "a1", "reversed")
    assert [wish.payment.id for wish in counter.sent(Purpose.PAY)] == ["a1", "a2"]


def test_a_sale_behind_a_reversal_that_cannot_be_sent_is_not_sent(counter: Any) -> None:
    lost(counter)
    counter.answer(Purpose.ASK, "a1", "not_found")
    counter.take(LeaveWanted())
    counter.take(SaleWanted("a2", 100, "CNY"))
    counter.tap()
    counter.take(NeverLeft(Purpose.REVERSE, "a1", "no route"))
    assert state_of(counter, "a2") is State.NOT_SENT
    assert counter.payments["a2"].reason is Message.REVERSAL_FIRST
    assert state_of(counter, "a1") is State.REVERSING


def test_a_request_that_never_left_is_not_sent(counter: Any) -> None:
    counter.take(SALE)
    counter.tap()
    counter.take(NeverLeft(Purpose.PAY, "a1", "no route"))
    assert in_hand(counter) is State.NOT_SENT
    assert counter.view.bank is Readiness.FAULTY
    assert counter.sent(Purpose.ASK) == []


@pytest.mark.parametrize("status", [409, 429, 500, 503])
def test_a_refusal_that_says_nothing_about_the_attempt_is_unknown(
    counter: Any, status: int
) -> None:
    counter.take(SALE)
    counter.tap()
    counter.take(Refused(Purpose.PAY, "a1", status, "busy"))
    assert in_hand(counter) is State.UNKNOWN


@pytest.mark.parametrize("status", [400, 401, 413, 422])
def test_a_verified_refusal_of_the_request_is_a_decline(counter: Any, status: int) -> None:
    counter.take(SALE)
    counter.tap()
    counter.take(Refused(Purpose.PAY, "a1", status, "malformed"))
    assert in_hand(counter) is State.DECLINED
    assert counter.view.payment.reason is Message.BANK_REFUSED_REQUEST


def test_a_wrong_clock_is_named(counter: Any) -> None:
    counter.take(SALE)
    counter.tap()
    counter.take(Refused(Purpose.PAY, "a1", 401, "expired", skew_ms=3_600_000))
    assert counter.view.payment.reason is Message.CLOCK_WRONG
    assert Message.CLOCK_WRONG in [notice.message for notice in counter.view.notices]


# --- a code on the customer's screen -------------------------------------------------


def shown(counter: Any) -> None:
    counter.take(SALE)
    counter.take(CodeWanted("o1"))
    expires = counter.clock.wall_ms() + 90_000
    counter.take(
        Answered(
            Purpose.ORDER, "a1", BankAnswer("open", shown_code="HTTPS://X", expires_at_ms=expires)
        )
    )


def test_a_code_is_written_down_before_the_bank_opens_it(counter: Any) -> None:
    counter.take(SALE)
    kinds = [type(wish) for wish in counter.take(CodeWanted("o1"))]
    assert kinds.index(Record) < kinds.index(Send)
    assert counter.view.stage is Stage.CODE
    assert counter.view.code is None


def test_a_shown_code_that_is_paid_is_the_result(counter: Any) -> None:
    shown(counter)
    assert counter.view.code.text == "HTTPS://X"
    assert counter.view.deadline_at == counter.clock.seconds + 90
    counter.ring("poll")
    counter.take(Answered(Purpose.ASK, "a1", BankAnswer("approved", "00", brand="Alipay")))
    payment = counter.view.payment
    assert (payment.state, payment.medium) == (State.APPROVED, Medium.SHOWN_CODE)
    assert payment.brand == "Alipay"


def test_no_card_request_leaves_before_the_bank_has_closed_the_code(counter: Any) -> None:
    shown(counter)
    counter.tap()
    assert counter.sent(Purpose.PAY) == []
    assert counter.view.stage is Stage.CLOSING
    counter.answer(Purpose.CLOSE, "a1", "closed")
    assert len(counter.sent(Purpose.PAY)) == 1
    assert counter.moves[-2:] == [
        "order_released > awaiting_tender",
        "online_requested > authorising",
    ]


def test_if_the_code_was_paid_the_card_is_not_charged(counter: Any) -> None:
    shown(counter)
    counter.tap()
    counter.take(Answered(Purpose.CLOSE, "a1", BankAnswer("approved", "00", brand="Alipay")))
    assert counter.sent(Purpose.PAY) == []
    payment = counter.view.payment
    assert (payment.state, payment.medium, payment.brand) == (
        State.APPROVED,
        Medium.SHOWN_CODE,
        "Alipay",
    )


def test_while_closing_is_unconfirmed_no_other_tender_is_sent_or_stored(counter: Any) -> None:
    shown(counter)
    counter.tap(CardEnd.APPROVED)
    for _ in range(3):
        counter.take(AnswerLost(Purpose.CLOSE, "a1", "cut"))
        counter.ring("follow")
    assert counter.sent(Purpose.PAY) == []
    assert state_of(counter, "a1") is State.CLOSING


def test_a_card_is_not_charged_after_the_customer_has_left(counter: Any) -> None:
    shown(counter)
    counter.tap()
    counter.ring("tender")
    counter.answer(Purpose.CLOSE, "a1", "closed")
    assert counter.sent(Purpose.PAY) == []
    assert in_hand(counter) is State.CANCELLED


def test_esc_closes_the_code_at_the_bank_first(counter: Any) -> None:
    shown(counter)
    counter.take(CancelWanted())
    assert in_hand(counter) is State.CLOSING
    with pytest.raises(NotAllowed):
        counter.take(CancelWanted())
    counter.answer(Purpose.CLOSE, "a1", "closed")
    assert in_hand(counter) is State.CANCELLED


def test_an_expired_code_goes_back_to_presenting(counter: Any) -> None:
    shown(counter)
    first = counter.arming
    counter.ring("poll")
    counter.answer(Purpose.ASK, "a1", "closed")
    assert counter.view.stage is Stage.PRESENT
    assert counter.view.hint is Message.OUR_CODE_EXPIRED
    assert counter.arming == first, "nothing was switched off in between"


def test_a_code_whose_end_nobody_confirms_is_closed(counter: Any) -> None:
    shown(counter)
    counter.ring("code")
    assert in_hand(counter) is State.CLOSING
    counter.answer(Purpose.CLOSE, "a1", "closed")
    assert counter.view.stage is Stage.PRESENT


def test_an_order_whose_answer_was_lost_is_closed_before_the_sale_goes_on(counter: Any) -> None:
    counter.take(SALE)
    counter.take(CodeWanted("o1"))
    counter.take(AnswerLost(Purpose.ORDER, "a1", "cut"))
    assert in_hand(counter) is State.CLOSING
    counter.answer(Purpose.CLOSE, "a1", "closed")
    assert counter.view.stage is Stage.PRESENT
    counter.tap()
    assert len(counter.sent(Purpose.PAY)) == 1


def test_a_code_the_bank_has_not_leaves_the_other_media(counter: Any) -> None:
    counter.take(SALE)
    counter.take(CodeWanted("o1"))
    counter.take(NeverLeft(Purpose.ORDER, "a1", "no route"))
    assert counter.view.hint is Message.CODE_UNAVAILABLE
    assert counter.view.stage is Stage.PRESENT


# --- the payer who must confirm -----------------------------------------------------


def pending(counter: Any) -> None:
    counter.take(SALE)
    counter.take(CodeRead(counter.arming, "Alipay", "sealed", "print"))
    counter.answer(Purpose.PAY, "a1", "pending", "P0")


def test_the_payer_confirms(counter: Any) -> None:
    pending(counter)
    assert counter.view.stage is Stage.PAYER
    counter.ring("poll")
    counter.answer(Purpose.ASK, "a1", "pending", "P0")
    counter.ring("poll")
    counter.answer(Purpose.ASK, "a1", "approved", "00")
    assert in_hand(counter) is State.APPROVED
    assert counter.view.payment.medium is Medium.PAYMENT_CODE


def test_the_payer_refuses(counter: Any) -> None:
    pending(counter)
    counter.ring("poll")
    counter.answer(Purpose.ASK, "a1", "declined", "C4")
    assert counter.view.payment.reason is Message.PAYER_REFUSED


@pytest.mark.parametrize("way", ["cancel", "payer"])
def test_a_payer_who_does_not_come_is_closed_at_the_bank(counter: Any, way: str) -> None:
    pending(counter)
    counter.take(CancelWanted()) if way == "cancel" else counter.ring("payer")
    assert in_hand(counter) is State.CLOSING
    counter.answer(Purpose.CLOSE, "a1", "approved", "00")
    assert in_hand(counter) is State.APPROVED, "the payer was faster"


# --- approved by the card ----------------------------------------------------------


def test_an_offline_approval_is_stored_and_told_to_the_bank(counter: Any) -> None:
    counter.take(SALE)
    counter.tap(CardEnd.APPROVED)
    assert in_hand(counter) is State.STORED
    record = next(wish for wish in reversed(counter.wishes) if isinstance(wish, Record))
    assert record.entries[-1].sealed == "a.b.c.d.e"
    counter.take(NeverLeft(Purpose.ADVISE, "a1", "no route"))
    counter.ring("follow")
    counter.answer(Purpose.ADVISE, "a1", "approved", "00")
    assert state_of(counter, "a1") is State.APPROVED
    record = next(wish for wish in reversed(counter.wishes) if isinstance(wish, Record))
    assert record.entries[-1].sealed == "", "the sealed sale is erased once the bank has it"


def test_a_stored_sale_the_bank_refuses_calls_the_supervisor(counter: Any) -> None:
    counter.take(SALE)
    counter.tap(CardEnd.APPROVED)
    counter.answer(Purpose.ADVISE, "a1", "declined", "51")
    assert state_of(counter, "a1") is State.STORED_REFUSED
    assert counter.payments["a1"].next_step is Message.TELL_SUPERVISOR


# --- giving back -------------------------------------------------------------------


def test_a_refund_is_a_payment_of_its_own(counter: Any) -> None:
    approved_sale(counter)
    counter.take(FollowUpWanted("r1", Kind.REFUND, "a1", 1000))
    assert state_of(counter, "r1") is State.AUTHORISING
    counter.answer(Purpose.PAY, "r1", "approved", "00")
    refund = counter.payments["r1"]
    assert (refund.kind, refund.amount_minor, refund.original) == (Kind.REFUND, 1000, "a1")
    assert refund.reason is Message.REFUNDED


def test_no_more_is_refunded_than_is_left(counter: Any) -> None:
    approved_sale(counter)
    sale = counter.payments["a1"]
    counter.payments["a1"] = type(sale)(**{**_fields(sale), "refunded_minor": 34000})
    with pytest.raises(AmountRefused, match=r"^Only ¥5\.60 is left to refund of 1$"):
        counter.take(FollowUpWanted("r1", Kind.REFUND, "a1", 561))
    counter.payments["a1"] = type(sale)(**{**_fields(sale), "refunded_minor": 34560})
    with pytest.raises(AlreadySettled):
        counter.take(FollowUpWanted("r1", Kind.REFUND, "a1"))


def _fields(payment: Any) -> dict[str, Any]:
    return {name: getattr(payment, name) for name in payment.__dataclass_fields__}


def test_a_void_takes_the_sale_with_it(counter: Any) -> None:
    approved_sale(counter)
    counter.take(FollowUpWanted("v1", Kind.VOID, "a1"))
    counter.answer(Purpose.PAY, "v1", "approved", "00")
    assert state_of(counter, "v1") is State.APPROVED
    assert state_of(counter, "a1") is State.VOIDED


def test_a_void_and_its_sale_are_written_in_one(counter: Any) -> None:
    """A till that dies between two records would leave a sale to give back twice."""
    approved_sale(counter)
    counter.take(FollowUpWanted("v1", Kind.VOID, "a1"))

    wishes = counter.take(Answered(Purpose.PAY, "v1", BankAnswer("approved", "00")))

    records = [wish for wish in wishes if isinstance(wish, Record)]
    assert [[entry.payment.id for entry in record.entries] for record in records] == [["v1", "a1"]]


def test_a_lost_void_is_asked_about_like_any_payment(counter: Any) -> None:
    approved_sale(counter)
    counter.take(FollowUpWanted("v1", Kind.VOID, "a1"))
    counter.take(AnswerLost(Purpose.PAY, "v1", "cut"))
    assert state_of(counter, "a1") is State.APPROVED
    counter.answer(Purpose.ASK, "v1", "approved", "00")
    assert state_of(counter, "a1") is State.VOIDED


@pytest.mark.parametrize("kind", [Kind.REFUND, Kind.VOID])
def test_only_an_approved_sale_is_given_back(counter: Any, kind: Kind) -> None:
    counter.take(SALE)
    counter.take(CancelWanted())
    with pytest.raises(NotAllowed, match="cancelled"):
        counter.take(FollowUpWanted("x", kind, "a1"))


def test_a_void_waits_for_a_refund_in_doubt(counter: Any) -> None:
    approved_sale(counter)
    counter.take(FollowUpWanted("r1", Kind.REFUND, "a1", 1000))
    counter.take(AnswerLost(Purpose.PAY, "r1", "cut"))
    counter.take(LeaveWanted())
    with pytest.raises(Busy):
        counter.take(FollowUpWanted("v1", Kind.VOID, "a1"))


# --- power and disk -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "after_start", "asked"),
    [
        (State.AWAITING_TENDER, State.CANCELLED, None),
        (State.CODE_OPEN, State.CLOSING, Purpose.CLOSE),
        (State.AUTHORISING, State.UNKNOWN, Purpose.ASK),
        (State.AWAITING_PAYER, State.CLOSING, Purpose.CLOSE),
        (State.CLOSING, State.CLOSING, Purpose.CLOSE),
        (State.UNKNOWN, State.UNKNOWN, Purpose.ASK),
        (State.REVERSING, State.REVERSING, Purpose.REVERSE),
        (State.STORED, State.STORED, Purpose.ADVISE),
        (State.DEFERRED, State.DEFERRED, Purpose.ADVISE),
        (State.REVERSAL_REFUSED, State.REVERSAL_REFUSED, None),
        (State.STORED_REFUSED, State.STORED_REFUSED, None),
    ],
)
def test_every_open_payment_is_taken_up_again_at_start(
    counter: Any, state: State, after_start: State, asked: Purpose | None
) -> None:
    counter.take(SALE)
    left = type(counter.payments["a1"])(**{**_fields(counter.payments["a1"]), "state": state})
    again = type(counter)(counter.clock)
    again.payments["a1"] = left
    again.take(Started((left,), (), 2))
    assert again.payments["a1"].state is after_start
    purposes = [
        wish.purpose
        for wish in again.wishes
        if isinstance(wish, Send) and wish.purpose is not Purpose.ECHO
    ]
    assert purposes == ([asked] if asked else [])


def behind_the_record(wishes: list[Any]) -> list[Any]:
    first = next(place for place, wish in enumerate(wishes) if isinstance(wish, Record))
    return wishes[first + 1 :]


def test_a_sale_that_cannot_be_written_does_not_begin(counter: Any) -> None:
    undone = behind_the_record(counter.core.step(SALE))
    counter.take(JournalFailed(("a1",), tuple(undone), "disk full"))
    assert counter.view.stage is Stage.IDLE
    assert counter.view.notices[0].message is Message.JOURNAL_FAULT


def test_an_authorisation_that_cannot_be_written_is_not_sent(counter: Any) -> None:
    counter.take(SALE)
    counter.take(CardPresented(counter.arming))
    undone = behind_the_record(
        counter.core.step(CardRead(counter.arming, CardEnd.ONLINE, sealed="a.b.c.d.e"))
    )
    counter.take(JournalFailed(("a1",), tuple(undone), "disk full"))
    assert counter.view.stage is Stage.IDLE
    counter.ring("follow")
    assert state_of(counter, "a1") is State.CANCELLED


def test_an_answer_that_cannot_be_written_is_asked_for_again(counter: Any) -> None:
    counter.take(SALE)
    counter.tap()
    undone = behind_the_record(
        counter.core.step(Answered(Purpose.PAY, "a1", BankAnswer("approved", "00")))
    )
    counter.take(JournalFailed(("a1",), tuple(undone), "disk full"))
    assert in_hand(counter) is State.AUTHORISING
    counter.ring("follow")
    assert in_hand(counter) is State.UNKNOWN
    counter.answer(Purpose.ASK, "a1", "approved", "00")
    assert in_hand(counter) is State.APPROVED
    assert Message.JOURNAL_FAULT not in [notice.message for notice in counter.view.notices]


# --- a PIN ----------------------------------------------------------------------


def test_a_pin_is_asked_for_before_anything_is_written_or_sent(counter: Any) -> None:
    counter.take(SALE)
    wishes = counter.tap_for_pin()

    kinds = [type(wish) for wish in wishes]
    assert kinds.index(Disarm) < kinds.index(AskPin)
    [asked] = [wish for wish in wishes if isinstance(wish, AskPin)]
    assert (asked.attempt, asked.kept) == ("a1", 7)
    assert not any(isinstance(wish, Record | Send) for wish in wishes)
    assert (counter.view.stage, counter.view.prompt) == (Stage.PIN, Message.ENTER_PIN)
    assert counter.view.cancellable


def test_the_screen_is_told_how_many_digits(counter: Any) -> None:
    counter.take(SALE)
    counter.tap_for_pin()
    for digits in (1, 2, 3, 0, 1):
        counter.take(PinDigits(counter.asking, digits))
        assert counter.view.pin_digits == digits


def test_an_entered_pin_goes_out_at_once(counter: Any) -> None:
    counter.take(SALE)
    counter.tap_for_pin()
    wishes = counter.take(PinEntered(counter.asking, "a.b.c.d.e"))

    kinds = [type(wish) for wish in wishes]
    assert kinds.index(Record) < kinds.index(Send)
    [sent] = counter.sent(Purpose.PAY)
    assert sent.sealed == "a.b.c.d.e"
    counter.answer(Purpose.PAY, "a1", "approved", "00")
    assert counter.view.payment.pin
    assert "pin" in counter.view.payment.durations_ms


def test_nothing_of_a_pin_is_recorded(counter: Any) -> None:
    counter.take(SALE)
    counter.tap_for_pin()
    counter.take(PinEntered(counter.asking, "a.b.c.d.e"))
    counter.take(NeverLeft(Purpose.PAY, "a1", "no route"))

    assert in_hand(counter) is State.NOT_SENT, "no sale with a PIN is stored"
    records = [wish for wish in counter.wishes if isinstance(wish, Record)]
    assert all(not entry.sealed for record in records for entry in record.entries)


def test_a_wrong_pin_may_be_tried_once_more(counter: Any) -> None:
    counter.take(SALE)
    counter.tap_for_pin()
    counter.take(PinEntered(counter.asking, "a.b.c.d.e"))
    counter.answer(Purpose.PAY, "a1", "declined", "55")
    payment = counter.view.payment
    assert (payment.reason, payment.next_step) == (Message.WRONG_PIN, Message.TRY_ONCE_MORE)

    counter.take(SaleWanted("a2", 34560, "CNY"))
    counter.tap_for_pin()
    counter.take(PinEntered(counter.asking, "f.g.h.i.j"))
    assert [(send.payment.id, send.sealed) for send in counter.sent(Purpose.PAY)] == [
        ("a1", "a.b.c.d.e"),
        ("a2", "f.g.h.i.j"),
    ]


@pytest.mark.parametrize(
    "reason",
    [
        Message.PIN_CANCELLED,
        Message.PIN_LATE,
        Message.PIN_PAD_LOST,
        Message.PIN_PAD_NOT_READY,
    ],
)
def test_without_a_pin_another_medium_may_still_pay(counter: Any, reason: Message) -> None:
    counter.take(SALE)
    counter.tap_for_pin()
    wishes = counter.take(PinEnded(counter.asking, reason, Message.ANOTHER_CARD_OR_WALLET))

    assert any(isinstance(wish, Arm) for wish in wishes)
    assert (counter.view.stage, counter.view.hint) == (Stage.PRESENT, reason)
    counter.take(CodeRead(counter.arming, "Alipay", "a.b.c.d.e", "print"))
    assert in_hand(counter) is State.AUTHORISING


def test_esc_ends_the_question(counter: Any) -> None:
    counter.take(SALE)
    counter.tap_for_pin()
    wishes = counter.take(CancelWanted())

    assert any(isinstance(wish, EndPin) for wish in wishes)
    assert in_hand(counter) is State.CANCELLED
    counter.take(PinEntered(counter.asking, "a.b.c.d.e"))
    assert counter.sent(Purpose.PAY) == []


def test_an_answer_to_an_earlier_question_does_not_count(counter: Any) -> None:
    counter.take(SALE)
    counter.tap_for_pin()
    earlier = counter.asking
    counter.take(PinEnded(earlier, Message.PIN_LATE, Message.ANOTHER_CARD))
    counter.tap_for_pin()
    counter.take(PinDigits(earlier, 4))
    counter.take(PinEntered(earlier, "a.b.c.d.e"))

    assert (counter.view.stage, counter.view.pin_digits) == (Stage.PIN, 0)
    assert counter.sent(Purpose.PAY) == []


def test_a_code_on_show_is_closed_before_the_pin_is_asked_for(counter: Any) -> None:
    counter.take(SALE)
    counter.take(CodeWanted("o1"))
    wishes = counter.tap_for_pin()
    assert not any(isinstance(wish, AskPin) for wish in wishes)

    wishes = counter.answer(Purpose.CLOSE, "a1", "closed")
    assert any(isinstance(wish, AskPin) for wish in wishes)
    assert counter.view.stage is Stage.PIN


def test_a_code_that_was_paid_meanwhile_needs_no_pin(counter: Any) -> None:
    counter.take(SALE)
    counter.take(CodeWanted("o1"))
    counter.tap_for_pin()
    wishes = counter.answer(Purpose.CLOSE, "a1", "approved", "00")

    assert any(isinstance(wish, EndPin) for wish in wishes), "the card is forgotten"
    assert in_hand(counter) is State.APPROVED
    assert not counter.view.payment.pin


def test_a_reversal_goes_before_the_pin(counter: Any) -> None:
    counter.take(SALE)
    counter.tap()
    counter.take(AnswerLost(Purpose.PAY, "a1", "cut"))
    counter.answer(Purpose.ASK, "a1", "not_found")
    counter.take(LeaveWanted())
    counter.take(SaleWanted("a2", 100, "CNY"))
    wishes = counter.tap_for_pin()
    assert not any(isinstance(wish, AskPin) for wish in wishes)

    wishes = counter.answer(Purpose.REVERSE, "a1", "reversed")
    assert any(isinstance(wish, AskPin) for wish in wishes)
    assert counter.view.stage is Stage.PIN
