"""A journal that an earlier release left behind, in today's till."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from terminal.assembly.parts import Assembly
from terminal.commands.watch import watching
from terminal.journal import JournalReader

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


def states(journal: JournalReader) -> dict[int, str]:
    return {payment.number: str(payment.state) for payment in journal.payments()}


@pytest.mark.parametrize("name", ["journal-1.db"])
def test_a_journal_of_an_earlier_release_opens_and_what_was_open_is_recovered(
    city: Any, name: str
) -> None:
    """Its bank has never heard of any of it."""
    home = city.new_home()
    shutil.copyfile(EARLIER / name, home / "till" / "journal.db")
    with closing(JournalReader(home / "till")) as journal:
        moves = journal.verify()
        assert states(journal) == SETTLED | LEFT_OPEN

        with (
            Assembly(home, None, city.url).open_till(with_counter=False) as till,
            watching(till) as watch,
        ):
            assert watch.until(lambda view: view.open_count == 0, PATIENCE_S)
        assert states(journal) == SETTLED | RECOVERED
        assert journal.verify() > moves
        assert journal.sealed(journal.payment("9").id)
