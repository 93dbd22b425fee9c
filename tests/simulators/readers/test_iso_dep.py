"""nfcpy's own activation and block protocol, as the judge of the simulated card.

The driver's block protocol is ours, and would share a misreading with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import nfc
import nfc.clf
import nfc.clf.pn532
import nfc.clf.transport
import nfc.tag
import pytest

from simulators.readers.iso_dep import Kind, Picc
from simulators.readers.nfc_udp import NfcUdpCard
from simulators.readers.pn532 import Pn532
from simulators.responses import Answer, AnyCard, Response

pytestmark = pytest.mark.wire

OK = b"\x90\x00"


class Reader:
    """A card that returns as many bytes as P1 P2 say, or how many it was sent."""

    def power_up(self) -> None:
        """Nothing to forget."""

    def respond(self, command: bytes) -> Response:
        size = int.from_bytes(command[2:4], "big")
        if command[1] == 0xB0:
            return Answer(bytes(number & 0xFF for number in range(size)) + OK)
        if command[1] == 0xF0:
            return Answer(OK, delay_us=size * 1000)
        return Answer(len(command).to_bytes(2, "big") + OK)

    def returns_after_s(self) -> float | None:
        return None


@pytest.fixture(params=["udp-A", "udp-B", "pn532-A", "pn532-B"])
def tag(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A simulated card as nfcpy has activated it."""
    link, _, letter = request.param.partition("-")
    make: partial[Picc] = partial(Picc, kind=Kind(letter), fwi=8)
    card: AnyCard = Reader()
    if link == "udp":
        front: NfcUdpCard | Pn532 = NfcUdpCard(make_picc=make)
        frontend = nfc.ContactlessFrontend(front.path)
    else:
        front = Pn532(make_picc=make)
        frontend = nfc.ContactlessFrontend()
        frontend.device = nfc.clf.pn532.init(nfc.clf.transport.TTY(front.path))
        frontend.device._path = front.path
    front.present(card, stay=True)
    target = frontend.sense(nfc.clf.RemoteTarget(f"106{letter}"))
    activated = nfc.tag.activate(frontend, target)
    assert activated is not None
    yield activated
    frontend.close()
    front.close()


@pytest.mark.parametrize("size", [0, 250, 253, 254, 1000, 4000])
def test_answers_are_chained_as_nfcpy_expects(tag: Any, size: int) -> None:
    answer = tag.transceive(bytes((0x00, 0xB0)) + size.to_bytes(2, "big") + b"\x00")

    assert bytes(answer) == bytes(number & 0xFF for number in range(size)) + OK


@pytest.mark.parametrize("size", [5, 250, 254, 600, 3000])
def test_commands_are_chained_as_nfcpy_sends_them(tag: Any, size: int) -> None:
    answer = tag.transceive(b"\x00\xda" + bytes(size - 2))

    assert bytes(answer) == size.to_bytes(2, "big") + OK


def test_more_time_is_asked_for_as_nfcpy_grants_it(tag: Any) -> None:
    assert bytes(tag.transceive(bytes.fromhex("00F0019000"))) == OK


def test_the_card_says_that_it_is_there(tag: Any) -> None:
    assert tag.is_present


def test_it_is_a_type_4_tag(tag: Any) -> None:
    assert type(tag).__name__ in ("Type4ATag", "Type4BTag")
