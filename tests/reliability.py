"""Writes docs/reliability.md from what the campaigns of `make soak` have kept.

A campaign that did not run here since keeps its row, and one that fell short takes
no full run's place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.soak import FOLDER, PROJECT, runs

Run = Mapping[str, Any]

PAGE = PROJECT / "docs" / "reliability.md"
NOT_RUN = "| not run | | | |\n"
SHORT = "; short of the goal"
HEAD = """\
# Reliability

What the till was put through, and what came of it. Every line is a campaign of
`make soak`; `make test` runs a seeded sample of each. A campaign that finds a
lost, doubled or forged payment fails, and makes no line here.

Made from the last full runs by `make figures`; "short of the goal" is said
where a run did not reach it. The till is uncertified: these are its own tests,
no laboratory's.

| campaign | goal | done | result | commit | date |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Campaign:
    """One line of the table."""

    title: str
    tests: Sequence[str]
    """Parts of the names of the tests that belong to it."""
    counted: str
    """The figure that is summed up; '' counts the tests themselves."""
    goal: int
    unit: str
    result: str


ROOM = "scenarios/reliability"
CAMPAIGNS = [
    Campaign(
        "Killed with SIGKILL at random moments",
        ["test_kill.py::test_killed_at_random"],
        "kills",
        2_000,
        "kills",
        "0 payments lost, 0 doubled; ledger and journal agree",
    ),
    Campaign(
        "Killed with SIGKILL in each of the nine states that it was held in",
        ["test_kill.py::test_killed_in_each"],
        "kills in a state",
        9 * 20,
        "kills",
        "every payment comes to its end, none is charged that the bank did not hear of",
    ),
    Campaign(
        "Power cut at every write and sync of the journal, unsynced writes lost, kept, mixed, torn",
        [f"{ROOM}/test_power_cut.py::test_a_power_cut"],
        "images",
        100_000,
        "images",
        "0 moves lost that were called safe, 0 corrupt",
    ),
    Campaign(
        "The same with `synchronous=NORMAL`, to see that it sees",
        [f"{ROOM}/test_power_cut.py::test_the_same"],
        "images that lost a move",
        1,
        "image that lost a move",
        "the loss is seen",
    ),
    Campaign(
        "Disk full, broken, read-only, short writes at every operation of a sale",
        [f"{ROOM}/test_disk_faults.py::test_a_disk"],
        "operations",
        4 * 40,
        "operations",
        "sales refused cleanly, or ended as the bank has them; the next sale works",
    ),
    Campaign(
        "Each page of the journal zeroed, or a bit of it flipped",
        [f"{ROOM}/test_damage.py::test_any_damaged"],
        "cases",
        500,
        "files",
        "noticed, or where nothing is kept; nothing changed; the rest exported, but where the "
        "file's head or the root of its moves is gone",
    ),
    Campaign(
        "A bit flipped in the journal's write-ahead log",
        [f"{ROOM}/test_damage.py::test_any_flipped"],
        "cases",
        1_000,
        "files",
        "noticed, or the same moves are read",
    ),
    Campaign(
        "The wire to the bank cut at every byte, or altered, doubled, reordered",
        [f"{ROOM}/test_wire_cuts.py::test_a_wire"],
        "cases",
        5_000,
        "sales",
        "0 double debits; every sale ends as the ledger has it",
    ),
    Campaign(
        "Forged requests and answers",
        [f"{ROOM}/test_forgery.py::test_no_forged"],
        "forgeries",
        50_000,
        "forgeries",
        "0 accepted",
    ),
    Campaign(
        "Secrets looked for in files, exports, receipts, pictures",
        [f"{ROOM}/test_canaries.py::test_nothing"],
        "forms",
        100,
        "forms of secrets",
        "0 found",
    ),
    Campaign(
        "PIN and PIN block looked for in the memory and the files of an idle till",
        [f"{ROOM}/test_canaries.py::test_neither_pin_nor_block_is_kept_by_an_idle_till[memory]"],
        "",
        1,
        "memory image",
        "0 found; a card number was there {card number in memory} times, which is not barred",
    ),
    Campaign(
        "The same in a core dump of it (gcore)",
        [f"{ROOM}/test_canaries.py::test_neither_pin_nor_block_is_kept_by_an_idle_till[core dump]"],
        "",
        1,
        "core dump",
        "0 found; a card number was there {card number in core dump} times, which is not barred",
    ),
    Campaign(
        "Servers whose certificate is expired, foreign, revoked, for another name or purpose, "
        "not valid yet; TLS 1.2; an environment that vouches for them",
        [f"{ROOM}/test_untrusted.py"],
        "",
        7,
        "servers",
        "none got a byte of a payment; the sale that waited was booked once by the bank",
    ),
    Campaign(
        "Audit log and journal altered, cut off, grown anew, put back",
        ["people/test_audit.py", "bank/test_chain_ends.py"],
        "",
        10,
        "cases",
        "all noticed: by the chain, or by the ends that the bank keeps",
    ),
    Campaign(
        "Journals of the earlier schemas, with open payments and a close of day in them",
        ["test_earlier_release.py"],
        "",
        3,
        "journals",
        "opened; every open payment and the close came to their end",
    ),
    Campaign(
        "Tills at once on a PostgreSQL bank of two workers, its connections killed meanwhile",
        ["bank/test_many_tills.py"],
        "tills",
        200,
        "tills",
        "each merchant has what its till believes after {requests:,} requests and {killed:,} "
        "killed connections; the ledger balances",
    ),
    Campaign(
        "Readers of bytes from outside, fuzzed",
        [f"{ROOM}/test_fuzzing.py::test_anything"],
        "inputs",
        1_000_000,
        "inputs",
        "declared errors only, each within 50 ms and 10 MiB",
    ),
    Campaign(
        "Whole shops played from a seed: wires, power, disks, clocks, cards, keys, the bank",
        ["simulators/world/test_world.py::test_whatever"],
        "worlds",
        10_000,
        "worlds of two tills",
        "ledger, journals, receipts and card counters agree, at each step and at the end",
    ),
    Campaign(
        "Faults put into the till's source, to see that worlds see",
        ["simulators/world/test_mutants.py::test_a_fault_is"],
        "",
        12,
        "faults",
        "each noticed within 50 seeds, by which the till without it passes",
    ),
    Campaign(
        "The clock jumps, by seconds to years",
        [f"{ROOM}/test_clock.py::test_a_clock"],
        "jumps",
        200,
        "jumps",
        "order from the journal's sequence; ledger and journal agree",
    ),
]


def main() -> None:
    """Write the page."""
    kept = [
        (path.stem, run)
        for path in sorted(FOLDER.glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
        for run in runs(path)
        if not path.stem.endswith("-dirty")
    ]
    written = PAGE.read_text("utf-8").splitlines(keepends=True)
    PAGE.write_text(HEAD + "".join(line(each, kept, written) for each in CAMPAIGNS), "utf-8")


def line(campaign: Campaign, kept: Sequence[tuple[str, Run]], written: Sequence[str] = ()) -> str:
    """Return a campaign's row, or the one that was written of it before if that is of more."""
    before = next((row for row in written if row.startswith(f"| {campaign.title} |")), "")
    new = _line(campaign, kept)
    is_less = new.endswith(NOT_RUN) or (SHORT in new and SHORT not in before)
    return before if is_less and before and not before.endswith(NOT_RUN) else new


def _line(campaign: Campaign, kept: Sequence[tuple[str, Run]]) -> str:
    """Return the row of the commit that ran most of it, the last of equals."""
    by_commit: dict[str, dict[str, Run]] = {}
    for commit, run in kept:
        if any(part in run["test"] for part in campaign.tests):
            by_commit.setdefault(commit, {})[run["test"]] = run
    if not by_commit:
        return f"| {campaign.title} | {campaign.goal:,} {campaign.unit} {NOT_RUN}"
    commit = max(reversed(by_commit), key=lambda each: len(by_commit[each]))
    found = list(by_commit[commit].values())
    done = sum(run["figures"].get(campaign.counted, 1) for run in found)
    result = campaign.result.format_map(found[-1]["figures"])
    if done < campaign.goal:
        result += SHORT
    date = max(run["date"] for run in found)
    cells = (campaign.title, f"{campaign.goal:,} {campaign.unit}", f"{done:,}", result)
    return f"| {' | '.join(cells)} | {commit} | {date} |\n"


if __name__ == "__main__":
    main()
