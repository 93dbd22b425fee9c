"""What comes back from a card, or does not; and what every simulated card can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """An R-APDU: data, then 2 status bytes."""

    data: bytes
    delay_us: int = 0
    """How long the card keeps the reader waiting for it, in microseconds."""


@dataclass(frozen=True, slots=True)
class Torn:
    """The card left the field before its answer arrived."""


@dataclass(frozen=True, slots=True)
class Silent:
    """The card is there and says nothing."""


Response = Answer | Torn | Silent


class NoAnswerToReset(Exception):
    """The card gets power and stays mute."""


class AnyCard(Protocol):
    """A card, a phone, or either with a fault: bytes in, a response out."""

    def power_up(self) -> None:
        """Enter a field: nothing is selected, no transaction is open.

        Raises NoAnswerToReset if the card does not start.
        """

    def respond(self, command: bytes) -> Response:
        """Answer one C-APDU."""

    def returns_after_s(self) -> float | None:
        """Return how soon its owner taps it again by himself; None if he does not."""
