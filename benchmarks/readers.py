"""The reader drivers on their real stacks, each beside its library's own way.

Daemon and wire are on the clock on both sides.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from benchmarks.harness import Bar, Row, Samples, in_turns, row
from benchmarks.presented import presented
from benchmarks.stacks import STACKS, Stack, Taped, await_card
from benchmarks.tap import Exchange, record, tap
from drivers.protocols import CardReader
from terminal.checkout.cards import CardRules


def measure() -> list[Row]:
    """Measure a command, a tap, and a card that comes, over each stack."""
    with tempfile.TemporaryDirectory(prefix="opentill-bench-") as name:
        rules, tape = record(Path(name))
    rows = []
    for open_stack in STACKS:
        with open_stack() as stack:
            rows += _talking(stack, rules, tape)
            rows.append(presented(stack, rules, tape))
    return rows


def _talking(stack: Stack, rules: CardRules, tape: Sequence[Exchange]) -> list[Row]:
    """Measure with cards that stay there, powered all the time."""
    for front in stack.fronts:
        front.present(Taped(tape), stay=True)
    with closing(stack.openers[0]()) as reader:
        await_card(reader)
        rows = [_command(stack, reader, tape[0][0]), _tap(stack, reader, rules, tape)]
    for front in stack.fronts:
        front.remove()
    return rows


def _command(stack: Stack, reader: CardReader, command: bytes) -> Row:
    with stack.open_library() as transmit:
        samples = in_turns(
            lambda: reader.transceive(command),
            lambda: transmit(command),
            rounds=41,
            batch=50,
            clock=time.perf_counter,
        )
    name, peer = f"one APDU through {stack.name}", f"{stack.library} of the same"
    return row(name, samples.scaled(1e6), "µs", peer, Bar(1.15, is_ratio=True))


def _tap(stack: Stack, reader: CardReader, rules: CardRules, tape: Sequence[Exchange]) -> Row:
    def replay() -> None:
        for command, _ in tape:
            reader.transceive(command)

    samples = in_turns(
        lambda: tap(rules, reader), replay, rounds=41, batch=5, clock=time.perf_counter
    ).scaled(1e3)
    more = Samples([a - b for a, b in zip(samples.own, samples.peer, strict=True)], samples.peer)
    name = f"a whole tap through {stack.name}, less its APDUs"
    return row(name, more, "ms", f"its {len(tape)} APDUs, played back", Bar(3))
