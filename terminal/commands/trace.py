"""`till trace`: what a card and the till said to each other, and why it ended so."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from emv.describe import as_text
from emv.errors import ConfigurationError
from terminal.checkout.media import card_rules
from terminal.commands import output
from terminal.commands.place import Place, Refusal, refusals
from terminal.errors import NotAllowed, UnknownPayment
from terminal.journal import JournalReader
from terminal.traces import replay as replays
from terminal.traces.folder import TraceFolder
from terminal.traces.replay import Replayed
from terminal.traces.story import tell
from terminal.traces.trace import Trace, decode, encode
from terminal.view import StoryLine

DIFFERS = 1
"""Exit status: today's kernels do something else."""


@click.group(name="trace")
def trace() -> None:
    """See what a card and the till said to each other, and by which rules.

    \b
    Example:
      till trace list
      till trace show 12
      till trace replay 12
    """


@trace.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_obj
def listed(place: Place, as_json: bool) -> None:
    """List the payments that have a trace, newest first."""
    currencies = place.settings().currencies
    folder = TraceFolder(place.till_folder)
    with refusals():
        journal = JournalReader(place.till_folder)
        for attempt in folder.attempts():
            traces = folder.of(attempt)
            if as_json:
                click.echo(json.dumps(_summary(attempt, traces)))
                continue
            try:
                payment = output.as_line(journal.payment(attempt), currencies)
            except UnknownPayment:
                payment = attempt
            ends = "; ".join(each.status or "broken off" for each in traces)
            click.echo(f"{payment}  {len(traces)}: {ends}")
        journal.close()


def _summary(attempt: str, traces: Sequence[Trace]) -> dict[str, object]:
    return {
        "attempt": attempt,
        "conversations": [
            {
                "reader": each.reader,
                "interface": each.interface,
                "started": datetime.fromtimestamp(each.started_ms / 1000, UTC).isoformat(
                    timespec="milliseconds"
                ),
                "whole": each.whole,
                "status": each.status,
                "reason": each.reason,
            }
            for each in traces
        ],
    }


@trace.command(name="show")
@click.argument("key", metavar="ID|FILE")
@click.option("--bytes", "has_bytes", is_flag=True, help="Show commands and answers, in words too.")
@click.option("--json", "as_json", is_flag=True, help="Print the trace itself, as it is kept.")
@click.pass_obj
def show(place: Place, key: str, has_bytes: bool, as_json: bool) -> None:
    """Tell the story of a payment by its number or identity, or of a trace in a file.

    Behind each decision stand book and section of its rule. Times are what the
    card has taken since it arrived.

    \b
    Example:
      till trace show 12
      till trace show 12 --bytes
      till trace show 12 --json > trace.json
    """
    with refusals():
        traces = _found(place, key)
        if as_json:
            for each in traces:
                click.echo(encode(each))
            return
        for line in tell(traces):
            for text in _text(line, has_bytes=has_bytes):
                click.echo(text)


def _text(line: StoryLine, *, has_bytes: bool) -> Iterator[str]:
    source = f"  [{line.source}]" if line.source else ""
    yield f"{line.at_us / 1000:+10.3f} ms  {line.said}{source}"
    if has_bytes and line.exchange is not None:
        told = line.exchange
        sides = ((">", told.command, told.asked), ("<", told.response, told.answered))
        for mark, digits, described in sides:
            yield f"{'':15}{mark} {digits}"
            for text in as_text(described).splitlines():
                yield f"{'':17}{text}"


@trace.command(name="replay")
@click.argument("key", metavar="ID|FILE")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a conversation.")
@click.pass_obj
def replay(place: Place, key: str, as_json: bool) -> None:
    """Give a payment's answers to today's kernels, and show the first difference.

    Random numbers and times come from the trace; limits, action codes and CA
    keys are the shop's as they are now. Only traces of simulated cards can be
    replayed: any other is masked. FILE is what `till trace show ID --json` prints.
    Exit status: 0 the same, 1 a difference, 30 refused.
    """
    is_same = True
    with refusals():
        traces = _found(place, key)
        try:
            rules = card_rules(place.card_settings())
            for number, each in enumerate(traces, 1):
                result = replays.replay(each, rules)
                is_same &= not result.differences
                _tell_replay(number, each, result, as_json=as_json)
        except ConfigurationError as error:
            raise Refusal(str(error)) from error
    if not is_same:
        raise click.exceptions.Exit(DIFFERS)


def _tell_replay(number: int, trace: Trace, result: Replayed, *, as_json: bool) -> None:
    differences = result.differences
    if as_json:
        plain = {
            "conversation": number,
            "steps": result.steps,
            "differences": [
                {
                    "step": each.step,
                    "recorded": each.recorded,
                    "now": each.now,
                    "wording": each.is_wording,
                    "details": list(each.details),
                }
                for each in differences
            ],
        }
        click.echo(json.dumps(plain))
        return
    first = result.first
    if first is None:
        click.echo(f"{number}. the same: {len(trace.steps)} steps, {trace.status or 'broken off'}")
        return
    click.echo(f"{number}. differs at step {first.step} of {len(trace.steps)}")
    click.echo(f"   then: {first.recorded}")
    click.echo(f"   now:  {first.now}")
    for detail in first.details:
        click.echo(f"         {detail}")
    if len(differences) > 1:
        click.echo(f"   and {len(differences) - 1} more: --json shows them")


def _found(place: Place, key: str) -> Sequence[Trace]:
    """Return the traces of a payment, or of a file. Raises NotAllowed, UnknownPayment."""
    path = Path(key)
    if path.is_file():
        return [decode(line) for line in path.read_bytes().splitlines() if line.strip()]
    journal = JournalReader(place.till_folder)
    try:
        attempt = journal.payment(key).id
    finally:
        journal.close()
    traces = TraceFolder(place.till_folder).of(attempt)
    if not traces:
        raise NotAllowed(
            f"There is no trace of payment {key}: no card was presented, or it is too old. "
            "till trace list shows which there are"
        )
    return traces
