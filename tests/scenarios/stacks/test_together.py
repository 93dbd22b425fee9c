"""Antenna, slot, camera and hand scanner armed together: the first medium wins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from simulators.card.contact import load_profiles, make_contact_card
from simulators.card.faults import with_faults
from simulators.scanner import ScannerSimulator
from simulators.serial_line import SerialLine
from terminal.messages import Message
from terminal.states import FINAL, State
from terminal.view import Medium, Readiness, Stage

pytestmark = pytest.mark.wire

WALLET = "alipay-qr"


@dataclass
class Everything:
    """A till with every way to pay, all of them real."""

    counter: Any
    antenna: Any
    slot: Any
    card: Callable[..., Any]
    scanner: SerialLine

    def tap(self, *faults: str) -> Any:
        held = self.card(self.counter, "visa-online", *faults)
        self.antenna.front.present(held)
        return held

    def insert(self) -> Any:
        """Put a card into the slot that can only tap."""
        held = self.card(self.counter)
        self.slot.front.present(held, stay=True)
        return held

    def insert_chip(self, profile: str, *faults: str) -> None:
        chip = make_contact_card(load_profiles()[profile], self.counter.home)
        self.slot.front.present(with_faults(chip, faults))

    def hold_code(self) -> None:
        self.counter.do(f"wallet:{WALLET}")

    def scan_code(self) -> None:
        _, shown = self.counter.shop.customers.show_wallet(WALLET)
        self.scanner.send(ScannerSimulator().scan(shown.codes[0]))

    def moves(self, attempt: str) -> list[str]:
        return [line.text for line in self.counter.till.trace(attempt)]


@pytest.fixture
def everything(
    open_counter: Any, over: Any, shop_file: Any, card: Any, tmp_path: Path
) -> Iterator[Everything]:
    antenna, slot = over("pcsc"), over("slot")
    with SerialLine(ScannerSimulator(), tmp_path / "scanner") as line:
        hand_scanner = (
            '[[devices.scanners]]\nname = "Hand scanner"\ndriver = "scanner-serial"\n'
            f'options = {{ path = "{line.link}" }}\n\n'
        )
        counter = open_counter(file=shop_file(antenna, slot, more=hand_scanner)).until_ready()
        counter.until(lambda view: view.camera is Readiness.READY)
        yield Everything(counter, antenna, slot, card, line)


def test_all_are_armed_and_a_tap_wins(everything: Everything) -> None:
    """Then a card in the slot, a code before the camera and one under the scanner."""
    attempt = everything.counter.begin()
    first = everything.tap("delay:1500@2")
    first.wait()
    everything.counter.until(lambda view: view.stage is Stage.READING)
    everything.hold_code()
    everything.scan_code()
    everything.insert()
    paid = everything.counter.until_state(attempt, *FINAL)

    assert (paid.state, paid.medium) == (State.APPROVED, Medium.CARD)
    assert everything.counter.booked.transfers_of(attempt) == ["sale"]
    moves = everything.moves(attempt)
    everything.counter.until(lambda view: view.scan is Readiness.OFF)
    assert everything.moves(attempt) == moves


@pytest.mark.parametrize("way", ["hold_code", "scan_code"])
def test_a_code_wins_and_the_antenna_is_off_at_its_next_poll(
    everything: Everything, way: str
) -> None:
    attempt = everything.counter.begin()
    getattr(everything, way)()
    paid = everything.counter.until_state(attempt, *FINAL)
    assert (paid.state, paid.medium) == (State.APPROVED, Medium.PAYMENT_CODE)
    late = everything.tap()
    everything.insert()
    # The scanner is deaf as well: what it reads between two sales is nobody's.
    everything.scan_code()

    # It was held there before the next sale, and pays that one.
    second = everything.counter.begin(700)
    paid = everything.counter.until_state(second, *FINAL)
    assert (paid.state, paid.medium) == (State.APPROVED, Medium.CARD)
    assert everything.counter.booked.transfers_of(attempt) == ["sale"]
    assert late.commands > 0


def test_a_chip_pays_through_its_slot(everything: Everything) -> None:
    """Two cryptograms, and the bank between them."""
    attempt = everything.counter.begin()
    everything.insert_chip("contact-cda-online")

    paid = everything.counter.until_state(attempt, *FINAL)
    assert (paid.state, paid.medium) == (State.APPROVED, Medium.CHIP)
    assert everything.counter.booked.transfers_of(attempt) == ["sale"]


def test_a_chip_behind_pcscd_checks_an_enciphered_pin_and_takes_none_in_clear(
    everything: Everything,
) -> None:
    """Slot and pad are two devices here: a card that wants a PIN in clear goes on without."""
    counter = everything.counter
    attempt = counter.begin()
    everything.insert_chip("contact-pin-enciphered")
    counter.until(lambda view: view.stage is Stage.PIN and view.tries_left == 3)
    counter.do("pin:0000")
    counter.until(lambda view: view.stage is Stage.PIN and view.tries_left == 2)
    counter.do("pin:1234")
    paid = counter.until_state(attempt, *FINAL)
    assert (paid.state, paid.pin) == (State.APPROVED, True)

    second = counter.begin(700)
    everything.insert_chip("contact-pin")
    paid = counter.until_state(second, *FINAL)
    assert (paid.state, paid.pin, paid.signature) == (State.APPROVED, False, True)


def test_a_chip_pulled_out_of_pcscd_while_its_holder_chooses_is_let_go(
    everything: Everything,
) -> None:
    attempt = everything.counter.begin()
    chip = make_contact_card(load_profiles()["contact-two-applications"], everything.counter.home)
    everything.slot.front.present(chip, stay=True)
    everything.counter.until(lambda view: view.stage is Stage.CHOOSE)
    everything.slot.front.remove()
    everything.counter.until(lambda view: view.hint is Message.CARD_PULLED)

    everything.insert_chip("contact-two-applications")
    everything.counter.until(lambda view: view.stage is Stage.CHOOSE)
    everything.counter.till.choose(1)
    paid = everything.counter.until_state(attempt, *FINAL)
    assert (paid.state, paid.application_label) == (State.APPROVED, "VISA DEBIT")


def test_a_chip_that_refuses_what_its_bank_approved_gives_the_money_back(
    everything: Everything,
) -> None:
    attempt = everything.counter.begin()
    everything.insert_chip("contact-refuses-approval")

    assert everything.counter.until_state(attempt, *FINAL).state is State.REVERSED
    assert everything.counter.booked.transfers_of(attempt) == ["sale", "reversal"]


def test_a_card_that_can_only_tap_is_told_so_and_the_tap_pays(everything: Everything) -> None:
    attempt = everything.counter.begin()
    everything.insert()
    view = everything.counter.until(lambda view: view.hint is Message.CARD_NOT_ACCEPTED)
    assert view.stage is Stage.PRESENT
    everything.tap()

    assert everything.counter.until_state(attempt, *FINAL).medium is Medium.CARD


def test_of_two_cards_read_at_once_the_one_that_ends_first_pays(
    open_counter: Any, over: Any, shop_file: Any, card: Any
) -> None:
    udp, chip = over("udp"), over("pn532")
    counter = open_counter(file=shop_file(udp, chip)).until_ready()
    attempt = counter.begin()
    slow, quick = card(counter, "visa-online", "delay:1500@2"), card(counter)
    udp.front.present(slow)
    slow.wait()
    chip.front.present(quick)
    paid = counter.until_state(attempt, *FINAL)
    assert paid.state is State.APPROVED
    moves = counter.till.trace(attempt)

    # The loser is read to its end, and nothing comes of that.
    slow.wait_until_released()
    assert counter.till.trace(attempt) == moves
    assert counter.booked.net_minor()[attempt] == 1250
    attempt = counter.begin(300)
    udp.front.present(card(counter))
    assert counter.until_state(attempt, *FINAL).state is State.APPROVED


def test_a_card_that_comes_to_the_loser_pays_the_next_sale(
    open_counter: Any, over: Any, shop_file: Any, card: Any
) -> None:
    udp, chip = over("udp"), over("pn532")
    counter = open_counter(file=shop_file(udp, chip)).until_ready()
    attempt = counter.begin()
    udp.front.present(card(counter))
    assert counter.until_state(attempt, *FINAL).state is State.APPROVED
    late = card(counter)
    chip.front.present(late)
    assert late.commands == 0

    second = counter.begin(700)
    assert counter.until_state(second, *FINAL).state is State.APPROVED
    assert late.commands > 0
