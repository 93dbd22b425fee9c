"""The close of day over the real link: alike, unanswered, different, killed, across midnight.

Each test has a bank of its own, since all tills of a run share one name at the
other.
"""

from __future__ import annotations

import datetime
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Connection

from simulators.bank.schema import batch_members
from simulators.faults import FaultProxy
from terminal.__main__ import main
from terminal.assembly.parts import Assembly
from terminal.batch.batch import Batch, BatchState
from terminal.batch.totals import RowName, rows_of
from terminal.commands.watch import watching
from terminal.errors import Busy, NotAllowed
from terminal.journal import JournalReader
from terminal.states import FINAL, State
from terminal.view import Kind
from tests.scenarios.conftest import PATIENCE_S, City, Counter

if TYPE_CHECKING:
    from terminal.view import PaymentView

OpenTill = Callable[..., Counter]
WAYS = ("card:visa-online", "phone:phone-approved", "wallet:alipay-qr", "card:visa-do-not-honour")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[City]:
    """A bank for one test."""
    opened = City(tmp_path)
    yield opened
    opened.doorman.alter = None
    opened.close()
    assert opened.booked.faults() == []


@contextmanager
def opened(town: City, home: Path, bank_url: str | None = None, **changes: object) -> Iterator[Any]:
    """Open the one till of this town, and close it after."""
    file = town.shop_file(home, **changes) if changes else None
    with Assembly(home, file, bank_url or town.url).open_bench() as (till, shop):
        till.staff.let_in("00")
        with watching(till) as watch:
            yield Counter(home, till, shop, watch, town.booked).until_ready()


@pytest.fixture
def open_till(town: City) -> Iterator[OpenTill]:
    """Open the one till of this town: open_till(bank_url=None, **shop_keys)."""
    with ExitStack() as stack:
        yield lambda **how: stack.enter_context(opened(town, town.new_home(), **how))


def batch_in(counter: Counter, number: int, *states: BatchState) -> Batch:
    """Return the batch once it is in one of these states."""

    def holds(view: Any) -> bool:
        return any(each.number == number and each.state in states for each in view.batches)

    view = counter.until(holds)
    return next(each for each in view.batches if each.number == number)


def close(counter: Counter) -> Batch:
    """Close the day; return the batch once the bank has had its say."""
    return batch_in(counter, counter.till.day.close(), BatchState.CLOSED, BatchState.DIFFERS)


def given_back(counter: Counter, sale: PaymentView, amount_minor: int | None) -> None:
    """Refund so much of a sale, or void it."""
    till = counter.till
    attempt = till.void(sale.id) if amount_minor is None else till.refund(sale.id, amount_minor)
    counter.until_state(attempt, *FINAL)


def at_the_bank(town: City, work: Callable[[Connection], object]) -> None:
    """Change the bank's books behind everybody's back."""
    town._bank.store.write(work)


def test_a_day_of_everything_agrees_and_is_closed(open_till: OpenTill, town: City) -> None:
    counter = open_till()
    first = counter.pay("card:visa-online", 5000)
    for way in WAYS[1:]:
        counter.pay(way, 1250)
    undone = counter.pay("card:visa-online", 700)
    given_back(counter, first, 1200)
    given_back(counter, undone, None)

    batch = close(counter)

    rows = {row.name: (row.till_minor, row.bank_minor) for row in rows_of(batch, "CNY")}
    assert rows == {
        RowName.CARDS: (6950, 6950),
        RowName.WALLETS: (1250, 1250),
        RowName.REFUNDS: (-1200, -1200),
        RowName.VOIDS: (-700, -700),
        RowName.NET: (6300, 6300),
    }
    assert batch.state is BatchState.CLOSED
    assert sum(town.booked.net_minor().values()) == 6300
    assert counter.pay().batch == batch.number + 1
    with pytest.raises(NotAllowed, match="closed: refund it instead"):
        counter.till.void(first.id)


@pytest.mark.parametrize("seed", range(3))
def test_any_random_day_closes_to_the_cent(open_till: OpenTill, town: City, seed: int) -> None:
    """Sales, refunds, voids, declines, and answers that get lost on the way."""
    chance = random.Random(seed)
    counter = open_till()
    for _ in range(10):
        town.doorman.alter = _lie if chance.random() < 0.3 else None
        sales = [
            each
            for each in counter.till.payments()
            if each.kind is Kind.SALE and each.state is State.APPROVED and not each.refunded_minor
        ]
        if sales and chance.random() < 0.4:
            sale = chance.choice(sales)
            part = chance.choice([None, chance.randint(1, sale.amount_minor)])
            till = counter.till
            attempt = till.void(sale.id) if part is None else till.refund(sale.id, part)
        else:
            attempt = counter.begin(chance.randint(1, 50_000))
            counter.do(chance.choice(WAYS))
        counter.until_state(attempt, *FINAL, State.UNKNOWN)
        town.doorman.alter = None
        counter.until_final(attempt)
        counter.till.leave()

    batch = close(counter)

    assert batch.state is BatchState.CLOSED, batch.differences
    net = next(row for row in rows_of(batch, "CNY") if row.name is RowName.NET)
    assert net.till_minor == sum(town.booked.net_minor().values())


def _lie(letter: Any) -> Any:
    """Give an answer that nobody signed."""
    return letter.with_headers(b"signature")


def test_a_payment_that_is_checked_holds_the_close_by_name(open_till: OpenTill, town: City) -> None:
    counter = open_till()
    town.doorman.alter = _lie
    attempt = counter.begin()
    counter.do("card:visa-online")
    counter.until_state(attempt, State.UNKNOWN)

    with pytest.raises(Busy, match="Payment 1 is unknown: the close waits for its end"):
        counter.till.day.close()
    town.doorman.alter = None
    counter.until_final(attempt)
    counter.till.leave()
    assert close(counter).state is BatchState.CLOSED


def test_a_lost_answer_leaves_it_closing_beside_the_next_batch(
    open_till: OpenTill, town: City
) -> None:
    """The bank has closed it; its answer did not come. Sales go on meanwhile."""
    counter = open_till()
    counter.pay(amount_minor=500)
    is_answered = threading.Event()

    def lie(letter: Any) -> Any:
        is_answered.set()
        return _lie(letter)

    town.doorman.alter = lie
    number = counter.till.day.close()
    assert is_answered.wait(PATIENCE_S)
    town.doorman.alter = None

    beside = counter.pay(amount_minor=600)
    counter.till.leave()
    batch = batch_in(counter, number, BatchState.CLOSED)

    assert beside.batch == number + 1
    assert [total.amount_minor for total in batch.totals] == [500]
    assert [total.amount_minor for total in close(counter).totals] == [600]


def test_a_close_that_never_left_is_sent_once_the_bank_is_there(
    open_till: OpenTill, town: City
) -> None:
    proxy = FaultProxy(int(town.url.rsplit(":", 1)[1]))
    counter = open_till(bank_url=proxy.url)
    counter.pay()
    proxy.refuse()
    number = counter.till.day.close()
    assert batch_in(counter, number, BatchState.CLOSING).bank is None
    proxy.heal()
    assert batch_in(counter, number, BatchState.CLOSED).bank is not None
    proxy.close()


@pytest.mark.parametrize("who", ["till", "bank"])
def test_exactly_the_lines_that_differ_are_listed(
    open_till: OpenTill, town: City, who: str
) -> None:
    """One side books one payment more; then the bank mends it, or a supervisor accepts."""
    counter = open_till()
    paid = [counter.pay(amount_minor=amount) for amount in (100, 200, 300)]
    odd = paid[1]
    where = batch_members.c.attempt == odd.id
    if who == "till":
        at_the_bank(town, lambda bank: bank.execute(batch_members.delete().where(where)))
    else:
        extra = {"attempt": odd.id, "till": "till-1", "batch": odd.batch + 1}
        at_the_bank(town, lambda bank: bank.execute(batch_members.delete().where(where)))
        at_the_bank(town, lambda bank: bank.execute(batch_members.insert(), extra))
        assert close_accepted(counter, odd).state is BatchState.CLOSED
        counter.pay(amount_minor=400)

    batch = close(counter)

    assert batch.state is BatchState.DIFFERS
    (difference,) = batch.differences or ()
    assert difference.attempt == odd.id
    side, other = (
        (difference.till, difference.bank) if who == "till" else (difference.bank, difference.till)
    )
    assert other is None
    assert side is not None
    assert (side.number, side.amount_minor) == (odd.number, 200)

    if who == "till":
        row = {"attempt": odd.id, "till": "till-1", "batch": odd.batch}
        at_the_bank(town, lambda bank: bank.execute(batch_members.insert(), row))
        counter.till.day.check(batch.number)
    else:
        counter.till.day.accept(batch.number, "booked in the day before")
    mended = batch_in(counter, batch.number, BatchState.CLOSED)
    assert bool(mended.accepted_by) is (who == "bank")
    assert mended.note == ("" if who == "till" else "booked in the day before")


def close_accepted(counter: Counter, odd: PaymentView) -> Batch:
    """Close a batch that lacks a payment at the bank, a supervisor accepting it."""
    batch = close(counter)
    assert [each.attempt for each in batch.differences or ()] == [odd.id]
    counter.till.day.accept(batch.number, "the bank books it tomorrow")
    return batch_in(counter, batch.number, BatchState.CLOSED)


def test_lines_are_compared_before_anything_is_closed(open_till: OpenTill, town: City) -> None:
    counter = open_till()
    odd = counter.pay(amount_minor=100)
    counter.pay(amount_minor=200)
    where = batch_members.c.attempt == odd.id
    at_the_bank(town, lambda bank: bank.execute(batch_members.delete().where(where)))

    counter.till.day.ask_totals()
    counter.until(lambda view: view.inquiry is not None and view.inquiry.bank is not None)
    counter.till.day.compare_lines()
    view = counter.until(
        lambda view: view.inquiry is not None and view.inquiry.differences is not None
    )

    assert view.inquiry is not None
    assert [each.attempt for each in view.inquiry.differences or ()] == [odd.id]
    assert view.batches == ()


def test_a_clock_that_passes_the_cut_off_splits_no_batch(
    open_till: OpenTill, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before and after the end of the day, and after a clock set back by an hour."""
    ends_at = datetime.datetime.now().astimezone() + datetime.timedelta(minutes=2)
    counter = open_till(day_ends_at=f"{ends_at:%H:%M}")
    real = time.time_ns
    numbers = [counter.pay().batch]
    for ahead_s in (180, -120):
        monkeypatch.setattr(time, "time_ns", lambda s=ahead_s: real() + s * 1_000_000_000)
        numbers.append(counter.pay().batch)
    monkeypatch.undo()

    batch = close(counter)
    assert set(numbers) == {batch.number}
    assert batch.state is BatchState.CLOSED
    assert sum(total.count for total in batch.totals) == 3


STEPS = {
    BatchState.CLOSING: "/v1/batches/close",
    BatchState.COMPARING: "/v1/batches/lines",
    BatchState.DIFFERS: "",
}


@pytest.mark.parametrize("state", STEPS)
def test_killed_at_each_step_the_close_comes_to_its_end(town: City, state: BatchState) -> None:
    """SIGKILL while the batch is in this state; the next till brings it on."""
    from tests.scenarios.test_kill import Victim

    home = town.new_home()
    assert Victim(home, town.url, "sale", "12.50", "--present", "card:visa-online").finish()[0] == 0
    if state is not BatchState.CLOSING:
        at_the_bank(town, lambda bank: bank.execute(batch_members.delete()))
    held = STEPS[state]
    town.doorman.alter = lambda letter: _lie(letter) if letter.path == held else letter
    victim = Victim(home, town.url, "settle", "--as", "00")
    number = until_batch(home, state)
    victim.kill()
    town.doorman.alter = None

    with closing(JournalReader(home / "till")) as journal:
        journal.verify()
        left = journal.batch(number)
        assert left is not None
        assert left.state is state
    if state is BatchState.CLOSING:
        status, words = Victim(
            home, town.url, "settle", "--check", str(number), "--as", "00"
        ).finish()
        assert (status, "closed" in words) == (0, True), words
        return
    status, words = Victim(home, town.url, "settle", "--check", str(number), "--as", "00").finish()
    assert (status, "Differs: 0001 sale" in words) == (10, True), words
    note = ("--accept", str(number), "--note", "seen", "--as", "00")
    status, words = Victim(home, town.url, "settle", *note).finish()
    assert (status, "Accepted by" in words) == (0, True), words
    with closing(JournalReader(home / "till")) as journal:
        journal.verify()
        assert journal.unsettled_batches() == []


def test_what_was_closed_cannot_be_cut_off_the_audit_log_unseen(town: City) -> None:
    """The close brought the ends of both chains to the bank."""
    home = town.new_home()

    def audit() -> Result:
        words = ["--home", str(home), "--bank", town.url, "audit", "--bank", "--as", "00"]
        return CliRunner().invoke(main, words)

    with opened(town, home) as counter:
        counter.pay()
        assert close(counter).state is BatchState.CLOSED
    whole = audit()
    assert "It and the journal go through all 4 ends at the bank" in whole.output
    with closing(apsw.Connection(str(home / "till" / "people.db"))) as register:
        register.execute("DELETE FROM audit WHERE seq >= (SELECT max(seq) - 2 FROM audit)")

    cut = audit()

    assert cut.exit_code == 30
    assert "lines were cut off or written again" in cut.output


def until_batch(home: Path, state: BatchState) -> int:
    """Read the journal until a batch is in this state; return its number."""
    deadline = time.monotonic() + PATIENCE_S
    with closing(JournalReader(home / "till")) as journal:
        while time.monotonic() < deadline:
            for batch in journal.unsettled_batches():
                if batch.state is state:
                    return batch.number
            time.sleep(0.002)
    raise AssertionError(f"no batch came to be {state}")


def test_a_till_that_lost_its_journal_begins_a_batch_that_is_not_closed(
    town: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counting from one again, it would be refused whatever it takes."""
    home = town.new_home()
    with opened(town, home) as counter:
        counter.pay()
        first = close(counter)
    for file in (home / "till").glob("journal.*"):
        file.unlink()
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + 7_200_000_000_000)
    town.clock_ahead_s = 7200.0

    with opened(town, home) as counter:
        paid = counter.pay()
        second = close(counter)
    assert paid.state is State.APPROVED
    assert [first.state, second.state] == [BatchState.CLOSED] * 2
    assert second.number > first.number
