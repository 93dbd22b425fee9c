"""Asks for PINs at the shop's PIN pad: for the bank, or for the card itself.

A PIN for the bank comes out of the pad enciphered, and goes under the card's
seal at once. A PIN for a card comes out enciphered by that card's key; in
clear only where slot and keys are one device, which it never leaves. The till
holds no PIN, and keeps nothing of what it carries.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from drivers.errors import DeviceNotReady, DriverError
from drivers.protocols import CardKey, CardReader, EncryptedPin, NoPin, PinPad, PinReader, PinTries
from emv.conversation import VerifyPIN
from terminal.checkout.card_facts import encode_record, pan_of
from terminal.checkout.worker import CLOSE_S
from terminal.events import AskPin, InboxEvent, PinDigits, PinEnded, PinEntered
from terminal.messages import Message
from terminal.questions import PinAnswered

log = logging.getLogger(__name__)

PAN_DIGITS_MIN = 12
PAN_DIGITS_MAX = 19

REASONS = {
    NoPin.CANCELLED: Message.PIN_CANCELLED,
    NoPin.LATE: Message.PIN_LATE,
    # A PIN for the bank is not to be skipped.
    NoPin.SKIPPED: Message.PIN_CANCELLED,
    # Whoever stopped it no longer listens.
    NoPin.STOPPED: Message.PIN_CANCELLED,
}


class Seal(Protocol):
    """Attempt, card data and PIN to a JWE only the bank can open."""

    def __call__(self, attempt: str, record: bytes, pin: EncryptedPin, /) -> str:
        """Seal them."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What every question for a PIN has."""

    amount: str
    """As the customer reads it."""
    on_digits: Callable[[int], None]
    stop: threading.Event


class Kept(ABC):
    """A card that is kept until its holder is asked for a PIN."""

    @abstractmethod
    def ask(self, wish: AskPin, pad: Callable[[], PinPad], terms: Terms) -> InboxEvent:
        """Ask, and return what the core hears of it. Raises DriverError if the pad fails."""

    @abstractmethod
    def refuse(self, wish: AskPin, reason: Message) -> InboxEvent:
        """There is no PIN; return what the core hears of it."""


class BankPin(Kept):
    """The bank checks the PIN: card and PIN go under one seal."""

    def __init__(self, record: Mapping[int, bytes], seal: Seal) -> None:
        self._record = record
        self._seal = seal

    def ask(self, wish: AskPin, pad: Callable[[], PinPad], terms: Terms) -> InboxEvent:
        """Ask for a PIN, and seal it with the card."""
        pan = pan_of(self._record)
        if not PAN_DIGITS_MIN <= len(pan) <= PAN_DIGITS_MAX:
            return self.refuse(wish, Message.CARD_NOT_ACCEPTED)
        pin = pad().encrypted_pin(
            pan, wish.within_s, amount=terms.amount, on_digits=terms.on_digits, stop=terms.stop
        )
        if isinstance(pin, NoPin):
            return self.refuse(wish, REASONS[pin])
        return PinEntered(wish.asking, self._seal(wish.attempt, encode_record(self._record), pin))

    def refuse(self, wish: AskPin, reason: Message) -> InboxEvent:
        """The sale goes on without this card."""
        return PinEnded(wish.asking, reason, Message.ANOTHER_CARD_OR_WALLET)


class CardPin(Kept):
    """The card checks the PIN; what comes of asking is waited for at its slot."""

    def __init__(
        self, wanted: VerifyPIN, reader: CardReader, wake: Callable[[], None], *, may_skip: bool
    ) -> None:
        """wake: called once there is an outcome. may_skip: the customer may go on without."""
        self._wanted = wanted
        self._reader = reader
        self._wake = wake
        self._tries = PinTries(wanted.tries_left, wanted.is_retry, may_skip)
        self.outcome: bytes | int | NoPin | DriverError | Message | None = None
        """VERIFY's data; the status word of a reader that has sent it; why there is
        no PIN; what went wrong at the reader, or at the pad."""

    def ask(self, wish: AskPin, pad: Callable[[], PinPad], terms: Terms) -> InboxEvent:
        """Ask for a PIN that the card can check."""
        key = self._wanted.icc_key
        if key is None:
            return self._end(wish, self._in_clear(wish, terms))
        modulus = key.modulus.to_bytes(key.length, "big")
        outcome = pad().card_pin(
            CardKey(modulus, key.exponent),
            self._wanted.challenge,
            wish.within_s,
            tries=self._tries,
            amount=terms.amount,
            on_digits=terms.on_digits,
            stop=terms.stop,
        )
        return self._end(wish, outcome)

    def refuse(self, wish: AskPin, reason: Message) -> InboxEvent:
        """The card is told that the pad does not work."""
        return self._end(wish, reason)

    def _in_clear(self, wish: AskPin, terms: Terms) -> int | NoPin | DriverError | Message:
        """Have the reader ask and send VERIFY by itself."""
        if not isinstance(self._reader, PinReader):
            return Message.PIN_PAD_MISSING
        try:
            return self._reader.verify_pin(
                wish.within_s,
                tries=self._tries,
                amount=terms.amount,
                on_digits=terms.on_digits,
                stop=terms.stop,
            )
        except DriverError as error:
            # Its own thread has to deal with it.
            return error

    def _end(
        self, wish: AskPin, outcome: bytes | int | NoPin | DriverError | Message
    ) -> InboxEvent:
        self.outcome = outcome
        self._wake()
        return PinAnswered(wish.asking)


@dataclass(slots=True)
class _Question:
    """One customer who is asked."""

    wish: AskPin
    kept: Kept = field(repr=False)
    stop: threading.Event = field(default_factory=threading.Event)


class PinWorker:
    """Owns the PIN pad. All its calls return at once, from any thread."""

    def __init__(
        self,
        open_pad: Callable[[], PinPad],
        amount_text: Callable[[int, str], str],
        seal: Seal,
        post: Callable[[InboxEvent], None],
        *,
        may_skip: Callable[[], bool] = lambda: False,
    ) -> None:
        """amount_text: minor units and currency as the customer reads them, in ASCII.

        may_skip: says if customers may go on without a PIN that the card checks.
        """
        self._open_pad = open_pad
        self._amount_text = amount_text
        self._seal = seal
        self._post = post
        self._may_skip = may_skip
        self._pad: PinPad | None = None
        self._lock = threading.Lock()
        self._kept: dict[int, Kept] = {}
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
        return self._keep(BankPin(record, self._seal))

    def keep_chip(
        self, wanted: VerifyPIN, reader: CardReader, wake: Callable[[], None]
    ) -> tuple[int, CardPin]:
        """Keep what a chip needs that checks its PIN itself; return number and outcome to be."""
        pin = CardPin(wanted, reader, wake, may_skip=self._may_skip())
        return self._keep(pin), pin

    def _keep(self, kept: Kept) -> int:
        with self._lock:
            number = next(self._numbers)
            self._kept[number] = kept
            return number

    def ask(self, wish: AskPin) -> None:
        """Ask the customer; the end comes as one event.

        A card that pays is asked about last of all: every other is forgotten.
        """
        with self._lock:
            kept = self._kept.pop(wish.kept, None)
            if not isinstance(kept, CardPin):
                self._kept.clear()
            if kept is not None:
                self._question = _Question(wish, kept)
                self._questions.put(self._question)
                return
        log.error("a PIN was to be asked for a card that is not kept")
        self._post(PinEnded(wish.asking, Message.CARD_UNREADABLE, Message.ANOTHER_CARD_OR_WALLET))

    def end(self, asking: int = 0) -> None:
        """Ask no longer, and forget every card; with a number only that question ends."""
        with self._lock:
            if not asking:
                self._kept.clear()
            question = self._question
            if question is not None and asking in (0, question.wish.asking):
                question.stop.set()

    def close(self) -> None:
        """Let the pad go. Safe to call twice."""
        self.end()
        self._questions.put(None)
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    def _run(self) -> None:
        while (question := self._questions.get()) is not None:
            self._post(self._carry_out(question))
            with self._lock:
                if self._question is question:
                    self._question = None
            # Nothing of the card stays behind while the next one is awaited.
            del question
        if self._pad is not None:
            self._pad.close()

    def _carry_out(self, question: _Question) -> InboxEvent:
        """Ask, and return what the core hears of it."""
        wish = question.wish
        terms = Terms(
            self._amount_text(wish.amount_minor, wish.currency),
            lambda digits: self._post(PinDigits(wish.asking, digits)),
            question.stop,
        )
        try:
            return question.kept.ask(wish, self._opened, terms)
        except DeviceNotReady as error:
            log.warning("PIN pad: %s", error)
            return question.kept.refuse(wish, Message.PIN_PAD_NOT_READY)
        except DriverError as error:
            log.warning("PIN pad: %s", error)
            return question.kept.refuse(wish, Message.PIN_PAD_LOST)

    def _opened(self) -> PinPad:
        if self._pad is None:
            self._pad = self._open_pad()
        return self._pad
