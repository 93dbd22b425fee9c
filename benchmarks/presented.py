"""From a card that comes to 'remove card'.

The till's own worker reads it; its peer sees the card and sends the same
commands, and does nothing with the answers. Cards come at moments that have
nothing to do with when the reader looks.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

from joserfc.jwk import ECKey

from benchmarks.bank_link import sealer_to
from benchmarks.harness import ROUNDS_MIN, Bar, Row, Samples, row
from benchmarks.stacks import DETECT_S, Stack, Taped, await_card
from benchmarks.tap import AMOUNT_MINOR, Exchange, transaction
from terminal.checkout.cards import CardRules, CardWorker
from terminal.events import Arm, CardEnd, CardRead, InboxEvent

ROUNDS = ROUNDS_MIN + 4
PHASE_S = 0.037
"""Each round waits this much longer, so that no two find the reader at the same point."""
SOON = Bar(500)
"""What card schemes give a tap."""

Deed = Callable[[float], float]
"""Waits so many seconds, holds a card there, and returns the seconds it took to read it."""


def presented(stack: Stack, rules: CardRules, tape: Sequence[Exchange]) -> Row:
    """Measure a tap that the card approves by itself, its data sealed for the bank."""
    own: list[float] = []
    peer: list[float] = []
    with _till(stack, rules, tape) as by_till, _driver(stack, tape) as by_driver:
        for turn in range(ROUNDS + 1):
            for deed, samples in ((by_till, own), (by_driver, peer)):
                took_s = deed(stack.empty_s + turn * PHASE_S)
                if turn:
                    samples.append(took_s)
    name = f"card presented to 'remove card', {stack.name}"
    both = Samples(own, peer).scaled(1e3)
    return row(name, both, "ms", "seen, and its APDUs played back", SOON)


@contextmanager
def _till(stack: Stack, rules: CardRules, tape: Sequence[Exchange]) -> Iterator[Deed]:
    inbox: queue.SimpleQueue[InboxEvent] = queue.SimpleQueue()
    worker = CardWorker(
        stack.openers[0],
        "Reader",
        lambda _: rules,
        lambda _: transaction(),
        sealer_to(ECKey.generate_key("P-256", private=True)).seal_card,
        lambda _arm, _sealed: "",
        # Always the same bytes, so that the commands are those on the tape.
        bytes,
        inbox.put,
    )

    def read(wait_s: float) -> float:
        worker.arm(Arm(1, "attempt", AMOUNT_MINOR, "CNY"))
        time.sleep(wait_s)
        began = time.perf_counter()
        stack.fronts[0].present(Taped(tape))
        while not isinstance(event := inbox.get(timeout=DETECT_S), CardRead):
            pass
        took_s = time.perf_counter() - began
        worker.disarm()
        if event.end is not CardEnd.APPROVED:
            raise ValueError(f"the card was not approved: {event.reason}")
        return took_s

    worker.start()
    with closing(worker):
        yield read


@contextmanager
def _driver(stack: Stack, tape: Sequence[Exchange]) -> Iterator[Deed]:
    def play_back() -> float:
        await_card(reader)
        for command, _ in tape:
            reader.transceive(command)
        return time.perf_counter()

    def read(wait_s: float) -> float:
        done = beside.submit(play_back)
        time.sleep(wait_s)
        began = time.perf_counter()
        stack.fronts[1].present(Taped(tape))
        took_s = done.result(DETECT_S) - began
        reader.release()
        return took_s

    with closing(stack.openers[1]()) as reader, ThreadPoolExecutor(1) as beside:
        yield read
