"""What the card's holder is asked: which application, a PIN; and a signature's end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from terminal.core.book import Book
from terminal.core.following import Following
from terminal.core.hand import Hand
from terminal.errors import NotAllowed
from terminal.events import InboxEvent, PinDigits, PinEnded, PinEntered, SignatureRefused
from terminal.questions import (
    AnswerCard,
    CardAsks,
    CardSpeaks,
    ChoiceMade,
    ChoiceWanted,
    PinAnswered,
)
from terminal.states import State
from terminal.view import PRESENTED


class Asking:
    """Puts one question at a time to whoever stands before the till."""

    def __init__(
        self, book: Book, hand: Hand, following: Following, open_batch: Callable[[], int]
    ) -> None:
        """open_batch: returns the number of the batch that is not closed yet."""
        self._open_batch = open_batch
        self._book = book
        self._hand = hand
        self._following = following
        self.handlers: Mapping[type[InboxEvent], Callable[[Any], None]] = {
            CardAsks: self._card_asks,
            CardSpeaks: self._card_speaks,
            ChoiceMade: self._choice_made,
            PinDigits: self._pin_digits,
            PinEntered: self._pin_entered,
            PinAnswered: self._pin_answered,
            PinEnded: self._pin_ended,
            SignatureRefused: self._signature_refused,
        }

    # --- a chip that waits in its slot ----------------------------------------

    def _card_asks(self, event: CardAsks) -> None:
        held = self._hand.listens(event.arming)
        if held is None or held.question is not None:
            # Another medium has won, or another slot asks already.
            self._book.wish(AnswerCard(event.reader, event.arming))
            return
        self._hand.ask(event)

    def _card_speaks(self, event: CardSpeaks) -> None:
        if (held := self._hand.listens(event.arming)) is not None:
            held.language = event.language

    def _choice_made(self, event: ChoiceMade) -> None:
        held = self._hand.held
        asked = None if held is None else held.question
        if asked is None or not isinstance(asked.question, ChoiceWanted):
            raise NotAllowed("No card asks which application to use")
        if event.place is not None and not 0 <= event.place < len(asked.question.names):
            raise NotAllowed(f"The card offers {len(asked.question.names)} applications")
        self._answer(asked, event.place)

    def time_is_up(self) -> None:
        """Nobody has chosen: the card is let go."""
        held = self._hand.held
        if held is not None and held.question is not None:
            self._answer(held.question, None)

    def _answer(self, asked: CardAsks, place: int | None) -> None:
        self._hand.end_question()
        self._book.wish(AnswerCard(asked.reader, asked.arming, place))

    # --- a PIN ----------------------------------------------------------------

    def _pin_digits(self, event: PinDigits) -> None:
        held = self._hand.asks_pin(event.asking)
        if held is not None and held.pin is not None:
            held.pin.digits = event.digits

    def _pin_entered(self, event: PinEntered) -> None:
        held = self._hand.asks_pin(event.asking)
        if held is not None and held.tender is not None:
            self._hand.note_duration("pin")
            held.tender = replace(held.tender, sealed=event.sealed, kept=None)
            held.pin = None
            self._following.proceed()

    def _pin_answered(self, event: PinAnswered) -> None:
        if (held := self._hand.asks_pin(event.asking)) is not None:
            held.pin = None
            self._hand.end_question()

    def _pin_ended(self, event: PinEnded) -> None:
        """The card is not charged; another one, or a code, may still pay."""
        if self._hand.asks_pin(event.asking) is not None:
            self._hand.drop_tender()
            self._hand.present()
            self._hand.hint(event.reason, event.next_step)

    # --- a signature ----------------------------------------------------------

    def _signature_refused(self, _event: SignatureRefused) -> None:
        payment = self._hand.payment
        signs = payment is not None and payment.kind in PRESENTED and payment.signature
        if payment is None or not signs or payment.state not in (State.APPROVED, State.STORED):
            raise NotAllowed("No signature is asked for")
        if payment.batch != self._open_batch():
            raise NotAllowed(f"The batch of payment {payment.number} is closed: refund it instead")
        self._following.signature_refused(payment)
