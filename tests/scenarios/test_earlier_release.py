"""A journal that an earlier release left behind, in today's till."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from terminal.assembly.parts import Assembly
from terminal.batch.batch import BatchState
from terminal.commands.watch import watching
from terminal.journal import JournalReader
from terminal.view import View

EARLIER = Path(__file__).parents[1] / "data" / "journal"
PATIENCE_S = 60.0
SETTLED = {
    1: "approved",
    2: "approved",
    3: "voided",
    4: "approved",
    5: "declined",
    6: "cancelled",
}
LEFT_OPEN = {
    7: "awaiting_tender",
    8: "authorising",
    9: "stored",
    10: "unknown",
    11: "reversing",
    12: "awaiting_payer",
    13: "code_open",
    14: "closing",
}
RECOVERED = {
    7: "cancelled",
    8: "reversed",
    # This bank cannot open what is sealed to nobody: a person must settle it.
    9: "stored_refused",
    10: "reversed",
    11: "reversed",
    12: "cancelled",
    13: "cancelled",
    14: "cancelled",
}


SINCE_3 = {
    15: "completing",
    16: "deferred",
    17: "reversal_refused",
    18: "stored_refused",
}
RECOVERED_SINCE_3 = {
    15: "reversed",
    16: "stored_refused",
    17: "reversal_refused",
    18: "stored_refused",
}


def is_told_apart(view: View) -> bool:
    """Say whether the batch that was closing waits for a person now, line by line."""
    return any(
        batch.state is BatchState.DIFFERS and len(batch.differences or ()) == 4
        for batch in view.batches
    )


def states(journal: JournalReader) -> dict[int, str]:
    return {payment.number: str(payment.state) for payment in journal.payments()}


@pytest.mark.parametrize(
    ("version", "left_open", "recovered"),
    [
        (1, LEFT_OPEN, RECOVERED),
        (2, LEFT_OPEN, RECOVERED),
        (3, LEFT_OPEN | SINCE_3, RECOVERED | RECOVERED_SINCE_3),
    ],
)
def test_a_journal_of_an_earlier_release_opens_and_what_was_open_is_recovered(
    city: Any, version: int, left_open: dict[int, str], recovered: dict[int, str]
) -> None:
    """Its bank has never heard of any of it."""
    home = city.new_home()
    shutil.copyfile(EARLIER / f"journal-{version}.db", home / "till" / "journal.db")
    with closing(JournalReader(home / "till")) as journal:
        moves = journal.verify()
        assert states(journal) == SETTLED | left_open

        with (
            Assembly(home, None, city.url).open_till(with_counter=False) as till,
            watching(till) as watch,
        ):
            assert watch.until(lambda view: view.open_count == 0, PATIENCE_S)
            if version >= 3:
                # The close that it was stopped in: the bank has none of those payments.
                assert watch.until(is_told_apart, PATIENCE_S)
        assert states(journal) == SETTLED | recovered
        assert journal.verify() > moves
        assert journal.sealed(journal.payment("9").id)
