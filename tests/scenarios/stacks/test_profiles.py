"""Every card and phone over each stack: a wire changes nothing about how they pay.

Each meets each stack, each amount meets each stack, and each card meets each
amount on one of them.
"""

from __future__ import annotations

from typing import Any

import pytest

from simulators.card import load_profiles as load_cards
from simulators.phone import load_profiles as load_phones
from simulators.phone import make_phone
from terminal.messages import Message
from terminal.states import FINAL
from terminal.view import Stage, View

ALL = ["pcsc", "udp", "pn532"]
AMOUNTS_MINOR = (15_000, 35_000, 150_000)
"""Below the floor limit of 200.00; above it; above the CVM limit of 1,000.00."""
END = ("state", "reason", "next_step", "response_code", "medium", "brand", "masked_pan", "aid")


def told(counter: Any, front: Any, held: Any, amount_minor: int) -> dict[str, Any]:
    """Take a sale; return what there is to say of it."""
    attempt = counter.begin(amount_minor)
    front.present(held)

    def is_decided(view: View) -> bool:
        # Whoever was asked to look at the phone taps again by himself.
        is_refused = view.hint is not None and view.hint is not Message.SEE_PHONE
        is_over = counter.till.payment(attempt).state in FINAL
        return is_over or is_refused or view.stage is Stage.PIN

    view = counter.until(is_decided)
    if view.hint is Message.TAP_AGAIN:
        # It tore itself away, and remembers that it did.
        front.present(held)
        view = counter.until(lambda view: is_decided(view) and view.hint is not Message.TAP_AGAIN)
    asked = view.stage is Stage.PIN
    if counter.till.payment(attempt).state not in FINAL:
        counter.till.cancel()
    front.remove()
    payment = counter.till.payment(attempt)
    return {"asked for a PIN": asked} | {name: getattr(payment, name) for name in END}


@pytest.mark.wire
@pytest.mark.slow
@pytest.mark.parametrize("stack", ALL, indirect=True)
def test_every_card_pays_as_it_does_without_a_wire(
    counter: Any, stack: Any, card: Any, open_counter: Any
) -> None:
    without = open_counter().until_ready()
    makers = [(card, name) for name in load_cards()]
    makers += [
        (lambda shop, name: make_phone(load_phones()[name], shop.home), name)
        for name in load_phones()
    ]
    for number, (make, name) in enumerate(makers):
        amount = AMOUNTS_MINOR[(number + ALL.index(stack.name)) % 3]
        plain = told(without, without.shop.reader, make(without, name), amount)
        assert told(counter, stack.front, make(counter, name), amount) == plain, (name, amount)
