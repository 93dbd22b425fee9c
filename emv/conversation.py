"""What a kernel may ask for, and the answers it gets.

A kernel is a generator. It yields a command for the card or a question,
and is sent the reply; it never opens, sleeps, logs, or reads a clock.
Whoever pumps it throws LinkLost into it when the card's link fails.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TypeVar

from emv.errors import MalformedData
from emv.outcome import UserInterfaceRequest


@dataclass(frozen=True, slots=True)
class Command:
    """A C-APDU for the card; answered with a Reply."""

    encoded: bytes


@dataclass(frozen=True, slots=True)
class RandomBytes:
    """Fresh random bytes, as many as count; answered with bytes."""

    count: int


@dataclass(frozen=True, slots=True)
class OnExceptionFile:
    """Is this card on the terminal's exception file? Answered with a bool."""

    pan: str = field(repr=False)
    sequence_number: int | None


@dataclass(frozen=True, slots=True)
class Show:
    """A user-interface request in mid-conversation; answered with None."""

    request: UserInterfaceRequest


@dataclass(frozen=True, slots=True)
class Note:
    """A decision and the rule that made it, for the trace; answered with None.

    text: no card data in it. source: book and section.
    """

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Reply:
    """An R-APDU, and the time it took next to the wire."""

    data: bytes = field(repr=False)
    status: int
    elapsed_us: int

    @classmethod
    def parse(cls, response: bytes, elapsed_us: int) -> Reply:
        """Split the status word off. Raises MalformedData under 2 bytes."""
        if len(response) < 2:
            raise MalformedData(f"R-APDU of {len(response)} bytes has no status word")
        return cls(response[:-2], int.from_bytes(response[-2:], "big"), elapsed_us)


Request = Command | RandomBytes | OnExceptionFile | Show | Note
Answer = Reply | bytes | bool | None

T = TypeVar("T")
Kernel = Generator[Request, Answer, T]


def exchange(command: bytes) -> Kernel[Reply]:
    """Send the card a command and return its reply."""
    reply = yield Command(command)
    if not isinstance(reply, Reply):
        raise TypeError(f"a command was answered with {type(reply).__name__}")
    return reply


def fresh_bytes(count: int) -> Kernel[bytes]:
    """Return count fresh random bytes."""
    answer = yield RandomBytes(count)
    if not isinstance(answer, bytes) or len(answer) != count:
        raise TypeError(f"{count} random bytes were asked for and not given")
    return answer


def on_exception_file(pan: str, sequence_number: int | None) -> Kernel[bool]:
    """Return whether the card is on the exception file."""
    answer = yield OnExceptionFile(pan, sequence_number)
    if not isinstance(answer, bool):
        raise TypeError("the exception file question was not answered")
    return answer


def show(request: UserInterfaceRequest) -> Kernel[None]:
    """Have the reader show a message now."""
    yield Show(request)


def note(text: str, source: str) -> Kernel[None]:
    """Write a decision into the trace."""
    yield Note(text, source)
