"""A counter that is opened behind the first screen."""

from __future__ import annotations

import threading

import pytest

from emv.errors import ConfigurationError
from terminal.checkout.counter import Counter, Media
from terminal.events import Arm, DeviceHealth, InboxEvent, TellCard
from terminal.questions import AnswerCard
from terminal.view import Readiness

PLACES = (("Reader", "reader"), ("Camera", "camera"))
WAIT_S = 10.0


class Recorder:
    """A worker that has no device: what is tested is when it is told what."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.armed = threading.Event()

    place = PLACES[0]

    def start(self) -> None:
        self.told.append("start")

    def arm(self, wish: Arm) -> None:
        self.told.append(f"arm {wish.arming}")
        self.armed.set()

    def disarm(self) -> None:
        self.told.append("disarm")

    def tell(self, wish: TellCard | AnswerCard) -> None:
        self.told.append("tell")

    def close(self) -> None:
        self.told.append("close")


def refuse(event: InboxEvent) -> None:
    pytest.fail(f"nothing was to be posted, and {event} was")


def arm(arming: int) -> Arm:
    return Arm(arming, "attempt", 1250, "CNY")


def test_a_sale_that_is_opened_while_the_kernels_load_finds_its_readers_armed() -> None:
    worker, loaded = Recorder(), threading.Event()

    def open_media() -> Media:
        assert loaded.wait(WAIT_S)
        return Media([worker], None)

    counter = Counter(PLACES, open_media, refuse)
    counter.start()
    counter.arm(arm(1))
    counter.disarm()
    counter.arm(arm(2))
    loaded.set()

    assert worker.armed.wait(WAIT_S)
    counter.close()
    assert worker.told == ["start", "arm 2", "close"]


def test_a_counter_that_closes_while_the_kernels_load_starts_nothing() -> None:
    worker, loaded, asked = Recorder(), threading.Event(), threading.Event()

    def open_media() -> Media:
        asked.set()
        assert loaded.wait(WAIT_S)
        return Media([worker], None)

    counter = Counter(PLACES, open_media, refuse)
    counter.start()
    assert asked.wait(WAIT_S)
    closer = threading.Thread(target=counter.close)
    closer.start()
    while not counter.is_closing:
        pass
    loaded.set()
    closer.join(WAIT_S)

    assert worker.told == []


def test_rules_that_cannot_be_followed_leave_every_device_faulty_and_say_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    posted: list[InboxEvent] = []

    def open_media() -> Media:
        raise ConfigurationError("CA key A000000003/92: its SHA-1 does not fit")

    counter = Counter(PLACES, open_media, posted.append)
    counter.start()
    counter.close()

    assert posted == [DeviceHealth(name, role, Readiness.FAULTY) for name, role in PLACES]
    assert "A000000003/92" in caplog.text


def test_a_till_without_a_counter_opens_nothing() -> None:
    counter = Counter((), lambda: pytest.fail("nothing was to be opened"), refuse)
    counter.start()
    counter.close()
    assert counter.places == ()
