"""Push through a real broker: a nudge for whom it is meant, and none believed or needed."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from simulators.bank.mosquitto import PrivateBroker
from simulators.bank.push import Nudger
from terminal.bank.broker import Broker
from terminal.bank.push import PushListener
from terminal.errors import PushUnavailable
from terminal.security.keys import TillKeys
from tests.terminal.news.conftest import Town

pytestmark = pytest.mark.wire

PATIENCE_S = 20.0


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """A bank's keys and a till's; nobody asks the bank here."""
    return Town(tmp_path_factory.mktemp("town"))


@pytest.fixture(scope="module")
def broker(town: Town) -> Iterator[PrivateBroker]:
    with PrivateBroker(town.place) as broker:
        yield broker


class Ear:
    """Whoever is nudged."""

    def __init__(self) -> None:
        self._heard: queue.SimpleQueue[None] = queue.SimpleQueue()

    def __call__(self) -> None:
        self._heard.put(None)

    def hear(self) -> None:
        self._heard.get(timeout=PATIENCE_S)

    @property
    def is_quiet(self) -> bool:
        return self._heard.empty()


@contextmanager
def listening(url: str, keys: TillKeys) -> Iterator[Ear]:
    ear = Ear()
    listener = PushListener(url, lambda: keys, ear, again_s=0.05)
    listener.start()
    try:
        yield ear
    finally:
        listener.close()


def test_a_till_hears_what_is_meant_for_it_or_for_all(town: Town, broker: PrivateBroker) -> None:
    with listening(broker.tills_url, town.keys) as ear, Nudger(broker.bank_url) as bank:
        ear.hear()  # It listens now: what was told before was missed.
        assert bank.hand_over("till-1")
        ear.hear()
        assert bank.hand_over("till-2")
        assert bank.hand_over("all")
        ear.hear()
        assert ear.is_quiet


def test_a_broker_that_was_away_is_found_again_and_the_till_asks(
    town: Town, broker: PrivateBroker
) -> None:
    with listening(broker.tills_url, town.keys) as ear:
        ear.hear()
        broker.stop()
        broker.start()
        ear.hear()
        with Nudger(broker.bank_url) as bank:
            assert bank.hand_over("till-1")
        ear.hear()


def test_a_till_may_listen_only_and_only_to_its_own(town: Town, broker: PrivateBroker) -> None:
    with listening(broker.tills_url, town.keys) as ear:
        ear.hear()
        mine = Broker(broker.tills_url, town.keys, lambda: None)
        mine._client.publish("opentill/till-1", b"ask", qos=1)
        mine.serve(0.2)
        mine.close()
        with Nudger(broker.bank_url) as bank:
            assert bank.hand_over("till-1")
        ear.hear()
        assert ear.is_quiet


def test_a_stranger_is_not_let_in_and_no_stranger_is_listened_to(
    town: Town, broker: PrivateBroker, tmp_path: Path
) -> None:
    stranger = Town(tmp_path)
    with pytest.raises(PushUnavailable):
        Broker(broker.tills_url, stranger.keys, lambda: None)
    with PrivateBroker(stranger.place) as other, pytest.raises(PushUnavailable, match="CERT"):
        Broker(other.tills_url, town.keys, lambda: None)


def test_no_broker_is_said_to_be_none(town: Town) -> None:
    with pytest.raises(PushUnavailable, match="refused"):
        Broker("mqtt://127.0.0.1:1", town.keys, lambda: None)
