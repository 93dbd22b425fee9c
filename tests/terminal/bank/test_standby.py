"""Two addresses of one bank: the second is asked only what never left for the first."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from config.schema import Bank
from simulators.bank.service import BankServer
from simulators.faults import FaultProxy
from terminal.bank.client import VerifiedAnswer
from terminal.bank.dialects import Client, open_signed_client
from terminal.bank.messages import Echo, Reversal
from terminal.bank.standby import RETURN_S, StandbyClient
from terminal.errors import AnswerLost, NeverLeft
from terminal.seams import SystemClock

if TYPE_CHECKING:
    from tests.terminal.bank.conftest import Enrolled

ATTEMPT = "019b0000-0000-7000-8000-000000000001"


class Wall:
    """The machine's clock, and a monotonic one that is pushed."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def wall_ms(self) -> int:
        return SystemClock().wall_ms()


@pytest.fixture(scope="module")
def server(enrolled: Enrolled) -> Iterator[BankServer]:
    with BankServer(enrolled.place, time.time, os.urandom) as running:
        yield running


@pytest.fixture
def wires(server: BankServer) -> Iterator[tuple[FaultProxy, FaultProxy]]:
    port = int(server.url.rpartition(":")[2])
    with FaultProxy(port) as first, FaultProxy(port) as second:
        yield first, second


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def client(
    enrolled: Enrolled, wires: tuple[FaultProxy, FaultProxy], wall: Wall
) -> Iterator[Client]:
    def at(wire: FaultProxy) -> Client:
        url = f"https://localhost:{wire.port}"
        bank = Bank(url=url, server_name="localhost", connect_s=2, answer_s=2)
        return open_signed_client(bank, enrolled.keys, wall, os.urandom)

    opened = StandbyClient(at(wires[0]), at(wires[1]), wall)
    yield opened
    opened.close()


def is_heard(client: Client) -> bool:
    return isinstance(client.call(Echo()), VerifiedAnswer)


def test_the_standby_is_asked_when_the_first_is_not_reached(client: Client, wires: Any) -> None:
    wires[0].refuse()
    assert is_heard(client)


def test_neither_reached_nothing_left(client: Client, wires: Any) -> None:
    for wire in wires:
        wire.refuse()
    with pytest.raises(NeverLeft, match=str(wires[0].port)):
        client.call(Echo())


def test_what_may_have_left_is_never_said_at_the_other_address(client: Client, wires: Any) -> None:
    """The request goes out whole; its answer does not come back."""
    assert is_heard(client)
    wires[0].cut_after("answer", 0)
    wires[1].refuse()
    with pytest.raises(AnswerLost):
        client.call(Reversal(ATTEMPT, "no_answer"))


def test_the_first_is_tried_again_after_a_while(client: Client, wires: Any, wall: Wall) -> None:
    wires[0].refuse()
    assert is_heard(client)
    wires[0].heal()
    wires[1].refuse()
    assert is_heard(client), "the standby is gone meanwhile"
    wall.seconds += RETURN_S + 1
    assert is_heard(client)


def test_both_links_are_cut_by_close(client: Client) -> None:
    assert is_heard(client)
    client.close()
    with pytest.raises((NeverLeft, AnswerLost)):
        client.call(Echo())
