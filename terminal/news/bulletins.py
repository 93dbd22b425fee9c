"""What the bank wants its cashiers to read: fetched, shown until it was read, shown once.

On disk is only how far somebody has read; the rest is asked for again.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta

from terminal.errors import AnswerLost
from terminal.security.files import write_file

if TYPE_CHECKING:
    from terminal.bank.dialects import SignedClient

READ: Final = "bulletins-read"
PATH: Final = "/v1/bulletins"


class Bulletin(msgspec.Struct, frozen=True):
    """One message of the bank's, by a number that rises."""

    number: Annotated[int, Meta(ge=1, le=999_999_999)]
    text: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z")]


class _Told(msgspec.Struct, frozen=True):
    bulletins: tuple[Bulletin, ...]


def fetch(client: SignedClient, after: int) -> tuple[Bulletin, ...]:
    """Return what comes after this number, in its order; () if the bank has no more.

    Raises NeverLeft, AnswerLost.
    """
    from terminal.bank.exchange import Refusal

    answer = client.ask(PATH, {"after": str(after)})
    if isinstance(answer, Refusal):
        raise AnswerLost(f"the bank gives no messages: {answer.detail}")
    try:
        told = msgspec.convert(answer, _Told).bulletins
    except msgspec.ValidationError as error:
        raise AnswerLost(f"the bank's messages: {error}") from None
    numbers = [each.number for each in told]
    if numbers != sorted(set(numbers)) or any(number <= after for number in numbers):
        raise AnswerLost("the bank's messages are out of their order")
    return told


def read_through(folder: Path) -> int:
    """Return the number that was read last; 0 if none was.

    A file that is damaged counts as none: what was read is shown once more.
    """
    try:
        return int((folder / READ).read_text("ascii", "replace"))
    except (FileNotFoundError, ValueError):
        return 0


def note_read(folder: Path, number: int) -> None:
    """Put on disk that somebody has read this one, and those before it. Raises OSError."""
    write_file(folder / READ, str(number).encode("ascii"))
