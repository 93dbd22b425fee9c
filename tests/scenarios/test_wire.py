"""The wire to the bank is cut: before, during and after; and Esc all the while."""

from __future__ import annotations

from collections import Counter as Tally
from typing import Any

import pytest

from terminal.errors import NotAllowed
from terminal.messages import TEXT, Message
from terminal.states import FINAL, State
from terminal.view import Readiness, Stage

REQUEST_CUTS = (0, 1, 300, 900, 1500, 1900, 2300, 2700, 3100, 3500, 4000, 4500, 5000, 6000)
ANSWER_CUTS = (0, 1, 300, 900, 1200, 1500, 1800, 2100, 2400, 2700, 3000, 3300, 3600, 4000)
"""Bytes of one new connection: from the handshake's first to after the last."""


def cut_everywhere(counter: Any, way: str, cuts: tuple[int, ...]) -> Tally[State]:
    """Take a sale for each cut, mend the wire, see it through; return how they ended."""
    ends: Tally[State] = Tally()
    for bytes_max in cuts:
        attempt = counter.begin()
        counter.shop.network.cut_after(way, bytes_max)
        counter.do("card:visa-online")
        first = counter.until_state(attempt, State.UNKNOWN, State.REVERSING, *FINAL)
        if first.state is State.UNKNOWN:
            assert first.reason is Message.UNKNOWN
            assert first.next_step is Message.DO_NOT_CHARGE_AGAIN
        counter.shop.network.heal()
        end = counter.until_final(attempt)
        kinds = counter.booked.transfers_of(attempt)
        assert kinds.count("sale") <= 1
        if end.state is State.APPROVED:
            assert kinds == ["sale"]
        elif end.state is State.REVERSED:
            assert kinds in ([], ["sale", "reversal"])
        else:
            assert (end.state, kinds) == (State.NOT_SENT, [])
        ends[end.state] += 1
        # The next cut is to find a connection of its own.
        counter.shop.network.cut()
        counter.shop.network.heal()
        counter.until(lambda view: view.stage is Stage.RESULT)
    return ends


def test_a_request_cut_at_any_byte_is_paid_once_or_not_at_all(counter: Any) -> None:
    ends = cut_everywhere(counter, "request", REQUEST_CUTS)

    # The cuts do fall into the handshake, into the request, and behind it.
    assert set(ends) == {State.NOT_SENT, State.REVERSED, State.APPROVED}


def test_an_answer_cut_at_any_byte_is_paid_once_or_not_at_all(counter: Any) -> None:
    ends = cut_everywhere(counter, "answer", ANSWER_CUTS)

    assert {State.NOT_SENT, State.APPROVED} <= set(ends)


@pytest.mark.parametrize("bytes_max", [0, 1, 400, 1500, 2500])
@pytest.mark.parametrize("way", ["request", "answer"])
def test_a_cut_on_a_warm_connection_is_seen_through(counter: Any, way: str, bytes_max: int) -> None:
    """A kept connection dies under the request: it may have left."""
    counter.pay()
    attempt = counter.begin(2000)
    counter.shop.network.cut_after(way, bytes_max)
    counter.do("card:visa-online")
    counter.until_state(attempt, State.UNKNOWN, *FINAL)
    counter.shop.network.heal()

    end = counter.until_final(attempt)

    assert end.state in (State.APPROVED, State.REVERSED)
    assert counter.booked.transfers_of(attempt).count("sale") <= 1


def test_a_bank_out_of_reach_means_not_sent(counter: Any) -> None:
    counter.do("fault:bank-cut")
    not_sent = counter.pay()

    assert not_sent.state is State.NOT_SENT
    assert (not_sent.reason, not_sent.next_step) == (Message.NOT_SENT, Message.MAY_KEEP)
    assert counter.booked.state(not_sent.id) == ""

    counter.do("fault:bank-cut")
    assert counter.pay().state is State.APPROVED


def test_garbage_for_an_answer_is_no_answer(counter: Any) -> None:
    counter.pay()
    attempt = counter.begin(3000)
    counter.shop.network.answer_garbage()
    counter.do("card:visa-online")
    assert counter.until_state(attempt, State.UNKNOWN, *FINAL).state is State.UNKNOWN
    counter.shop.network.heal()

    assert counter.until_final(attempt).state in (State.APPROVED, State.REVERSED)


def test_a_slow_network_only_takes_longer(counter: Any) -> None:
    counter.shop.network.delay(0.3)
    assert counter.pay().state is State.APPROVED


def test_a_silent_bank_that_never_comes_back_is_reversed_when_it_does(counter: Any) -> None:
    """Asked often enough for nothing, the till reverses; the bank has booked the sale."""
    counter.pay()
    attempt = counter.begin(4000)
    counter.shop.network.cut_after("answer", 1)
    counter.do("card:visa-online")
    counter.ask_until(attempt, State.REVERSING)
    assert counter.booked.state(attempt) == "approved"
    counter.shop.network.heal()

    assert counter.until_final(attempt).state is State.REVERSED
    assert counter.booked.transfers_of(attempt) == ["sale", "reversal"]
    assert counter.till.payment(attempt).next_step is Message.CHARGE_AGAIN


# --- Esc ------------------------------------------------------------------------


def test_esc_before_a_card_cancels(counter: Any) -> None:
    attempt = counter.begin()
    counter.till.cancel()

    ended = counter.till.payment(attempt)
    assert (ended.state, ended.reason) == (State.CANCELLED, Message.CANCELLED)


def test_esc_while_a_card_is_read_cancels_and_sends_nothing(counter: Any, hold: Any) -> None:
    """The slow card goes on to ask for the bank, and nobody listens any more."""
    attempt = counter.begin()
    hold(counter, "visa-online", "delay:250")
    counter.until(lambda view: view.stage is Stage.READING)
    counter.till.cancel()

    assert counter.till.payment(attempt).state is State.CANCELLED
    # The reader takes the next card when it has done with this one.
    following = counter.pay()
    assert following.state is State.APPROVED
    assert counter.booked.state(attempt) == ""


def test_esc_is_answered_while_the_bank_is_silent(counter: Any) -> None:
    """The bank takes up to thirty seconds; the refusal comes while it still does."""
    counter.pay()
    counter.shop.network.swallow()
    attempt = counter.begin()
    counter.do("card:visa-online")
    counter.until_state(attempt, State.AUTHORISING)
    with pytest.raises(NotAllowed, match=TEXT[Message.ALREADY_SENT]):
        counter.till.cancel()

    view = counter.till.view()
    assert view.stage is Stage.PROCESSING
    assert not view.cancellable
    assert counter.till.payment(attempt).state is State.AUTHORISING

    counter.shop.network.cut()
    counter.shop.network.heal()
    # The connection died without a word: the same request goes once more. If
    # that was quicker than the wire's mending, the sale is in doubt, and reversed.
    ended = counter.until_final(attempt).state
    assert ended in (State.APPROVED, State.REVERSED)
    assert (counter.booked.net_minor().get(attempt, 0) != 0) == (ended is State.APPROVED)


def test_silence_beyond_the_banks_time_is_unknown_and_can_be_left(open_counter: Any) -> None:
    counter = open_counter(answer_s=1).until_ready()
    counter.shop.network.swallow()
    attempt = counter.begin()
    counter.do("card:visa-online")
    # The handshake itself is swallowed here: nothing of the request has left.
    assert counter.until_state(attempt, *FINAL).state is State.NOT_SENT

    counter.shop.network.cut()
    counter.shop.network.heal()
    counter.pay()
    counter.shop.network.swallow()
    attempt = counter.begin()
    counter.do("card:visa-online")
    assert counter.until_state(attempt, State.UNKNOWN).reason is Message.UNKNOWN
    with pytest.raises(NotAllowed):
        counter.till.cancel()
    counter.till.leave()
    counter.shop.network.cut()
    counter.shop.network.heal()
    assert counter.until_state(attempt, *FINAL).state is State.REVERSED


# --- what is kept while the next sale runs ---------------------------------------------


def test_an_unknown_payment_is_kept_while_the_next_sale_runs(counter: Any, city: Any) -> None:
    attempt = counter.begin(5000)
    city.doorman.alter = lambda letter: (
        letter.with_headers(b"signature", b"signature-input")
        if attempt.encode() in letter.body
        else letter
    )
    counter.do("card:visa-online")
    counter.until_state(attempt, State.UNKNOWN)
    counter.till.leave()
    following = counter.pay("card:two-applications", 700)

    assert following.state is State.APPROVED
    assert counter.till.payment(attempt).state is State.UNKNOWN
    notices = counter.till.view().notices
    assert [(n.message, n.count, n.amount_minor) for n in notices if n.count] == [
        (Message.BEING_CHECKED, 1, 5000)
    ]
    city.doorman.alter = None
    assert counter.until_state(attempt, *FINAL).state is State.APPROVED
    counter.until(lambda view: not view.notices)


def test_no_authorisation_overtakes_a_reversal(counter: Any, city: Any) -> None:
    attempt = counter.begin(6000)
    city.doorman.alter = lambda letter: (
        letter.with_headers(b"signature", b"signature-input")
        if attempt.encode() in letter.body
        else letter
    )
    counter.do("card:visa-online")
    counter.ask_until(attempt, State.REVERSING)
    counter.till.leave()
    blocked = counter.pay("card:two-applications", 800)

    assert (blocked.state, blocked.reason) == (State.NOT_SENT, Message.REVERSAL_FIRST)
    assert counter.booked.state(blocked.id) == ""
    assert counter.till.payment(attempt).state is State.REVERSING

    city.doorman.alter = None
    # The next sale asks for the reversal first, and then goes through.
    assert counter.pay("card:two-applications", 800).state is State.APPROVED
    assert counter.till.payment(attempt).state is State.REVERSED


def test_what_is_open_when_the_till_closes_is_ended_by_the_next(
    open_counter: Any, city: Any
) -> None:
    home = city.new_home()
    first = open_counter(home).until_ready()
    attempt = first.begin(6500)
    city.doorman.alter = lambda letter: letter.with_headers(b"signature")
    first.do("card:visa-online")
    first.until_state(attempt, State.UNKNOWN)
    first.till.close()
    city.doorman.alter = None

    second = open_counter(home)
    assert second.until_state(attempt, *FINAL).state is State.APPROVED
    second.until(lambda view: view.open_count == 0 and view.bank is Readiness.READY)
