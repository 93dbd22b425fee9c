"""The PIN pad on the till's screen: what a customer types, and what comes of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.errors import DeviceNotReady
from drivers.protocols import EncryptedPin, Health, NoPin, PinReader
from simulators.bank.issuer.pin import Verdict, verify
from simulators.pinpad import PinPadKeys, ScreenPinPad
from simulators.pinpad.keys import base_key
from simulators.readers.keyed_slot import KeyedSlot
from simulators.responses import Answer, Response

PAN = "4000002500000003"
LONG_S = 10.0


class Desk:
    """A pad, and a till that asks on a thread of its own."""

    def __init__(self, home: Path) -> None:
        self.now_s = 0.0
        self.pad = ScreenPinPad(PinPadKeys(home), lambda n: bytes(range(n)), lambda: self.now_s)
        self.stop = threading.Event()
        self.heard: list[int] = []
        self.told = threading.Event()
        self._came: list[EncryptedPin | NoPin] = []
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def _ask(self) -> None:
        self._came.append(
            self.pad.encrypted_pin(PAN, 30.0, amount="CNY 1", on_digits=self._tell, stop=self.stop)
        )

    def _tell(self, digits: int) -> None:
        self.heard.append(digits)
        self.told.set()

    def type(self, *keys: str) -> None:
        self.pad.type(keys, LONG_S)

    def came(self) -> EncryptedPin | NoPin:
        self._thread.join(LONG_S)
        [came] = self._came
        return came


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.stop.set()
    desk.came()


def test_the_bank_opens_what_was_typed(desk: Desk, tmp_path: Path) -> None:
    desk.type("1", "9", "clear", *"1234", "enter")
    pin = desk.came()
    assert isinstance(pin, EncryptedPin)
    key = base_key(tmp_path)
    assert verify(pin.block, pin.ksn, PAN, base_key=key, pin="1234") is Verdict.CORRECT


def test_the_till_is_told_how_many_digits(desk: Desk) -> None:
    desk.type(*"57713")
    assert desk.told.wait(LONG_S)
    assert desk.heard[-1] == 5
    assert "57713" not in repr(desk.pad) + repr(vars(desk.pad))


def test_the_customer_may_cancel(desk: Desk) -> None:
    desk.type("1", "cancel")
    assert desk.came() is NoPin.CANCELLED


def test_the_customer_may_be_late(desk: Desk) -> None:
    desk.type("1")
    desk.now_s = 30.0
    assert desk.came() is NoPin.LATE


def test_the_till_may_end_it_and_what_was_typed_is_gone(desk: Desk) -> None:
    desk.type(*"5771")
    desk.stop.set()
    assert desk.came() is NoPin.STOPPED
    assert bytes(desk.pad._entry._pin) == bytes(12)


def test_closing_ends_it(desk: Desk) -> None:
    desk.type("1")
    desk.pad.close()
    assert desk.came() is NoPin.STOPPED
    assert desk.pad.diagnose().health is Health.READY


def test_a_key_means_nothing_while_it_does_not_ask(desk: Desk, tmp_path: Path) -> None:
    desk.type(*"1234", "enter")
    assert isinstance(desk.came(), EncryptedPin)
    desk.pad.press("1")
    desk.pad.type("1", 0)
    assert bytes(desk.pad._entry._pin) == bytes(12)


def test_in_clear_it_goes_to_the_card_of_its_own_slot(tmp_path: Path) -> None:
    pad = ScreenPinPad(PinPadKeys(tmp_path), bytes, lambda: 0.0)
    slot = KeyedSlot(lambda: pad)
    card = Recorder()
    slot.present(card)
    assert isinstance(slot, PinReader)
    assert slot.wait_for_card(0)
    customer = threading.Thread(target=pad.type, args=((*"5771", "enter"), LONG_S))
    customer.start()

    assert slot.verify_pin(30.0) == 0x63C2
    customer.join(LONG_S)
    assert card.commands == [bytes.fromhex("0020008008 245771FFFFFFFFFF")]
    assert bytes(pad._entry._pin) == bytes(12)


class Recorder:
    """A card that notes what it is asked, and says that two tries are left."""

    def __init__(self) -> None:
        self.commands: list[bytes] = []

    def power_up(self) -> None:
        """Nothing of it is selected."""

    def respond(self, command: bytes) -> Response:
        self.commands.append(command)
        return Answer(bytes.fromhex("63C2"))

    def returns_after_s(self) -> float | None:
        return None


def test_damaged_keys_are_named(tmp_path: Path) -> None:
    keys = PinPadKeys(tmp_path)
    keys.key_id()
    (tmp_path / "pinpad" / "device").write_bytes(b"?")
    pad = ScreenPinPad(keys, bytes, lambda: 0.0)
    with pytest.raises(DeviceNotReady, match="device"):
        pad.encrypted_pin(PAN, 1.0)
