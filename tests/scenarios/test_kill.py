"""The till killed with SIGKILL from outside, and another one that takes up what it left.

OPENTILL_SOAK=1 multiplies the random kills by ten. A test's name holds its seed.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from simulators.faults import FaultProxy
from terminal.errors import JournalUnavailable
from terminal.journal import JournalReader
from terminal.states import FINAL, State
from terminal.view import PaymentView

KILLS_A_TEST = 10
SEEDS = range(160 if os.environ.get("OPENTILL_SOAK") else 16)
PATIENCE_S = 60.0
# What is presented, and about how long it takes from the journal's first line
# to the sale's end, in seconds.
MEDIA = {
    "card:visa-online": 0.12,
    "card:visa-offline": 0.12,
    "card:visa-insufficient-funds": 0.12,
    "phone:phone-approved": 0.12,
    "wallet:alipay-qr": 0.6,
    "show-code:alipay-qr": 2.4,
}


class Victim:
    """A till in a process of its own, on the production entry point."""

    def __init__(self, home: Path, bank_url: str, *words: str, shop: Path | None = None) -> None:
        self.home = home
        environment = {**os.environ, "OPENTILL_BANK": bank_url}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        if shop is not None:
            environment["OPENTILL_SHOP"] = str(shop)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "terminal", "--home", str(home), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )

    def kill(self) -> bool:
        """Nothing of it gets to say goodbye. False if it had ended before."""
        self._process.kill()
        self._process.communicate()
        return self._process.returncode == -signal.SIGKILL

    def finish(self) -> tuple[int, str]:
        """Let it come to its own end; return its exit status and its words."""
        words, _ = self._process.communicate(timeout=PATIENCE_S)
        return self._process.returncode, words

    def is_over(self, within_s: float) -> bool:
        """True once it has ended, False when the time is up."""
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        return True


def payments(home: Path) -> list[PaymentView]:
    """The journal as it stands on disk, while somebody else writes it."""
    try:
        journal = JournalReader(home / "till")
    except JournalUnavailable:
        return []
    found = journal.payments(limit=10_000)
    journal.close()
    return found


def watch_until(victim: Victim, holds: Callable[[list[PaymentView]], bool]) -> bool:
    """Read the victim's journal until it holds, or the victim has ended."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if holds(payments(victim.home)):
            return True
        if victim.is_over(within_s=0.002):
            return holds(payments(victim.home))
    raise AssertionError(f"never came to that: {payments(victim.home)[:1]}")


@pytest.fixture
def home(city: Any) -> Iterator[Path]:
    """A till's folder. When the test is over its journal and the ledger agree."""
    folder = city.new_home()
    yield folder
    status, words = Victim(folder, city.url, "recover", "--timeout", "45").finish()
    assert status == 0, words
    journal = JournalReader(folder / "till")
    journal.verify()
    left = [payment for payment in journal.payments(limit=10_000) if payment.state not in FINAL]
    assert left == []
    assert city.booked.differences(journal) == []
    journal.close()
    assert city.booked.faults() == []


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_at_random_moments_no_payment_is_lost_or_doubled(
    city: Any, home: Path, seed: int
) -> None:
    """Each till begins where the one before it was killed."""
    chance = random.Random(seed)
    kills = 0
    while kills < KILLS_A_TEST:
        before = len(payments(home))
        medium, usual_s = chance.choice(list(MEDIA.items()))
        victim = Victim(home, city.url, "sale", "12.50", "--present", medium)
        watch_until(victim, _more_than(before))
        # The moment is the point: it is drawn, not awaited.
        victim.is_over(within_s=chance.uniform(0, usual_s))
        kills += victim.kill()


# What brings a payment into a state and keeps it there long enough to be seen.
HELD: list[tuple[State, tuple[str, ...], str]] = [
    (State.AWAITING_TENDER, ("sale", "12.50"), "sound"),
    (State.AUTHORISING, ("sale", "12.50", "--present", "card:visa-online"), "slow"),
    (State.CODE_OPEN, ("sale", "12.50", "--present", "show-code:wechat-waits"), "slow"),
    (State.AWAITING_PAYER, ("sale", "12.50", "--present", "wallet:wechat-waits"), "sound"),
    (State.CLOSING, ("sale", "12.50", "--present", "wallet:wechat-waits"), "slow"),
    (State.UNKNOWN, ("sale", "12.50", "--present", "card:visa-online"), "lying"),
    (State.REVERSING, ("sale", "12.50", "--present", "card:visa-online"), "half"),
    (State.STORED, ("sale", "12.50", "--present", "card:visa-offline"), "dead"),
]


@pytest.mark.parametrize(("state", "words", "wire"), HELD, ids=lambda value: str(value)[:16])
def test_killed_in_each_state_the_payment_comes_to_its_end(
    city: Any, home: Path, state: State, words: tuple[str, ...], wire: str
) -> None:
    """Seven kills in each state; what the bank did not hear of is not charged."""
    shop = city.shop_file(home, payer_timeout_s=1)
    port = int(city.url.rpartition(":")[2])
    with FaultProxy(port) as proxy:
        for _ in range(7):
            _hold(city, proxy, wire)
            before = {payment.id for payment in payments(home)}
            victim = Victim(home, f"https://localhost:{proxy.port}", *words, shop=shop)
            if wire == "half":
                _lose_a_request(proxy, victim, before)
            assert watch_until(victim, _new_in(state, before))
            victim.kill()
            city.doorman.alter = None
    # The fixture brings all of them to their end, and compares.


def _more_than(count: int) -> Callable[[list[PaymentView]], bool]:
    return lambda found: len(found) > count


def _new_in(state: State, before: set[str]) -> Callable[[list[PaymentView]], bool]:
    return lambda found: any(p.state is state and p.id not in before for p in found)


def _hold(city: Any, proxy: FaultProxy, wire: str) -> None:
    proxy.heal()
    match wire:
        case "slow":
            proxy.delay(0.15)
        case "lying":
            city.doorman.alter = lambda letter: letter.with_headers(b"signature")
        case "dead":
            proxy.refuse()


def _lose_a_request(proxy: FaultProxy, victim: Victim, before: set[str]) -> None:
    """Cut the sale's request short; then let the bank be asked, slowly."""
    # More than a handshake's bytes, fewer than a handshake's and a request's.
    proxy.cut_after("request", 3000)
    watch_until(victim, _new_in(State.UNKNOWN, before))
    proxy.delay(0.15)
