"""The power goes after each thing that the journal asks of its disk.

kill -9 leaves what the system holds in memory; a power cut does not. So every
write and sync is kept, and from each moment the files are made as they may be
found: unsynced writes lost, safe, some of both, or torn. The till's own journal
opens each of them. OPENTILL_SOAK=1 makes it a hundred thousand.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from simulators.disk import FATES, Disk, Platter
from terminal.errors import JournalCorrupt
from terminal.events import Entry
from terminal.journal import Journal
from terminal.seams import SystemClock
from terminal.states import Event, State
from terminal.view import Kind, PaymentView
from tests.soak import size

SEEDS = range(size(1, full=72))
APPENDS = size(16, full=40)
RecordProperty = Callable[[str, object], None]


@dataclass
class Past:
    """What one till did, and what it could rely on."""

    operations: int = 0
    moves: int = 0
    safe_after: tuple[tuple[int, int], ...] = ()
    """So many operations were done when so many moves had been called safe."""

    def safe(self, operations: int) -> int:
        """Return how many moves were called safe by then."""
        return max((moves for done, moves in self.safe_after if done <= operations), default=0)


def live(folder: Path, disk: Disk, chance: random.Random, synchronous: str) -> Past:
    """Write payments, with checkpoints and restarts in between."""
    past = Past()
    number = 0
    while past.moves < APPENDS:
        with closing(Journal(folder, SystemClock())) as journal:
            # Few pages make checkpoints come as often as writes.
            pages = chance.choice([8, 20, 1000])
            journal._writer.execute(
                f"PRAGMA wal_autocheckpoint = {pages}; PRAGMA synchronous = {synchronous}"
            ).fetchall()
            for _ in range(chance.randint(4, APPENDS)):
                number += 1
                entries = draw_entries(chance, number)
                journal.append(entries)
                past.moves += len(entries)
                past.safe_after += ((len(disk.operations), past.moves),)
    past.operations = len(disk.operations)
    return past


def draw_entries(chance: random.Random, number: int) -> list[Entry]:
    """Draw one commit: one or two moves, some with a sealed sale."""
    payment = PaymentView(
        id=f"0192f000-0000-7000-8000-{number:012}",
        number=number,
        kind=Kind.SALE,
        state=State.AWAITING_TENDER,
        amount_minor=chance.randint(1, 10**6),
        currency="CNY",
        created_ms=1_795_500_000_000,
        updated_ms=1_795_500_000_000,
    )
    entries = [Entry(payment, None)]
    if chance.random() < 0.5:
        stored = replace(payment, state=State.STORED, brand="Visa")
        entries.append(Entry(stored, Event.CARD_APPROVED, sealed="s" * chance.randint(1, 9000)))
    return entries


@dataclass
class Found:
    """What the images showed."""

    images: int = 0
    lost: int = 0
    corrupt: int = 0


def cut_everywhere(folder: Path, seed: int, synchronous: str) -> Found:
    """Live once, then cut the power after each operation."""
    chance = random.Random(seed)
    with Disk() as disk:
        past = live(folder / "till", disk, chance, synchronous)
    found, platter = Found(), Platter()
    for done, operation in enumerate(disk.operations, start=1):
        platter.take(operation)
        for fate in FATES:
            image = folder / "image"
            image.mkdir()
            for name, content in platter.without_power(fate, chance).items():
                (image / name).write_bytes(content)
            look_at(image, past.safe(done), past.moves, found)
            shutil.rmtree(image)
    return found


def look_at(image: Path, safe: int, moves: int, found: Found) -> None:
    """Open what the power left, as the next till does."""
    found.images += 1
    try:
        with closing(Journal(image, SystemClock())) as journal:
            there = journal.verify()
    except JournalCorrupt:
        found.corrupt += 1
        return
    assert there <= moves
    found.lost += there < safe


@pytest.mark.parametrize("seed", SEEDS)
def test_a_power_cut_at_any_moment_loses_no_move_that_was_called_safe(
    folder: Path, seed: int, record_property: RecordProperty
) -> None:
    found = cut_everywhere(folder, seed, "FULL")

    record_property("images", found.images)
    assert found.images > 4 * APPENDS
    assert (found.lost, found.corrupt) == (0, 0)


def test_the_same_cuts_show_that_less_syncing_loses(
    folder: Path, record_property: RecordProperty
) -> None:
    """So the campaign does see what it looks for."""
    found = cut_everywhere(folder, 0, "NORMAL")

    record_property("images that lost a move", found.lost)
    assert found.lost > 10
    assert found.corrupt == 0
