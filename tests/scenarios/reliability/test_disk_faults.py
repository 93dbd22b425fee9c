"""The disk fails at each thing that a sale asks of it; then it is mended.

A till on a disk that fails on command, with a real bank. A payment that had
begun ends as the bank has it, nothing is begun anew on a disk that takes
nothing, and the till that was open takes the next sale.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from simulators.disk import Disk
from terminal.errors import JournalUnavailable, RegisterUnusable
from terminal.journal import JournalReader
from terminal.messages import Message
from terminal.states import FINAL, State
from terminal.view import Stage, View
from tests.soak import size

FAULTS = ("full", "short", "broken", "read-only")
STEP = size(17, full=1)
"""From one operation to the next that fails first."""

RecordProperty = Callable[[str, object], None]


@pytest.fixture
def counter(disk: Disk, open_counter: Any) -> Any:
    """A till whose files are all on the disk that fails."""
    return open_counter().until_ready()


def has_fault(view: View) -> bool:
    return Message.JOURNAL_FAULT in [notice.message for notice in view.notices]


def try_a_sale(counter: Any) -> str | None:
    """Take a sale as far as it comes; return its attempt, None if it was refused."""
    try:
        attempt: str = counter.till.sale(1250)
    except (JournalUnavailable, RegisterUnusable):
        return None
    counter.until(lambda view: is_at(view, attempt, Stage.PRESENT) or has_fault(view))
    counter.do("card:visa-online")
    counter.until(lambda view: is_at(view, attempt, Stage.RESULT) or has_fault(view))
    return attempt


def is_at(view: View, attempt: str, stage: Stage) -> bool:
    return view.payment is not None and view.payment.id == attempt and view.stage is stage


@pytest.mark.parametrize("fault", FAULTS)
def test_a_disk_that_fails_at_any_operation_leaves_money_and_journal_right(
    disk: Disk, counter: Any, fault: Any, record_property: RecordProperty
) -> None:
    counter.pay()
    refused = 0
    for good in itertools.count(0, STEP):
        disk.fail_after(good, fault)
        attempt = try_a_sale(counter)
        is_hit = disk.asked > good
        disk.mend()
        refused += attempt is None
        if attempt is not None:
            end = counter.until_final(attempt)
            assert counter.booked.is_right(end), (good, end)
        assert counter.pay(amount_minor=700).state is State.APPROVED
        assert not has_fault(counter.till.view())
        if not is_hit:
            break

    record_property("operations", good)
    assert refused > 0
    assert good > 20
    with contextlib.closing(JournalReader(counter.home / "till")) as journal:
        journal.verify()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_reversal_outlives_a_disk_that_fails_while_it_is_confirmed(
    disk: Disk, counter: Any, city: Any, open_counter: Any, fault: Any
) -> None:
    """The till dies with the disk; the next one, on the mended disk, has it confirmed."""
    city.doorman.alter = lambda letter: letter.with_headers(b"signature")
    attempt = counter.begin()
    counter.do("card:visa-online")
    counter.ask_until(attempt, State.REVERSING)
    disk.fail_after(0, fault)
    city.doorman.alter = None
    counter.until(lambda view: has_fault(view) or view.next_ask_at is not None)
    with contextlib.suppress(JournalUnavailable):
        counter.till.check_now()
    counter.until(has_fault)
    disk.mend()
    with contextlib.closing(JournalReader(counter.home / "till")) as journal:
        assert journal.payment(attempt).state is State.REVERSING
    counter.till.close()

    later = open_counter(counter.home)

    assert later.until_state(attempt, *FINAL).state is State.REVERSED
    assert later.booked.transfers_of(attempt) == ["sale", "reversal"]
