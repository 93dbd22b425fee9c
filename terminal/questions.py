"""What a chip's kernel asks its holder in mid-conversation, on its way through the core.

The card waits in its slot meanwhile. What is decided comes back as a wish
for its reader; a PIN goes from the PIN pad to the card and never through here.
"""

from __future__ import annotations

from msgspec import Struct


class ChoiceWanted(Struct, frozen=True):
    """Which application of the card? A single one is to be agreed to."""

    names: tuple[str, ...]
    """As the holder knows them, the card's first choice in front."""


class PinWanted(Struct, frozen=True):
    """The card checks its holder's PIN itself."""

    kept: int
    """What the PIN worker has it under."""
    tries_left: int | None
    """As the card told; None if it did not."""
    is_retry: bool = False
    """The PIN before was wrong."""


class CardAsks(Struct, frozen=True):
    """A chip in a slot wants something of its holder."""

    arming: int
    reader: str
    """Its name."""
    question: ChoiceWanted | PinWanted


class CardSpeaks(Struct, frozen=True):
    """The language that a chip's holder is spoken to in, as its card prefers."""

    arming: int
    language: str
    """ISO 639 code, one of the till's."""


class ChoiceMade(Struct, frozen=True):
    """The holder has chosen an application, or agreed to the one."""

    place: int | None
    """Among those that were offered; None: none of them."""


class PinAnswered(Struct, frozen=True):
    """A PIN that the card checks is asked for no more; the card says what came of it."""

    asking: int


class AnswerCard(Struct, frozen=True):
    """Give the chip in a slot its holder's answer."""

    reader: str
    arming: int
    place: int | None = None
    """Of the application chosen; None: nothing was, and no PIN comes."""
