"""What nfcpy's readers and links can do to a till, done to it through nfcpy."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from drivers.errors import CardClash, DeviceLost, DeviceTimeout, DeviceUnavailable
from drivers.protocols import Health
from drivers.reader_nfc import NfcReader
from simulators.readers.iso_dep import Kind, Picc, Reaction
from simulators.readers.nfc_udp import NfcUdpCard
from simulators.readers.pn532 import Pn532
from simulators.responses import Answer, AnyCard

pytestmark = pytest.mark.wire

PING = bytes.fromhex("00A40400")
OK = b"\x90\x00"
LONG_S = 60.0
SEEN_S = 5.0


@pytest.fixture
def chip(tmp_path: Path) -> Iterator[Pn532]:
    """A PN532 by a name that stays."""
    made = Pn532(link=tmp_path / "reader")
    yield made
    made.close()


@pytest.fixture
def reader(chip: Pn532) -> Iterator[NfcReader]:
    opened = NfcReader(chip.path, silence_s=0.4)
    yield opened
    opened.close()


@pytest.fixture
def beside() -> Iterator[Callable[[Callable[[], Any]], Future[Any]]]:
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit


def on_udp(make_picc: Callable[[AnyCard], Picc] = Picc) -> tuple[NfcUdpCard, NfcReader]:
    front = NfcUdpCard(make_picc=make_picc)
    return front, NfcReader(front.path, silence_s=1.5)


@pytest.fixture
def udp() -> Iterator[Callable[..., tuple[NfcUdpCard, NfcReader]]]:
    made: list[tuple[NfcUdpCard, NfcReader]] = []

    def make(*args: Any) -> tuple[NfcUdpCard, NfcReader]:
        made.append(on_udp(*args))
        return made[-1]

    yield make
    for front, opened in made:
        opened.close()
        front.close()


# Two cards.


@pytest.mark.parametrize("kinds", [(Kind.A, Kind.A), (Kind.A, Kind.B)])
def test_two_cards_clash_and_one_alone_is_read(
    tmp_path: Path, scripted: Any, kinds: tuple[Kind, Kind]
) -> None:
    """Two of Type A, and one of each: the chip by itself picks one of them."""
    first, second = scripted(), scripted()
    of = {id(first): kinds[0], id(second): kinds[1]}
    uids = {id(first): bytes.fromhex("04A1B2C3"), id(second): bytes.fromhex("04D1E2F3A4B5C6")}
    chip = Pn532(
        make_picc=lambda card: Picc(
            card, kind=of.get(id(card), Kind.A), uid=uids.get(id(card), bytes(7))
        )
    )
    reader = NfcReader(chip.path)
    try:
        chip.present(first, second)
        with pytest.raises(CardClash):
            reader.wait_for_card(SEEN_S)
        reader.release()
        assert first.commands == second.commands == []
        chip.remove()

        chip.present(scripted(Answer(b"\x07" + OK)))
        assert reader.wait_for_card(SEEN_S)
        assert reader.transceive(PING)[0] == b"\x07" + OK
    finally:
        reader.close()
        chip.close()


# What cards may do that nfcpy does not expect.


@pytest.mark.parametrize("ats", ["01", "02 08", "02 78", "03 38 80", "04 28 71 55"])
def test_a_card_may_say_little_of_itself(udp: Any, scripted: Any, ats: str) -> None:
    """Without TA and TB nfcpy's own activation ends in an IndexError."""
    answer = bytes.fromhex(ats)
    size = 32 if ats == "01" else 256
    front, reader = udp(partial(Picc, answer_to_select=answer, frame_size=size, fwi=4))
    front.present(scripted(Answer(bytes(600) + OK)))

    assert reader.wait_for_card(SEEN_S)
    assert reader.transceive(PING)[0] == bytes(600) + OK


def test_a_card_that_asks_for_time_again_and_again_is_waited_for(udp: Any, scripted: Any) -> None:
    front, reader = udp(partial(Picc, fwi=3))
    front.present(scripted(Answer(OK, delay_us=900_000)))
    assert reader.wait_for_card(SEEN_S)

    response, elapsed_us = reader.transceive(PING)
    assert response == OK
    assert elapsed_us >= 900_000


def test_a_card_that_asks_for_time_for_ever_is_a_timeout(udp: Any, scripted: Any) -> None:
    front, reader = udp()
    front.present(scripted(Answer(OK, delay_us=60_000_000)), stay=True)
    assert reader.wait_for_card(SEEN_S)

    with pytest.raises(DeviceTimeout):
        reader.transceive(PING)


class Hasty(Picc):
    """A card that works longer than its waiting time and does not ask for more."""

    slow = True

    def receive(self, frame: bytes) -> Reaction:
        reaction = super().receive(frame)
        is_answer = reaction.frame is not None and frame[0] & 0xE2 == 0x02 and self.is_heard
        if is_answer and self.slow:
            self.slow = False
            return Reaction(reaction.frame, 120_000)
        return reaction


def test_a_card_late_without_asking_does_not_get_out_of_step(udp: Any, scripted: Any) -> None:
    """The reader's questions that it was deaf to are not answered afterwards."""
    front, reader = udp(partial(Hasty, fwi=7))
    card = scripted(Answer(b"\x01" + OK), Answer(b"\x02" + OK))
    front.present(card)
    assert reader.wait_for_card(SEEN_S)

    assert reader.transceive(PING)[0] == b"\x01" + OK
    assert reader.transceive(PING)[0] == b"\x02" + OK
    assert len(card.commands) == 2


def test_a_card_that_is_deaf_while_it_computes_does_not_get_out_of_step(
    udp: Any, scripted: Any
) -> None:
    """Two questions are on the wire by then: answering them too would be one answer too many."""
    front, reader = udp(partial(Picc, fwi=7))
    card = scripted(*(Answer(bytes((number,)) + OK) for number in range(4)))
    respond = card.respond

    def compute(command: bytes) -> Any:
        threading.Event().wait(0.1)
        return respond(command)

    card.respond = compute
    front.present(card)
    assert reader.wait_for_card(SEEN_S)

    assert [reader.transceive(PING)[0][0] for _ in range(4)] == [0, 1, 2, 3]
    assert len(card.commands) == 4


class Plain(Picc):
    """A card that does not speak ISO/IEC 14443-4: a transport or an access card."""

    def _select_a(self, frame: bytes) -> Reaction:
        reaction = super()._select_a(frame)
        return Reaction(b"\x08") if reaction.frame == b"\x20" else reaction


@pytest.mark.parametrize("link", ["udp", "pn532"])
def test_a_card_that_is_no_payment_card_is_passed_over(
    udp: Any, tmp_path: Path, scripted: Any, link: str
) -> None:
    if link == "udp":
        front, reader = udp(Plain)
        front.present(scripted())
        assert reader.wait_for_card(0.1) is False
        return
    chip = Pn532(make_picc=Plain)
    reader = NfcReader(chip.path)
    chip.present(scripted())
    assert reader.wait_for_card(0.1) is False
    reader.close()
    chip.close()


# A link that loses and spoils.


@pytest.mark.parametrize("link", ["udp", "pn532"])
@pytest.mark.parametrize("fault", ["spoil", "lose"])
def test_an_answer_lost_or_damaged_twice_is_asked_for_again(
    udp: Any, chip: Pn532, reader: NfcReader, scripted: Any, link: str, fault: str
) -> None:
    front, used = udp(partial(Picc, fwi=5)) if link == "udp" else (chip, reader)
    card = scripted(Answer(bytes(300) + OK), Answer(b"\x02" + OK))
    front.present(card)
    assert used.wait_for_card(SEEN_S)
    getattr(front, fault)(2)

    assert used.transceive(PING)[0] == bytes(300) + OK
    assert used.transceive(PING)[0] == b"\x02" + OK
    assert card.commands == [PING, PING]


# How soon a card is seen.


@pytest.mark.parametrize("kind", Kind)
def test_a_tap_on_udp_is_answered_in_the_poll_under_way(
    udp: Any, scripted: Any, beside: Any, kind: Kind
) -> None:
    """nfcpy's own poll waits a second for each kind of card."""
    front, reader = udp(partial(Picc, kind=kind))
    seen = []
    for _ in range(4):
        waiting = beside(lambda: (reader.wait_for_card(LONG_S), time.monotonic())[1])
        card = scripted()
        threading.Event().wait(0.3)
        held = time.monotonic()
        front.present(card)
        seen.append(waiting.result(LONG_S) - held)
        front.remove()
        reader.release()

    # The best of four: a busy machine may be late, a second's poll never is this early.
    assert min(seen) < 0.25


def test_without_a_card_the_wait_on_udp_ends_soon(udp: Any) -> None:
    """The till takes its reader off the air between two polls."""
    _, reader = udp()
    started = time.monotonic()
    reader.wait_for_card(0.05)

    assert time.monotonic() - started < 0.9


# The cable.


def test_unplugged_while_idle_and_replugged(chip: Pn532, reader: NfcReader, scripted: Any) -> None:
    chip.unplug()
    with pytest.raises(DeviceLost):
        reader.wait_for_card(0)
    reader.close()
    assert reader.diagnose().health is Health.ABSENT
    with pytest.raises(DeviceUnavailable, match="plug"):
        NfcReader(chip.path)

    chip.replug()
    again = NfcReader(chip.path)
    chip.present(scripted())
    assert again.wait_for_card(SEEN_S)
    again.close()


def test_unplugged_while_armed(chip: Pn532, reader: NfcReader, beside: Any) -> None:
    waiting = beside(lambda: reader.wait_for_card(LONG_S))
    chip.unplug()

    with pytest.raises(DeviceLost):
        waiting.result(LONG_S / 2)


def test_unplugged_in_mid_tap(chip: Pn532, reader: NfcReader, scripted: Any, beside: Any) -> None:
    card = scripted(Answer(OK, delay_us=30_000_000))
    chip.present(card)
    assert reader.wait_for_card(SEEN_S)
    talking = beside(lambda: reader.transceive(PING))
    assert card.heard.wait(LONG_S)
    chip.unplug()

    with pytest.raises(DeviceLost):
        talking.result(LONG_S / 2)


def test_a_reader_that_talks_nonsense_is_lost(chip: Pn532, reader: NfcReader) -> None:
    """nfcpy takes what it reads for whole frames, and its errors are of many kinds."""
    chip.babble()

    with pytest.raises(DeviceLost):
        reader.wait_for_card(1)


# Paths.


def test_a_device_file_anywhere_is_opened(chip: Pn532, reader: NfcReader) -> None:
    """nfcpy's own 'tty:' looks at names directly in /dev, and not at all of them."""
    assert Path(chip.path).is_symlink()
    assert reader.diagnose().health is Health.READY
    assert "PN532" in reader.diagnose().summary


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/dev/tty; rm -rf x", "use letters"),
        ("/dev/nothing-here", "plug it in"),
        ("udp:127.0.0.1:http", "invalid literal"),
        ("tty:NothingHere:pn532", "plug it in"),
        ("usb:ffff:ffff", "plug it in"),
    ],
)
def test_a_path_that_cannot_be_opened_is_named_with_a_step(path: str, says: str) -> None:
    with pytest.raises(DeviceUnavailable, match=says) as caught:
        NfcReader(path)
    assert path in str(caught.value)
