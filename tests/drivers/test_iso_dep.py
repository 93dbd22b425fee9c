"""The block protocol brings each command through once, over a link that loses and spoils.

The card's side is the simulator's, which nfcpy's own block protocol checks in
tests/simulators/readers/test_iso_dep.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.iso_dep import Fault, Initiator, LinkBroken, Parameters
from simulators.readers.iso_dep import Kind, Picc
from simulators.responses import Answer, Response

OK = b"\x90\x00"
BY_FWI = 4096 / 13.56e6


class Echo:
    """A card that says what it heard, and counts."""

    def __init__(self, delay_us: int = 0) -> None:
        self.heard: list[bytes] = []
        self._delay_us = delay_us

    def power_up(self) -> None:
        self.heard.clear()

    def respond(self, command: bytes) -> Response:
        self.heard.append(command)
        return Answer(command + OK, self._delay_us)

    def returns_after_s(self) -> float | None:
        return None


class Air:
    """Carries frames between both sides; time is counted, not waited for."""

    def __init__(self, picc: Picc, faults: Sequence[str] = ()) -> None:
        self._picc = picc
        self._faults = list(faults)
        self.frames: list[bytes] = []

    def activate(self) -> Initiator:
        if self._picc.kind is Kind.A:
            for frame in ("26", "9320"):
                part = self._picc.receive(bytes.fromhex(frame)).frame
            assert part is not None
            self._picc.receive(b"\x93\x70" + part)
            second = self._picc.receive(b"\x95\x20").frame
            if second is not None:
                self._picc.receive(b"\x95\x70" + second)
            ats = self._picc.receive(b"\xe0\x80").frame
            assert ats is not None
            return Initiator(Parameters.of_ats(ats))
        atqb = self._picc.receive(bytes.fromhex("050000")).frame
        assert atqb is not None
        assert self._picc.receive(b"\x1d" + atqb[1:5] + bytes.fromhex("00080100")).frame == b"\x00"
        return Initiator(Parameters.of_atqb(atqb))

    def carry(self, initiator: Initiator, command: bytes) -> bytes:
        exchange = initiator.exchange(command)
        frame, wait_s = next(exchange)
        while True:
            try:
                frame, wait_s = exchange.send(self._over(frame, wait_s))
            except StopIteration as finished:
                answer: bytes = finished.value
                return answer

    def _over(self, frame: bytes, wait_s: float) -> bytes | Fault:
        self.frames.append(frame)
        fault = self._faults.pop(0) if self._faults else ""
        if fault == "request lost":
            return Fault.TIMEOUT
        reaction = self._picc.receive(frame)
        if reaction.frame is None:
            return Fault.TIMEOUT
        assert reaction.after_us / 1e6 < wait_s, "the card takes more time than it asked for"
        if fault == "answer lost":
            return Fault.TIMEOUT
        return Fault.DAMAGED if fault == "answer damaged" else reaction.frame


FAULTS = st.lists(
    # At most two in a row: that is how often both sides try again.
    st.tuples(
        st.lists(st.sampled_from(["request lost", "answer lost", "answer damaged"]), max_size=2),
        st.integers(1, 3),
    ),
    max_size=12,
).map(lambda runs: [fault for run, whole in runs for fault in (*run, *[""] * whole)])


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(Kind),
    size=st.sampled_from([16, 32, 64, 128, 256]),
    uid=st.sampled_from([bytes.fromhex("04A1B2C3"), bytes.fromhex("04A1B2C3D4E5F6")]),
    commands=st.lists(st.binary(min_size=4, max_size=700), min_size=1, max_size=4),
    delay_us=st.sampled_from([0, 0, 50_000, 400_000, 3_000_000]),
    faults=FAULTS,
)
def test_each_command_is_heard_once_and_answered_whole(
    kind: Kind,
    size: int,
    uid: bytes,
    commands: list[bytes],
    delay_us: int,
    faults: list[str],
) -> None:
    card = Echo(delay_us)
    air = Air(Picc(card, kind=kind, uid=uid, frame_size=size), faults)
    initiator = air.activate()

    for command in commands:
        assert air.carry(initiator, command) == command + OK
    assert card.heard == commands
    assert max(map(len, air.frames)) <= size - 2


@pytest.mark.parametrize("fwi", [8, 12, 14])
def test_three_lost_answers_are_the_end_whatever_the_waiting_time(fwi: int) -> None:
    """Slow cards get as many tries as others."""
    air = Air(Picc(Echo(), fwi=fwi), ["answer lost"] * 3)
    with pytest.raises(LinkBroken) as caught:
        air.carry(air.activate(), b"\x00\xa4\x04\x00")
    assert caught.value.fault is Fault.TIMEOUT
    assert len(air.frames) == 3

    second = Air(Picc(Echo(), fwi=fwi), ["answer lost"] * 2)
    assert second.carry(second.activate(), b"\x00\xa4\x04\x00").endswith(OK)


def test_more_time_may_be_asked_for_in_the_middle_of_a_chained_answer() -> None:
    exchange = Initiator(Parameters.of_ats(bytes.fromhex("0578807002"))).exchange(
        b"\x00\xa4\x04\x00"
    )
    next(exchange)

    assert exchange.send(b"\x12first")[0] == b"\xa3"
    frame, wait_s = exchange.send(b"\xf2\x03")
    assert (frame, wait_s > 3 * BY_FWI * 2**7) == (b"\xf2\x03", True)
    with pytest.raises(StopIteration) as finished:
        exchange.send(b"\x03 last")
    assert finished.value.value == b"first last"


@pytest.mark.parametrize(
    ("ats", "frame_size", "fwi", "sfgi"),
    [
        ("06 78 80 71 02 80", 256, 7, 1),
        ("05 72 80 40 02", 32, 4, 0),
        ("01", 32, 4, 0),  # Nothing but its length.
        ("02 08", 256, 4, 0),  # No TA, TB, TC: legal, and nfcpy fails on it.
        ("03 28 B3", 256, 11, 3),  # TB alone.
        ("02 78", 256, 4, 0),  # Promises three bytes and has none.
        ("03 38 80", 256, 4, 0),
        ("03 2F F0", 256, 4, 0),  # Values reserved for future use.
        ("", 32, 4, 0),
    ],
)
def test_an_answer_to_select_may_leave_out_what_it_likes(
    ats: str, frame_size: int, fwi: int, sfgi: int
) -> None:
    """Source: ISO/IEC 14443-4:2018, 5.2."""
    parameters = Parameters.of_ats(bytes.fromhex(ats))

    assert parameters.frame_size == frame_size
    assert parameters.waiting_s == pytest.approx(BY_FWI * 2**fwi)
    assert parameters.guard_s == pytest.approx(BY_FWI * 2**sfgi if sfgi else 0)


@given(st.binary(max_size=12))
def test_any_answer_to_select_is_read(noise: bytes) -> None:
    parameters = Parameters.of_ats(noise)

    assert 16 <= parameters.frame_size <= 256
    assert parameters.waiting_s < 5


@settings(deadline=None)
@given(st.lists(st.binary(max_size=6), max_size=40))
def test_no_card_keeps_the_reader_in_a_chain_or_makes_it_crash(blocks: list[bytes]) -> None:
    """A hostile card says anything; the exchange ends, or goes on asking."""
    exchange = Initiator(Parameters.of_ats(b"")).exchange(b"\x00\xa4\x04\x00")
    next(exchange)
    for block in blocks:
        try:
            frame, wait_s = exchange.send(block)
        except (StopIteration, LinkBroken):
            return
        assert frame
        assert wait_s > 0
