"""How the shop's devices stand, and which way to pay each of them opens."""

from __future__ import annotations

import pytest

from terminal.devices import Devices
from terminal.messages import Message
from terminal.view import Readiness

SHOP = (("Antenna", "reader"), ("Spare", "reader"), ("Camera", "camera"))


@pytest.fixture
def devices() -> Devices:
    shop = Devices()
    shop.begin(SHOP)
    return shop


def test_all_are_about_to_come_up(devices: Devices) -> None:
    assert devices.status("reader") is Readiness.STARTING
    assert devices.status("camera") is Readiness.STARTING


def test_a_role_nobody_has_is_no_fault_and_no_way_to_pay(devices: Devices) -> None:
    assert devices.status("contact") is Readiness.OFF
    assert devices.light("contact", is_armed=True) is Readiness.ABSENT


def test_the_best_reader_of_two_speaks_for_both(devices: Devices) -> None:
    devices.note("Antenna", "reader", Readiness.FAULTY)
    devices.note("Spare", "reader", Readiness.READY)

    assert devices.light("reader", is_armed=True) is Readiness.READY
    devices.note("Spare", "reader", Readiness.ABSENT)
    assert devices.light("reader", is_armed=True) is Readiness.FAULTY


def test_a_reader_that_turns_out_to_be_a_slot_is_none_for_taps(devices: Devices) -> None:
    devices.note("Antenna", "reader", Readiness.ABSENT)
    devices.note("Spare", "contact", Readiness.READY)

    assert devices.status("reader") is Readiness.ABSENT
    assert devices.light("contact", is_armed=True) is Readiness.READY


def test_no_light_is_on_between_sales(devices: Devices) -> None:
    devices.note("Camera", "camera", Readiness.READY)

    assert devices.light("camera", is_armed=False) is Readiness.OFF


def test_a_device_is_a_trouble_until_it_says_otherwise(devices: Devices) -> None:
    devices.note("Paper", "printer", Readiness.FAULTY, Message.NO_PAPER)
    devices.note("Pole", "display", Readiness.FAULTY, Message.NO_DISPLAY)
    assert devices.troubles() == {Message.NO_PAPER, Message.NO_DISPLAY}

    devices.note("Paper", "printer", Readiness.READY)
    assert devices.troubles() == {Message.NO_DISPLAY}
