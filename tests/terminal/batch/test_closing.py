"""The close of a batch, one event at a time, without a clock or a bank."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from terminal.batch import records
from terminal.batch.batch import Batch, BatchState, Difference, Line, Means, Total
from terminal.batch.events import (
    BatchAnswered,
    BatchCheckWanted,
    BatchCloseWanted,
    BatchPurpose,
    BatchUnanswered,
    DifferenceAccepted,
    LinesCompared,
    LinesWanted,
    RecordBatch,
    SendBatch,
    TotalsWanted,
)
from terminal.batch.totals import lines_of
from terminal.errors import Busy, NotAllowed
from terminal.events import FollowUpWanted, JournalFailed, Purpose, SaleWanted, Started
from terminal.messages import Message
from terminal.states import State
from terminal.view import Kind, Medium, PaymentView

if TYPE_CHECKING:
    from tests.terminal.conftest import Counter

CLOSE, LINES, TOTALS = BatchPurpose.CLOSE, BatchPurpose.LINES, BatchPurpose.TOTALS


def sell(counter: Counter, attempt: str = "a1", amount_minor: int = 1250) -> PaymentView:
    """Take a payment that the bank approves."""
    counter.take(SaleWanted(attempt, amount_minor, "CNY", "Lin Mei"))
    counter.tap()
    counter.answer(Purpose.PAY, attempt, "approved", "00")
    return counter.payments[attempt]


def close(counter: Counter) -> int:
    """Ask for the close; return the batch's number."""
    counter.take(BatchCloseWanted("Wang Fang"))
    return counter.told(CLOSE)[-1].batch.number


def closed(counter: Counter, number: int = 1) -> None:
    counter.take(BatchAnswered(CLOSE, number, "closed", counter.batches[number].totals))


def differs(counter: Counter, *differences: Difference, number: int = 1) -> None:
    """The bank has something else, and says what."""
    counter.take(BatchAnswered(CLOSE, number, "differs", ()))
    counter.take(LinesCompared(number, differences))


def difference(counter: Counter, attempt: str = "a1") -> Difference:
    """The bank knows nothing of a payment."""
    line = next(each for each in counter.told(LINES)[-1].lines if each.attempt == attempt)
    return Difference(attempt, line, None)


def test_a_payment_belongs_to_the_batch_that_was_open_when_it_began(counter: Counter) -> None:
    assert sell(counter, "a1").batch == 1
    close(counter)
    assert sell(counter, "a2").batch == 2
    closed(counter)
    assert sell(counter, "a3").batch == 2


def test_the_close_is_on_disk_before_the_bank_hears_of_it(counter: Counter) -> None:
    sell(counter)
    wishes = [
        wish
        for wish in counter.take(BatchCloseWanted("Wang Fang"))
        if isinstance(wish, RecordBatch | SendBatch)
    ]

    recorded, sent = wishes
    assert isinstance(recorded, RecordBatch)
    assert (recorded.batch.state, recorded.batch.closed_by) == (BatchState.CLOSING, "Wang Fang")
    assert isinstance(sent, SendBatch)
    assert (sent.purpose, sent.batch) == (CLOSE, recorded.batch)
    assert recorded.batch.totals == (
        Total(Kind.SALE, Means.CARD, "Visa", "CNY", 1, 1250, "Lin Mei"),
    )


def test_the_bank_that_has_the_same_closes_the_batch(counter: Counter) -> None:
    sell(counter)
    close(counter)
    closed(counter)

    assert counter.batches[1].state is BatchState.CLOSED
    assert counter.batches[1].bank == counter.batches[1].totals
    assert counter.moves[-2:] == ["close_wanted > closing", "bank_closed > closed"]
    assert [batch.state for batch in counter.view.batches] == [BatchState.CLOSED]


@pytest.mark.parametrize("state", [State.UNKNOWN, State.REVERSING, State.STORED])
def test_a_payment_that_is_checked_holds_the_close_by_name(counter: Counter, state: State) -> None:
    sell(counter)
    left = replace(counter.payments["a1"], id="a2", number=2, state=state)
    counter.take(Started((left,), (), 3))

    with pytest.raises(Busy, match=rf"Payment 2 is {state}: the close waits"):
        counter.take(BatchCloseWanted("Wang Fang"))
    assert counter.batches == {}


def test_a_payment_in_hand_holds_the_close(counter: Counter) -> None:
    counter.take(SaleWanted("a1", 100, "CNY"))
    with pytest.raises(Busy, match="Payment 1 is awaiting tender"):
        counter.take(BatchCloseWanted("Wang Fang"))


def test_nothing_is_closed_where_nothing_was_paid(counter: Counter) -> None:
    with pytest.raises(NotAllowed, match="Nothing to close"):
        counter.take(BatchCloseWanted("Wang Fang"))
    sell(counter)
    close(counter)
    with pytest.raises(NotAllowed, match="Nothing to close"):
        counter.take(BatchCloseWanted("Wang Fang"))


def test_a_close_without_an_answer_is_tried_again_while_the_next_batch_is_open(
    counter: Counter,
) -> None:
    sell(counter, "a1")
    close(counter)
    delays = []
    for _ in range(8):
        counter.take(BatchUnanswered(CLOSE, 1))
        before = counter.clock.seconds
        counter.ring("batch")
        delays.append(counter.clock.seconds - before)

    assert delays == [1, 2, 4, 8, 16, 32, 60, 60]
    assert len(counter.told(CLOSE)) == 9
    assert counter.batches[1].state is BatchState.CLOSING
    assert Message.BATCH_UNANSWERED in [notice.message for notice in counter.view.notices]
    assert sell(counter, "a2").batch == 2
    close(counter)
    closed(counter, 2)
    closed(counter, 1)
    assert [batch.state for batch in counter.batches.values()] == [BatchState.CLOSED] * 2


def test_a_batch_is_asked_about_once_at_a_time(counter: Counter) -> None:
    sell(counter)
    close(counter)
    counter.take(BatchCheckWanted(1))
    counter.take(BatchCheckWanted(1))

    assert len(counter.told(CLOSE)) == 1


def test_another_sum_at_the_bank_is_compared_line_by_line(counter: Counter) -> None:
    sell(counter, "a1", 100)
    sell(counter, "a2", 200)
    close(counter)
    counter.take(BatchAnswered(CLOSE, 1, "differs", ()))
    missing = difference(counter, "a2")

    assert counter.moves[-1] == "bank_differs > comparing"
    (sent,) = counter.told(LINES)
    assert [line.attempt for line in sent.lines] == ["a1", "a2"]
    assert (sent.after, sent.is_last) == ("", True)
    counter.take(LinesCompared(1, (missing,)))
    assert counter.batches[1].state is BatchState.DIFFERS
    assert counter.batches[1].differences == (missing,)
    assert Message.BATCH_DIFFERS in [notice.message for notice in counter.view.notices]


def test_a_long_batch_goes_in_parts(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that the bank could not answer whole is gone on with where it ended."""
    monkeypatch.setattr("terminal.batch.closing.LINES_A_PART", 2)
    for number in range(1, 6):
        sell(counter, f"a{number}", 100)
    close(counter)
    counter.take(BatchAnswered(CLOSE, 1, "differs", ()))
    found = [Difference(f"a{number}", None, None) for number in (1, 3, 5)]
    counter.take(LinesCompared(1, (found[0],)))
    counter.take(LinesCompared(1, (found[1],), through="a3"))
    counter.take(LinesCompared(1, (found[2],)))

    parts = [(wish.after, [line.attempt for line in wish.lines]) for wish in counter.told(LINES)]
    assert parts == [("", ["a1", "a2"]), ("a2", ["a3", "a4"]), ("a3", ["a4", "a5"])]
    assert counter.batches[1].differences == tuple(found)


def test_a_difference_is_accepted_by_name_and_closed_by_the_bank(counter: Counter) -> None:
    sell(counter)
    close(counter)
    differs(counter)
    counter.take(DifferenceAccepted(1, "Wang Fang", "seen with the bank"))

    batch = counter.told(CLOSE)[-1].batch
    assert (batch.accepted_by, batch.note) == ("Wang Fang", "seen with the bank")
    closed(counter)
    assert counter.batches[1].state is BatchState.CLOSED


def test_a_difference_that_the_bank_mended_is_closed_as_alike(counter: Counter) -> None:
    sell(counter)
    close(counter)
    differs(counter)
    counter.take(BatchCheckWanted(1))
    closed(counter)

    assert (counter.batches[1].accepted_by, counter.batches[1].differences) == ("", None)


@pytest.mark.parametrize("answered", [False, True])
def test_what_does_not_differ_is_not_accepted(counter: Counter, answered: bool) -> None:
    sell(counter)
    close(counter)
    if answered:
        closed(counter)
    with pytest.raises(NotAllowed):
        counter.take(DifferenceAccepted(1, "Wang Fang", "never mind"))


@pytest.mark.parametrize(
    ("state", "purpose"), [(BatchState.CLOSING, CLOSE), (BatchState.COMPARING, LINES)]
)
def test_a_restart_goes_on_where_the_close_was(
    counter: Counter, state: BatchState, purpose: BatchPurpose
) -> None:
    sell(counter)
    close(counter)
    left = replace(counter.batches[1], state=state)
    again = type(counter)(counter.clock, payments=counter.payments)
    again.take(Started((), (), 2, batch=2, batches=(left,)))

    assert [wish.batch for wish in again.told(purpose)] == [left]
    assert sell(again, "a2").batch == 2


def test_a_close_that_did_not_reach_the_disk_has_not_begun(counter: Counter) -> None:
    sell(counter)
    wishes = counter.take(BatchCloseWanted("Wang Fang"))
    place = next(n for n, wish in enumerate(wishes) if isinstance(wish, RecordBatch))
    counter.core.step(JournalFailed((), tuple(wishes[place + 1 :]), "disk full", batch=1))

    assert counter.view.batch == 1
    assert counter.view.batches == ()
    assert sell(counter, "a2").batch == 1
    close(counter)
    closed(counter)
    assert counter.batches[1].state is BatchState.CLOSED


def test_an_answer_that_did_not_reach_the_disk_is_asked_for_again(counter: Counter) -> None:
    sell(counter)
    close(counter)
    before = counter.batches[1]
    counter.core.step(BatchAnswered(CLOSE, 1, "differs", ()))
    undone = (SendBatch(LINES, before),)
    counter.take(JournalFailed((), undone, "disk full", batch=1))

    assert counter.view.batches == (before,)
    counter.ring("batch")
    assert len(counter.told(CLOSE)) == 2


def test_a_sale_of_a_closed_batch_is_refunded_and_not_voided(counter: Counter) -> None:
    sell(counter)
    close(counter)
    with pytest.raises(NotAllowed, match="batch of payment 1 is closed: refund it instead"):
        counter.take(FollowUpWanted("v1", Kind.VOID, "a1"))
    counter.take(FollowUpWanted("r1", Kind.REFUND, "a1"))
    assert counter.payments["r1"].batch == 2


def test_totals_are_seen_before_anything_is_closed(counter: Counter) -> None:
    """The open batch can be compared, too; nothing of it is recorded."""
    sell(counter)
    counter.take(TotalsWanted())
    bank = counter.told(TOTALS)[-1].batch.totals
    counter.take(BatchAnswered(TOTALS, 1, "open", bank))
    counter.take(LinesWanted())
    counter.take(BatchAnswered(TOTALS, 1, "open", bank))
    counter.take(LinesCompared(1, ()))

    inquiry = counter.view.inquiry
    assert inquiry is not None
    assert (inquiry.state, inquiry.bank, inquiry.differences) == (BatchState.OPEN, bank, ())
    assert counter.batches == {}


def test_no_change_of_the_clock_splits_a_batch(counter: Counter) -> None:
    """A day on, a year back: the number is what counts, the day a name."""
    first = sell(counter, "a1")
    for jump_ms in (86_400_000, -365 * 86_400_000, 12 * 3_600_000):
        counter.clock.unix_ms += jump_ms
        assert sell(counter, f"b{jump_ms}").batch == first.batch
    close(counter)

    assert sum(total.count for total in counter.batches[1].totals) == 4


def test_a_day_that_is_over_is_told_until_it_is_closed(counter: Counter) -> None:
    sell(counter)

    def is_told() -> bool:
        return Message.DAY_OVER in [notice.message for notice in counter.view.notices]

    assert not is_told()
    counter.clock.unix_ms += 86_400_000
    assert is_told()
    close(counter)
    assert not is_told()


def line(attempt: str, **changes: object) -> Line:
    made = Line(attempt, 1, Kind.SALE, Means.CARD, "Visa", "CNY", 100, "Lin Mei")
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_batch_outlives_the_journal_whole() -> None:
    """Whatever is in it comes back as it was."""
    batch = Batch(
        number=7,
        state=BatchState.DIFFERS,
        day="2026-11-24",
        totals=(Total(Kind.SALE, Means.WALLET, "微信", "CNY", 2, 300, "林梅"),),
        digest="0" * 64,
        bank=(),
        differences=(Difference("a1", line("a1"), None), Difference("a2", None, line("a2"))),
        accepted_by="王芳",
        note="已核对",
    )
    assert records.decoded(records.encoded(batch)) == batch


def test_only_codes_count_as_wallets(counter: Counter) -> None:
    paid = sell(counter)
    wallets = {
        medium
        for medium in Medium
        if lines_of([replace(paid, medium=medium)])[0].means is Means.WALLET
    }
    assert wallets == {Medium.PAYMENT_CODE, Medium.SHOWN_CODE}
