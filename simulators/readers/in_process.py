"""A card reader without a wire: simulated cards meet the till in one process."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from drivers.errors import (
    CardClash,
    CardMute,
    CardRemoved,
    CommandRefused,
    DeviceLost,
    DeviceTimeout,
)
from drivers.protocols import Diagnosis, Health, Interface, Signal
from simulators.readers.field import Field, Presented
from simulators.responses import Answer, AnyCard, NoAnswerToReset, Torn

COMMAND_BYTES_MIN = 4


class InProcessReader:
    """A reader that cards are presented to by a call, from any thread."""

    def __init__(
        self,
        *,
        interface: Interface = Interface.CONTACTLESS,
        silence_s: float = 5.0,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """silence_s: how long to wait for a silent card, in seconds.

        clock_ns: a clock that only goes forward, in nanoseconds.
        """
        self._interface = interface
        self._silence_s = silence_s
        self._clock_ns = clock_ns
        self._changed = threading.Condition()
        self._field = Field()
        self._is_plugged = True
        self._is_open = True
        self.signals: deque[Signal] = deque(maxlen=16)

    # What happens to the reader.

    def present(self, *cards: AnyCard, stay: bool = False) -> None:
        """Hold cards before the reader, all at once.

        Each leaves when the reader has done with it, and those that clash
        leave together; stay keeps them there until remove().
        """
        with self._changed:
            self._field.cards += [Presented(card, stay) for card in cards]
            self._changed.notify_all()

    def remove(self) -> None:
        """Take every card away, in the middle of a conversation too."""
        with self._changed:
            self._field = Field()
            self._changed.notify_all()

    def unplug(self) -> None:
        """Pull the reader's cable."""
        with self._changed:
            self._is_plugged = False
            self._field.active = None
            self._changed.notify_all()

    def replug(self) -> None:
        """Put the cable back; open() then works again."""
        with self._changed:
            self._is_plugged = True
            self._changed.notify_all()

    # What the terminal does with it: drivers.protocols.CardReader.

    def open(self) -> InProcessReader:
        """Return this reader, ready for use; also after close().

        Raises DeviceLost while it is unplugged.
        """
        with self._changed:
            if not self._is_plugged:
                raise DeviceLost("the simulated reader is unplugged")
            self._is_open = True
            return self

    @property
    def interface(self) -> Interface:
        """Antenna or slot."""
        return self._interface

    def wait_for_card(self, timeout_s: float) -> bool:
        """True once a card is active, False when the time is up.

        Raises CardClash if two cards answer, CardMute for a chip that does not
        start, DeviceLost if the reader is gone.
        """
        deadline_ns = self._clock_ns() + round(timeout_s * 1e9)
        with self._changed:
            while True:
                self._check_there()
                if self._field.active is not None:
                    return True
                now_ns = self._clock_ns()
                there = self._field.there(now_ns)
                if len(there) > 1:
                    raise CardClash(f"{len(there)} cards answer at once")
                if there:
                    self._start(there[0])
                    return True
                if now_ns >= deadline_ns:
                    return False
                next_ns = min([deadline_ns, *(each.due_ns for each in self._field.cards)])
                self._changed.wait((next_ns - now_ns) / 1e9)

    def transceive(self, command: bytes) -> tuple[bytes, int]:
        """Send a C-APDU; return the R-APDU and the time it took, in microseconds.

        The time is the card's own work and its delay, without this method's.
        Raises CardRemoved if the card left, DeviceTimeout if it is silent,
        DeviceLost if the reader is gone, CommandRefused for what is no command.
        """
        with self._changed:
            self._check_there()
            active = self._field.active
            if active is None:
                raise CardRemoved("no card is in the field")
            if len(command) < COMMAND_BYTES_MIN:
                raise CommandRefused(f"{len(command)} bytes are no command")
            started_ns = self._clock_ns()
            active.is_heard = True
            response = active.card.respond(command)
            if isinstance(response, Answer) and response.delay_us < self._silence_s * 1e6:
                self._hold(active, response.delay_us / 1e6)
                return response.data, (self._clock_ns() - started_ns) // 1000
            if isinstance(response, Torn):
                self._field.forget(active)
                raise CardRemoved("the card left while it was being talked to")
            self._hold(active, self._silence_s)
            raise DeviceTimeout(f"the card said nothing for {self._silence_s:g} s")

    def release(self) -> None:
        """Power the card down. Safe to call twice."""
        with self._changed:
            active, self._field.active = self._field.active, None
            now_ns = self._clock_ns()
            # A lone card that was never talked to has just arrived and stays.
            leaving: Sequence[Presented] = [active] if active and active.is_heard else []
            if active is None:
                there = self._field.there(now_ns)
                leaving = there if len(there) > 1 else []
            for one in leaving:
                self._field.done_with(one, now_ns)

    def signal(self, signal: Signal) -> None:
        """Keep what the lights and the buzzer said, for whoever looks."""
        self.signals.append(signal)

    def diagnose(self) -> Diagnosis:
        """Say how the reader is, without disturbing it."""
        with self._changed:
            if not self._is_plugged:
                return Diagnosis(
                    Health.ABSENT, "the simulated reader is unplugged", "Plug it in again"
                )
            count = len(self._field.cards)
            return Diagnosis(Health.READY, f"simulated reader, {count} cards before it")

    def close(self) -> None:
        """Let the reader go. Safe to call twice; open() takes it up again."""
        with self._changed:
            self._is_open = False
            self._field.active = None
            self._changed.notify_all()

    def _check_there(self) -> None:
        """Raise DeviceLost if nobody could use this reader now."""
        if not self._is_plugged:
            raise DeviceLost("the simulated reader is unplugged")
        if not self._is_open:
            raise DeviceLost("the simulated reader is closed")

    def _start(self, one: Presented) -> None:
        """Power a card up. Raises CardMute."""
        try:
            one.card.power_up()
        except NoAnswerToReset:
            # Whoever put it in sees that nothing happens, and takes it out.
            one.is_heard = True
            self._field.done_with(one, self._clock_ns())
            raise CardMute("the card in the slot does not start") from None
        self._field.active = one

    def _hold(self, active: Presented, seconds: float) -> None:
        """Let time pass while a card works; raise if card or reader go meanwhile."""
        gone = self._changed.wait_for(
            lambda: self._field.active is not active or not self._is_open, seconds
        )
        if gone:
            self._check_there()
            raise CardRemoved("the card left while it was being talked to")
