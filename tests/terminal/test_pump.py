"""The pump carries commands over any reader, waiting data and lengths included."""

from __future__ import annotations

import pytest

from drivers.errors import CardRemoved, DeviceLost, DeviceTimeout
from emv.conversation import Command, Kernel, Reply
from emv.errors import LinkLost, MalformedData
from simulators.readers.in_process import InProcessReader
from simulators.responses import Answer, Response, Silent, Torn
from terminal.checkout.pump import Answers, carry, converse

SELECT = bytes.fromhex("00A40400023F0000")
OK = b"\x90\x00"


class Script:
    """A card that says one thing after the other."""

    def __init__(self, *responses: Response) -> None:
        self.responses = list(responses)
        self.commands: list[str] = []

    def power_up(self) -> None:
        self.commands.clear()

    def respond(self, command: bytes) -> Response:
        self.commands.append(command.hex().upper())
        return self.responses.pop(0)

    def returns_after_s(self) -> float | None:
        return None


def reader_with(card: Script) -> InProcessReader:
    reader = InProcessReader(silence_s=0.01)
    reader.present(card, stay=True)
    assert reader.wait_for_card(0)
    return reader


def ask(command: bytes) -> Kernel[Reply | str]:
    """A kernel of one command; what the link does to it is its outcome."""
    try:
        reply = yield Command(command)
    except LinkLost as lost:
        return str(lost)
    assert isinstance(reply, Reply)
    return reply


def talk(reader: InProcessReader) -> Reply | str:
    answers = Answers(lambda count: bytes(count), lambda pan, number: False, print, print)
    return converse(ask(SELECT), reader, answers)


def test_waiting_data_is_fetched_and_a_length_corrected() -> None:
    card = Script(Answer(b"\x61\x04"), Answer(b"\x6c\x03"), Answer(b"\x01\x02\x03" + OK))
    reply = talk(reader_with(card))

    assert isinstance(reply, Reply)
    assert (reply.data, reply.status) == (b"\x01\x02\x03", 0x9000)
    assert card.commands == [SELECT.hex().upper(), "00C0000004", "00C0000003"]


def test_the_time_is_that_of_every_exchange() -> None:
    card = Script(Answer(b"\x61\x01", delay_us=3000), Answer(b"\x01" + OK, delay_us=4000))

    assert carry(SELECT, reader_with(card))[1] >= 7000


def test_a_card_that_never_ends_is_malformed() -> None:
    with pytest.raises(MalformedData):
        carry(SELECT, reader_with(Script(*[Answer(b"\x00\x61\x01")] * 600)))


@pytest.mark.parametrize(("response", "error"), [(Torn(), CardRemoved), (Silent(), DeviceTimeout)])
def test_a_lost_card_in_the_middle_of_fetching_is_a_lost_link(
    response: Response, error: type[Exception]
) -> None:
    with pytest.raises(error):
        carry(SELECT, reader_with(Script(Answer(b"\x61\x04"), response)))
    assert isinstance(talk(reader_with(Script(Answer(b"\x61\x04"), response))), str)


def test_a_lost_reader_is_no_affair_of_the_kernel() -> None:
    reader = reader_with(Script())
    reader.unplug()

    with pytest.raises(DeviceLost):
        talk(reader)
