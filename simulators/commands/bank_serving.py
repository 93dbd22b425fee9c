"""The bank as a process, or as several that share an address and a database."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from simulators.bank.iso8583.core import Host
from simulators.bank.iso8583.door import Door
from simulators.bank.newcomers import newcomers_server
from simulators.bank.place import BankPlace
from simulators.bank.service import BankServer, Nudge, tls_of


@dataclass(frozen=True, slots=True, repr=False)
class Plan:
    """What is to be served, and where. It can be handed to another process."""

    place: BankPlace
    database: str | None
    """A postgresql:// address; None for the file in the bank's folder."""
    web: socket.socket
    newcomers: socket.socket | None
    """Where tills enrol; None for a bank that takes none in."""
    iso8583: socket.socket | None
    iso8583_code: str
    broker: str | None
    """An mqtt:// address through which tills are nudged; None: they ask by themselves."""
    is_verbose: bool

    def addresses(self) -> dict[str, str]:
        """Return where tills find each door."""
        told = {"url": "https://{}:{}".format(*self.web.getsockname())}
        if self.newcomers is not None:
            told["enrolment"] = "https://{}:{}".format(*self.newcomers.getsockname())
        if self.iso8583 is not None:
            told["iso8583"] = "{}:{}".format(*self.iso8583.getsockname())
        return told


@contextlib.contextmanager
def opened(plan: Plan) -> Iterator[BankServer]:
    """Open all doors of a plan; the web's is served by whoever is given it.

    Raises BankError.
    """
    if plan.is_verbose:
        logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(process)d %(message)s")
        logging.getLogger("simulators.bank").setLevel(logging.INFO)
    with contextlib.ExitStack() as doors:
        server = BankServer(
            plan.place,
            time.time,
            os.urandom,
            database=plan.database,
            listening=plan.web,
            nudge=_nudge(plan.broker, doors),
        )
        if plan.newcomers is not None:
            doors.enter_context(
                newcomers_server(plan.place, time.time, plan.newcomers, database=plan.database)
            )
        if plan.iso8583 is not None:
            host = Host.open(server.bank, plan.place, os.urandom, plan.iso8583_code)
            door = Door(host, tls_of(plan.place), time.time, os.urandom, plan.iso8583)
            doors.enter_context(door)
        yield server


def _nudge(broker: str | None, doors: contextlib.ExitStack) -> Nudge:
    if broker is None:
        return lambda _till: None
    from simulators.bank.push import Nudger

    return doors.enter_context(Nudger(broker)).nudge


def work(plan: Plan, on_ready: Callable[[], None], over: threading.Event) -> None:
    """Be one worker; see simulators.bank.workers.Work."""
    with opened(plan) as server:

        def stop_when_over() -> None:
            over.wait()
            server.stop()

        threading.Thread(target=stop_when_over, daemon=True).start()
        server.run(on_ready)
