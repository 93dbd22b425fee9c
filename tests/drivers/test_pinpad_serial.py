"""A PIN pad through the real library, at a pty, and all that goes wrong on the way."""

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import DeviceLost, DeviceNotReady, DeviceTimeout, OptionRefused
from drivers.pinpad_frames import BODY_BYTES_MAX, Frame, FrameReader
from drivers.pinpad_serial import SerialPinPad
from drivers.protocols import CardKey, EncryptedPin, Health, NoPin, PinTries
from simulators.bank.issuer.pin import Verdict, verify
from simulators.pinpad import PinPadKeys, PinPadSimulator, frames
from simulators.pinpad.entry import State
from simulators.pinpad.keys import base_key
from simulators.serial_line import Fault, SerialLine

PAN = "4111111111111111"


class Bench:
    """A driver, the pad it is plugged to, and a customer."""

    def __init__(self, home: Path, *, has_keys: bool = True) -> None:
        self.home = home
        self.now_s = 0.0
        keys = PinPadKeys(home) if has_keys else None
        self.sim = PinPadSimulator(keys, lambda size: bytes(range(size)), lambda: self.now_s)
        self.line = SerialLine(self.sim, home / "pad")
        self.pad = SerialPinPad(str(home / "pad"))
        self.heard: list[int] = []
        self.stop = threading.Event()
        self.waited = threading.Event()
        self.thread: threading.Thread | None = None

    def when_asked(self, deed: Callable[[], None]) -> None:
        """Have the customer do something once the pad asks."""

        def customer() -> None:
            assert self.line.wait_for(lambda: self.sim.state is State.ASKING, 10.0)
            deed()

        self.thread = threading.Thread(target=customer)
        self.thread.start()

    def type(self, keys: str) -> None:
        for key in keys:
            with self.line.changed:
                self.sim.press({"E": "enter", "X": "cancel"}.get(key, key))

    def ask(self, pan: str = PAN) -> EncryptedPin | NoPin:
        try:
            return self.pad.encrypted_pin(
                pan, 30.0, amount="CNY 12.50", on_digits=self.heard.append, stop=self.stop
            )
        finally:
            if self.thread is not None:
                self.thread.join(10.0)

    def close(self) -> None:
        self.pad.close()
        self.line.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def test_the_bank_opens_what_the_customer_entered(bench: Bench) -> None:
    for pin in ("1234", "987654"):
        bench.when_asked(lambda pin=pin: bench.type(pin + "E"))  # type: ignore[misc]
        sealed = bench.ask()
        assert isinstance(sealed, EncryptedPin)

        def answer(pan: str, guess: str, sealed: EncryptedPin = sealed) -> Verdict:
            key = base_key(bench.home)
            return verify(sealed.block, sealed.ksn, pan, base_key=key, pin=guess)

        assert answer(PAN, pin) is Verdict.CORRECT
        assert answer(PAN, "0000") is Verdict.WRONG
        assert answer("4012888888881881", pin) is Verdict.UNREADABLE


def test_the_till_is_told_how_many_digits_and_never_which(bench: Bench) -> None:
    told = threading.Event()
    bench.heard = Told(told)

    def customer() -> None:
        bench.type("80706")
        assert told.wait(10.0)
        bench.type("E")

    bench.when_asked(customer)
    sealed = bench.ask()
    assert isinstance(sealed, EncryptedPin)
    assert bench.heard == [5]
    assert "80706" not in repr(sealed) + repr(bench.pad) + repr(vars(bench.pad))
    assert sealed.block.hex() not in repr(sealed)


class Told(list[int]):
    """Notes that something was told."""

    def __init__(self, event: threading.Event) -> None:
        super().__init__()
        self._event = event

    def append(self, count: int) -> None:
        super().append(count)
        self._event.set()


# --- a PIN that the card checks --------------------------------------------------

CHALLENGE = bytes(range(8))


@pytest.fixture(scope="module")
def icc() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 1024)


def ask_for_card(bench: Bench, icc: rsa.RSAPrivateKey, tries: PinTries) -> bytes | NoPin:
    modulus = icc.public_key().public_numbers().n.to_bytes(128, "big")
    try:
        return bench.pad.card_pin(
            CardKey(modulus, 65537), CHALLENGE, 30.0, tries=tries, amount="CNY 1", stop=bench.stop
        )
    finally:
        if bench.thread is not None:
            bench.thread.join(10.0)


def test_only_the_card_opens_what_was_entered_for_it(bench: Bench, icc: rsa.RSAPrivateKey) -> None:
    """As Book 2, 7.2 has it: header, PIN block of format 2, challenge, padding."""
    bench.when_asked(lambda: bench.type("80706E"))
    data = ask_for_card(bench, icc, PinTries())

    assert isinstance(data, bytes)
    numbers = icc.private_numbers()
    opened = pow(int.from_bytes(data, "big"), numbers.d, numbers.public_numbers.n)
    clear = opened.to_bytes(128, "big")
    assert clear[:17] == b"\x7f" + bytes.fromhex("2580706FFFFFFFFF") + CHALLENGE
    assert "80706" not in repr(vars(bench.sim))


@pytest.mark.parametrize(
    ("tries", "screen"),
    [
        (PinTries(), "CNY 1\nPIN"),
        (PinTries(left=2, is_retry=True), "CNY 1\nWRONG. PIN"),
        (PinTries(left=1, is_retry=True), "CNY 1\nWRONG. LAST TRY. PIN"),
    ],
)
def test_the_customer_reads_how_many_tries_are_left(
    bench: Bench, icc: rsa.RSAPrivateKey, tries: PinTries, screen: str
) -> None:
    seen = []

    def customer() -> None:
        seen.append(bench.sim.screen)
        bench.type("X")

    bench.when_asked(customer)
    assert ask_for_card(bench, icc, tries) is NoPin.CANCELLED
    assert seen == [screen]


@pytest.mark.parametrize(("may_skip", "end"), [(True, NoPin.SKIPPED), (False, NoPin.CANCELLED)])
def test_a_pin_is_skipped_only_where_that_is_allowed(
    bench: Bench, icc: rsa.RSAPrivateKey, may_skip: bool, end: NoPin
) -> None:
    bench.when_asked(lambda: bench.type("EX"))
    assert ask_for_card(bench, icc, PinTries(may_skip=may_skip)) is end


def test_a_card_key_that_holds_no_pin_is_refused(bench: Bench) -> None:
    with pytest.raises(DeviceNotReady, match="cannot read"):
        bench.pad.card_pin(CardKey(b"\xff" * 16, 3), CHALLENGE, 30.0)


def test_the_customer_reads_the_amount(bench: Bench) -> None:
    seen: list[str] = []

    def customer() -> None:
        seen.append(bench.sim.screen)
        bench.type("X")

    bench.when_asked(customer)
    assert bench.ask() is NoPin.CANCELLED
    assert seen == ["CNY 12.50\nPIN"]


def test_a_customer_who_is_late_gives_no_pin(bench: Bench) -> None:
    bench.when_asked(lambda: setattr(bench, "now_s", 31.0))
    assert bench.ask() is NoPin.LATE


def test_the_cashier_can_end_it_from_another_thread(bench: Bench) -> None:
    bench.when_asked(bench.stop.set)
    assert bench.ask() is NoPin.STOPPED
    assert bench.sim.screen == "READY"


def test_a_pad_that_was_switched_off_is_told(bench: Bench) -> None:
    def switch_off_and_on() -> None:
        with bench.line.changed:
            bench.sim.receive(frames.build(0, 0x01))

    bench.when_asked(switch_off_and_on)
    with pytest.raises(DeviceTimeout, match="switched off"):
        bench.ask()


def test_ended_before_it_began_the_question_ends(bench: Bench) -> None:
    """The cashier's key may be faster than the pad."""
    bench.stop.set()
    assert bench.ask() is NoPin.STOPPED
    assert bench.sim.screen == "READY"


def test_a_pad_that_is_closed_asks_no_longer(bench: Bench) -> None:
    bench.when_asked(bench.pad.close)
    assert bench.ask() is NoPin.STOPPED
    assert bench.sim.screen == "READY"


def test_a_pad_without_keys_is_not_asked(tmp_path: Path) -> None:
    bench = Bench(tmp_path, has_keys=False)
    with pytest.raises(DeviceNotReady, match="keys"):
        bench.ask()
    assert bench.pad.diagnose().health is Health.FAULTY
    assert "inject" in bench.pad.diagnose().remedy
    bench.close()


def test_a_plug_pulled_while_the_customer_types_is_told(bench: Bench) -> None:
    bench.when_asked(bench.line.unplug)
    with pytest.raises(DeviceLost, match="unplugged"):
        bench.ask()
    assert bench.pad.diagnose().health is Health.ABSENT
    bench.line.plug()
    assert bench.pad.diagnose().health is Health.READY
    bench.when_asked(lambda: bench.type("1234E"))
    assert isinstance(bench.ask(), EncryptedPin)


def test_a_frame_lost_on_the_line_is_sent_again(bench: Bench) -> None:
    """Silence swallows requests; once it is over, the repetition is answered."""
    bench.line.break_with(Fault.SILENCE)

    def mend() -> None:
        assert bench.line.wait_for(lambda: bench.line.came >= 7, 10.0)
        bench.line.break_with(Fault.NONE)

    thread = threading.Thread(target=mend)
    thread.start()
    bench.when_asked(lambda: bench.type("1234E"))
    assert isinstance(bench.ask(), EncryptedPin)
    thread.join(10.0)


def test_silence_is_told(bench: Bench) -> None:
    bench.line.break_with(Fault.SILENCE)
    with pytest.raises(DeviceTimeout, match="switched on"):
        bench.ask()


def test_garbage_hints_at_the_speed(bench: Bench) -> None:
    bench.line.break_with(Fault.GARBAGE)
    with pytest.raises(DeviceTimeout, match="speed"):
        bench.ask()
    bench.line.break_with(Fault.NONE)
    bench.when_asked(lambda: bench.type("1234E"))
    assert isinstance(bench.ask(), EncryptedPin)


def test_a_healthy_pad_names_its_keys(bench: Bench) -> None:
    diagnosis = bench.pad.diagnose()
    assert diagnosis.health is Health.READY
    assert PinPadKeys(bench.home).key_id().hex().upper() in diagnosis.summary


@pytest.mark.parametrize("pan", ["", "41111111111", "4" * 20, "4111 1111 1111 1111"])
def test_what_is_no_card_number_is_refused_unrepeated(bench: Bench, pan: str) -> None:
    with pytest.raises(ValueError, match="card number") as refusal:
        bench.pad.encrypted_pin(pan, 1.0)
    assert not pan or pan not in str(refusal.value)


def test_seven_bits_are_refused() -> None:
    with pytest.raises(OptionRefused, match="data_bits"):
        SerialPinPad("/nowhere", data_bits=7)


# ---- frames --------------------------------------------------------------------

FRAMES = st.builds(
    Frame, st.integers(0, 255), st.integers(0, 255), st.binary(max_size=BODY_BYTES_MAX - 2)
)


def test_the_example_of_the_contract_is_right() -> None:
    text = (Path(__file__).parents[2] / "docs" / "pinpad-protocol.md").read_text()
    first, second = re.findall(r"^02 [0-9A-F ]+$", text, re.MULTILINE)
    identity = b"\1" + bytes.fromhex("1234567890123456")
    assert bytes.fromhex(first) == Frame(0, 0x01).encode() == frames.build(0, 0x01)
    assert bytes.fromhex(second) == frames.build(0, 0x81, identity)
    assert FrameReader().feed(bytes.fromhex(second)) == [Frame(0, 0x81, identity)]


@given(FRAMES, st.binary(max_size=40), st.data())
@settings(max_examples=80)
def test_a_frame_is_found_behind_noise_however_it_is_split(
    frame: Frame, noise: bytes, data: st.DataObject
) -> None:
    """The pad's own codec builds it; ours reads it, and the other way round."""
    noise = noise.replace(b"\x02", b"x")
    stream = noise + frames.build(frame.sequence, frame.type, frame.payload)
    assert stream == noise + frame.encode()
    cut = data.draw(st.integers(0, len(stream)))
    reader = FrameReader()
    assert reader.feed(stream[:cut]) + reader.feed(stream[cut:]) == [frame]
    assert list(frames.split(bytearray(stream))) == [(frame.sequence, frame.type, frame.payload)]


@given(FRAMES, st.integers(0, 2047))
@settings(max_examples=80)
def test_a_flipped_bit_is_noticed(frame: Frame, place: int) -> None:
    raw = bytearray(frame.encode())
    place %= 8 * len(raw)
    raw[place // 8] ^= 1 << place % 8
    assert frame not in FrameReader().feed(bytes(raw))


@given(st.lists(st.binary(max_size=600), max_size=5))
@settings(max_examples=80)
def test_memory_is_bounded_whatever_comes(chunks: list[bytes]) -> None:
    reader = FrameReader()
    for chunk in chunks:
        reader.feed(chunk)
        assert len(reader._held) <= BODY_BYTES_MAX + 5


def test_no_payload_is_in_the_name_of_a_frame() -> None:
    assert "4111" not in repr(Frame(1, 2, b"4111111111111111"))
