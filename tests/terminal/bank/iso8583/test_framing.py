"""Messages on a connection, cut anywhere."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal.bank.iso8583.framing import MESSAGE_BYTES_MAX, Frames, Routing
from terminal.errors import MalformedMessage

TPDU = bytes.fromhex("6000030017")
BACK = bytes.fromhex("6000170003")


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=5), st.integers(1, 40))
@settings(max_examples=60)
def test_messages_come_out_whole_however_they_were_cut(messages: list[bytes], step: int) -> None:
    stream = b"".join(Routing(TPDU, b"HEAD").wrap(message) for message in messages)
    frames = Frames()
    found = [
        frame
        for start in range(0, len(stream), step)
        for frame in frames.feed(stream[start : start + step])
    ]
    assert found == [TPDU + b"HEAD" + message for message in messages]


def test_an_answer_has_the_way_turned_round() -> None:
    assert Routing(TPDU).unwrap(BACK + b"answer") == b"answer"
    with pytest.raises(MalformedMessage, match="TPDU"):
        Routing(TPDU).unwrap(TPDU + b"answer")


def test_an_answer_without_a_message_is_refused() -> None:
    with pytest.raises(MalformedMessage, match="ends before"):
        Routing(TPDU, b"HEADER").unwrap(BACK + b"HEADER")


@pytest.mark.parametrize("length", [0, MESSAGE_BYTES_MAX + 1])
def test_a_length_that_no_message_has_ends_the_connection(length: int) -> None:
    with pytest.raises(MalformedMessage, match=f"of {length} bytes"):
        Frames().feed(length.to_bytes(2, "big"))


def test_nothing_too_long_is_sent() -> None:
    with pytest.raises(MalformedMessage, match="a message of"):
        Routing(TPDU).wrap(bytes(MESSAGE_BYTES_MAX))


def test_a_tpdu_of_another_length_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(ValueError, match="5 bytes"):
        Routing(b"\x60\x00")
