"""The PIN worker, with the real driver and a pad on a pty: every way a question can end."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.errors import DeviceLost
from drivers.pinpad_serial import SerialPinPad
from drivers.protocols import EncryptedPin, NoPin, PinPad
from emv import tags
from emv.authentication import PublicKey
from emv.conversation import VerifyPIN
from simulators.bank.issuer.pin import Verdict, verify
from simulators.pinpad import PinPadKeys, PinPadSimulator
from simulators.pinpad.entry import State
from simulators.pinpad.keys import base_key
from simulators.readers.in_process import InProcessReader
from simulators.serial_line import SerialLine
from terminal.checkout.pin import CardPin, PinWorker
from terminal.events import AskPin, InboxEvent, PinDigits, PinEnded, PinEntered
from terminal.messages import Message
from terminal.questions import PinAnswered

PAN = "4111111111111111"
RECORD = {tags.TAG_5A_PAN: bytes.fromhex(PAN)}
LONG_S = 10.0


class Counter:
    """A worker, its pad, a customer, and the inbox."""

    def __init__(self, home: Path, *, has_keys: bool = True) -> None:
        self.home = home
        self.now_s = 0.0
        keys = PinPadKeys(home) if has_keys else None
        self.sim = PinPadSimulator(keys, lambda size: bytes(range(size)), lambda: self.now_s)
        self.line = SerialLine(self.sim, home / "pad")
        self.inbox: queue.SimpleQueue[InboxEvent] = queue.SimpleQueue()
        self.sealed: list[tuple[str, bytes, EncryptedPin]] = []
        self.worker = PinWorker(self.open_pad, self.amount_text, self.seal, self.inbox.put)
        self.worker.start()

    def open_pad(self) -> PinPad:
        return SerialPinPad(str(self.home / "pad"))

    def amount_text(self, amount_minor: int, currency: str) -> str:
        return f"{currency} {amount_minor}"

    def seal(self, attempt: str, record: bytes, pin: EncryptedPin, /) -> str:
        self.sealed.append((attempt, record, pin))
        return "a.b.c.d.e"

    def ask(self, asking: int = 1, attempt: str = "a1", within_s: float = 30.0) -> None:
        kept = self.worker.keep(RECORD)
        self.worker.ask(AskPin(asking, attempt, kept, 6000, "CNY", within_s))

    def until_asked(self) -> None:
        assert self.line.wait_for(lambda: self.sim.screen.endswith("PIN"), LONG_S)

    def type(self, keys: str) -> None:
        for key in keys:
            with self.line.changed:
                self.sim.press({"E": "enter", "X": "cancel"}.get(key, key))

    def ended(self) -> InboxEvent:
        """Return what ended the question; digits before it are passed over."""
        while isinstance(event := self.inbox.get(timeout=LONG_S), PinDigits):
            pass
        return event

    def close(self) -> None:
        self.worker.close()
        self.line.close()


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    counter = Counter(tmp_path)
    yield counter
    counter.close()


def refused(reason: Message, asking: int = 1) -> PinEnded:
    return PinEnded(asking, reason, Message.ANOTHER_CARD_OR_WALLET)


def test_what_the_customer_entered_is_sealed_with_the_card(counter: Counter) -> None:
    counter.ask()
    counter.until_asked()
    assert counter.sim.screen == "CNY 6000\nPIN"
    counter.type("123")
    assert counter.inbox.get(timeout=LONG_S) == PinDigits(1, 3)
    counter.type("4E")
    assert counter.ended() == PinEntered(1, "a.b.c.d.e")

    [(attempt, record, pin)] = counter.sealed
    assert (attempt, record) == ("a1", bytes.fromhex("5A08" + PAN))
    key = base_key(counter.home)
    assert verify(pin.block, pin.ksn, PAN, base_key=key, pin="1234") is Verdict.CORRECT


def test_a_customer_who_cancels_is_told_of(counter: Counter) -> None:
    counter.ask()
    counter.until_asked()
    counter.type("12X")
    assert counter.ended() == refused(Message.PIN_CANCELLED)


def test_a_customer_who_is_late_is_told_of(counter: Counter) -> None:
    counter.ask()
    counter.until_asked()
    counter.now_s = 31.0
    assert counter.ended() == refused(Message.PIN_LATE)


def test_ended_by_the_till_the_pad_asks_no_more(counter: Counter) -> None:
    counter.ask()
    counter.until_asked()
    counter.worker.end()
    assert counter.line.wait_for(lambda: counter.sim.state is State.IDLE, LONG_S)
    assert isinstance(counter.ended(), PinEnded)


def test_ended_before_it_began_it_is_not_asked(counter: Counter) -> None:
    kept = counter.worker.keep(RECORD)
    counter.worker.end()
    counter.worker.ask(AskPin(1, "a1", kept, 6000, "CNY", 30.0))
    assert counter.ended() == refused(Message.CARD_UNREADABLE)
    assert counter.sim.state is State.IDLE


def test_a_plug_pulled_in_mid_entry_is_told_and_the_next_question_goes_through(
    counter: Counter,
) -> None:
    counter.ask()
    counter.until_asked()
    counter.type("12")
    counter.line.unplug()
    assert counter.ended() == refused(Message.PIN_PAD_LOST)
    counter.line.plug()
    counter.ask(2)
    counter.until_asked()
    counter.type("1234E")
    assert counter.ended() == PinEntered(2, "a.b.c.d.e")


def test_a_pad_without_keys_is_told(tmp_path: Path) -> None:
    counter = Counter(tmp_path, has_keys=False)
    counter.ask()
    assert counter.ended() == refused(Message.PIN_PAD_NOT_READY)
    counter.close()


def test_a_pad_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    class NoPad(Counter):
        def open_pad(self) -> PinPad:
            raise DeviceLost("not here")

    counter = NoPad(tmp_path)
    counter.ask()
    assert counter.ended() == refused(Message.PIN_PAD_LOST)
    counter.close()


@pytest.mark.parametrize("pan", ["41111111", "41111111111", ""])
def test_a_card_without_a_number_for_a_pin_is_not_taken(counter: Counter, pan: str) -> None:
    record = {tags.TAG_5A_PAN: bytes.fromhex(pan + "F" * (len(pan) % 2))}
    kept = counter.worker.keep(record)
    counter.worker.ask(AskPin(1, "a1", kept, 6000, "CNY", 30.0))
    assert counter.ended() == refused(Message.CARD_NOT_ACCEPTED)


def test_of_two_cards_the_one_that_counts_is_asked_about(counter: Counter) -> None:
    """Two readers have read; the core has chosen the first."""
    first = counter.worker.keep(RECORD)
    second = counter.worker.keep({tags.TAG_5A_PAN: bytes.fromhex("4012888888881881")})
    counter.worker.ask(AskPin(1, "a1", first, 6000, "CNY", 30.0))
    counter.until_asked()
    counter.type("1234E")
    assert counter.ended() == PinEntered(1, "a.b.c.d.e")
    [(_, record, _)] = counter.sealed
    assert record == bytes.fromhex("5A08" + PAN)

    counter.worker.ask(AskPin(2, "a1", second, 6000, "CNY", 30.0))
    assert counter.ended() == refused(Message.CARD_UNREADABLE, 2)


def test_nothing_of_card_or_pin_stays_with_the_worker(counter: Counter) -> None:
    counter.ask()
    counter.until_asked()
    counter.type("1234E")
    counter.ended()
    counter.ask(2)
    counter.until_asked()
    counter.type("X")
    counter.ended()
    counter.close()
    held: dict[str, Any] = vars(counter.worker)
    assert held["_kept"] == {}
    assert held["_question"] is None


# --- a PIN that the card checks ---------------------------------------------------

KEY = PublicKey(int("F" * 256, 16), 3, 128)


def keep_chip(counter: Counter) -> tuple[int, CardPin, threading.Event]:
    woken = threading.Event()
    wanted = VerifyPIN(KEY, bytes(8), tries_left=3)
    kept, pin = counter.worker.keep_chip(wanted, InProcessReader(), woken.set)
    return kept, pin, woken


def test_a_pin_for_a_card_comes_out_as_long_as_the_cards_key_and_wakes_its_slot(
    counter: Counter,
) -> None:
    kept, pin, woken = keep_chip(counter)
    counter.worker.ask(AskPin(4, "a1", kept, 6000, "CNY", 30.0))
    counter.until_asked()
    counter.type("1234E")

    assert counter.ended() == PinAnswered(4)
    assert woken.wait(LONG_S)
    assert isinstance(pin.outcome, bytes)
    assert len(pin.outcome) == KEY.length


def test_a_pad_that_is_gone_is_told_to_the_card(counter: Counter) -> None:
    """The card's own rules say what comes next."""
    counter.line.unplug()
    kept, pin, woken = keep_chip(counter)
    counter.worker.ask(AskPin(4, "a1", kept, 6000, "CNY", 30.0))

    assert counter.ended() == PinAnswered(4)
    assert woken.wait(LONG_S)
    assert pin.outcome is Message.PIN_PAD_LOST


def test_a_chips_question_that_ends_leaves_a_tapped_card_kept(counter: Counter) -> None:
    """The tap has won, and its own PIN is asked for next."""
    tapped = counter.worker.keep(RECORD)
    kept, pin, _ = keep_chip(counter)
    counter.worker.ask(AskPin(4, "a1", kept, 6000, "CNY", 30.0))
    counter.until_asked()
    counter.worker.end(3)
    assert counter.sim.state is State.ASKING, "another question was meant"
    counter.worker.end(4)
    assert counter.ended() == PinAnswered(4)
    assert pin.outcome is NoPin.STOPPED

    counter.worker.ask(AskPin(5, "a1", tapped, 6000, "CNY", 30.0))
    counter.until_asked()
    counter.type("1234E")
    assert counter.ended() == PinEntered(5, "a.b.c.d.e")


def test_closing_ends_a_question(counter: Counter) -> None:
    counter.ask()
    counter.until_asked()
    closing = threading.Thread(target=counter.worker.close)
    closing.start()
    closing.join(LONG_S)
    assert not closing.is_alive()
    assert counter.line.wait_for(lambda: counter.sim.state is State.IDLE, LONG_S)
