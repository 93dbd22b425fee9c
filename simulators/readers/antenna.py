"""The air before a contactless reader: which cards answer in it now."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from simulators.readers.errors import ReaderSimulatorError
from simulators.readers.field import Field, Presented
from simulators.readers.iso_dep import Picc
from simulators.responses import AnyCard

MakePicc = Callable[[AnyCard], Picc]


class Antenna:
    """Cards that are held there and taken away, from any thread."""

    def __init__(
        self, make_picc: MakePicc, cards_max: int, clock_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        """make_picc: what a card is like on the air. cards_max: what the link can show."""
        self._make_picc = make_picc
        self._cards_max = cards_max
        self._clock_ns = clock_ns
        self._piccs: dict[Presented, Picc] = {}
        self._field = Field()
        self.changed = threading.Condition()
        self.is_open = True

    def present(self, *cards: AnyCard, stay: bool = False) -> None:
        """Hold cards there, all at once; each leaves when it has been read, unless it stays.

        Raises ReaderSimulatorError for more than the link can show.
        """
        if not 1 <= len(cards) <= self._cards_max:
            raise ReaderSimulatorError(f"{len(cards)} cards: this link shows {self._cards_max}")
        with self.changed:
            self._field.cards += [Presented(card, stay) for card in cards]
            self.changed.notify_all()

    def remove(self) -> None:
        """Take every card away, in the middle of a conversation too."""
        with self.changed:
            self._field = Field()
            self.changed.notify_all()

    def close(self) -> None:
        """Nobody holds anything there any longer."""
        with self.changed:
            self.is_open = False
            self.changed.notify_all()

    def there(self) -> list[tuple[Presented, Picc]]:
        """Return the cards that are in the field now, in the order they came."""
        with self.changed:
            there = self._field.there(self._clock_ns())
            self._piccs = {
                one: self._piccs.get(one) or self._make_picc(one.card) for one in self._field.cards
            }
            return [(one, self._piccs[one]) for one in there]

    def hear(
        self, one: Presented, picc: Picc, frame: bytes, work: Callable[[float], bool]
    ) -> bytes | None:
        """Have a card hear a frame; return its answer, if one comes.

        work: waits while the card works, in seconds, if only for none; False
        if that was in vain.
        """
        reaction = picc.receive(frame)
        with self.changed:
            one.is_heard = one.is_heard or picc.is_heard
            one.is_silent = one.is_silent or reaction.is_silent
            if reaction.has_left:
                self._field.forget(one)
        if not work(reaction.after_us / 1e6):
            return None
        return None if self.is_gone(one) else reaction.frame

    def power_off(self) -> None:
        """The reader's field goes off: whoever was read takes his card away."""
        with self.changed:
            self._field.power_off(self._clock_ns())
            for picc in self._piccs.values():
                picc.power_off()

    def is_gone(self, one: Presented) -> bool:
        """Whether a card, or everything, was taken away."""
        with self.changed:
            return not self.is_open or one not in self._field.cards
