"""A journal whose files were damaged, cut, taken away or put back from an older copy.

It is noticed, by the till as it starts or by `till journal check`; it is said;
nothing of the files is changed; and what can be read can be exported.
"""

from __future__ import annotations

import io
import json
import random
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from terminal.__main__ import main
from terminal.errors import JournalCorrupt, JournalUnavailable
from terminal.events import Entry
from terminal.journal import Journal, JournalReader
from terminal.seams import SystemClock
from terminal.states import Event, State
from terminal.view import Kind, PaymentView
from tests.soak import size

PAGE_BYTES = 4096
PAYMENTS = 120
FLIPS_A_PAGE = size(1, full=10)

RecordProperty = Callable[[str, object], None]
NOT_DONE = 30


def write(journal: Journal, first: int, count: int) -> None:
    """Write so many payments, every third with a sealed sale."""
    for number in range(first, first + count):
        payment = PaymentView(
            id=f"0192f000-0000-7000-8000-{number:012}",
            number=number,
            kind=Kind.SALE,
            state=State.AWAITING_TENDER,
            amount_minor=number * 100,
            currency="CNY",
            created_ms=1_795_500_000_000,
            updated_ms=1_795_500_000_000,
        )
        stored = replace(payment, state=State.STORED, brand="Visa", masked_pan="476173******0119")
        journal.append([Entry(payment, None)])
        if number % 3 == 0:
            journal.append([Entry(stored, Event.CARD_APPROVED, sealed="s" * 700)])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed till's folder."""
    folder = tmp_path_factory.mktemp("whole") / "till"
    with closing(Journal(folder, SystemClock())) as journal:
        write(journal, 1, PAYMENTS)
    return folder


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory, whole: Path) -> Path:
    """The folder of a till that was killed: its last moves are in the log beside the database."""
    folder = tmp_path_factory.mktemp("killed") / "till"
    working = folder.with_name("working")
    shutil.copytree(whole, working)
    with closing(Journal(working, SystemClock())) as journal:
        write(journal, PAYMENTS + 1, 12)
        shutil.copytree(working, folder)
    return folder


def exported(folder: Path) -> list[str]:
    out = io.StringIO()
    with closing(JournalReader(folder)) as reader:
        reader.export(out)
    return out.getvalue().splitlines()


def trouble(folder: Path) -> str:
    """Return what the till says as it starts, or the check; '' if both find nothing."""
    try:
        with closing(JournalReader(folder)) as reader:
            reader.verify()
        with closing(Journal(folder, SystemClock())):
            return ""
    except (JournalCorrupt, JournalUnavailable) as error:
        return str(error)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def damage(page: bytearray, how: int, chance: random.Random) -> None:
    """Zero the page, or flip one bit of it; how: 0 is zeroing."""
    if how == 0:
        page[:] = bytes(len(page))
    else:
        page[chance.randrange(len(page))] ^= 1 << chance.randrange(8)


def test_any_damaged_page_is_noticed_or_held_nothing(
    whole: Path, tmp_path: Path, record_property: RecordProperty
) -> None:
    chance = random.Random(0)
    sound = exported(whole)
    content = (whole / "journal.db").read_bytes()
    unnoticed, without_export, cases = 0, [], 0
    folder = tmp_path / "till"
    for place in range(0, len(content), PAGE_BYTES):
        for how in range(1 + FLIPS_A_PAGE):
            shutil.copytree(whole, folder)
            page = bytearray(content[place : place + PAGE_BYTES])
            damage(page, how, chance)
            damaged = content[:place] + page + content[place + PAGE_BYTES :]
            (folder / "journal.db").write_bytes(damaged)
            cases += 1
            said = trouble(folder)
            if not said:
                # The damage was where nothing is kept.
                assert exported(folder) == sound
                unnoticed += 1
            else:
                assert (folder / "journal.db").read_bytes() == damaged, "nothing may be changed"
                try:
                    saved = exported(folder)
                except (JournalCorrupt, JournalUnavailable):
                    without_export.append((place // PAGE_BYTES, how))
                else:
                    assert len(set(saved) & set(sound)) > len(sound) / 2
            shutil.rmtree(folder)

    record_property("cases", cases)
    record_property("without anything to export", len(without_export))
    record_property("of them where nothing is kept", unnoticed)
    # Nothing can be found without the file's head, or the root of the moves.
    assert {page for page, _how in without_export} <= {0, 1}


@pytest.mark.parametrize("kept", [0, 1, 31, 32, 5_000, 20_000, -1, -2_000])
def test_a_log_that_was_cut_is_noticed(killed: Path, tmp_path: Path, kept: int) -> None:
    folder = tmp_path / "till"
    shutil.copytree(killed, folder)
    log = folder / "journal.db-wal"
    log.write_bytes(log.read_bytes()[:kept])

    assert "has lost its end" in trouble(folder)
    assert len(exported(folder)) >= len(exported_before(killed))


def exported_before(folder: Path) -> list[str]:
    """Return what is in the database alone."""
    alone = folder.with_name("alone")
    if not alone.exists():
        alone.mkdir()
        shutil.copy(folder / "journal.db", alone)
    return exported(alone)


def test_a_log_that_was_taken_away_is_noticed_and_put_back_is_right(
    killed: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "till"
    shutil.copytree(killed, folder)
    (folder / "journal.db-wal").rename(tmp_path / "aside")
    assert "has lost its end" in trouble(folder)

    (tmp_path / "aside").rename(folder / "journal.db-wal")
    assert trouble(folder) == ""


def test_any_flipped_bit_of_the_log_is_noticed_or_held_nothing(
    killed: Path, tmp_path: Path, record_property: RecordProperty
) -> None:
    chance = random.Random(0)
    sound = exported(killed)
    content = (killed / "journal.db-wal").read_bytes()
    cases = size(12, full=1000)
    for _ in range(cases):
        folder = tmp_path / "till"
        shutil.copytree(killed, folder)
        flipped = bytearray(content)
        damage(flipped, 1, chance)
        (folder / "journal.db-wal").write_bytes(flipped)
        if not trouble(folder):
            assert exported(folder) == sound
        shutil.rmtree(folder)

    record_property("cases", cases)


def test_an_older_copy_put_in_place_is_noticed(whole: Path, killed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "till"
    shutil.copytree(killed, folder)
    (folder / "journal.db-wal").unlink()
    (folder / "journal.db-shm").unlink(missing_ok=True)
    shutil.copy(whole / "journal.db", folder)
    before = files(folder)

    assert "an older copy put in its place" in trouble(folder)
    assert files(folder)["journal.db"] == before["journal.db"]
    assert exported(folder) == exported(whole)


def test_the_commands_say_it_and_export_it(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "till")
    run = CliRunner()
    good = run.invoke(main, ["--home", str(tmp_path), "journal", "check"])
    assert good.exit_code == 0
    assert f"The journal holds: {PAYMENTS + PAYMENTS // 3} moves" in good.stdout
    path = tmp_path / "till" / "journal.db"
    path.write_bytes(path.read_bytes().replace(b'"number":57', b'"number":58'))

    bad = run.invoke(main, ["--home", str(tmp_path), "journal", "check"])
    assert bad.exit_code == NOT_DONE
    assert "Move 75 does not follow" in bad.stderr
    out = tmp_path / "moves.jsonl"
    saved = run.invoke(main, ["--home", str(tmp_path), "journal", "export", str(out)])
    assert saved.exit_code == 0
    lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, PAYMENTS + PAYMENTS // 3 + 1))
