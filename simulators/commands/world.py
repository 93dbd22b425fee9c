"""till sim world: a whole shop in one process, from one seed."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from simulators.world.play import Plan
    from simulators.world.works import Works


@click.command(
    "world",
    epilog="\b\nExample:\n  till sim world --seed 7 --days 3 --tills 2\n"
    "  till sim world --seed 1 --seeds 100\n"
    "  till sim world --seed 7 --shrink --log story.txt",
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option(
    "--seeds", "count", type=click.IntRange(1), default=1, help="Play so many, one after another."
)
@click.option("--days", type=click.IntRange(1), default=1, show_default=True)
@click.option("--tills", type=click.IntRange(1), default=2, show_default=True)
@click.option(
    "--only", metavar="N,N,…", help="Only these deeds of the history happen; 'none' for none."
)
@click.option("--shrink", is_flag=True, help="Find the shortest history that still fails.")
@click.option(
    "--log",
    "log_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write every event, journal row and message of the last world to this file.",
)
def command(
    seed: int,
    count: int,
    days: int,
    tills: int,
    only: str | None,
    shrink: bool,
    log_file: Path | None,
) -> None:
    """Play tills, customers, networks, disks and a bank from a seed, in virtual time.

    Wires are cut, power goes, disks fill up, clocks jump; at each step and at
    the end it is checked that ledger, journals, receipts and cards agree. A
    world that fails is named by the command that plays it again.
    """
    from simulators.world.play import Plan, in_memory
    from simulators.world.works import Works

    # What the tills would log is noise here: each world goes wrong on purpose.
    logging.disable(logging.CRITICAL)
    places = None if only is None else _places(only)
    plans = [Plan(each, days, tills, places) for each in range(seed, seed + count)]
    with in_memory() as folder:
        works = Works(folder, os.urandom)
        held = [_play(works, plan, shrink, log_file) for plan in plans]
    if not all(held):
        sys.exit(1)


def _play(works: Works, plan: Plan, shrink: bool, log_file: Path | None) -> bool:
    """Play one world, and say what it came to; True if all held."""
    from simulators.world.play import play, shrunk

    def write_log(lines: Sequence[str]) -> None:
        if log_file is not None:
            log_file.write_text("\n".join(lines) + "\n", "utf-8")

    log = None if log_file is None else write_log
    verdict = play(works, plan, log)
    if not verdict.broken:
        story = f"{verdict.payments} payments, {verdict.lines} lines, {verdict.digest[:16]}"
        click.echo(f"seed {plan.seed}: all held; {story}")
        return True
    click.echo(f"seed {plan.seed}: {verdict.broken}: {verdict.detail}\n  {plan.command}")
    if shrink:
        short = shrunk(works, plan, lambda left: click.echo(f"  {left} deeds", err=True))
        play(works, short, log)
        click.echo("".join(f"  {deed}\n" for deed in short.history()) + f"  {short.command}")
    return False


def _places(text: str) -> tuple[int, ...]:
    """Read places in a history. Raises click.BadParameter."""
    if text == "none":
        return ()
    try:
        return tuple(sorted({int(place) for place in text.split(",")}))
    except ValueError:
        raise click.BadParameter(f"{text!r} is no list of numbers", param_hint="--only") from None
