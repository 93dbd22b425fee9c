"""What is kept here while the bank is not reached, one event at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal.errors import NotAllowed
from terminal.events import (
    Answered,
    AnswerLost,
    BankAnswer,
    CardEnd,
    CodeRead,
    JournalFailed,
    KeepWanted,
    LeaveWanted,
    NeverLeft,
    PinEntered,
    Purpose,
    RaiseWanted,
    Record,
    Refused,
    SaleWanted,
    SettleWanted,
    Started,
    SyncWanted,
)
from terminal.messages import Message
from terminal.states import FINAL, KEPT, State
from terminal.store import STUCK_AFTER, CurrencyLimits, OfflineLimits
from terminal.view import Readiness

PROOF = "header.claims.signature"
LIMITS = OfflineLimits(
    defers=True,
    count_max=3,
    age_max_s=3600,
    by_currency={"CNY": CurrencyLimits(amount_max_minor=500, sum_max_minor=1200)},
)


@pytest.fixture
def shop(counter: Any, clock: Any) -> Any:
    """A till that may keep three sales, of 5.00 each and 12.00 together."""
    return type(counter)(clock, LIMITS)


def not_sent(shop: Any, attempt: str, amount_minor: int = 100, proof: str = PROOF) -> None:
    """Take a card sale whose request cannot leave."""
    shop.take(SaleWanted(attempt, amount_minor, "CNY"))
    shop.tap(proof=proof)
    shop.take(NeverLeft(Purpose.PAY, attempt, "no route"))
    assert state_of(shop, attempt) is State.NOT_SENT


def defer(shop: Any, attempt: str, amount_minor: int = 100) -> None:
    """Take one and keep it; the bank stays away."""
    not_sent(shop, attempt, amount_minor)
    shop.take(KeepWanted())
    shop.take(LeaveWanted())
    fail(shop)


def approve_by_card(shop: Any, attempt: str, amount_minor: int = 100) -> None:
    """Take a sale that the card approves; the bank stays away."""
    shop.take(SaleWanted(attempt, amount_minor, "CNY"))
    shop.tap(CardEnd.APPROVED, proof=PROOF)
    shop.take(LeaveWanted())
    fail(shop)


def fail(shop: Any) -> None:
    """Let every advice under way come to nothing."""
    for purpose, attempt in set(shop.core._book._in_flight):
        if purpose is Purpose.ADVISE:
            shop.take(NeverLeft(purpose, attempt, "no route"))


def state_of(shop: Any, attempt: str) -> State:
    return State(shop.payments[attempt].state)


def advised(shop: Any) -> list[str]:
    return [wish.payment.id for wish in shop.sent(Purpose.ADVISE)]


def may_keep(shop: Any) -> bool:
    return Readiness(shop.view.keep) is Readiness.READY


def last_sealed(shop: Any) -> str | None:
    record = next(wish for wish in reversed(shop.wishes) if isinstance(wish, Record))
    sealed: str | None = record.entries[-1].sealed
    return sealed


# --- what is offered ----------------------------------------------------------------


def test_a_card_sale_that_never_left_is_offered_to_be_kept_and_not_kept_by_itself(
    shop: Any,
) -> None:
    not_sent(shop, "a1")
    assert may_keep(shop)
    assert shop.payments["a1"].next_step is Message.MAY_KEEP
    assert advised(shop) == []

    shop.take(KeepWanted())
    kept = shop.payments["a1"]
    assert (kept.state, kept.is_deferred) == (State.DEFERRED, True)
    assert (kept.reason, kept.next_step) == (Message.DEFERRED, Message.SENT_LATER)
    assert last_sealed(shop) == f"a.b.c.d.e\n{PROOF}"
    assert not may_keep(shop)


def test_a_cashier_who_does_not_choose_keeps_nothing(shop: Any) -> None:
    not_sent(shop, "a1")
    shop.take(LeaveWanted())
    with pytest.raises(NotAllowed):
        shop.take(KeepWanted())
    assert state_of(shop, "a1") is State.NOT_SENT


def test_what_may_have_left_is_never_offered(shop: Any) -> None:
    shop.take(SaleWanted("a1", 100, "CNY"))
    shop.tap(proof=PROOF)
    shop.take(AnswerLost(Purpose.PAY, "a1", "cut"))
    assert not may_keep(shop)
    with pytest.raises(NotAllowed):
        shop.take(KeepWanted())
    assert state_of(shop, "a1") is State.UNKNOWN


def test_no_code_is_kept(shop: Any) -> None:
    shop.take(SaleWanted("a1", 100, "CNY"))
    shop.take(CodeRead(shop.arming, "Alipay", "sealed", "print"))
    shop.take(NeverLeft(Purpose.PAY, "a1", "no route"))
    assert shop.payments["a1"].next_step is Message.CHECK_NETWORK
    with pytest.raises(NotAllowed):
        shop.take(KeepWanted())


def test_no_pin_is_kept(shop: Any) -> None:
    shop.take(SaleWanted("a1", 100, "CNY"))
    shop.tap_for_pin()
    shop.take(PinEntered(shop.asking, "a.b.c.d.e"))
    shop.take(NeverLeft(Purpose.PAY, "a1", "no route"))
    assert not may_keep(shop)
    assert shop.core._hand.held.sent is None, "nothing that carries a PIN is held on to"


def test_a_shop_that_defers_nothing_is_offered_nothing(counter: Any) -> None:
    not_sent(counter, "a1")
    assert not may_keep(counter)
    assert counter.payments["a1"].next_step is Message.CHECK_NETWORK


def test_a_reversal_that_cannot_be_sent_does_not_stop_sales_from_being_kept(shop: Any) -> None:
    shop.take(SaleWanted("a1", 100, "CNY"))
    shop.tap(proof=PROOF)
    shop.take(AnswerLost(Purpose.PAY, "a1", "cut"))
    shop.answer(Purpose.ASK, "a1", "not_found")
    shop.take(LeaveWanted())
    shop.take(SaleWanted("a2", 100, "CNY"))
    shop.tap(proof=PROOF)
    shop.take(NeverLeft(Purpose.REVERSE, "a1", "no route"))
    assert shop.payments["a2"].reason is Message.REVERSAL_FIRST
    assert shop.payments["a2"].masked_pan == "411111******1111"

    shop.take(KeepWanted())
    assert state_of(shop, "a2") is State.DEFERRED
    assert advised(shop) == [], "nothing overtakes the reversal"
    shop.ring("follow")
    shop.answer(Purpose.REVERSE, "a1", "reversed")
    assert advised(shop) == ["a2"]


# --- limits ---------------------------------------------------------------------------


@pytest.mark.parametrize(("amount_minor", "is_offered"), [(499, True), (500, True), (501, False)])
def test_one_sale_has_a_limit(shop: Any, amount_minor: int, is_offered: bool) -> None:
    not_sent(shop, "a1", amount_minor)
    assert may_keep(shop) is is_offered
    step = Message.MAY_KEEP if is_offered else Message.OFFLINE_FULL
    assert shop.payments["a1"].next_step is step


@pytest.mark.parametrize(("amount_minor", "is_offered"), [(199, True), (200, True), (201, False)])
def test_all_together_have_a_limit(shop: Any, amount_minor: int, is_offered: bool) -> None:
    defer(shop, "a1", 500)
    approve_by_card(shop, "a2", 500)
    not_sent(shop, "a3", amount_minor)
    assert may_keep(shop) is is_offered


def test_their_number_has_a_limit(shop: Any) -> None:
    for attempt in ("a1", "a2", "a3"):
        defer(shop, attempt)
    not_sent(shop, "a4")
    assert shop.payments["a4"].next_step is Message.OFFLINE_FULL


@pytest.mark.parametrize(("later_s", "is_offered"), [(3599, True), (3600, True), (3601, False)])
def test_the_oldest_has_a_limit(shop: Any, later_s: float, is_offered: bool) -> None:
    defer(shop, "a1")
    shop.clock.push(later_s)
    not_sent(shop, "a2")
    assert may_keep(shop) is is_offered


def test_what_the_card_approves_is_declined_too_when_no_more_can_be_kept(shop: Any) -> None:
    for attempt in ("a1", "a2", "a3"):
        approve_by_card(shop, attempt)
    shop.take(SaleWanted("a4", 100, "CNY"))
    shop.tap(CardEnd.APPROVED, proof=PROOF)
    declined = shop.payments["a4"]
    assert (declined.state, declined.reason) == (State.DECLINED, Message.OFFLINE_FULL)
    assert declined.next_step is Message.CASH_ONLY


def test_limits_are_raised_until_nothing_is_kept(shop: Any) -> None:
    with pytest.raises(NotAllowed):
        shop.take(RaiseWanted())
    for attempt in ("a1", "a2", "a3"):
        defer(shop, attempt)
    shop.take(RaiseWanted())
    not_sent(shop, "a4")
    shop.take(KeepWanted())
    for attempt in ("a1", "a2", "a3", "a4"):
        shop.take(SyncWanted())
        shop.answer(Purpose.ADVISE, attempt, "approved", "00")
    for attempt in ("b1", "b2", "b3"):
        defer(shop, attempt)
    not_sent(shop, "b4")
    assert shop.payments["b4"].next_step is Message.OFFLINE_FULL


def test_an_offer_is_held_against_the_limits_once_more_when_it_is_taken(shop: Any) -> None:
    defer(shop, "a1")
    not_sent(shop, "a2")
    shop.clock.push(3601)
    with pytest.raises(NotAllowed):
        shop.take(KeepWanted())


# --- forwarding -----------------------------------------------------------------------


def test_kept_sales_go_one_at_a_time_the_oldest_first(shop: Any) -> None:
    defer(shop, "a1")
    approve_by_card(shop, "a2")
    defer(shop, "a3")
    before = advised(shop)
    shop.take(SyncWanted())
    for attempt in ("a1", "a2", "a3"):
        assert advised(shop)[len(before) :][-1:] == [attempt]
        shop.answer(Purpose.ADVISE, attempt, "approved", "00")
        assert last_sealed(shop) == "", "the sealed card is erased once the bank has it"
    assert advised(shop)[len(before) :] == ["a1", "a2", "a3"]
    assert {state_of(shop, attempt) for attempt in ("a1", "a2", "a3")} == {State.APPROVED}


def test_a_bank_that_is_back_is_sent_what_waits_at_once(shop: Any) -> None:
    defer(shop, "a1")
    sent = len(advised(shop))
    shop.take(Answered(Purpose.ECHO, "", BankAnswer("")))
    assert len(advised(shop)) == sent + 1


def test_a_sale_that_is_being_authorised_goes_first(shop: Any) -> None:
    defer(shop, "a1")
    sent = len(advised(shop))
    shop.take(SaleWanted("a2", 100, "CNY"))
    shop.tap(proof=PROOF)
    shop.take(SyncWanted())
    assert len(advised(shop)) == sent
    shop.answer(Purpose.PAY, "a2", "approved", "00")
    assert len(advised(shop)) == sent + 1


def test_a_lost_answer_is_sent_again_as_the_same_sale(shop: Any) -> None:
    defer(shop, "a1")
    shop.take(SyncWanted())
    shop.take(AnswerLost(Purpose.ADVISE, "a1", "cut"))
    shop.ring("follow")
    assert set(advised(shop)) == {"a1"}
    shop.answer(Purpose.ADVISE, "a1", "approved", "00")
    assert state_of(shop, "a1") is State.APPROVED


def test_one_whose_answer_is_always_lost_lets_the_others_pass(shop: Any) -> None:
    defer(shop, "a1")
    defer(shop, "a2")
    shop.take(SyncWanted())
    for _ in range(STUCK_AFTER):
        assert advised(shop)[-1] == "a1"
        shop.take(AnswerLost(Purpose.ADVISE, "a1", "500"))
        if state_of(shop, "a1") in KEPT and advised(shop)[-1] == "a1":
            shop.ring("follow")
    assert advised(shop)[-1] == "a2"
    shop.answer(Purpose.ADVISE, "a2", "approved", "00")
    shop.take(SyncWanted())
    assert advised(shop)[-1] == "a1"


def test_a_late_decline_waits_until_a_person_has_settled_it(shop: Any) -> None:
    defer(shop, "a1")
    shop.take(SyncWanted())
    shop.answer(Purpose.ADVISE, "a1", "declined", "51")
    refused = shop.payments["a1"]
    assert (refused.state, refused.response_code) == (State.STORED_REFUSED, "51")
    assert last_sealed(shop) == "", "answered, it leaves no card data behind"
    assert [notice.message for notice in shop.view.notices] == [Message.STORED_REFUSED]

    shop.take(SettleWanted("a1", "Customer came back and paid cash", "Li Na"))
    settled = shop.payments["a1"]
    assert (settled.state, settled.settled_by) == (State.SETTLED, "Li Na")
    assert settled.note == "Customer came back and paid cash"
    assert last_sealed(shop) == ""
    assert shop.view.notices == ()


@pytest.mark.parametrize("status", [400, 422])
def test_what_the_bank_will_never_take_waits_for_a_person_and_not_for_ever(
    shop: Any, status: int
) -> None:
    defer(shop, "a1")
    defer(shop, "a2")
    shop.take(SyncWanted())
    shop.take(Refused(Purpose.ADVISE, "a1", status, "no"))
    assert state_of(shop, "a1") is State.STORED_REFUSED
    assert advised(shop)[-1] == "a2"
    assert last_sealed(shop) is None, "nobody has decided on it: the bank may be shown it"
    shop.take(SettleWanted("a1", "Bank has booked it by hand", "Li Na"))
    assert last_sealed(shop) == ""


def test_what_is_damaged_here_holds_up_no_other(shop: Any) -> None:
    defer(shop, "a1")
    defer(shop, "a2")
    shop.take(SyncWanted())
    shop.take(NeverLeft(Purpose.ADVISE, "a1", "tender: no JWE", is_malformed=True))
    assert state_of(shop, "a1") is State.STORED_REFUSED
    assert advised(shop)[-1] == "a2"


@pytest.mark.parametrize("status", [401, 409, 503])
def test_what_may_pass_does_not_end_a_kept_sale(shop: Any, status: int) -> None:
    defer(shop, "a1")
    shop.take(SyncWanted())
    shop.take(Refused(Purpose.ADVISE, "a1", status, "no"))
    assert state_of(shop, "a1") is State.DEFERRED


def test_the_two_kinds_are_told_apart(shop: Any) -> None:
    defer(shop, "a1", 300)
    approve_by_card(shop, "a2", 400)
    told = [(n.message, n.count, n.amount_minor) for n in shop.view.notices if n.count]
    assert told == [
        (Message.DEFERRED_TO_BE_SENT, 1, 300),
        (Message.TO_BE_SENT, 1, 400),
    ]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from([defer, approve_by_card]), min_size=1, max_size=3),
    st.lists(st.sampled_from(["away", "mute"]), max_size=30),
)
def test_each_ends_whatever_gets_lost_on_the_way(sales: list[Any], faults: list[str]) -> None:
    """So often the bank is not reached, or it books the sale and its answer is lost."""
    shop = new_shop()
    for number, sell in enumerate(sales):
        sell(shop, f"a{number}")
    while any(payment.state in KEPT for payment in shop.payments.values()):
        under_way = [attempt for purpose, attempt in shop.core._book._in_flight if attempt]
        if not under_way:
            shop.ring("follow")
            continue
        (attempt,) = under_way
        match faults.pop() if faults else "well":
            case "away":
                shop.take(NeverLeft(Purpose.ADVISE, attempt, "no route"))
            case "mute":
                shop.take(AnswerLost(Purpose.ADVISE, attempt, "cut"))
            case _:
                shop.answer(Purpose.ADVISE, attempt, "approved", "00")
    assert {payment.state for payment in shop.payments.values()} == {State.APPROVED}


# --- reversals ------------------------------------------------------------------------


def reversing(shop: Any) -> None:
    shop.take(SaleWanted("a1", 100, "CNY"))
    shop.tap(proof=PROOF)
    shop.take(AnswerLost(Purpose.PAY, "a1", "cut"))
    shop.answer(Purpose.ASK, "a1", "not_found")


def test_every_try_of_a_reversal_is_written_down_before_it_leaves(shop: Any) -> None:
    reversing(shop)
    assert shop.payments["a1"].reversals_sent == 1
    shop.take(AnswerLost(Purpose.REVERSE, "a1", "cut"))
    kinds = [type(wish).__name__ for wish in shop.ring("follow")]
    assert kinds.index("Record") < kinds.index("Send")
    assert shop.payments["a1"].reversals_sent == 2

    again = type(shop)(shop.clock, LIMITS)
    again.take(Started((shop.payments["a1"],), (), 2))
    assert again.payments["a1"].reversals_sent == 3
    assert again.view.notices[0].tries == 3


def test_a_reversal_refused_for_good_waits_for_a_supervisor_and_holds_up_no_sale(
    shop: Any,
) -> None:
    reversing(shop)
    shop.take(LeaveWanted())
    shop.take(SaleWanted("a2", 100, "CNY"))
    shop.tap(proof=PROOF)
    shop.take(Refused(Purpose.REVERSE, "a1", 422, "attempt_elsewhere"))
    refused = shop.payments["a1"]
    assert refused.state is State.REVERSAL_REFUSED
    assert (refused.reason, refused.next_step) == (
        Message.REVERSAL_REFUSED,
        Message.TELL_SUPERVISOR,
    )
    assert state_of(shop, "a2") is State.AUTHORISING
    assert shop.view.notices[0].message is Message.REVERSAL_REFUSED

    shop.take(SettleWanted("a1", "Bank says nothing was booked", "Li Na"))
    assert state_of(shop, "a1") is State.SETTLED


@pytest.mark.parametrize("status", [401, 409, 429, 500, 503])
def test_a_refusal_that_may_pass_does_not_end_a_reversal(shop: Any, status: int) -> None:
    reversing(shop)
    shop.take(Refused(Purpose.REVERSE, "a1", status, "not now"))
    shop.ring("follow")
    assert state_of(shop, "a1") is State.REVERSING
    assert len(shop.sent(Purpose.REVERSE)) == 2


def test_nobody_settles_what_the_bank_can_still_end(shop: Any) -> None:
    reversing(shop)
    with pytest.raises(NotAllowed):
        shop.take(SettleWanted("a1", "looks fine", "Li Na"))
    assert state_of(shop, "a1") is State.REVERSING


# --- power and disk -------------------------------------------------------------------


def test_a_till_that_died_with_an_offer_on_its_screen_keeps_nothing(shop: Any) -> None:
    not_sent(shop, "a1")
    assert state_of(shop, "a1") in FINAL


def test_a_sale_that_could_not_be_written_down_is_not_kept(shop: Any) -> None:
    not_sent(shop, "a1")
    wishes = shop.core.step(KeepWanted())
    place = next(n for n, wish in enumerate(wishes) if isinstance(wish, Record))
    shop.core.step(JournalFailed(("a1",), tuple(wishes[place + 1 :]), "disk full"))
    assert shop.core._store.kept() == []
    assert state_of(shop, "a1") is State.NOT_SENT
    with pytest.raises(NotAllowed):
        shop.take(KeepWanted())


def test_a_clock_that_jumps_does_not_change_the_order(shop: Any) -> None:
    """By the wall the second is an hour older than the first."""
    defer(shop, "a1")
    shop.clock.unix_ms -= 3_600_000
    defer(shop, "a2")
    again = type(shop)(shop.clock, LIMITS)
    left = (shop.payments["a2"], shop.payments["a1"])
    again.take(Started(tuple(replace(payment) for payment in left), (), 3))
    assert advised(again) == ["a1"]


@pytest.fixture(autouse=True)
def _take_shop(shop: Any) -> None:
    global new_shop
    kind, clock = type(shop), type(shop.clock)
    new_shop = lambda: kind(clock(), LIMITS)  # noqa: E731


new_shop: Any
