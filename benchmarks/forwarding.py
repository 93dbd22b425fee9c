"""Ten thousand kept sales forwarded to a bank, beside bare POSTs, and what the till grows by.

Journal, core, bank lane and link are those of every till, in a process of their own;
the bank is one worker, on a file. Behind the kept sales the journal is empty, or has a
million payments.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from msgspec import structs

from benchmarks import journal as journals
from benchmarks.bank_books import AMOUNT_MINOR, PANS, Counter, card_data
from benchmarks.harness import Bar, Row, Samples, rate_row, row
from benchmarks.memory import resident_mib
from benchmarks.served import Callers, Served
from simulators.bank.core import HttpRequest
from simulators.bank.trust.signatures import FieldLines
from terminal.bank.client import BankClient
from terminal.bank.desk import BankDesk
from terminal.bank.messages import format_moment
from terminal.bank.proof import prove_sale
from terminal.bank.sealing import Sealer
from terminal.chains import Chains
from terminal.checkout.counter import Counter as Devices
from terminal.checkout.counter import Media
from terminal.core.limits import Limits
from terminal.core.step import Core
from terminal.events import (
    Answered,
    Arm,
    CardEnd,
    CardFacts,
    CardPresented,
    CardRead,
    Entry,
    InboxEvent,
    KeepWanted,
    NeverLeft,
    Purpose,
    Record,
    SaleWanted,
    Started,
    Wish,
)
from terminal.journal import Journal
from terminal.opening import first_event
from terminal.runner import Runner
from terminal.seams import SystemClock, system_randomness, uuid7
from terminal.security.keys import TillKeys, load_keys
from terminal.store import CurrencyLimits, OfflineLimits
from terminal.view import Medium

KEPT = 10_000
PART = 1_000
"""Forwarded in one sample; the first part warms up."""
COMMIT = 100
"""Sales in one commit, where they are only made ready."""
PATIENCE_S = 3600.0
FLOOR = 0.02


def measure() -> list[Row]:
    """Measure with an empty journal, and with a full one."""
    return [each for count in (0, journals.MANY) for each in _measure(count)]


def _measure(count: int) -> list[Row]:
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="opentill-bench-")))
        counter = stack.enter_context(closing(Counter(home, None)))
        till = home / "till-1"
        if count:
            journals.fill(till, count)
        keep(till, counter.keys[0], KEPT)
        bank = stack.enter_context(Served.bank(home))
        route = stack.enter_context(Served.empty_route(home))
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.forwarding", str(till), bank.url, route.url],
            stdout=subprocess.PIPE,
            check=True,
        )
    told = json.loads(done.stdout)
    where = f"{count:,} payments in the journal"
    return [
        rate_row(
            f"{KEPT:,} kept sales forwarded one by one, {where}",
            Samples(told["own"], told["peer"]),
            PART,
            "bare POSTs of as many bytes to an empty route, the same TLS",
            FLOOR,
        ),
        row(
            f"growth of the till's process meanwhile, {where}",
            Samples([told["end_mib"] - told["warm_mib"]], [told["warm_mib"]]),
            "MiB",
            f"its size after the first {PART:,}",
            Bar(5),
        ),
    ]


def keep(folder: Path, keys: TillKeys, count: int) -> None:
    """Put so many deferred sales into a till's journal, sealed and signed as they were read."""
    clock = SystemClock()
    sealer = Sealer(keys.sealing_key)
    with closing(Journal(folder, clock)) as journal:
        first, batch = journal.next_number(), journal.open_batch(1)
        template = [entry for commit in _deferred(clock, first, batch) for entry in commit]
        waiting: list[Entry] = []
        for number in range(first, first + count):
            attempt = uuid7(clock, os.urandom)
            emv = card_data(PANS[number % len(PANS)], AMOUNT_MINOR, number - first + 1)
            sealed = sealer.seal_card(attempt, emv)
            proof = prove_sale(
                attempt=attempt,
                amount_minor=AMOUNT_MINOR,
                currency="CNY",
                sealed=sealed,
                at=format_moment(clock.wall_ms()),
                key=keys.signer,
                key_id=keys.till_id,
            )
            for entry in template:
                payment = replace(entry.payment, id=attempt, number=number)
                kept = f"{sealed}\n{proof}" if entry.sealed else entry.sealed
                waiting.append(structs.replace(entry, payment=payment, sealed=kept))
            if len(waiting) >= COMMIT * len(template):
                journal.append(waiting)
                waiting = []
        journal.append(waiting)


def _deferred(clock: SystemClock, number: int, batch: int) -> Iterator[Sequence[Entry]]:
    """Return the commits of one sale that was not sent and is kept, as the core has them."""
    limits = OfflineLimits(defers=True, by_currency={"CNY": CurrencyLimits(10**6, 10**9)})
    core = Core(
        clock, Limits(10**6, offline=limits), journals.no_earlier, system_randomness, lambda _: ()
    )
    core.step(Started((), (), number, batch=batch))
    attempt = uuid7(clock, os.urandom)
    wishes: list[Wish] = list(core.step(SaleWanted(attempt, AMOUNT_MINOR, "CNY")))
    arming = next(wish.arming for wish in wishes if isinstance(wish, Arm))
    facts = CardFacts(Medium.CARD, "Visa", "476173******0119")
    for event in (
        CardPresented(arming),
        CardRead(arming, CardEnd.ONLINE, facts=facts, sealed="sealed", proof="proof"),
        NeverLeft(Purpose.PAY, attempt, "no network"),
        KeepWanted(),
    ):
        wishes += core.step(event)
    return (wish.entries for wish in wishes if isinstance(wish, Record))


class Forwarder:
    """A till that has nothing to do but to forward; after each part, as many bare POSTs."""

    def __init__(self, folder: Path, bank_url: str, route_url: str) -> None:
        self._clock = SystemClock()
        self._keys = load_keys(folder / "keys")
        self._journal = Journal(folder, self._clock)
        core = Core(
            self._clock,
            Limits(10**6),
            self._journal.payment,
            system_randomness,
            self._journal.batch_payments,
        )
        self._runner = Runner(core, self._journal, self._clock)
        self._desk = BankDesk(
            lambda: BankClient(bank_url, self._keys, self._clock, system_randomness),
            self._post,
            self._journal.sealed,
            code_valid_s=120,
            chains=Chains(self._journal, lambda: self._journal),
        )
        self._route_url = route_url
        self._bytes = b"x" * len(self._journal.sealed(self._journal.unfinished()[0].id))
        self._count = 0
        self._over = threading.Event()
        self.own: list[float] = []
        self.peer: list[float] = []
        self.sizes_mib: list[float] = []

    def run(self) -> None:
        """Forward everything. Raises TimeoutError."""
        devices = Devices((), lambda: Media([], None), self._runner.post)
        first = first_event(self._journal, self._clock, ())
        self._began = time.perf_counter()
        self._runner.start(first, devices, self._desk)
        self._desk.start()
        if not self._over.wait(PATIENCE_S):
            raise TimeoutError(f"only {self._count} were forwarded")
        self._runner.stop()
        self._desk.close()
        self._journal.close()

    def _post(self, event: InboxEvent) -> None:
        """Pass an event on, on the lane's thread; a part that is full is measured here."""
        if isinstance(event, Answered) and event.purpose is Purpose.ADVISE:
            if event.answer.state != "approved":
                raise ValueError(f"the bank says {event.answer.state}, {event.answer.code}")
            self._count += 1
            if self._count % PART == 0:
                self._note_part()
        self._runner.post(event)
        if self._count == KEPT:
            self._over.set()

    def _note_part(self) -> None:
        own = time.perf_counter() - self._began
        lines = FieldLines({"host": "127.0.0.1", "content-type": "application/json"}.items())
        request = HttpRequest("POST", "/v1/payments", lines, self._bytes, None)
        with Callers(self._route_url, [self._keys]) as bare:
            began = time.perf_counter()
            bare.post([[request] * PART])
            peer = time.perf_counter() - began
        if self._count > PART:
            self.own.append(own)
            self.peer.append(peer)
        self.sizes_mib.append(resident_mib())
        self._began = time.perf_counter()


def main(folder: Path, bank_url: str, route_url: str) -> None:
    """Forward what a till has kept; print the seconds of each part, and the process's sizes."""
    forwarder = Forwarder(folder, bank_url, route_url)
    forwarder.run()
    told = {
        "own": forwarder.own,
        "peer": forwarder.peer,
        "warm_mib": forwarder.sizes_mib[0],
        "end_mib": forwarder.sizes_mib[-1],
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
