"""The relay resistance protocol: a card far away answers too late.

The times come with each reply, measured next to the wire; units of 100
microseconds throughout. Kernels 2 and 8 have it alike.

Source: EMV Contactless Book C-2, 3.10; Book C-8, relay resistance.
"""

from __future__ import annotations

from dataclasses import dataclass

from emv import tags, tlv
from emv.apdu import STATUS_OK, exchange_relay_resistance_data
from emv.bits import TVR
from emv.conversation import Kernel, exchange, fresh_bytes, note
from emv.errors import CardRefused, MalformedData

RETRIES_MAX = 2
RESPONSE_BYTES = 10
UNIT_US = 100


@dataclass(frozen=True, slots=True)
class RelayResistance:
    """How quickly a card must answer, in units of 100 microseconds.

    The defaults are often seen in the field; an acquirer measures its own
    reader. The tags are kernel 2's and kernel 8's.
    """

    grace_min: int = 20
    """How far below its announced minimum an answer may come; DF8132, 9F8213."""
    grace_max: int = 50
    """How far above its announced maximum an answer may come; DF8133, 9F8214."""
    expected_command: int = 18
    """What the command needs on the air; DF8134, 9F8215."""
    expected_response: int = 24
    """What the answer needs on the air; DF8135, 9F8216."""
    accuracy_threshold: int = 300
    """How far above the card's minimum is still accurate; DF8136, 9F8217."""
    mismatch_threshold_percent: int = 50
    """How alike both sides' transmission times must be; DF8137, 9F8218."""


USUAL_LIMITS = RelayResistance()


@dataclass(frozen=True, slots=True)
class Measurement:
    """What came of measuring a card."""

    entropy: bytes
    """The reader's four bytes, new at each try: the unpredictable number from now on."""
    answer: bytes
    """The card's four bytes and its three times, as it sent them."""
    findings: TVR
    """For byte 5 of the TVR, which both kernels write alike."""
    excess: int
    """How far above its announced maximum the card answered."""


def measure(limits: RelayResistance, source: str) -> Kernel[Measurement]:
    """Ask the card for its bytes, at most three times, until it is quick enough.

    source: the book, for the trace.
    Raises CardRefused or MalformedData for an answer that is none, or that
    comes sooner than the card itself thinks possible.
    """
    findings = TVR.RELAY_RESISTANCE_PERFORMED
    for attempt in range(1 + RETRIES_MAX):
        entropy = yield from fresh_bytes(4)
        reply = yield from exchange(exchange_relay_resistance_data(entropy))
        if reply.status != STATUS_OK:
            raise CardRefused("EXCHANGE RELAY RESISTANCE DATA", reply.status)
        answer = _answer(reply.data)
        least, most, estimated = (int.from_bytes(answer[at : at + 2], "big") for at in (4, 6, 8))
        measured = processing_time(reply.elapsed_us, estimated, limits)
        yield from note(
            "relay resistance: {measured} measured, {least} to {most} announced "
            "(units of {unit} us), try {attempt}",
            source,
            measured=measured,
            least=least,
            most=most,
            unit=UNIT_US,
            attempt=attempt + 1,
        )
        if measured < max(0, least - limits.grace_min):
            raise MalformedData("relay resistance: the card answered sooner than it can")
        if measured <= most + limits.grace_max:
            break
    else:
        findings |= TVR.RELAY_TIME_LIMITS_EXCEEDED
    if is_inaccurate(measured, least, estimated, limits):
        findings |= TVR.RELAY_THRESHOLD_EXCEEDED
    return Measurement(entropy, answer, findings, max(0, measured - most))


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
