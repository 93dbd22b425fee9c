"""Faults on demand: any card, torn away, slow, silent or talking nonsense.

In words: 'tear-before:3' the card leaves before it hears command 3;
'tear-after:3' it has carried command 3 out, and its answer is lost;
'silence:3' it hears command 3 and says nothing; 'garbage:3' it answers with
noise; 'delay:200' each answer comes 200 ms late, 'delay:200@3' only that one.
Commands count from 1 at each entry into a field.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from simulators.card.errors import BadFault
from simulators.card.responses import Answer, AnyCard, Response, Silent, Torn

DELAY_MAX_MS = 600_000
GARBAGE_BYTES_MIN = 2
"""A reader's own protocol layer throws shorter answers away."""


class Verb(enum.Enum):
    """What goes wrong."""

    TEAR_BEFORE = "tear-before"
    TEAR_AFTER = "tear-after"
    SILENCE = "silence"
    GARBAGE = "garbage"
    DELAY = "delay"


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
        if self.verb is Verb.DELAY:
            return f"{self.verb.value}:{self.delay_ms}" + (f"@{self.at}" if self.at else "")
        return f"{self.verb.value}:{self.at}"


EXAMPLES = "tear-before:3, tear-after:3, silence:3, garbage:3, delay:200, delay:200@3"
_WORDS = re.compile(r"([a-z-]+):([0-9]{1,6})(?:@([0-9]{1,6}))?")


def parse_fault(words: str) -> Fault:
    """Read a fault from words. Raises BadFault, saying how they look."""
    found = _WORDS.fullmatch(words.strip())
    verbs = {verb.value: verb for verb in Verb}
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

    def __init__(
        self, card: AnyCard, faults: Iterable[Fault], random: Callable[[int], bytes]
    ) -> None:
        """random: makes the noise."""
        self._card = card
        self._faults = list(faults)
        self._random = random
        self._count = 0

    @property
    def pending(self) -> tuple[Fault, ...]:
        """The faults that have not struck yet, and those that stay."""
        return tuple(self._faults)

    def power_up(self) -> None:
        """Enter a field; commands count from 1 again."""
        self._count = 0
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
        data = self._noise() if Verb.GARBAGE in verbs else response.data
        delay_us = 1000 * sum(fault.delay_ms for fault in striking)
        return Answer(data, response.delay_us + delay_us)

    def _noise(self) -> bytes:
        """Return bytes that mean nothing, as many as chance will have it."""
        return self._random(GARBAGE_BYTES_MIN + self._random(1)[0])
