"""The till killed with SIGKILL from outside, and another one that takes up what it left.

A test's name holds its seed. OPENTILL_SOAK=1 makes it two thousand random
kills, and prints each seed as it begins.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from simulators.faults import FaultProxy
from simulators.pinpad import PinPadKeys, PinPadSimulator
from simulators.serial_line import SerialLine
from terminal.errors import JournalUnavailable
from terminal.journal import JournalReader
from terminal.states import FINAL, FOR_A_PERSON, State
from terminal.view import TAKING, Kind, PaymentView

IS_SOAK = bool(os.environ.get("OPENTILL_SOAK"))
KILLS_A_TEST = 10
SEEDS = range(200 if IS_SOAK else 8)
KILLS_A_STATE = 20 if IS_SOAK else 4
NOWHERE = "https://127.0.0.1:1"
PATIENCE_S = 60.0
# What is asked for, and about how long it takes from the journal's first line
# to the payment's end, in seconds.
DEEDS = {
    ("sale", "12.50", "--present", "card:visa-online"): 0.12,
    ("sale", "12.50", "--present", "card:visa-offline"): 0.12,
    ("sale", "12.50", "--present", "card:visa-insufficient-funds"): 0.12,
    ("sale", "12.50", "--present", "card:visa-online-pin", "--pin", "1234"): 0.2,
    ("sale", "12.50", "--present", "phone:phone-approved"): 0.12,
    ("sale", "12.50", "--present", "wallet:alipay-qr"): 0.6,
    ("sale", "12.50", "--present", "show-code:alipay-qr"): 2.4,
    ("refund", "SALE", "1.25"): 0.08,
    ("void", "SALE"): 0.08,
    ("tip", "SALE", "1.00"): 0.08,
    ("preauth", "12.50", "--present", "card:visa-online"): 0.12,
    ("increment", "HOLD", "2.50"): 0.08,
    ("complete", "HOLD", "11.00"): 0.08,
    ("cancel", "HOLD"): 0.08,
    ("void", "COMPLETION"): 0.08,
}
EARLIER = {"SALE": Kind.SALE, "HOLD": Kind.PREAUTH, "COMPLETION": Kind.COMPLETION}
"""What a deed's words name: a payment of this kind that stands."""
# More than a TLS handshake's bytes, fewer than a handshake's and a sale's.
HANDSHAKE_BYTES = 3000
RECENT = 5
"""How many payments are looked at while a till works: its own, and what it takes up."""


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
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )

    def type(self, line: str) -> None:
        """Say something to a till in lines."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

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


def payments(home: Path, limit: int = 10_000) -> list[PaymentView]:
    """The journal as it stands on disk, while somebody else writes it."""
    try:
        journal = JournalReader(home / "till")
    except JournalUnavailable:
        return []
    with closing(journal):
        return journal.payments(limit=limit)


def watch_until(victim: Victim, holds: Callable[[list[PaymentView]], bool]) -> bool:
    """Read the victim's journal until it holds, or the victim has ended."""
    deadline = time.monotonic() + PATIENCE_S
    while not payments(victim.home, RECENT) and time.monotonic() < deadline:
        if victim.is_over(within_s=0.002):
            break
    with closing(JournalReader(victim.home / "till")) as journal:
        while time.monotonic() < deadline:
            found = journal.payments(limit=RECENT)
            if holds(found):
                return True
            if victim.is_over(within_s=0.002):
                return holds(journal.payments(limit=RECENT))
    raise AssertionError(f"never came to that: {found[:1]}")


@pytest.fixture
def home(city: Any) -> Iterator[Path]:
    """A till's folder. When the test is over its journal and the ledger agree."""
    folder = city.new_home()
    booked_before = set(city.booked.net_minor())
    yield folder
    city.doorman.alter = None
    status, words = Victim(folder, city.url, "recover", "--timeout", "45").finish()
    assert status == 0, words
    with closing(JournalReader(folder / "till")) as journal:
        journal.verify()
        found = journal.payments(limit=10_000)
        assert [payment for payment in found if payment.state not in FINAL] == []
        assert city.booked.differences(journal) == []
    assert city.booked.faults() == []
    known = {payment.id for payment in found}
    booked = set(city.booked.net_minor()) - booked_before
    assert booked <= known, "money moved that the journal does not know of"
    for attempt in booked:
        twice = [what for what, n in Counter(city.booked.transfers_of(attempt)).items() if n > 1]
        assert twice == [], f"{attempt} was booked twice"
    assert wrongly_given_back(found) == []


def wrongly_given_back(found: list[PaymentView]) -> list[str]:
    """Return what was taken whose refunds and voids do not fit it, a line each."""
    wrong = []
    for sale in (payment for payment in found if payment.kind in TAKING):
        back = [
            payment
            for payment in found
            if payment.original == sale.id
            and payment.kind in (Kind.REFUND, Kind.VOID)
            and payment.state is State.APPROVED
        ]
        voids = [payment for payment in back if payment.kind is Kind.VOID]
        if len(voids) != (sale.state is State.VOIDED):
            wrong.append(f"{sale.kind} {sale.number} is {sale.state}, with {len(voids)} voids")
        if sum(payment.amount_minor for payment in back) > sale.amount_minor:
            wrong.append(f"{sale.kind} {sale.number} was given back more than once")
    return wrong


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_at_random_moments_no_payment_is_lost_or_doubled(
    city: Any,
    home: Path,
    seed: int,
    capsys: pytest.CaptureFixture[str],
    record_property: Callable[[str, object], None],
) -> None:
    """Each till begins where the one before it was killed.

    Some are killed while they still clear up what that one left.
    """
    if IS_SOAK:
        with capsys.disabled():
            sys.stderr.write(f"seed {seed}\n")
    chance = random.Random(seed)
    kills = 0
    while kills < KILLS_A_TEST:
        before = payments(home)
        words, usual_s = draw_deed(chance, before)
        victim = Victim(home, city.url, *words)
        is_early = chance.random() < 0.25
        watch_until(victim, _other_than(before) if is_early else _newer_than(before))
        # The moment is the point: it is drawn, not awaited.
        victim.is_over(within_s=chance.uniform(0, usual_s))
        kills += victim.kill()
    record_property("kills", kills)


def draw_deed(chance: random.Random, before: list[PaymentView]) -> tuple[list[str], float]:
    """Draw what is asked for, of what can be; return its words and its usual length."""
    standing = {
        name: [str(p.number) for p in before if p.kind is kind and p.state is State.APPROVED]
        for name, kind in EARLIER.items()
    }
    can_be = [
        (words, usual_s)
        for words, usual_s in DEEDS.items()
        if all(standing.get(word, [""]) for word in words)
    ]
    words, usual_s = chance.choice(can_be)
    return [chance.choice(standing.get(word, [word])) for word in words], usual_s


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
    (State.DEFERRED, ("sale", "12.50", "--present", "card:visa-online", "--keep"), "dead"),
]
# A chip's last word is a matter of milliseconds, and ends like any reversal.
BRIEF = {State.COMPLETING}


def test_every_state_that_a_restart_can_find_is_killed_in() -> None:
    held = {state for state, _words, _wire in HELD}
    assert held == set(State) - FINAL - FOR_A_PERSON - BRIEF


@pytest.mark.parametrize(("state", "words", "wire"), HELD, ids=lambda value: str(value)[:16])
def test_killed_in_each_state_the_payment_comes_to_its_end(
    city: Any,
    home: Path,
    state: State,
    words: tuple[str, ...],
    wire: str,
    record_property: Callable[[str, object], None],
) -> None:
    """What the bank did not hear of is not charged."""
    shop = city.shop_file(home, payer_timeout_s=1)
    with FaultProxy(_port(city)) as proxy:
        for _ in range(KILLS_A_STATE):
            _hold(city, proxy, wire)
            before = {payment.id for payment in payments(home)}
            victim = Victim(home, f"https://localhost:{proxy.port}", *words, shop=shop)
            if wire == "half":
                _lose_a_request(proxy, victim, before)
            assert watch_until(victim, _new_in(state, before))
            assert victim.kill()
            city.doorman.alter = None
    record_property("kills in a state", KILLS_A_STATE)
    # The fixture brings all of them to their end, and compares.


def test_killed_while_a_pin_is_typed_nothing_was_sent(city: Any, home: Path) -> None:
    """Three digits stand on the pad when the till dies; the next till is asked nothing."""
    pad = PinPadSimulator(PinPadKeys(home), os.urandom, time.monotonic)
    words = ("--pin-pad", str(home / "pad"), "sale", "60.00", "--present", "card:visa-online-pin")
    with SerialLine(pad, home / "pad") as line:
        victim = Victim(home, city.url, *words)
        assert line.wait_for(lambda: pad.screen.endswith("PIN"), PATIENCE_S)
        with line.changed:
            for key in "123":
                pad.press(key)
        assert victim.kill()
        [payment] = payments(home)
        assert payment.state is State.AWAITING_TENDER
        status, said = Victim(home, city.url, "recover").finish()
        assert status == 0, said
    assert [payment.state for payment in payments(home)] == [State.CANCELLED]
    assert city.booked.state(payment.id) == ""


def test_killed_before_the_request_has_left_the_attempt_is_barred(city: Any, home: Path) -> None:
    """The journal has AUTHORISING, and the bank has never heard of it."""
    with FaultProxy(_port(city)) as proxy:
        attempt = _kill_in_flight(home, proxy, request_bytes_max=0)
        # It dies with its sender: what was kept back was a handshake's beginning.
        proxy.cut()
    assert city.booked.state(attempt) == ""

    status, words = Victim(home, city.url, "recover").finish()

    assert status == 0, words
    assert [payment.state for payment in payments(home)] == [State.REVERSED]
    assert city.booked.state(attempt) == "reversed"
    assert city.booked.transfers_of(attempt) == []


def test_a_request_that_arrives_after_its_reversal_takes_no_money(city: Any, home: Path) -> None:
    """The wire keeps a sale's request until a later till has had it reversed."""
    with FaultProxy(_port(city)) as proxy:
        attempt = _kill_in_flight(home, proxy, request_bytes_max=HANDSHAKE_BYTES)
        assert city.booked.state(attempt) == ""
        status, words = Victim(home, city.url, "recover").finish()
        assert status == 0, words
        assert city.booked.state(attempt) == "reversed"
        late: list[Any] = []
        is_answered = threading.Event()

        def note(letter: Any) -> Any:
            late.append(letter)
            is_answered.set()
            return letter

        city.doorman.alter = note

        proxy.heal()

        assert is_answered.wait(PATIENCE_S)
    (letter,) = late
    assert dict(letter.request_headers)[b"idempotency-key"].decode() == attempt
    assert letter.path == "/v1/payments"
    assert json.loads(letter.body)["state"] == "declined"
    assert city.booked.state(attempt) == "reversed"
    assert city.booked.transfers_of(attempt) == []


def test_killed_after_the_bank_has_booked_the_sale_is_approved(city: Any, home: Path) -> None:
    """The till dies with the bank's answer on its way; the customer pays once."""
    victim = Victim(home, city.url, "sale", "12.50", "--present", "card:visa-online")
    seen: list[Any] = []
    is_dead = threading.Event()

    def kill(letter: Any) -> Any:
        seen.append(letter)
        assert victim.kill()
        is_dead.set()
        return letter

    city.doorman.alter = kill
    assert is_dead.wait(PATIENCE_S)
    city.doorman.alter = None
    (killed,) = payments(home)
    assert killed.state is State.AUTHORISING
    assert [json.loads(letter.body)["state"] for letter in seen] == ["approved"]

    status, words = Victim(home, city.url, "recover").finish()

    assert status == 0, words
    assert [payment.state for payment in payments(home)] == [State.APPROVED]
    assert city.booked.net_minor()[killed.id] == killed.amount_minor
    assert city.booked.transfers_of(killed.id) == ["sale"]


def test_killed_while_kept_sales_are_sent_each_is_booked_once(city: Any, home: Path) -> None:
    """Every till that sends them dies with the bank's answer on its way."""
    kept = ("--present", "card:visa-online", "--keep")
    for amount in ("12.50", "13.50", "14.50"):
        Victim(home, NOWHERE, "sale", amount, *kept).finish()
    attempts = [payment.id for payment in payments(home)]
    assert {payment.state for payment in payments(home)} == {State.DEFERRED}
    for _ in attempts:
        victim = Victim(home, city.url, "sync")
        is_dead = threading.Event()

        def kill(letter: Any, victim: Victim = victim, is_dead: Any = is_dead) -> Any:
            if letter.path == "/v1/advices":
                victim.kill()
                is_dead.set()
            return letter

        city.doorman.alter = kill
        assert is_dead.wait(PATIENCE_S)
    city.doorman.alter = None

    status, words = Victim(home, city.url, "sync").finish()

    assert status == 0, words
    assert {payment.state for payment in payments(home)} == {State.APPROVED}
    assert all(city.booked.transfers_of(attempt) == ["sale"] for attempt in attempts)


def _kill_in_flight(home: Path, proxy: FaultProxy, request_bytes_max: int) -> str:
    """Kill a till whose sale's request is held by the wire; return the attempt.

    request_bytes_max: how much of the connection gets through to the bank.
    """
    victim = Victim(home, f"https://localhost:{proxy.port}", "run", "--plain")
    victim.type("12.50")
    victim.type("")
    assert watch_until(victim, _new_in(State.AWAITING_TENDER, set()))
    proxy.hold_after("request", request_bytes_max)
    victim.type("bench card:visa-online")
    assert watch_until(victim, _new_in(State.AUTHORISING, set()))
    assert proxy.wait_until_holding(PATIENCE_S)
    assert victim.kill()
    (payment,) = payments(home)
    assert payment.state is State.AUTHORISING
    return payment.id


def _port(city: Any) -> int:
    return int(city.url.rpartition(":")[2])


def _newer_than(before: list[PaymentView]) -> Callable[[list[PaymentView]], bool]:
    last = before[0].number if before else 0
    return lambda found: bool(found) and found[0].number > last


def _other_than(before: list[PaymentView]) -> Callable[[list[PaymentView]], bool]:
    return lambda found: found != before[:RECENT]


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
    proxy.cut_after("request", HANDSHAKE_BYTES)
    watch_until(victim, _new_in(State.UNKNOWN, before))
    proxy.delay(0.15)
