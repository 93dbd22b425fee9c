"""Whatever happens to a reader, the till is ready for the next sale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from terminal.messages import Message
from terminal.states import FINAL, State
from terminal.view import Readiness

pytestmark = pytest.mark.wire

on = pytest.mark.parametrize


@on("stack", ["pcsc", "pcsc-usb", "pn532"], indirect=True)
@on("moment", ["idle", "armed", "in mid-tap"])
def test_a_reader_that_goes_and_comes_back_takes_the_next_sale(
    counter: Any, stack: Any, card: Any, moment: str
) -> None:
    """pcscd killed and started again; a cable pulled and put back."""
    attempt = ""
    if moment != "idle":
        attempt = counter.begin()
    if moment == "in mid-tap":
        slow = card(counter, "visa-online", "delay:20000@2")
        stack.front.present(slow)
        slow.wait()
    stack.pull()
    counter.until(lambda view: view.reader is not Readiness.READY)
    stack.front.remove()
    stack.plug()
    counter.until(lambda view: view.reader is Readiness.READY)
    if not attempt:
        attempt = counter.begin()
    stack.front.present(card(counter))

    assert counter.until_state(attempt, *FINAL).state is State.APPROVED


def test_two_readers_swapped_at_pcscd_keep_their_roles(
    open_counter: Any, over: Any, shop_file: Any, pcscd: Any, card: Any
) -> None:
    """It counts them in the order they were plugged in, and its count is in their names."""
    antenna, slot = over("pcsc-usb"), over("slot")
    counter = open_counter(file=shop_file(antenna, slot)).until_ready()
    attempt = counter.begin()
    pcscd.readers.reverse()
    pcscd.restart()
    counter.until(lambda view: view.reader is not Readiness.READY)
    counter.until(lambda view: view.reader is Readiness.READY)
    slot.front.present(card(counter))
    # It is heard in the slot, where an antenna's card is not taken.
    counter.until(lambda view: view.hint is Message.CARD_NOT_ACCEPTED)
    antenna.front.present(card(counter))

    assert counter.until_state(attempt, *FINAL).state is State.APPROVED


def test_two_serial_readers_swapped_are_read_at_the_place_they_are(
    open_counter: Any, over: Any, shop_file: Any, card: Any, tmp_path: Path
) -> None:
    left, right = over("pn532"), over("pn532-right")
    counter = open_counter(file=shop_file(left, right)).until_ready()
    attempt = counter.begin()
    for each in (left, right):
        each.pull()
    counter.until(lambda view: view.reader is not Readiness.READY)
    left.front.replug(tmp_path / right.name)
    right.front.replug(tmp_path / left.name)
    counter.until(lambda view: view.reader is Readiness.READY)
    for each in (left, right):
        each.front.present(card(counter))
        assert counter.until_state(attempt, *FINAL).state is State.APPROVED
        attempt = counter.begin(700)


@on("stack", ["pcsc", "udp", "pn532"], indirect=True)
def test_a_card_that_never_answers_leaves_the_till_ready(
    counter: Any, stack: Any, card: Any
) -> None:
    attempt = counter.begin()
    stack.front.present(card(counter, "visa-online", "silence:2"))
    counter.until(lambda view: view.hint is not None)
    stack.front.remove()
    stack.front.present(card(counter))

    assert counter.until_state(attempt, *FINAL).state is State.APPROVED
