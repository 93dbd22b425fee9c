"""The relay resistance protocol: a card far away answers too late.

The times come with each reply, measured next to the wire; units of 100
microseconds throughout.

Source: EMV Contactless Book C-2, 3.10.
"""

from __future__ import annotations

from emv import tags, tlv
from emv.apdu import STATUS_OK, exchange_relay_resistance_data
from emv.bits import AIP, TVR
from emv.conversation import Kernel, exchange, fresh_bytes, note
from emv.errors import CardRefused, MalformedData
from emv.kernels.c2.configuration import RelayResistance
from emv.kernels.c2.session import Session

RETRIES_MAX = 2
RESPONSE_BYTES = 10
UNIT_US = 100
SOURCE = "Book C-2, 3.10"


def resist_relay(session: Session) -> Kernel[None]:
    """Measure the card, and write what was found into the TVR.

    Raises CardRefused or MalformedData for an answer that is none, or that
    comes sooner than the card itself thinks possible.
    """
    limits = session.configuration.relay_resistance
    if limits is None:
        # Not in this kernel: both bits stay zero, "not supported".
        return
    if AIP.RELAY_RESISTANCE not in session.aip:
        session.tvr |= TVR.RELAY_RESISTANCE_NOT_PERFORMED
        return
    for attempt in range(1 + RETRIES_MAX):
        entropy = yield from fresh_bytes(4)
        # The card signs this number with its answer; a new one each time.
        session.terminal[tags.TAG_9F37_UNPREDICTABLE_NUMBER] = entropy
        reply = yield from exchange(exchange_relay_resistance_data(entropy))
        if reply.status != STATUS_OK:
            raise CardRefused("EXCHANGE RELAY RESISTANCE DATA", reply.status)
        answer = _answer(reply.data)
        session.relay_data = entropy + answer
        least, most, estimated = (int.from_bytes(answer[at : at + 2], "big") for at in (4, 6, 8))
        measured = processing_time(reply.elapsed_us, estimated, limits)
        yield from note(
            f"relay resistance: {measured} measured, {least} to {most} announced "
            f"(units of {UNIT_US} us), try {attempt + 1}",
            SOURCE,
        )
        if measured < max(0, least - limits.grace_min):
            raise MalformedData("relay resistance: the card answered sooner than it can")
        if measured <= most + limits.grace_max:
            break
    else:
        session.tvr |= TVR.RELAY_TIME_LIMITS_EXCEEDED
    if is_inaccurate(measured, least, estimated, limits):
        session.tvr |= TVR.RELAY_THRESHOLD_EXCEEDED
    session.tvr |= TVR.RELAY_RESISTANCE_PERFORMED


def _answer(data: bytes) -> bytes:
    """Return entropy and the three times: minimum, maximum, estimated transmission."""
    nodes = tlv.decode(data)
    if [node.tag for node in nodes] != [tags.TAG_80_RESPONSE_FORMAT_1]:
        raise MalformedData("relay resistance: the answer is not one template 80")
    if len(nodes[0].value) != RESPONSE_BYTES:
        raise MalformedData(f"relay resistance: an answer of {len(nodes[0].value)} bytes")
    return nodes[0].value


def processing_time(elapsed_us: int, estimated: int, limits: RelayResistance) -> int:
    """Return what the card spent on its answer, without the time on the air."""
    on_air = limits.expected_command + min(estimated, limits.expected_response)
    return max(0, elapsed_us // UNIT_US - on_air)


def is_inaccurate(measured: int, least: int, estimated: int, limits: RelayResistance) -> bool:
    """True if both sides' times differ too much to measure a distance by.

    A side that states no transmission time, or a mismatch that it leaves
    out, is not compared.
    """
    expected, percent = limits.expected_response, limits.mismatch_threshold_percent
    if not estimated or not expected:
        return False
    return (
        100 * estimated < percent * expected
        or 100 * expected < percent * estimated
        or max(0, measured - least) > limits.accuracy_threshold
    )
