"""The in-process reader keeps the promises of drivers.protocols.CardReader."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import pytest

from drivers.errors import CardClash, CardRemoved, DeviceLost, DeviceTimeout
from drivers.protocols import CardReader, Health, Interface
from simulators.card import Answer, Response, Silent, Torn
from simulators.readers.in_process import InProcessReader

PING = bytes.fromhex("00A40400")
LONG_S = 60.0
"""Longer than any test: whoever waits for it out has failed."""

T = TypeVar("T")


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now_ns = 1_000

    def __call__(self) -> int:
        return self.now_ns

    def move(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


class Scripted:
    """A card that answers the same thing always."""

    def __init__(
        self,
        response: Response | None = None,
        *,
        work: Callable[[], None] = lambda: None,
        returns_s: float | None = None,
    ) -> None:
        self.response: Response = response or Answer(b"\x90\x00")
        self.fields = 0
        self.heard = threading.Event()
        self._work = work
        self._returns_s = returns_s

    def power_up(self) -> None:
        self.fields += 1

    def respond(self, command: bytes) -> Response:
        assert command == PING
        self.heard.set()
        self._work()
        return self.response

    def returns_after_s(self) -> float | None:
        return self._returns_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reader(clock: Clock) -> InProcessReader:
    return InProcessReader(silence_s=0.01, clock_ns=clock)


@pytest.fixture
def live() -> InProcessReader:
    """With the machine's own clock, for whoever waits."""
    return InProcessReader(silence_s=LONG_S)


@pytest.fixture
def beside() -> Iterator[Callable[[Callable[[], T]], Future[T]]]:
    """Run something in another thread; its result is waited for."""
    with ThreadPoolExecutor(2) as pool:
        yield pool.submit


def test_it_is_a_card_reader(reader: InProcessReader) -> None:
    as_promised: CardReader = reader

    assert as_promised.interface is Interface.CONTACTLESS
    assert as_promised.diagnose().health is Health.READY


def test_a_contact_slot_says_so() -> None:
    assert InProcessReader(interface=Interface.CONTACT).interface is Interface.CONTACT


def test_without_a_card_the_time_runs_out(reader: InProcessReader) -> None:
    assert reader.wait_for_card(0) is False


def test_a_presented_card_is_powered_once_and_answers(reader: InProcessReader) -> None:
    card = Scripted(Answer(b"\x01\x90\x00"))
    reader.present(card)

    assert reader.wait_for_card(0) is True
    assert reader.wait_for_card(0) is True
    assert card.fields == 1
    assert reader.transceive(PING)[0] == b"\x01\x90\x00"


def test_whoever_waits_is_woken_by_the_card(live: InProcessReader, beside: Callable) -> None:  # type: ignore[type-arg]
    waiting = beside(lambda: live.wait_for_card(LONG_S))
    live.present(Scripted())

    assert waiting.result(LONG_S / 2) is True


def test_the_time_is_the_card_s_own(reader: InProcessReader, clock: Clock) -> None:
    reader.present(Scripted(work=lambda: clock.move(0.0123)))
    reader.wait_for_card(0)

    assert reader.transceive(PING) == (b"\x90\x00", 12_300)


def test_a_delay_is_waited_for() -> None:
    reader = InProcessReader()
    reader.present(Scripted(Answer(b"\x90\x00", delay_us=2_000)))
    reader.wait_for_card(0)

    assert reader.transceive(PING)[1] >= 2_000


def test_a_delay_beyond_patience_is_silence(reader: InProcessReader) -> None:
    reader.present(Scripted(Answer(b"\x90\x00", delay_us=20_000_000)))
    reader.wait_for_card(0)

    with pytest.raises(DeviceTimeout, match=r"0\.01 s"):
        reader.transceive(PING)


def test_silence_is_a_timeout_and_the_card_is_still_there(reader: InProcessReader) -> None:
    card = Scripted(Silent())
    reader.present(card)
    reader.wait_for_card(0)
    with pytest.raises(DeviceTimeout):
        reader.transceive(PING)

    card.response = Answer(b"\x90\x00")
    assert reader.transceive(PING)[0] == b"\x90\x00"


def test_a_torn_card_is_gone(reader: InProcessReader) -> None:
    reader.present(Scripted(Torn()))
    reader.wait_for_card(0)

    for _ in range(2):
        with pytest.raises(CardRemoved):
            reader.transceive(PING)
    assert reader.wait_for_card(0) is False


def test_a_card_that_comes_back_after_a_tear_is_kept_by_release(reader: InProcessReader) -> None:
    """Its owner is quicker than the till."""
    reader.present(Scripted(Torn()))
    reader.wait_for_card(0)
    with pytest.raises(CardRemoved):
        reader.transceive(PING)
    reader.present(Scripted())
    reader.release()

    assert reader.wait_for_card(0) is True


def test_two_cards_clash_and_leave_together(reader: InProcessReader) -> None:
    first, second = Scripted(), Scripted()
    reader.present(first, second)

    with pytest.raises(CardClash, match="2 cards"):
        reader.wait_for_card(0)
    reader.release()
    assert reader.wait_for_card(0) is False
    assert first.fields + second.fields == 0


def test_two_cards_that_stay_clash_until_removed(reader: InProcessReader) -> None:
    reader.present(Scripted(), Scripted(), stay=True)
    for _ in range(2):
        with pytest.raises(CardClash):
            reader.wait_for_card(0)
        reader.release()
    reader.remove()

    assert reader.wait_for_card(0) is False


def test_a_card_leaves_when_it_is_released(reader: InProcessReader) -> None:
    reader.present(Scripted())
    reader.wait_for_card(0)
    reader.transceive(PING)
    reader.release()
    reader.release()

    assert reader.wait_for_card(0) is False
    with pytest.raises(CardRemoved):
        reader.transceive(PING)


def test_a_card_that_stays_is_powered_anew(reader: InProcessReader) -> None:
    card = Scripted()
    reader.present(card, stay=True)
    for _ in range(2):
        assert reader.wait_for_card(0) is True
        reader.release()

    assert card.fields == 2


def test_release_leaves_a_card_that_was_not_read_yet(reader: InProcessReader) -> None:
    reader.present(Scripted())
    reader.release()

    assert reader.wait_for_card(0) is True


def test_a_phone_that_asked_for_it_is_tapped_again(reader: InProcessReader, clock: Clock) -> None:
    phone = Scripted(returns_s=1.5)
    reader.present(phone)
    reader.wait_for_card(0)
    reader.transceive(PING)
    reader.release()

    assert reader.wait_for_card(0) is False
    clock.move(1.5)
    assert reader.wait_for_card(0) is True
    assert phone.fields == 2


def test_whoever_waits_is_woken_by_the_second_tap(live: InProcessReader) -> None:
    live.present(Scripted(returns_s=0.001))
    live.wait_for_card(0)
    live.transceive(PING)
    live.release()

    assert live.wait_for_card(LONG_S) is True


def test_a_second_tap_that_nobody_waited_for_does_not_pay_the_next_sale(
    reader: InProcessReader, clock: Clock
) -> None:
    reader.present(Scripted(returns_s=1.5))
    reader.wait_for_card(0)
    reader.transceive(PING)
    reader.release()
    clock.move(12)

    assert reader.wait_for_card(0) is False


def test_a_card_taken_away_in_mid_answer_is_removed(
    live: InProcessReader,
    beside: Callable,  # type: ignore[type-arg]
) -> None:
    card = Scripted(Silent())
    live.present(card)
    live.wait_for_card(0)
    talking = beside(lambda: live.transceive(PING))
    card.heard.wait(LONG_S)
    live.remove()

    with pytest.raises(CardRemoved):
        talking.result(LONG_S / 2)


def test_a_reader_unplugged_in_mid_answer_is_lost(
    live: InProcessReader,
    beside: Callable,  # type: ignore[type-arg]
) -> None:
    card = Scripted(Answer(b"\x90\x00", delay_us=30_000_000))
    live.present(card)
    live.wait_for_card(0)
    talking = beside(lambda: live.transceive(PING))
    card.heard.wait(LONG_S)
    live.unplug()

    with pytest.raises(DeviceLost):
        talking.result(LONG_S / 2)


def test_whoever_waits_learns_that_the_reader_is_gone(
    live: InProcessReader,
    beside: Callable,  # type: ignore[type-arg]
) -> None:
    waiting = beside(lambda: live.wait_for_card(LONG_S))
    live.unplug()

    with pytest.raises(DeviceLost):
        waiting.result(LONG_S / 2)


def test_an_unplugged_reader_is_lost_until_it_is_replugged(reader: InProcessReader) -> None:
    reader.present(Scripted(), stay=True)
    reader.wait_for_card(0)
    reader.unplug()

    for use in (lambda: reader.wait_for_card(0), lambda: reader.transceive(PING), reader.open):
        with pytest.raises(DeviceLost):
            use()
    assert reader.diagnose().health is Health.ABSENT
    assert reader.diagnose().remedy
    reader.release()
    reader.close()
    reader.replug()
    assert reader.open().wait_for_card(0) is True


def test_a_closed_reader_can_be_opened_again(reader: InProcessReader) -> None:
    reader.close()
    reader.close()
    with pytest.raises(DeviceLost):
        reader.wait_for_card(0)

    assert reader.open() is reader
    assert reader.wait_for_card(0) is False


def test_closing_wakes_whoever_waits(live: InProcessReader, beside: Callable) -> None:  # type: ignore[type-arg]
    waiting = beside(lambda: live.wait_for_card(LONG_S))
    live.close()

    with pytest.raises(DeviceLost):
        waiting.result(LONG_S / 2)
