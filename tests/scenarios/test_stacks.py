"""Whole payments over each real reader stack, down to pcscd and nfcpy."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import config
from simulators.card import load_profiles, make_card
from simulators.card.faults import with_faults
from simulators.phone import load_profiles as load_phones
from simulators.phone import make_phone
from simulators.readers.iso_dep import Kind, Picc
from simulators.readers.nfc_udp import NfcUdpCard
from simulators.readers.pcscd import Pcscd
from simulators.readers.pn532 import Pn532
from simulators.readers.vpcd import VpcdReader
from simulators.responses import AnyCard, Response, Torn
from terminal.messages import Message
from terminal.states import FINAL, State
from terminal.view import Readiness

pytestmark = pytest.mark.wire

PATIENCE_S = 45.0
FWI = 9
"""155 ms, three times: a card that computes on a busy machine is not silent."""
TEARS = 1000 if os.environ.get("OPENTILL_SOAK") else 30
SEED = int(os.environ.get("OPENTILL_SEED", "20261124"))


@dataclass
class Stack:
    """A till's real reader, and what is held to it."""

    driver: str
    options: str
    """As TOML."""
    front: Any
    pull: Callable[[], None] | None = None
    plug: Callable[[], None] | None = None


def over_pcsc(request: pytest.FixtureRequest, folder: Path) -> Iterator[Stack]:
    daemon: Pcscd[VpcdReader] = request.getfixturevalue("pcscd")
    front = daemon.readers[0]
    yield Stack("pcsc", '{ name = "Contract PICC" }', front, daemon.kill, daemon.start)
    front.remove()
    daemon.start()


def over_udp(request: pytest.FixtureRequest, folder: Path) -> Iterator[Stack]:
    front = NfcUdpCard(make_picc=lambda card: Picc(card, kind=Kind.B, fwi=FWI))
    yield Stack("nfc", f'{{ path = "{front.path}" }}', front)
    front.close()


def over_pn532(request: pytest.FixtureRequest, folder: Path) -> Iterator[Stack]:
    front = Pn532(link=folder / "pn532", make_picc=lambda card: Picc(card, fwi=FWI))
    yield Stack("nfc", f'{{ path = "{front.path}" }}', front, front.unplug, front.replug)
    front.close()


STACKS = {"pcsc": over_pcsc, "udp": over_udp, "pn532": over_pn532}
ALL = list(STACKS)


@pytest.fixture
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    yield from STACKS[request.param](request, tmp_path)


on = pytest.mark.parametrize


def shop_file(folder: Path, *stacks: Stack) -> Path:
    """The bench shop with these readers and no others."""
    text = config.BENCH.read_text("utf-8")
    start = text.index("[[devices.readers]]")
    end = text.index("[[devices.scanners]]")
    readers = "".join(
        f'[[devices.readers]]\nname = "Reader {number}"\n'
        f'driver = "{stack.driver}"\noptions = {stack.options}\n\n'
        for number, stack in enumerate(stacks)
    )
    path = folder / "stacks.toml"
    path.write_text(text[:start] + readers + text[end:], "utf-8")
    return path


@pytest.fixture
def counter(open_counter: Callable[..., Any], stack: Stack, tmp_path: Path) -> Any:
    return open_counter(file=shop_file(tmp_path, stack)).until_ready()


def card(counter: Any, profile: str, *faults: str) -> AnyCard:
    return with_faults(make_card(load_profiles()[profile], counter.home), faults)


# The core set, over each.


@on("stack", ALL, indirect=True)
def test_a_card_is_approved_online(counter: Any, stack: Stack) -> None:
    attempt = counter.begin()
    stack.front.present(card(counter, "visa-online"))

    paid = counter.until_state(attempt, *FINAL)
    assert paid.state is State.APPROVED
    assert counter.booked.net_minor()[attempt] == 1250


@on("stack", ALL, indirect=True)
def test_a_card_is_approved_by_itself_and_its_signature_verified(
    counter: Any, stack: Stack
) -> None:
    """The longest conversation: records, and a signature over the transaction."""
    attempt = counter.begin(500)
    stack.front.present(card(counter, "visa-offline"))

    # It is stored first, and forwarded to the bank at once.
    assert counter.until_final(attempt).state is State.APPROVED


@on("stack", ALL, indirect=True)
def test_a_card_torn_away_and_tapped_again_pays_once(counter: Any, stack: Stack) -> None:
    attempt = counter.begin()
    torn = Heard(card(counter, "visa-online", "tear-after:3"))
    stack.front.present(torn)
    torn.wait_until_torn()
    stack.front.present(card(counter, "visa-online"))

    assert counter.until_state(attempt, *FINAL).state is State.APPROVED
    assert counter.booked.net_minor()[attempt] == 1250


@on("stack", ALL, indirect=True)
def test_sale_after_sale(counter: Any, stack: Stack) -> None:
    for amount in (100, 200, 300):
        attempt = counter.begin(amount)
        stack.front.present(card(counter, "visa-online"))
        assert counter.until_state(attempt, *FINAL).state is State.APPROVED


@on("stack", ["pcsc", "pn532"], indirect=True)
@on("moment", ["idle", "armed", "in mid-tap"])
def test_a_reader_that_goes_and_comes_back_takes_the_next_sale(
    counter: Any, stack: Stack, moment: str
) -> None:
    """pcscd killed and started again; a cable pulled and put back."""
    assert stack.pull is not None
    assert stack.plug is not None
    attempt = ""
    if moment != "idle":
        attempt = counter.begin()
    if moment == "in mid-tap":
        slow = Heard(card(counter, "visa-online", "delay:20000@2"))
        stack.front.present(slow)
        slow.wait()
    stack.pull()
    if moment != "idle":
        counter.until(lambda view: view.reader is not Readiness.READY)
    stack.front.remove()
    stack.plug()
    counter.until(lambda view: view.reader is Readiness.READY)
    if not attempt:
        attempt = counter.begin()
    stack.front.present(card(counter, "visa-online"))

    assert counter.until_state(attempt, *FINAL).state is State.APPROVED


# The rest, spread over the stacks.


@on("stack", ["pn532"], indirect=True)
def test_two_cards_are_told_apart_by_the_customer(counter: Any, stack: Stack) -> None:
    attempt = counter.begin()
    stack.front.present(card(counter, "visa-online"), card(counter, "visa-offline"))
    counter.until(lambda view: view.hint is Message.ONE_CARD_ONLY)
    stack.front.remove()
    stack.front.present(card(counter, "visa-online"))

    assert counter.until_state(attempt, *FINAL).state is State.APPROVED


@on("stack", ["udp", "pcsc"], indirect=True)
def test_a_phone_is_looked_at_and_tapped_again(counter: Any, stack: Stack) -> None:
    attempt = counter.begin(50_000)
    stack.front.present(make_phone(load_phones()["phone-see-phone"], counter.home))

    assert counter.until_state(attempt, *FINAL).state is State.APPROVED


@on("stack", ["pcsc", "udp"], indirect=True)
def test_a_silent_card_leaves_the_till_ready(counter: Any, stack: Stack) -> None:
    attempt = counter.begin()
    stack.front.present(card(counter, "visa-online", "silence:2"))
    counter.until(lambda view: view.hint is not None)
    stack.front.remove()
    stack.front.present(card(counter, "visa-online"))

    assert counter.until_state(attempt, *FINAL).state is State.APPROVED


@on("stack", ["udp"], indirect=True)
def test_nothing_is_read_after_the_sale_is_cancelled(counter: Any, stack: Stack) -> None:
    attempt = counter.begin()
    counter.till.cancel()
    counter.until_state(attempt, State.CANCELLED)
    late = Heard(card(counter, "visa-online"))
    stack.front.present(late)
    attempt = counter.begin(300)

    assert counter.until_state(attempt, *FINAL).state is State.APPROVED


def test_two_readers_are_armed_together_and_the_first_card_wins(
    open_counter: Callable[..., Any], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    udp = next(opened_udp := over_udp(request, tmp_path))
    chip = next(opened_chip := over_pn532(request, tmp_path))
    counter = open_counter(file=shop_file(tmp_path, udp, chip)).until_ready()
    attempt = counter.begin()
    first = Heard(card(counter, "visa-online", "delay:400@1"))
    udp.front.present(first)
    first.wait()
    loser = Heard(card(counter, "visa-online"))
    paid = counter.until_state(attempt, *FINAL)
    chip.front.present(loser)
    assert paid.state is State.APPROVED
    assert counter.booked.net_minor()[attempt] == 1250
    assert loser.commands == 0

    # It was put there before the next sale, and pays that one.
    second = counter.begin(700)
    assert counter.until_state(second, *FINAL).state is State.APPROVED
    assert loser.commands > 0
    for each in (opened_udp, opened_chip):
        next(each, None)


@pytest.mark.slow
@on("stack", ALL, indirect=True)
def test_random_tears_leave_the_till_ready_for_the_card_that_stays(
    counter: Any, stack: Stack
) -> None:
    chance = random.Random(f"{SEED} {stack.driver} {stack.options[:8]}")
    attempt = counter.begin()
    for number in range(TEARS):
        verb = chance.choice(["tear-before", "tear-after"])
        torn = Heard(card(counter, "visa-online", f"{verb}:{chance.randint(1, 3)}"))
        stack.front.present(torn)
        torn.wait_until_torn()
        assert counter.till.payment(attempt).state is State.AWAITING_TENDER, f"tear {number}"
    stack.front.present(card(counter, "visa-online"))

    assert counter.until_state(attempt, *FINAL).state is State.APPROVED
    assert counter.booked.net_minor()[attempt] == 1250


class Heard:
    """A card that tells when it was talked to."""

    def __init__(self, inner: AnyCard) -> None:
        self._inner = inner
        self._heard, self._torn = threading.Event(), threading.Event()
        self.commands = 0

    def power_up(self) -> None:
        self._inner.power_up()

    def respond(self, command: bytes) -> Response:
        self.commands += 1
        self._heard.set()
        response = self._inner.respond(command)
        if isinstance(response, Torn):
            self._torn.set()
        return response

    def returns_after_s(self) -> float | None:
        return self._inner.returns_after_s()

    def wait(self) -> None:
        assert self._heard.wait(PATIENCE_S), "nobody talked to the card"

    def wait_until_torn(self) -> None:
        assert self._torn.wait(PATIENCE_S), "nobody came to the command it was torn at"
