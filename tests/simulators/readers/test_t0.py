"""A card behind T=0 answers as T=0 allows, whatever the link lets through."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv.transport import carry_apdu
from simulators.readers.t0 import T0Card
from simulators.responses import Answer, Response, Silent

OK = b"\x90\x00"


class Fixed:
    """A card that says one thing."""

    def __init__(self, response: Response) -> None:
        self.response = response
        self.commands: list[bytes] = []

    def power_up(self) -> None:
        self.commands.clear()

    def respond(self, command: bytes) -> Response:
        self.commands.append(command)
        return self.response

    def returns_after_s(self) -> float | None:
        return None


def said(card: T0Card, command: str) -> bytes:
    response = card.respond(bytes.fromhex(command))
    assert isinstance(response, Answer)
    return response.data


def test_data_waits_until_it_is_fetched() -> None:
    inner = Fixed(Answer(b"\x6f\x00" + OK))
    card = T0Card(inner)

    assert said(card, "00A40400023F00") == b"\x61\x02"
    assert said(card, "00C0000002") == b"\x6f\x00" + OK
    assert inner.commands == [bytes.fromhex("00A40400023F0000")]


def test_it_is_gone_after_any_other_command() -> None:
    card = T0Card(Fixed(Answer(b"\x6f\x00" + OK)))
    said(card, "00A40400023F00")
    said(card, "00B2010C02")

    # Not GET RESPONSE for what waited: a command like any other.
    assert said(card, "00C0000002") == b"\x6f\x00" + OK
    assert said(T0Card(Fixed(Answer(b"\x69\x85"))), "00C0000002") == b"\x69\x85"


def test_a_wrong_length_is_corrected() -> None:
    card = T0Card(Fixed(Answer(b"\x70\x01\xaa" + OK)))

    assert said(card, "00B2010C00") == b"\x6c\x03"
    assert said(card, "00B2010C03") == b"\x70\x01\xaa" + OK


@pytest.mark.parametrize("command", ["00A40400023F0000", "00A4040000000101", "00A40400053F00"])
def test_what_t0_cannot_carry_is_a_wrong_length(command: str) -> None:
    """vpcd would let it through: data and Le together, and extended lengths."""
    assert said(T0Card(Fixed(Answer(OK))), command) == b"\x67\x00"


def test_silence_is_passed_on() -> None:
    assert T0Card(Fixed(Silent())).respond(bytes.fromhex("00A40400")) == Silent()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=900), st.binary(max_size=255))
def test_the_layer_above_gets_every_answer_whole(data: bytes, sent: bytes) -> None:
    """emv.transport fetches in pieces what T=0 cannot bring at once."""
    card = T0Card(Fixed(Answer(data + OK)))
    length = bytes((len(sent),)) if sent else b""
    whole = run(card, b"\x80\xa8\x00\x00" + length + sent + b"\x00")

    # A card that was asked for 256 bytes and no more says no more.
    assert whole in (data + OK, data[:256] + OK)
    assert sent == b"" or whole == data + OK


def run(card: T0Card, command: bytes) -> bytes:
    """Carry a command as driver and transport do together."""
    link = carry_apdu(command)
    sending = next(link)
    while True:
        # The driver leaves Le out behind data.
        wire = sending[: 5 + sending[4]] if len(sending) > 5 else sending
        response = card.respond(wire)
        assert isinstance(response, Answer)
        try:
            sending = link.send(response.data)
        except StopIteration as finished:
            answer: bytes = finished.value
            return answer
