"""Deliberate faults in the till and its bank, as patches of their source text.

python -m tests.simulators.world.mutants WORKS NAME SEED …

applies one in this process alone and plays worlds by it until one notices.
Nothing in the product knows of them. WORKS: a folder of keys, as Works makes it.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import json
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

PROJECT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Mutant:
    """One fault."""

    name: str
    module: str
    old: str
    """A piece of its source that stands there once."""
    new: str
    seed: int = 0
    """One that notices."""

    def source(self) -> str:
        """Return the module's source with the fault in it."""
        path = PROJECT.joinpath(*self.module.split(".")).with_suffix(".py")
        text = path.read_text("utf-8")
        count = text.count(self.old)
        if count != 1:
            raise LookupError(f"{self.name}: its piece stands {count} times in {path}")
        return text.replace(self.old, self.new)


MUTANTS = [
    Mutant(
        "sent before it is written down",
        "terminal.executor",
        "for place, wish in enumerate(wishes):",
        "wishes = sorted(wishes, key=lambda wish: not isinstance(wish, Send))\n"
        "        for place, wish in enumerate(wishes):",
        seed=6,
    ),
    Mutant(
        "reversals dropped at a restart",
        "terminal.core.step",
        "for payment in event.unfinished:",
        "for payment in [p for p in event.unfinished if p.state is not State.REVERSING]:",
        seed=25,
    ),
    Mutant(
        "answers matched by the latest payment",
        "terminal.core.following",
        "payment, answer = self._book.get(event.attempt), event.answer",
        "payment = next(reversed(self._book.payments()), None)\n        answer = event.answer",
        seed=6,
    ),
    Mutant(
        "a commit is not synced",
        "terminal.journal",
        "synchronous = FULL",
        "synchronous = NORMAL",
    ),
    Mutant(
        "nonces are not remembered",
        "simulators.bank.core",
        "connection.execute(nonces.insert(), {",
        "_ = ({",
    ),
    Mutant(
        "a lost answer taken for a request that never left",
        "terminal.bank.errands",
        "if isinstance(error, AnswerLost):",
        "if False:",
        seed=5,
    ),
    Mutant(
        "a payment that the bank does not know taken for declined",
        "terminal.core.following",
        'self._reverse(payment, "not_found")',
        "self._decline(payment, answer)",
        seed=38,
    ),
    Mutant(
        "the bank's silence taken for a decline",
        "terminal.core.following",
        'self._reverse(payment, "no_answer")',
        'self._decline(payment, BankAnswer("declined"))',
        seed=17,
    ),
    Mutant(
        "a reversal without an answer taken for confirmed",
        "terminal.core.following",
        "                self._book.retry(payment)\n                self._give_up_waiting()",
        "                self._book.move(payment, Move.REVERSAL_CONFIRMED)",
        seed=6,
    ),
    Mutant(
        "a new payment overtakes a reversal",
        "terminal.core.following",
        "if not tender.is_offline and (pending := self._book.in_state(State.REVERSING)):",
        "if not tender.is_offline and (pending := []):",
        seed=6,
    ),
    Mutant(
        "a card sale that was being authorised is forgotten at a restart",
        "terminal.states",
        "(State.AUTHORISING, Event.RESTARTED): State.UNKNOWN,",
        "(State.AUTHORISING, Event.RESTARTED): State.CANCELLED,",
    ),
    Mutant(
        "a chip's refusal is not heard",
        "terminal.core.following",
        "if not event.agrees:",
        "if False:",
        seed=1,
    ),
    Mutant(
        "a shown code that was paid is taken for closed",
        "terminal.core.following",
        'case "approved":\n                # The wallet was faster',
        'case "approved" if False:\n                # The wallet was faster',
        seed=4,
    ),
    Mutant(
        "a chip's approval is not undone after a silence",
        "terminal.core.following",
        'case "approved" if payment.medium is Medium.CHIP:\n                # Its card',
        'case "approved" if False:\n                # Its card',
    ),
    Mutant(
        "what the disk did not take is believed",
        "terminal.core.step",
        "for attempt, before in self._book.undo(event):",
        "for attempt, before in ():",
    ),
    Mutant(
        "the next day's payments go into the batch that was closed",
        "terminal.batch.closing",
        "        self.number += 1\n",
        "",
    ),
    Mutant(
        "a receipt comes out with every look at it",
        "terminal.receipts.desk",
        "if seen == self._seen:",
        "if False:",
        seed=1,
    ),
    Mutant(
        "another amount is on the receipt",
        "terminal.receipts.receipt",
        'page.pair("金额 AMOUNT", money(payment.amount_minor))',
        'page.pair("金额 AMOUNT", money(payment.amount_minor + 1))',
    ),
    Mutant(
        "the journal is marked further than it goes",
        "terminal.journal",
        "self._mark.set(End(length, self._head))",
        "self._mark.set(End(length + 1, self._head))",
    ),
    Mutant(
        "a request's number is used again",
        "terminal.security.counter",
        "self._next += 1",
        "self._next += 0",
    ),
]


def find(name: str) -> Mutant:
    """Return a mutant by its name."""
    return next(mutant for mutant in MUTANTS if mutant.name == name)


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads the patched text in place of the file's, compiled anew."""

    def __init__(self, mutant: Mutant, path: str) -> None:
        super().__init__(mutant.module, path)
        self._text = mutant.source()

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._text, self.path, "exec")


class _Finder(importlib.abc.MetaPathFinder):
    """Finds one module patched."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._mutant.module:
            return None
        found = importlib.machinery.PathFinder.find_spec(fullname, path)
        assert found is not None, fullname
        assert found.origin is not None, fullname
        loader = _Loader(self._mutant, found.origin)
        return importlib.util.spec_from_file_location(fullname, found.origin, loader=loader)


def main(works: Path, name: str, seeds: Sequence[int]) -> None:
    """Write, as JSON, the first seed that notices, and what it says; {} if none does."""
    sys.meta_path.insert(0, _Finder(find(name)))
    from simulators.world.play import Plan, play
    from simulators.world.works import Works

    logging.disable(logging.CRITICAL)
    made = Works(works, os.urandom)
    found: dict[str, object] = {}
    for seed in seeds:
        verdict = play(made, Plan(seed, tills=1))
        if verdict.broken:
            found = {"seed": seed, "broken": verdict.broken, "detail": verdict.detail}
            break
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], [int(seed) for seed in sys.argv[3:]])
