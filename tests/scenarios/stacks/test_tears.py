"""Cards torn away at random, again and again, and then one that stays.

OPENTILL_SOAK=1 makes it a thousand over each stack; a test's name holds its
campaign, and OPENTILL_SEED chooses others.
"""

from __future__ import annotations

import os
import random
from typing import Any

import pytest

from terminal.states import FINAL, State

IS_SOAK = bool(os.environ.get("OPENTILL_SOAK"))
SEED = int(os.environ.get("OPENTILL_SEED", "20261124"))
CAMPAIGNS = range(34 if IS_SOAK else 1)
TEARS = 30
TEARS_IN_PROCESS = 1000


def tear(counter: Any, stack: Any, card: Any, chance: random.Random, count: int) -> None:
    attempt = counter.begin()
    for number in range(count):
        verb = chance.choice(["tear-before", "tear-after"])
        torn = card(counter, "visa-online", f"{verb}:{chance.randint(1, 3)}")
        stack.front.present(torn)
        torn.wait_until_torn()
        assert counter.till.payment(attempt).state is State.AWAITING_TENDER, f"tear {number}"
    stack.front.present(card(counter))

    assert counter.until_state(attempt, *FINAL).state is State.APPROVED
    assert counter.booked.net_minor()[attempt] == 1250


@pytest.mark.slow
@pytest.mark.parametrize("stack", ["in-process"], indirect=True)
def test_a_thousand_tears_leave_the_till_ready_for_the_card_that_stays(
    counter: Any, stack: Any, card: Any
) -> None:
    tear(counter, stack, card, random.Random(SEED), TEARS_IN_PROCESS)


@pytest.mark.slow
@pytest.mark.wire
@pytest.mark.parametrize("stack", ["pcsc", "udp", "pn532"], indirect=True)
@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_tears_on_a_wire_leave_the_till_ready_for_the_card_that_stays(
    counter: Any, stack: Any, card: Any, campaign: int
) -> None:
    tear(counter, stack, card, random.Random(f"{SEED} {campaign} {stack.name}"), TEARS)
