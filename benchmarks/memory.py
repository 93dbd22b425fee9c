"""How much the till's process grows while it takes ten thousand sales.

Card, reader, kernel, seal, core and journal are those of every till, in a
process of their own; the bank is a function that approves.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from pathlib import Path

from joserfc.jwk import ECKey

import config
from benchmarks.bank_link import sealer_to
from benchmarks.harness import Bar, Row, Samples, row
from benchmarks.tap import AMOUNT_MINOR, transaction
from simulators.card import find_card, keys, make_card
from simulators.readers.in_process import InProcessReader
from terminal.batch.events import SendBatch
from terminal.checkout.cards import CardWorker
from terminal.checkout.counter import Counter, Media
from terminal.checkout.media import card_rules
from terminal.core.limits import Limits
from terminal.core.step import Core
from terminal.events import Answered, BankAnswer, Purpose, SaleWanted, Send, Sending, Started
from terminal.journal import Journal
from terminal.runner import Runner
from terminal.seams import SystemClock, system_randomness, uuid7
from terminal.states import State
from terminal.view import View

CARD = "visa-online"
WARM_UP = 1_000
"""By then every library is loaded. SQLite's page caches still fill, to 2 MiB each."""
SALES = 10_000
PATIENCE_S = 30.0


def measure() -> list[Row]:
    """Measure what the process keeps; a machine with little memory may take some back."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory"], stdout=subprocess.PIPE, check=True
    )
    warm_mib, end_mib = json.loads(done.stdout)
    return [
        row(
            f"growth of the till's process over {SALES:,} sales",
            Samples([end_mib - warm_mib], [warm_mib]),
            "MiB",
            f"its size after {WARM_UP:,} sales",
            Bar(5),
        )
    ]


class Bank:
    """Approves what it is asked, at once."""

    def __init__(self) -> None:
        self.runner: Runner | None = None

    def send(self, wish: Send | SendBatch) -> None:
        """Take a request; the answer is in the inbox."""
        if self.runner is not None and isinstance(wish, Send) and wish.purpose is Purpose.PAY:
            attempt = wish.payment.id
            self.runner.post(Sending(Purpose.PAY, attempt))
            answer = BankAnswer("approved", "00", "700000000001", "ABC123")
            self.runner.post(Answered(Purpose.PAY, attempt, answer))


class Shop:
    """A till that takes one sale after the other."""

    def __init__(self, home: Path) -> None:
        ca_keys = keys.prepare(home, transaction().date)
        self._home = home
        self._clock = SystemClock()
        self._over = threading.Event()
        self._reader = InProcessReader()
        self._journal = Journal(home / "till", self._clock)
        core = Core(
            self._clock,
            Limits(AMOUNT_MINOR),
            self._journal.payment,
            system_randomness,
            self._journal.batch_payments,
        )
        bank = Bank()
        bank.runner = self._runner = Runner(core, self._journal, self._clock)
        rules = card_rules(config.load_settings(config.BENCH, more_ca_keys=[ca_keys]))
        worker = CardWorker(
            self._reader.open,
            "Reader",
            lambda _: rules,
            lambda _: transaction(),
            sealer_to(ECKey.generate_key("P-256", private=True)).seal_card,
            lambda _arm, _sealed: "",
            os.urandom,
            self._runner.post,
        )
        self._counter = Counter((worker.place,), lambda: Media([worker], None), self._runner.post)
        self._runner.subscribe(self._watch)
        self._runner.start(Started((), (), 1), self._counter, bank)
        self._counter.start()

    def sell(self) -> None:
        """Take one sale to its end. Raises TimeoutError."""
        self._over.clear()
        attempt = uuid7(self._clock, os.urandom)
        self._runner.ask(SaleWanted(attempt, AMOUNT_MINOR, "CNY"))
        self._reader.present(make_card(find_card(CARD), self._home))
        if not self._over.wait(PATIENCE_S):
            raise TimeoutError(f"the sale did not come to its end: {self._runner.view}")

    def close(self) -> None:
        """Close the till."""
        self._runner.stop()
        self._counter.close()
        self._journal.close()

    def _watch(self, view: View) -> None:
        if view.payment is not None and view.payment.state is State.APPROVED:
            self._over.set()


def resident_mib() -> float:
    """Return how much memory this process holds."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    """Print the process's size after the warm-up, and at the end."""
    with tempfile.TemporaryDirectory(prefix="opentill-bench-") as name:
        sizes = []
        with closing(Shop(Path(name))) as shop:
            for count in (WARM_UP, SALES):
                for _ in range(count):
                    shop.sell()
                sizes.append(resident_mib())
    print(json.dumps(sizes))


if __name__ == "__main__":
    main()
