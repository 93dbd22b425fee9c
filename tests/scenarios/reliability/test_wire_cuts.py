"""The connection to the bank fails at every byte, in every way, under whole payments.

Each case is one sale through a real till, real TLS and a real bank: the wire
fails, is mended, and the till sees the payment through. OPENTILL_SOAK=1 takes
every byte; otherwise a few of each way.
"""

from __future__ import annotations

import itertools
import random
import re
from collections import Counter as Tally
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

import config
from terminal.states import FINAL, State
from tests.soak import size

RecordProperty = Callable[[str, object], None]

# A sale on a connection that is up: its request and its answer, in bytes of TLS.
REQUEST_BYTES = 2_000
ANSWER_BYTES = 1_100
# A connection that is not: the handshake is before them.
COLD_BYTES = 4_400
CASES_A_TEST = size(8, full=100)
NOISE = random.Random(0).randbytes(64)

WAYS = ("request", "answer")

Mangle = Callable[[bytes], bytes]
MANGLES: dict[str, Mangle] = {
    "altered": lambda rest: bytes([rest[0] ^ 1]) + rest[1:],
    "left out": lambda rest: rest[1:],
    "doubled": lambda rest: rest + rest,
    "reordered": lambda rest: rest[len(rest) // 2 :] + rest[: len(rest) // 2],
    "garbage": lambda rest: NOISE,
}


@dataclass(frozen=True)
class Case:
    """What happens to the wire, and after how many bytes."""

    way: str
    bytes_max: int
    is_warm: bool
    mangle: str = ""
    """Empty for a cut."""

    def befall(self, counter: Any) -> None:
        """Break the wire."""
        network = counter.shop.network
        if not self.is_warm:
            network.cut()
        if self.mangle:
            network.mangle_after(self.way, self.bytes_max, MANGLES[self.mangle])
        else:
            network.cut_after(self.way, self.bytes_max)


def cases() -> list[Case]:
    """Return every byte cut on a warm connection; every third on a cold one; and the mangled."""
    warm = [
        *(Case("request", place, True) for place in range(REQUEST_BYTES)),
        *(Case("answer", place, True) for place in range(ANSWER_BYTES)),
    ]
    cold = [Case(way, place, False) for way in WAYS for place in range(0, COLD_BYTES, 6)]
    mangled = [
        Case(way, place, is_warm, mangle)
        for way, is_warm, mangle in itertools.product(WAYS, (True, False), MANGLES)
        for place in range(0, REQUEST_BYTES if is_warm else COLD_BYTES, 97)
    ]
    return [*warm, *cold, *mangled]


CASES = cases()
TESTS = -(-len(CASES) // CASES_A_TEST)


@pytest.fixture
def quick(city: Any, open_counter: Any) -> Any:
    """A till with a reader and no other device, that waits a second for the bank."""
    home = city.new_home()
    file = city.shop_file(home, answer_s=1, connect_s=1)
    lines = file.read_text("utf-8")
    for role in ("scanners", "pin_pads", "printers", "displays"):
        lines = re.sub(rf"\[\[devices\.{role}\]\]\n(.+\n)*", "", lines)
    for name in re.findall(r'"([a-z_]+\.toml)"', lines):
        lines = lines.replace(f'"{name}"', f'"{config.BENCH.parent / name}"')
    file.write_text(lines, "utf-8")
    return open_counter(home, file=file).until_ready()


def see_through(counter: Any, befall: Callable[[], None]) -> Any:
    """Take a sale while that befalls the wire; mend it; return the payment at its end."""
    attempt = counter.begin()
    befall()
    counter.do("card:visa-online")
    counter.until_state(attempt, State.UNKNOWN, State.REVERSING, *FINAL)
    counter.shop.network.heal()
    return counter.until_final(attempt)


@pytest.mark.parametrize("first", range(size(1, full=TESTS)))
def test_a_wire_that_fails_at_any_byte_makes_no_payment_double(
    quick: Any, first: int, record_property: RecordProperty
) -> None:
    """Each test takes some of every kind."""
    share = CASES[first::TESTS]
    ends: Tally[State] = Tally()
    for case in share:
        if case.is_warm:
            quick.pay()
        end = see_through(quick, lambda case=case: case.befall(quick))  # type: ignore[misc]
        assert quick.booked.is_right(end), (case, end)
        ends[end.state] += 1

    record_property("cases", len(share))
    record_property("ends", {str(state): count for state, count in ends.items()})


def test_the_cuts_reach_behind_the_last_byte(quick: Any) -> None:
    """So none of a request or an answer is left out, nor of a handshake before them."""
    for is_warm, most in ((True, (REQUEST_BYTES, ANSWER_BYTES)), (False, (COLD_BYTES,) * 2)):
        quick.pay()
        if not is_warm:
            quick.shop.network.cut()
        quick.shop.network.heal()
        quick.pay()
        for way, bytes_max in zip(WAYS, most, strict=True):
            carried = max(each.carried[way] for each in quick.shop.network._connections)
            assert bytes_max / 2 < carried < bytes_max


@pytest.mark.parametrize("deliveries", [2, 3])
def test_a_request_that_arrives_again_is_paid_once_and_never_told_as_refused(
    quick: Any, city: Any, deliveries: int
) -> None:
    """A gateway before the bank repeats it, and gives back the last answer."""
    city.doorman.deliveries = deliveries
    attempt = quick.begin()
    quick.do("card:visa-online")
    quick.until_state(attempt, State.UNKNOWN)
    city.doorman.deliveries = 1

    assert quick.until_final(attempt).state is State.APPROVED
    assert quick.booked.transfers_of(attempt) == ["sale"]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_gateways_own_words_decide_nothing(quick: Any, city: Any, status: int) -> None:
    """The bank has booked the sale; what stands before it answers with a page."""

    def fail(letter: Any) -> Any:
        page = letter.with_body(b"<h1>Bad gateway</h1>").with_headers(
            b"signature", b"signature-input", b"content-digest", content_type="text/html"
        )
        return replace(page, status=status)

    city.doorman.alter = fail
    attempt = quick.begin()
    quick.do("card:visa-online")
    quick.until_state(attempt, State.UNKNOWN)
    city.doorman.alter = None

    assert quick.until_final(attempt).state is State.APPROVED
    assert quick.booked.transfers_of(attempt) == ["sale"]


@pytest.mark.parametrize("way", WAYS)
def test_bytes_that_come_one_by_one_do_not_hold_the_till_for_ever(quick: Any, way: str) -> None:
    """At this pace the exchange would take ten times what the till waits."""
    quick.pay()
    end = see_through(quick, lambda: quick.shop.network.drip(way, 0.01))
    assert quick.booked.is_right(end)
    assert end.state in (State.APPROVED, State.REVERSED)


def test_a_late_answer_changes_nothing_that_was_decided_since(quick: Any) -> None:
    """It is held on the wire until the till has asked, and been told."""
    quick.pay()
    attempt = quick.begin()
    network = quick.shop.network
    network.hold_after("answer", 0)
    quick.do("card:visa-online")
    quick.until_state(attempt, State.UNKNOWN)
    network.heal()

    assert quick.until_final(attempt).state is State.APPROVED
    assert quick.booked.transfers_of(attempt) == ["sale"]
