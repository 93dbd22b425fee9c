"""Every card reader keeps the promises of drivers.protocols.CardReader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from drivers.errors import CardRemoved, CommandRefused, DeviceLost, DeviceTimeout
from drivers.protocols import CardReader, Health, Interface, Signal, TellsGreeting
from simulators.responses import Answer, Silent, Torn

PING = bytes.fromhex("00A40400")
OK = b"\x90\x00"
LONG_S = 60.0
"""Longer than any test: whoever waits for it out has failed."""


@pytest.fixture
def beside() -> Iterator[Callable[[Callable[[], Any]], Future[Any]]]:
    """Run something in another thread; its result is waited for."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit


def test_it_says_what_it_is(rig: Any) -> None:
    as_promised: CardReader = rig.reader

    assert as_promised.interface is Interface.CONTACTLESS
    assert as_promised.diagnose().health is Health.READY


def test_without_a_card_the_time_runs_out(rig: Any) -> None:
    assert rig.reader.wait_for_card(0.05) is False
    with pytest.raises(CardRemoved):
        rig.reader.transceive(PING)


def test_a_card_is_powered_and_answers(rig: Any, scripted: Any) -> None:
    card = scripted(Answer(b"\x01\x90\x00"))
    rig.bring(card)
    powered = card.power_ups

    assert rig.reader.wait_for_card(0) is True
    response, elapsed_us = rig.reader.transceive(PING)
    assert response == b"\x01\x90\x00"
    assert card.commands == [PING]
    assert elapsed_us >= 0
    assert card.power_ups == powered >= 1


def test_whoever_waits_is_woken_by_the_card(rig: Any, scripted: Any, beside: Any) -> None:
    waiting = beside(lambda: rig.reader.wait_for_card(LONG_S))
    rig.front.present(scripted())

    assert waiting.result(LONG_S / 2) is True


@pytest.mark.parametrize("size", [0, 1, 250, 256, 1000, 4000])
def test_answers_of_any_size_arrive_whole(rig: Any, scripted: Any, size: int) -> None:
    data = bytes(number & 0xFF for number in range(size)) + OK
    rig.bring(scripted(Answer(data)))

    assert rig.reader.transceive(PING)[0] == data


@pytest.mark.parametrize("size", [4, 5, 255, 261, 600, 3000])
def test_commands_of_any_size_arrive_whole(rig: Any, scripted: Any, size: int) -> None:
    command = bytes(number & 0xFF for number in range(size))
    card = scripted()
    rig.bring(card)

    assert rig.reader.transceive(command)[0] == OK
    assert card.commands == [command]


@pytest.mark.parametrize("command", [b"", b"\x00", b"\x00\xa4\x04"])
def test_what_is_no_command_is_refused(rig: Any, scripted: Any, command: bytes) -> None:
    card = scripted()
    rig.bring(card)

    with pytest.raises(CommandRefused):
        rig.reader.transceive(command)
    assert rig.reader.transceive(PING)[0] == OK
    assert card.commands == [PING]


def test_a_slow_card_is_waited_for(rig: Any, scripted: Any) -> None:
    """Slower than the waiting time of its block, within the till's patience."""
    rig.bring(scripted(Answer(OK, delay_us=250_000), Answer(b"\x02\x90\x00")))

    response, elapsed_us = rig.reader.transceive(PING)
    assert response == OK
    assert elapsed_us >= 250_000
    assert rig.reader.transceive(PING)[0] == b"\x02\x90\x00"


def test_a_silent_card_is_a_timeout_and_the_next_one_is_read(rig: Any, scripted: Any) -> None:
    rig.bring(scripted(Silent()), stay=True)
    with pytest.raises(DeviceTimeout):
        rig.reader.transceive(PING)
    rig.reader.release()
    rig.front.remove()

    rig.bring(scripted(Answer(b"\x03\x90\x00")))
    assert rig.reader.transceive(PING)[0] == b"\x03\x90\x00"


def test_a_torn_card_is_gone_and_the_next_one_is_read(rig: Any, scripted: Any) -> None:
    rig.bring(scripted(Torn()))
    for _ in range(2):
        with pytest.raises(CardRemoved):
            rig.reader.transceive(PING)
    rig.reader.release()

    rig.bring(scripted(Answer(b"\x04\x90\x00")))
    assert rig.reader.transceive(PING)[0] == b"\x04\x90\x00"


def test_a_card_taken_away_in_mid_answer_is_removed(rig: Any, scripted: Any, beside: Any) -> None:
    card = scripted(Answer(OK, delay_us=30_000_000))
    rig.bring(card)
    talking = beside(lambda: rig.reader.transceive(PING))
    assert card.heard.wait(LONG_S)
    rig.front.remove()

    with pytest.raises(CardRemoved):
        talking.result(LONG_S / 2)


def test_a_card_that_left_between_commands_is_removed(rig: Any, scripted: Any) -> None:
    rig.bring(scripted())
    rig.reader.transceive(PING)
    rig.front.remove()

    with pytest.raises(CardRemoved):
        rig.reader.transceive(PING)
    rig.reader.release()
    assert rig.reader.wait_for_card(0.05) is False


def test_a_card_put_in_the_place_of_another_is_not_taken_for_it(rig: Any, scripted: Any) -> None:
    """An antenna cannot tell it from the first one that has fallen silent."""
    rig.bring(scripted(), stay=True)
    rig.reader.transceive(PING)
    rig.front.remove()
    other = scripted(Answer(b"\x05\x90\x00"))
    rig.front.present(other, stay=True)
    rig.wait_until_seen(other)

    with pytest.raises((CardRemoved, DeviceTimeout)):
        rig.reader.transceive(PING)
    assert other.commands == []
    assert rig.reader.wait_for_card(rig.detect_s)
    assert rig.reader.transceive(PING)[0] == b"\x05\x90\x00"


def test_a_card_leaves_when_it_is_released(rig: Any, scripted: Any) -> None:
    rig.bring(scripted())
    rig.reader.transceive(PING)
    rig.reader.release()
    rig.reader.release()

    assert rig.reader.wait_for_card(0.05) is False
    with pytest.raises(CardRemoved):
        rig.reader.transceive(PING)


def test_a_card_that_nobody_talked_to_stays_for_the_next_sale(rig: Any, scripted: Any) -> None:
    """The sale it came too late for switches the field off."""
    rig.bring(scripted())
    rig.reader.release()

    assert rig.reader.wait_for_card(rig.detect_s)
    assert rig.reader.transceive(PING)[0] == OK


def test_a_card_that_stays_is_powered_anew(rig: Any, scripted: Any) -> None:
    card = scripted()
    rig.bring(card, stay=True)
    rig.reader.transceive(PING)
    rig.reader.release()
    powered = card.power_ups

    assert rig.reader.wait_for_card(rig.detect_s) is True
    assert card.power_ups > powered
    assert rig.reader.transceive(PING)[0] == OK


def test_a_phone_that_asked_for_it_is_tapped_again(rig: Any, scripted: Any) -> None:
    phone = scripted(returns_s=0.3)
    rig.bring(phone)
    rig.reader.transceive(PING)
    rig.reader.release()

    assert rig.reader.wait_for_card(rig.detect_s) is True
    assert rig.reader.transceive(PING)[0] == OK


def test_signals_are_a_courtesy(rig: Any, scripted: Any) -> None:
    """They never raise, with a card and without, and the card hears nothing."""
    card = scripted()
    for signal in Signal:
        rig.reader.signal(signal)
    rig.bring(card)
    rig.reader.signal(Signal.DONE)

    assert rig.reader.transceive(PING)[0] == OK
    assert card.commands == [PING]


def test_a_closed_reader_is_lost(rig: Any) -> None:
    rig.reader.close()
    rig.reader.close()
    rig.reader.release()
    rig.reader.signal(Signal.OFF)

    with pytest.raises(DeviceLost):
        rig.reader.wait_for_card(0)
    with pytest.raises(DeviceLost):
        rig.reader.transceive(PING)


def test_closing_wakes_whoever_waits(rig: Any, beside: Any) -> None:
    waiting = beside(lambda: rig.reader.wait_for_card(LONG_S))
    rig.reader.close()

    with pytest.raises(DeviceLost):
        waiting.result(LONG_S / 2)


def test_every_sale_finds_the_reader_ready(rig: Any, scripted: Any) -> None:
    """One after the other, as customers come."""
    for number in range(3):
        rig.bring(scripted(Answer(bytes((number, 0x90, 0x00)))))
        assert rig.reader.transceive(PING)[0][0] == number
        rig.reader.release()


def test_a_reader_that_can_tells_how_its_card_introduced_itself(rig: Any, scripted: Any) -> None:
    reader = rig.reader
    if not isinstance(reader, TellsGreeting):
        assert not rig.is_wired
        return
    assert reader.greeting() == b""
    rig.bring(scripted(), stay=True)
    assert len(reader.greeting()) >= 4
    rig.reader.release()
    assert reader.greeting() == b""
