"""Relay resistance as kernel 2 has it: the card signs what was exchanged.

Source: EMV Contactless Book C-2, 3.10.
"""

from __future__ import annotations

from emv import tags
from emv.bits import AIP, TVR
from emv.conversation import Kernel
from emv.kernels.c2.session import Session
from emv.kernels.relay import measure


def resist_relay(session: Session) -> Kernel[None]:
    """Measure the card, and write what was found into the TVR.

    Raises CardRefused or MalformedData, as measure does.
    """
    limits = session.configuration.relay_resistance
    if limits is None:
        # Not in this kernel: both bits stay zero, "not supported".
        return
    if AIP.RELAY_RESISTANCE not in session.aip:
        session.tvr |= TVR.RELAY_RESISTANCE_NOT_PERFORMED
        return
    measurement = yield from measure(limits, "Book C-2, 3.10")
    # The card signs this number with its answer.
    session.terminal[tags.TAG_9F37_UNPREDICTABLE_NUMBER] = measurement.entropy
    session.relay_data = measurement.entropy + measurement.answer
    session.tvr |= measurement.findings
