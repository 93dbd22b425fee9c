"""A slot and what is put into it: chips, other cards, cards that are left."""

from __future__ import annotations

import datetime
import os
import queue
import threading
from collections.abc import Iterator

import pytest

import config
from drivers.protocols import Interface, Signal
from emv import entry_point
from simulators.readers.in_process import InProcessReader
from simulators.responses import Answer, NoAnswerToReset, Response
from terminal.checkout.cards import CardWorker
from terminal.checkout.media import card_rules
from terminal.events import Arm, CardEnd, CardPresented, CardRead, DeviceHealth, InboxEvent
from terminal.messages import Message
from terminal.view import Readiness

PATIENCE_S = 30.0


class Chip:
    """A card that notes what it is asked."""

    def __init__(self) -> None:
        self.commands: list[bytes] = []
        self.powered = threading.Semaphore(0)

    def power_up(self) -> None:
        self.powered.release()

    def respond(self, command: bytes) -> Response:
        self.commands.append(command)
        return Answer(b"\x90\x00")

    def returns_after_s(self) -> float | None:
        return None


class Slot(InProcessReader):
    """A slot that tells when it was found empty."""

    def __init__(self) -> None:
        super().__init__(interface=Interface.CONTACT)
        self.was_empty = threading.Event()

    def wait_for_card(self, timeout_s: float) -> bool:
        is_there = super().wait_for_card(timeout_s)
        if not is_there:
            self.was_empty.set()
        return is_there


class Bench:
    """A worker with its slot, and the inbox it posts to."""

    def __init__(self) -> None:
        self.inbox: queue.SimpleQueue[InboxEvent] = queue.SimpleQueue()
        self.slot = Slot()
        rules = card_rules(config.load_settings(config.BENCH))
        self.worker = CardWorker(
            self.slot.open,
            "Counter slot",
            lambda _: rules,
            transaction,
            lambda attempt, record: "",
            lambda arm, sealed: "",
            os.urandom,
            self.inbox.put,
        )

    def next(self) -> InboxEvent:
        return self.inbox.get(timeout=PATIENCE_S)


def transaction(arm: Arm) -> entry_point.Transaction:
    now = datetime.datetime(2026, 11, 24, 14, 32, tzinfo=datetime.UTC)
    return entry_point.Transaction(
        amount_authorised_minor=arm.amount_minor,
        currency=156,
        currency_exponent=2,
        date=now.date(),
        time=now.time(),
    )


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    made.worker.start()
    yield made
    made.worker.close()


def test_a_slot_is_a_way_to_pay(bench: Bench) -> None:
    assert bench.next() == DeviceHealth("Counter slot", "contact", Readiness.READY)


def test_a_card_of_another_kind_is_told_once_and_left_alone(bench: Bench) -> None:
    """It answers yes to everything, and has no application."""
    bench.next()
    chip = Chip()
    bench.slot.present(chip, stay=True)
    bench.worker.arm(Arm(7, "a1", 1250, "CNY"))

    assert bench.next() == CardPresented(7, "Counter slot")
    told = bench.next()
    assert isinstance(told, CardRead)
    assert (told.end, told.reason) == (CardEnd.AGAIN, Message.CARD_NOT_ACCEPTED)
    asked = len(chip.commands)
    for _ in range(3):
        assert chip.powered.acquire(timeout=PATIENCE_S), "nobody looks whether it is still there"
    assert bench.inbox.empty()
    assert len(chip.commands) == asked
    assert Signal.ALERT in bench.slot.signals


class Mute(Chip):
    """A chip that does not start."""

    def power_up(self) -> None:
        raise NoAnswerToReset


def test_a_chip_that_does_not_start_is_tried_again_and_then_given_up(bench: Bench) -> None:
    """Never by its stripe: what is left is a tap, or a code."""
    bench.next()
    bench.worker.arm(Arm(7, "a1", 1250, "CNY"))
    for said in (
        (Message.CHIP_NOT_READ, Message.TRY_ONCE_MORE),
        (Message.CHIP_NOT_READ, Message.TRY_ONCE_MORE),
        (Message.CHIP_UNREADABLE, Message.TAP_OR_CODE),
    ):
        bench.slot.was_empty.clear()
        assert bench.slot.was_empty.wait(PATIENCE_S)
        bench.slot.present(Mute())
        told = bench.next()
        assert isinstance(told, CardRead)
        assert (told.end, told.reason, told.next_step) == (CardEnd.AGAIN, *said)


def test_the_next_chip_is_read_again(bench: Bench) -> None:
    bench.next()
    bench.worker.arm(Arm(7, "a1", 1250, "CNY"))
    for _ in range(2):
        bench.slot.was_empty.clear()
        assert bench.slot.was_empty.wait(PATIENCE_S)
        bench.slot.present(Chip())
        assert isinstance(bench.next(), CardPresented)
        assert isinstance(bench.next(), CardRead)
        bench.slot.remove()


def test_a_card_that_is_left_does_not_pay_the_next_sale(bench: Bench) -> None:
    bench.next()
    bench.slot.present(Chip(), stay=True)
    bench.worker.arm(Arm(7, "a1", 1250, "CNY"))
    bench.next()
    bench.next()

    bench.worker.arm(Arm(8, "a2", 1250, "CNY"))

    assert bench.next() == CardRead(
        8, CardEnd.AGAIN, Message.TAKE_CARD_OUT, Message.TAP_OR_CODE, reader="Counter slot"
    )


def test_a_slot_that_is_lost_sends_the_customer_to_the_antenna(bench: Bench) -> None:
    bench.next()
    bench.worker.arm(Arm(7, "a1", 1250, "CNY"))
    bench.slot.unplug()

    assert bench.next() == DeviceHealth("Counter slot", "contact", Readiness.FAULTY)
    told = bench.next()
    assert isinstance(told, CardRead)
    assert (told.reason, told.next_step) == (Message.READER_LOST, Message.TAP_OR_CODE)
