"""Asks for a PIN that the bank will check: a card is kept here until it has one.

The PIN pad enciphers the PIN; the till only carries the block, under the
card's seal, and keeps neither once they are handed on.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from drivers.errors import DeviceNotReady, DriverError
from drivers.protocols import EncryptedPin, NoPin, PinPad
from terminal.checkout.card_facts import encode_record, pan_of
from terminal.checkout.worker import CLOSE_S
from terminal.events import AskPin, InboxEvent, PinDigits, PinEnded, PinEntered
from terminal.messages import Message

log = logging.getLogger(__name__)

PAN_DIGITS_MIN = 12
PAN_DIGITS_MAX = 19

_REASONS = {
    NoPin.CANCELLED: Message.PIN_CANCELLED,
    NoPin.LATE: Message.PIN_LATE,
    # Whoever stopped it no longer listens.
    NoPin.STOPPED: Message.PIN_CANCELLED,
}


class Seal(Protocol):
    """Attempt, card data and PIN to a JWE only the bank can open."""

    def __call__(self, attempt: str, record: bytes, pin: EncryptedPin, /) -> str:
        """Seal them."""


@dataclass(slots=True)
class _Question:
    """One customer who is asked."""

    wish: AskPin
    record: Mapping[int, bytes] = field(repr=False)
    stop: threading.Event = field(default_factory=threading.Event)


class PinWorker:
    """Owns the PIN pad. All its calls return at once, from any thread."""

    def __init__(
        self,
        open_pad: Callable[[], PinPad],
        amount_text: Callable[[int, str], str],
        seal: Seal,
        post: Callable[[InboxEvent], None],
    ) -> None:
        """amount_text: minor units and currency as the customer reads them, in ASCII."""
        self._open_pad = open_pad
        self._amount_text = amount_text
        self._seal = seal
        self._post = post
        self._pad: PinPad | None = None
        self._lock = threading.Lock()
        self._kept: dict[int, Mapping[int, bytes]] = {}
        self._numbers = itertools.count(1)
        self._question: _Question | None = None
        self._questions: queue.SimpleQueue[_Question | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="pin-worker", daemon=True)

    def start(self) -> None:
        """Begin to take questions."""
        self._thread.start()

    def keep(self, record: Mapping[int, bytes]) -> int:
        """Keep a card's data until a PIN is asked for; return the number it is kept under.

        Of two readers' cards the first one counts, and only the core knows which.
        """
        with self._lock:
            number = next(self._numbers)
            self._kept[number] = record
            return number

    def ask(self, wish: AskPin) -> None:
        """Ask the customer, and forget every other card; the end comes as one event."""
        with self._lock:
            record = self._kept.get(wish.kept)
            self._kept.clear()
            if record is not None:
                self._question = _Question(wish, record)
                self._questions.put(self._question)
                return
        log.error("a PIN was to be asked for a card that is not kept")
        self._end(wish, Message.CARD_UNREADABLE)

    def end(self) -> None:
        """Ask no longer, and forget every card."""
        with self._lock:
            self._kept.clear()
            if self._question is not None:
                self._question.stop.set()

    def close(self) -> None:
        """Let the pad go. Safe to call twice."""
        self.end()
        self._questions.put(None)
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    def _run(self) -> None:
        while (question := self._questions.get()) is not None:
            try:
                self._carry_out(question)
            except DeviceNotReady as error:
                log.warning("PIN pad: %s", error)
                self._end(question.wish, Message.PIN_PAD_NOT_READY)
            except DriverError as error:
                log.warning("PIN pad: %s", error)
                self._end(question.wish, Message.PIN_PAD_LOST)
            with self._lock:
                if self._question is question:
                    self._question = None
            # Nothing of the card stays behind while the next one is awaited.
            del question
        if self._pad is not None:
            self._pad.close()

    def _carry_out(self, question: _Question) -> None:
        """Ask, and post what came of it. Raises DriverError."""
        wish, record = question.wish, question.record
        pan = pan_of(record)
        if not PAN_DIGITS_MIN <= len(pan) <= PAN_DIGITS_MAX:
            self._end(wish, Message.CARD_NOT_ACCEPTED)
            return
        if self._pad is None:
            self._pad = self._open_pad()
        pin = self._pad.encrypted_pin(
            pan,
            wish.within_s,
            amount=self._amount_text(wish.amount_minor, wish.currency),
            on_digits=lambda digits: self._post(PinDigits(wish.asking, digits)),
            stop=question.stop,
        )
        if isinstance(pin, NoPin):
            self._end(wish, _REASONS[pin])
            return
        sealed = self._seal(wish.attempt, encode_record(record), pin)
        self._post(PinEntered(wish.asking, sealed))

    def _end(self, wish: AskPin, reason: Message) -> None:
        self._post(PinEnded(wish.asking, reason, Message.ANOTHER_CARD_OR_WALLET))
