"""How many authorisations a worker of the bank decides in a second, beside an empty route.

Eight tills ask at once, over TLS, on connections that are kept, by requests that
were signed before: what is on the clock is the worker's. On a file and on a
PostgreSQL server, with no payments in the books and with a million.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from benchmarks.bank_books import MANY, PANS, Counter
from benchmarks.harness import Row, in_turns, rate_row
from benchmarks.served import Callers, Served
from simulators.bank.core import HttpRequest
from simulators.bank.postgres import PostgresMissing, PrivatePostgres

EACH = 25
"""Requests of each till in one sample."""
ROUNDS = 9
FLOOR = 0.02
"""Of the empty route's rate: cryptogram, seal, two signatures and a safe commit cost."""


def measure() -> list[Row]:
    """Measure each kind of database, empty and full."""
    with tempfile.TemporaryDirectory(prefix="opentill-bench-") as name:
        rows = [_measure("file", Path(name) / str(count), None, count) for count in (0, MANY)]
    try:
        for count in (0, MANY):
            with (
                tempfile.TemporaryDirectory(prefix="opentill-bench-") as name,
                PrivatePostgres(is_durable=True) as server,
            ):
                rows.append(_measure("PostgreSQL", Path(name), server.url, count))
    except PostgresMissing as error:
        print(f"bank_served: {error}", file=sys.stderr)
    return rows


def _measure(where: str, home: Path, database: str | None, count: int) -> Row:
    with ExitStack() as stack:
        counter = stack.enter_context(closing(Counter(home, database, len(PANS))))
        if count:
            counter.fill(count)
        servers = (Served.bank(home, database), Served.empty_route(home))
        bank, route = (
            stack.enter_context(Callers(stack.enter_context(server).url, counter.keys))
            for server in servers
        )
        samples = in_turns(
            _authorise(counter, bank),
            _post(counter, route),
            rounds=ROUNDS,
            clock=time.perf_counter,
        )
    return rate_row(
        f"authorisations by one worker, {where}, {count:,} payments",
        samples,
        EACH * len(PANS),
        "an empty FastAPI route, the same TLS",
        FLOOR,
    )


def _authorise(counter: Counter, callers: Callers) -> Callable[[], None]:
    ready = [_requests(counter) for _ in range(ROUNDS + 1)]

    def deed() -> None:
        for body in callers.post(ready.pop()):
            if b'"approved"' not in body:
                raise ValueError(f"not approved: {body.decode()}")

    return deed


def _post(counter: Counter, callers: Callers) -> Callable[[], None]:
    requests = _requests(counter)

    def deed() -> None:
        callers.post(requests)

    return deed


def _requests(counter: Counter) -> list[list[HttpRequest]]:
    return [[counter.request(place) for _ in range(EACH)] for place in range(len(PANS))]
