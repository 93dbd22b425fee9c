"""Faults on demand: any card, torn away, slow, silent or talking nonsense.

In words: 'tear-before:3' the card leaves before it hears command 3;
'tear-after:3' it has carried command 3 out, and its answer is lost;
'silence:3' it hears command 3 and says nothing; 'garbage:3' its answer claims
success and makes no sense; 'delay:200' each answer comes 200 ms late, 'delay:200@3' only that one;
'mute' a chip that does not start at all.
Commands count from 1 at each entry into a field.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass

from simulators.card.errors import BadFault
from simulators.responses import Answer, AnyCard, NoAnswerToReset, Response, Silent, Torn

DELAY_MAX_MS = 600_000


class Verb(enum.Enum):
    """What goes wrong."""

    TEAR_BEFORE = "tear-before"
    TEAR_AFTER = "tear-after"
    SILENCE = "silence"
    GARBAGE = "garbage"
    DELAY = "delay"
    MUTE = "mute"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong."""

    verb: Verb
    at: int | None
    """Which command since the field came on, from 1; None for each."""
    delay_ms: int = 0
    """For DELAY."""

    def __str__(self) -> str:
        """Return the words that parse_fault reads."""
        if self.verb is Verb.MUTE:
            return str(self.verb.value)
        if self.verb is Verb.DELAY:
            return f"{self.verb.value}:{self.delay_ms}" + (f"@{self.at}" if self.at else "")
        return f"{self.verb.value}:{self.at}"


EXAMPLES = "tear-before:3, tear-after:3, silence:3, garbage:3, delay:200, delay:200@3, mute"
_WORDS = re.compile(r"([a-z-]+):([0-9]{1,6})(?:@([0-9]{1,6}))?")


def parse_fault(words: str) -> Fault:
    """Read a fault from words. Raises BadFault, saying how they look."""
    if words.strip() == Verb.MUTE.value:
        return Fault(Verb.MUTE, None)
    found = _WORDS.fullmatch(words.strip())
    verbs = {verb.value: verb for verb in Verb if verb is not Verb.MUTE}
    if found is None or found[1] not in verbs:
        raise BadFault(f"'{words}' is no fault; they look like: {EXAMPLES}")
    verb, number = verbs[found[1]], int(found[2])
    at = int(found[3]) if found[3] else None
    if verb is Verb.DELAY:
        if number > DELAY_MAX_MS or at == 0:
            raise BadFault(f"'{words}': at most {DELAY_MAX_MS} ms, and commands count from 1")
        return Fault(verb, at, number)
    if at is not None or number == 0:
        raise BadFault(f"'{words}': {verb.value} takes one command number, from 1")
    return Fault(verb, number)


class FaultyCard:
    """A card with something wrong about it.

    A fault at one command strikes once, so that the customer's next try
    goes through; a delay of every answer stays.
    """

    def __init__(self, card: AnyCard, *faults: Fault) -> None:
        self._card = card
        self._faults = list(faults)
        self._count = 0

    @property
    def pending(self) -> tuple[Fault, ...]:
        """The faults that have not struck yet, and those that stay."""
        return tuple(self._faults)

    def power_up(self) -> None:
        """Enter a field; commands count from 1 again."""
        self._count = 0
        if any(fault.verb is Verb.MUTE for fault in self._faults):
            raise NoAnswerToReset
        self._card.power_up()

    def respond(self, command: bytes) -> Response:
        """Answer one C-APDU, or fail to."""
        self._count += 1
        striking = [fault for fault in self._faults if fault.at in (None, self._count)]
        self._faults = [fault for fault in self._faults if fault.at != self._count]
        verbs = {fault.verb for fault in striking}
        if Verb.TEAR_BEFORE in verbs:
            return Torn()
        response = self._card.respond(command)
        if Verb.TEAR_AFTER in verbs:
            return Torn()
        if Verb.SILENCE in verbs or not isinstance(response, Answer):
            return Silent() if Verb.SILENCE in verbs else response
        data = _garbage(response.data) if Verb.GARBAGE in verbs else response.data
        delay_us = 1000 * sum(fault.delay_ms for fault in striking)
        return Answer(data, response.delay_us + delay_us)

    def returns_after_s(self) -> float | None:
        """Return how soon its owner taps it again by himself; None if he does not."""
        return self._card.returns_after_s()


def _garbage(response: bytes) -> bytes:
    """Turn every bit of the data over, and call it a success.

    A wrong status word would only be a refusal; this has to be read.
    """
    return bytes(byte ^ 0xFF for byte in response[:-2]) + b"\x90\x00"


def with_faults(card: AnyCard, faults: Iterable[str]) -> AnyCard:
    """Return the card with faults given in words. Raises BadFault."""
    found = [parse_fault(words) for words in faults]
    return FaultyCard(card, *found) if found else card
