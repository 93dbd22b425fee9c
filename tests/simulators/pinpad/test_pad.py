"""The simulated pad: its keys, its screen, its answers, its secrets."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv.keys import dukpt
from simulators.card.errors import KeysUnusable
from simulators.pinpad import PinPadKeys, PinPadSimulator, frames
from simulators.pinpad.entry import State
from simulators.pinpad.keys import base_key
from simulators.pinpad.pad import ANSWER, ASK, CANCEL, IDENTIFY, POLL, REFUSED

PAN = "4111111111111111"


class OneKey:
    """Keys that are the published case's first."""

    initial = bytes.fromhex("1273671EA26AC29AFA4D1084127652A1")

    def __init__(self) -> None:
        self.device = dukpt.Device.inject(self.initial, self.key_id())

    def key_id(self) -> bytes:
        return bytes.fromhex("1234567890123456")

    def next_pin_key(self) -> tuple[bytes, bytes]:
        ksn, key = self.device.next_key()
        return ksn, dukpt.working_key(key, ksn, dukpt.Usage.PIN_ENCRYPTION)


class Desk:
    """A pad and somebody who sends it frames."""

    def __init__(self, keys: OneKey | PinPadKeys | None = None) -> None:
        self.now_s = 0.0
        self.pad = PinPadSimulator(keys, self.fill, lambda: self.now_s)
        self.sequence = 0

    def fill(self, size: int) -> bytes:
        return bytes.fromhex("2F69ADDE2E9E7ACE")[:size]

    def ask(
        self, kind: int, payload: bytes = b"", sequence: int | None = None
    ) -> tuple[int, bytes]:
        if sequence is None:
            self.sequence += 1
        stream = bytearray(self.pad.receive(frames.build(sequence or self.sequence, kind, payload)))
        [(answered, answer, content)] = frames.split(stream)
        assert answered == (sequence or self.sequence)
        return answer, content

    def begin(self, pan: str = PAN, amount: bytes = b"CNY 1.00", seconds: int = 30) -> None:
        head = seconds.to_bytes(2, "big") + bytes((len(pan),)) + pan.encode()
        assert self.ask(ASK, head + bytes((len(amount),)) + amount) == (ASK | ANSWER, b"")

    def press(self, keys: str) -> None:
        for key in keys:
            self.pad.press({"E": "enter", "C": "clear", "X": "cancel"}.get(key, key))


def test_the_published_pin_gives_the_published_block() -> None:
    """X9.24-3's own example, entered at the keyboard."""
    desk = Desk(OneKey())
    desk.begin()
    desk.press("1234E")
    answer, content = desk.ask(POLL)
    assert answer == POLL | ANSWER
    assert content.hex().upper() == (
        "0200" + "123456789012345600000001" + "A912150391AB65A67E52883D81CE2D15"
    )
    assert desk.pad.state is State.IDLE


def test_the_screen_shows_dots_and_never_a_digit() -> None:
    desk = Desk(OneKey())
    assert desk.pad.screen == "READY"
    desk.begin()
    desk.press("98765")
    assert desk.pad.screen == "CNY 1.00\nPIN *****"
    assert desk.ask(POLL) == (POLL | ANSWER, bytes((State.ASKING, 5)))
    assert "9" not in repr(desk.pad)
    desk.press("C")
    assert desk.pad.screen.endswith("PIN")


@pytest.mark.parametrize(("keys", "state"), [("12X", 3), ("C", 3), ("12CC", 3), ("123E", 1)])
def test_keys_do_what_customers_expect(keys: str, state: int) -> None:
    desk = Desk(OneKey())
    desk.begin()
    desk.press(keys)
    assert desk.ask(POLL)[1][0] == state


def test_more_than_twelve_digits_are_not_taken() -> None:
    desk = Desk(OneKey())
    desk.begin()
    desk.press("1" * 20)
    assert desk.ask(POLL)[1][1] == 12


def test_a_customer_who_is_late_is_late_by_the_pads_clock() -> None:
    desk = Desk(OneKey())
    desk.begin(seconds=30)
    desk.press("1234")
    desk.now_s = 30.0
    desk.press("E")
    assert desk.ask(POLL)[1] == bytes((State.LATE, 0))


def test_a_repeated_request_gets_the_same_answer_and_is_done_once() -> None:
    keys = OneKey()
    desk = Desk(keys)
    desk.begin()
    desk.press("1234E")
    first = desk.ask(POLL, sequence=9)
    assert desk.ask(POLL, sequence=9) == first
    assert desk.ask(POLL, sequence=10) == (POLL | ANSWER, bytes(2))
    assert keys.device.next_key()[0][-1] == 2


def test_identify_ends_what_was_asked() -> None:
    desk = Desk(OneKey())
    desk.begin()
    assert desk.ask(IDENTIFY)[1] == b"\1" + OneKey().key_id()
    assert desk.pad.state is State.IDLE


def test_cancel_ends_what_was_asked() -> None:
    desk = Desk(OneKey())
    desk.begin()
    desk.press("12")
    assert desk.ask(CANCEL) == (CANCEL | ANSWER, b"")
    assert desk.ask(POLL)[1] == bytes(2)


def test_a_pad_without_keys_says_so() -> None:
    desk = Desk(None)
    assert desk.ask(IDENTIFY)[1] == b"\1" + bytes(8)
    assert desk.ask(ASK, b"anything") == (REFUSED, b"\3")
    assert desk.pad.screen == "NO KEYS"


@pytest.mark.parametrize("payload", [b"", b"\0\x1e\x0b" + b"4" * 11 + b"\0", b"\0\x1e\x10abc"])
def test_what_cannot_be_read_is_refused(payload: bytes) -> None:
    desk = Desk(OneKey())
    assert desk.ask(ASK, payload) == (REFUSED, b"\2")
    assert desk.ask(0x55) == (REFUSED, b"\1")
    assert desk.pad.state is State.IDLE


@given(st.lists(st.binary(max_size=300), max_size=6))
@settings(max_examples=80)
def test_noise_does_nothing(chunks: list[bytes]) -> None:
    desk = Desk(OneKey())
    for chunk in chunks:
        desk.pad.receive(chunk)
        assert len(desk.pad._stream) <= 261
    # A beginning that the noise has made is completed by it, and then refused.
    desk.pad.receive(bytes(300))
    assert desk.ask(IDENTIFY)[0] == IDENTIFY | ANSWER


def test_keys_are_injected_once_and_never_used_twice(tmp_path: Path) -> None:
    seen = set()
    for _ in range(3):
        keys = PinPadKeys(tmp_path)
        for _ in range(3):
            ksn, key = keys.next_pin_key()
            seen.add((ksn, key))
            assert ksn[:8] == keys.key_id()
    assert len(seen) == 9
    base = base_key(tmp_path)
    for ksn, key in seen:
        transaction = dukpt.transaction_key(dukpt.initial_key(base, ksn[:8]), ksn)
        assert dukpt.working_key(transaction, ksn, dukpt.Usage.PIN_ENCRYPTION) == key


def test_the_bank_may_be_the_first_to_ask_for_the_base_key(tmp_path: Path) -> None:
    base = base_key(tmp_path)
    PinPadKeys(tmp_path).key_id()
    assert base_key(tmp_path) == base


def test_key_files_are_for_their_owner_only(tmp_path: Path) -> None:
    PinPadKeys(tmp_path).next_pin_key()
    folder = tmp_path / "pinpad"
    assert folder.stat().st_mode & 0o777 == 0o700
    files = [path for path in folder.iterdir() if path.name != ".lock"]
    assert {path.name for path in files} == {"base-key", "device"}
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


@pytest.mark.parametrize("name", ["base-key", "device"])
def test_a_damaged_key_file_is_named(tmp_path: Path, name: str) -> None:
    PinPadKeys(tmp_path).next_pin_key()
    (tmp_path / "pinpad" / name).write_bytes(b"xyz")
    with pytest.raises(KeysUnusable, match=name):
        base_key(tmp_path) if name == "base-key" else PinPadKeys(tmp_path).next_pin_key()
