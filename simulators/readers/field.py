"""What is held before a reader, and when it leaves. Whoever asks says what time it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulators.responses import AnyCard

SECOND_TAP_NS = 10_000_000_000
"""How long an owner who was asked to tap again holds it there for nothing."""


@dataclass(slots=True, eq=False)
class Presented:
    """A card in the field, or one whose owner is about to tap it again."""

    card: AnyCard
    stays: bool
    due_ns: int = 0
    """Not in the field before this, by the reader's clock."""
    until_ns: int | None = None
    """Gone after this; None: waits for the reader as long as it takes."""
    is_heard: bool = False
    """It has been talked to since it came."""
    is_mute: bool = False
    """It did not start when it got power."""
    is_silent: bool = False
    """It owes an answer: its owner is still waiting for something to happen."""


@dataclass(slots=True)
class Field:
    """What is before the antenna, or in the slot."""

    cards: list[Presented] = field(default_factory=list)
    active: Presented | None = None

    def there(self, now_ns: int) -> list[Presented]:
        """Return the cards that answer now; those that waited in vain have left."""
        self.cards = [
            each for each in self.cards if each.until_ns is None or now_ns <= each.until_ns
        ]
        return [each for each in self.cards if each.due_ns <= now_ns]

    def next_due_ns(self) -> int | None:
        """Return when the next card is tapped; None if nobody is about to."""
        return min((each.due_ns for each in self.cards), default=None)

    def forget(self, one: Presented) -> None:
        """Take one card away, wherever it is. By identity: a card may lie there twice."""
        self.cards = [each for each in self.cards if each is not one]
        if self.active is one:
            self.active = None

    def done_with(self, one: Presented, now_ns: int) -> None:
        """The reader has done with a card: its owner takes it away, or taps it again soon."""
        if self.active is one:
            self.active = None
        one.is_heard = one.is_silent = False
        after_s = one.card.returns_after_s()
        if after_s is not None:
            one.due_ns = now_ns + round(after_s * 1e9)
            one.until_ns = one.due_ns + SECOND_TAP_NS
        elif not one.stays:
            self.forget(one)

    def power_off(self, now_ns: int) -> None:
        """The reader's field, or the slot's power, goes off.

        Whoever was talked to takes his card away. One that owes an answer is
        held for another try: a reader that looks whether it is still there
        must find it.
        """
        for one in self.there(now_ns):
            if one.is_silent:
                one.is_silent = False
            elif one.is_heard:
                self.done_with(one, now_ns)
