"""What the benchmarks say must follow from what they measured."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy
import pytest

import benchmarks.__main__
from benchmarks import report
from benchmarks.__main__ import SUBJECTS, keep, main
from benchmarks.hand_held import FRAMES_MAX, FRAMES_PER_S, first_read_s
from benchmarks.harness import ROUNDS_MIN, Bar, Row, Samples, in_turns, row, spread
from benchmarks.journal import fill
from terminal.journal import JournalReader


def test_both_are_done_in_turns_with_one_pair_to_warm_up() -> None:
    done: list[str] = []

    in_turns(lambda: done.append("A"), lambda: done.append("B"), rounds=ROUNDS_MIN, batch=2)

    assert done == ["A", "A", "B", "B"] * (ROUNDS_MIN + 1)


def test_a_sample_is_the_time_of_one_deed() -> None:
    now = 0.0

    def take(seconds: float) -> None:
        nonlocal now
        now += seconds

    samples = in_turns(
        lambda: take(3), lambda: take(2), rounds=ROUNDS_MIN, batch=4, clock=lambda: now
    )

    assert list(samples.own) == [3] * ROUNDS_MIN
    assert list(samples.peer) == [2] * ROUNDS_MIN


def test_a_journal_that_was_filled_is_one(tmp_path: Path) -> None:
    """The chain holds, the list is what the moves say, and batches follow each other."""
    fill(tmp_path, 1001)
    with closing(JournalReader(tmp_path)) as journal:
        journal.verify()
        assert journal.next_number() == 1002
        assert [len(journal.batch_payments(number)) for number in (1, 2)] == [1000, 1]


def test_too_few_rounds_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 7"):
        in_turns(lambda: None, lambda: None, rounds=ROUNDS_MIN - 1)


def test_the_ratio_is_that_of_the_pairs() -> None:
    """A machine that slows down in the middle slows both, and changes no ratio."""
    samples = Samples([2, 2, 20, 20, 20], [1, 1, 10, 10, 10])

    measured = row("figure", samples, "ms", "peer", Bar(2, is_ratio=True))

    assert (measured.value, measured.peer_value, measured.ratio) == (20, 10, 2)
    assert measured.met


@pytest.mark.parametrize(
    ("bar", "is_met", "text"),
    [
        (Bar(3), True, "≤ 3 ms"),
        (Bar(2.9), False, "≤ 2.9 ms"),
        (Bar(1.5, is_ratio=True), True, "≤ 1.5×"),
        (Bar(1.25, is_ratio=True), False, "≤ 1.25×"),
    ],
)
def test_a_bar_is_on_the_value_or_on_the_ratio(bar: Bar, is_met: bool, text: str) -> None:
    measured = row("figure", Samples([3.0], [2.0]), "ms", "peer", bar)

    assert (measured.met, measured.bar) == (is_met, text)


def test_spread_is_half_the_distance_of_the_quartiles() -> None:
    assert spread([1, 2, 3, 4, 5]) == pytest.approx(1 / 3)
    assert spread([4]) == 0


def test_a_missed_bar_stands_out_and_is_no_failure_of_the_page() -> None:
    missed = row("figure", Samples([5, 5], [4, 4]), "%", "peer", Bar(3))

    assert report.plain([missed]).splitlines()[1].endswith("NO")
    line = "| figure | 5 % | peer | 4 % | 1.25× | ≤ 3 % | ±0% | NO |"
    page = report.markdown({"figures": section(missed, commit="abc1234")})
    assert line in page
    assert "`python -m benchmarks figures --keep`, 2026-11-24, commit abc1234, a box." in page


def section(measured: Row, *, commit: str) -> dict[str, Any]:
    return {
        "title": "Figures.",
        "day": "2026-11-24",
        "commit": commit,
        "machine": "a box",
        "rows": [asdict(measured)],
    }


def test_a_subject_measured_again_leaves_the_others_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmarks.__main__, "KEPT", tmp_path / "benchmarks.json")
    monkeypatch.setattr(benchmarks.__main__, "PAGE", tmp_path / "benchmarks.md")
    for subject, value in (("tap", 1.0), ("tlv", 2.0), ("tap", 3.0)):
        keep(subject, [row("figure", Samples([value], [1]), "ms", "peer", Bar(9))])
    page = (tmp_path / "benchmarks.md").read_text()
    assert page.index("| figure | 2 ms |") < page.index("| figure | 3 ms |")
    assert page.count("| figure |") == 2 + page.count("| figure | value |")


def test_every_subject_says_what_it_measures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(SUBJECTS)
    assert all(len(line.split()) > 3 for line in lines)


def test_an_unknown_subject_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["nothing"])
    assert "no subject nothing" in capsys.readouterr().err


def test_a_reader_slower_than_the_camera_gets_the_newest_frame_next() -> None:
    now, seen = 0.0, []

    def read(frame: numpy.ndarray) -> set[str]:
        nonlocal now
        seen.append(int(frame[0]))
        now += 0.1
        return {"code"} if len(seen) == 3 else set()

    frames = [numpy.array([number], numpy.uint8) for number in range(FRAMES_MAX)]
    taken_s = first_read_s(frames.__getitem__, "code", 0.02, read, clock=lambda: now)

    assert seen == [0, 1, 3]
    assert taken_s == pytest.approx(0.02 + 3 / FRAMES_PER_S + 0.1)


def test_a_code_that_is_never_read_counts_as_read_at_the_end() -> None:
    frame = numpy.zeros(1, numpy.uint8)
    taken_s = first_read_s(lambda _: frame, "code", 0.0, lambda _: set(), clock=lambda: 0.0)

    assert taken_s == FRAMES_MAX / FRAMES_PER_S
